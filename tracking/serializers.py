"""Fixes as they leave through the API: the shapes, and the rows themselves.

The rows are made as plain dictionaries: a page has a thousand fixes, and a serializer would
take longer than the database. The serializer classes say the same to the OpenAPI schema;
tests/tracking holds the two together.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

from tracking.formats import FixRow, rfc3339
from tracking.histories import Names, StoredFix
from tracking.ingest.sent import (
    FLAG_MISSION_UNKNOWN,
    FLAG_MOCK,
    FLAG_TRUCK_DISAGREES,
    KIND_BY_LABEL,
    LABEL_BY_KIND,
)
from tracking.models import E7, LinkSource

DOUBTS: Final = {
    FLAG_MOCK: "mock_position",
    FLAG_TRUCK_DISAGREES: "truck_disagrees",
    FLAG_MISSION_UNKNOWN: "mission_unknown",
}
LINK_SOURCES: Final = {source.value: source.label for source in LinkSource}


class FixSerializer(serializers.Serializer[Any]):
    """One fix of a history."""

    recorded_at = serializers.DateTimeField(help_text="The phone's clock.")
    received_at = serializers.DateTimeField(help_text="The server's clock.")
    latitude = serializers.FloatField(help_text="Degrees, WGS 84.")
    longitude = serializers.FloatField(help_text="Degrees, WGS 84.")
    kind = serializers.ChoiceField(choices=sorted(KIND_BY_LABEL))
    driver = serializers.UUIDField()
    truck = serializers.UUIDField(allow_null=True)
    mission = serializers.UUIDField(allow_null=True)
    link_source = serializers.ChoiceField(
        choices=[*LINK_SOURCES.values()],
        help_text="Why it has its mission. `none`: it was linked to none when it was stored; "
        "in a mission's history it then belongs because the mission was open.",
    )
    accuracy_m = serializers.FloatField(allow_null=True)
    speed_mps = serializers.FloatField(allow_null=True)
    heading_deg = serializers.FloatField(allow_null=True)
    altitude_m = serializers.FloatField(allow_null=True)
    odometer_m = serializers.IntegerField(allow_null=True)
    battery = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    is_mock = serializers.BooleanField(help_text="The phone says the position is simulated.")
    doubts = serializers.ListField(child=serializers.ChoiceField(choices=[*DOUBTS.values()]))


class FixPageSerializer(serializers.Serializer[Any]):
    """A page of fixes, oldest first."""

    results = FixSerializer(many=True)
    next = serializers.URLField(allow_null=True)


def fix_data(fix: StoredFix, names: Names) -> dict[str, object]:
    """One fix as in FixSerializer."""
    flags = fix.flags or 0
    return {
        "recorded_at": rfc3339(fix.recorded_at),
        "received_at": rfc3339(fix.received_at),
        "latitude": fix.latitude_e7 / E7,
        "longitude": fix.longitude_e7 / E7,
        "kind": LABEL_BY_KIND[fix.kind],
        "driver": names.drivers.get(fix.driver_id),
        "truck": names.trucks.get(fix.truck_id) if fix.truck_id else None,
        "mission": names.missions.get(fix.mission_id) if fix.mission_id else None,
        "link_source": LINK_SOURCES[fix.link_source],
        "accuracy_m": fix.accuracy_m,
        "speed_mps": fix.speed_mps,
        "heading_deg": fix.heading_deg,
        "altitude_m": fix.altitude_m,
        "odometer_m": fix.odometer_m,
        "battery": fix.battery,
        "is_mock": bool(flags & FLAG_MOCK),
        "doubts": [doubt for bit, doubt in DOUBTS.items() if flags & bit],
    }


class _Texts(dict[int | None, str | None]):
    """Ids inside to UUIDs as text, each made once: a stream names the same ones for ever."""

    def __init__(self, uuids: Mapping[int, UUID]) -> None:
        super().__init__({None: None})
        self._uuids = uuids

    def __missing__(self, inside: int | None) -> str | None:
        uuid = None if inside is None else self._uuids.get(inside)
        text = self[inside] = None if uuid is None else str(uuid)
        return text


class RowWriter:
    """Stored fixes as the formats write them, with the names that have been learnt."""

    def __init__(self, names: Names) -> None:
        self._drivers = _Texts(names.drivers)
        self._trucks = _Texts(names.trucks)
        self._missions = _Texts(names.missions)

    def rows(self, fixes: Iterable[StoredFix]) -> list[FixRow]:
        """One row for each. The innermost loop of a stream: no call it can do without."""
        drivers, trucks, missions = self._drivers, self._trucks, self._missions
        labels, sources, row = LABEL_BY_KIND, LINK_SOURCES, FixRow
        return [
            row(
                recorded_at, received_at, latitude_e7, longitude_e7, labels[kind],
                drivers[driver_id], trucks[truck_id], missions[mission_id], sources[link_source],
                accuracy_m, speed_mps, heading_deg, altitude_m, odometer_m, battery,
                flags is not None and flags & FLAG_MOCK != 0,
            )
            for (
                recorded_at, driver_id, _, received_at, _, latitude_e7, longitude_e7, kind,
                link_source, truck_id, mission_id, accuracy_m, speed_mps, heading_deg, battery,
                altitude_m, odometer_m, flags,
            ) in fixes
        ]  # fmt: skip
