"""Fixes and timelines as they leave through the API: the shapes, and the rows themselves.

The rows are made as plain dictionaries: a page has a thousand fixes, and a serializer would
take longer than the database. The serializer classes say the same to the OpenAPI schema;
tests/tracking holds the two together.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

from missions.models import SiteCheck
from missions.stages import STAGE_BY_LABEL
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
from tracking.timeline import Entry, Shift, Timeline

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


class ShiftSerializer(serializers.Serializer[Any]):
    """Who drove from when to when."""

    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    driver = serializers.UUIDField(allow_null=True)
    availability = serializers.ChoiceField(choices=["available", "not_available", "erased"])


class EntrySerializer(serializers.Serializer[Any]):
    """One entry of a timeline. Fields that say nothing for a type are left out there."""

    type = serializers.ChoiceField(choices=["move", "dwell", "standstill", "gap", "stage"])
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    duration_s = serializers.IntegerField(
        help_text="Of a standstill: how long it stood on its leg, the driving taken off."
    )
    distance_m = serializers.FloatField()
    distance_method = serializers.ChoiceField(choices=["fixes", "odometer"])
    source = serializers.ChoiceField(  # type: ignore[assignment]  # its own word, like ours
        choices=["fixes", "driver", "automatic", "dispatcher"]
    )
    stop = serializers.UUIDField(allow_null=True)
    driver = serializers.UUIDField(allow_null=True)
    truck = serializers.UUIDField(allow_null=True)
    mission = serializers.UUIDField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    uncertainty_m = serializers.FloatField(allow_null=True)
    continues_before = serializers.BooleanField(help_text="It began before the day did.")
    continues_after = serializers.BooleanField(help_text="It went on into the next day.")
    received_at = serializers.DateTimeField(
        required=False, help_text="When something in it came in more than 15 minutes late."
    )
    flagged_legs = serializers.IntegerField(
        required=False, help_text="Not believable, and not in distance_m."
    )
    is_open = serializers.BooleanField(required=False, help_text="dwell: no departure is known.")
    is_crawling = serializers.BooleanField(
        required=False, help_text="standstill: standing or crawling, it cannot be told."
    )
    mean_speed_mps = serializers.FloatField(required=False, allow_null=True, help_text="gap")
    standstill_possible = serializers.BooleanField(required=False, help_text="gap")
    stage = serializers.ChoiceField(required=False, choices=sorted(STAGE_BY_LABEL))
    stage_event = serializers.UUIDField(required=False, allow_null=True)
    position_source = serializers.ChoiceField(
        required=False, choices=["at_event", "last_known", "none"]
    )
    site_distance_m = serializers.FloatField(required=False, allow_null=True)
    site_check = serializers.ChoiceField(required=False, choices=SiteCheck.values)
    reason = serializers.CharField(required=False)
    remark = serializers.CharField(required=False)
    ends_mission = serializers.BooleanField(required=False)
    is_superseded = serializers.BooleanField(
        required=False, help_text="stage: a later correction takes its place."
    )


class TimelineSerializer(serializers.Serializer[Any]):
    """A day or a mission: what it covers, how far, and its entries, oldest first."""

    timezone = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True, help_text="null: it never began.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="null: it is open.")
    distance_m = serializers.FloatField()
    distance_method = serializers.ChoiceField(
        choices=["fixes", "odometer"], help_text="By `fixes` it is a lower bound."
    )
    flagged_legs = serializers.IntegerField()
    last_fix_at = serializers.DateTimeField(allow_null=True)
    shifts = ShiftSerializer(many=True)
    entries = EntrySerializer(many=True)


def timeline_data(timeline: Timeline) -> dict[str, object]:
    """A timeline as in TimelineSerializer."""
    return {
        "timezone": timeline.timezone,
        "started_at": _time(timeline.started_at),
        "ended_at": _time(timeline.ended_at),
        "distance_m": round(timeline.distance_m, 1),
        "distance_method": timeline.distance_method,
        "flagged_legs": timeline.flagged_legs,
        "last_fix_at": _time(timeline.last_fix_at),
        "shifts": [_shift_data(shift) for shift in timeline.shifts],
        "entries": [_entry_data(entry) for entry in timeline.entries],
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _shift_data(shift: Shift) -> dict[str, object]:
    return {
        "started_at": rfc3339(shift.started_at),
        "ended_at": rfc3339(shift.ended_at),
        "driver": shift.driver.uuid if shift.driver else None,
        "availability": shift.availability,
    }


def _entry_data(entry: Entry) -> dict[str, object]:
    segment = entry.segment
    data: dict[str, object] = {
        "type": segment.type,
        "started_at": rfc3339(segment.started_at),
        "ended_at": rfc3339(segment.ended_at),
        "duration_s": segment.duration_s,
        "distance_m": round(segment.distance_m, 1),
        "distance_method": segment.distance_method,
        "source": segment.source,
        "stop": entry.stop.uuid if entry.stop else None,
        "driver": entry.driver.uuid if entry.driver else None,
        "truck": entry.truck.uuid if entry.truck else None,
        "mission": entry.mission.uuid if entry.mission else None,
        "latitude": segment.latitude,
        "longitude": segment.longitude,
        "uncertainty_m": segment.uncertainty_m,
        "continues_before": entry.continues_before,
        "continues_after": entry.continues_after,
    }
    if entry.received_at is not None:
        data["received_at"] = rfc3339(entry.received_at)
    if segment.type == "stage":
        return data | _stage_data(entry)
    data["flagged_legs"] = segment.flagged_legs
    return data | _figures(entry)


def _figures(entry: Entry) -> dict[str, object]:
    """What only one type of segment has."""
    segment = entry.segment
    if segment.type == "dwell":
        return {"is_open": segment.is_open}
    if segment.type == "standstill":
        return {"is_crawling": segment.is_crawling}
    if segment.type == "gap":
        return {
            "mean_speed_mps": segment.mean_speed_mps,
            "standstill_possible": segment.standstill_possible,
        }
    return {}


def _stage_data(entry: Entry) -> dict[str, object]:
    segment, event = entry.segment, entry.event
    data: dict[str, object] = {"stage": segment.kind, "is_superseded": entry.is_superseded}
    if event is None:
        return data | {"stage_event": None, "position_source": "at_event"}
    return data | {
        "latitude": event.latitude,
        "longitude": event.longitude,
        "uncertainty_m": event.accuracy_m,
        "stage_event": event.uuid,
        "position_source": event.position_source,
        "site_distance_m": event.site_distance_m,
        "site_check": event.site_check,
        "reason": event.reason,
        "remark": event.remark,
        "ends_mission": event.ends_mission,
    }
