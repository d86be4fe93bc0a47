"""A mission as a form holds it: the text of each field, by names, whoever typed it.

The same shape for what is stored, what was loaded and what was sent, so that they can be
compared field by field: that tells what a person changed, and what others did meanwhile.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import QueryDict

from accounts.models import Driver, Truck
from missions.models import GoodsLine, Mission, MissionStatus, Stop
from missions.pages.local_times import OFFSET, offsets_at, typed
from missions.pages.site_names import SiteNames
from missions.planning import MOST_STOPS
from missions.requests import MOST_GOODS
from missions.running import running_of, truck_of

Fields = dict[str, str]

HEAD: Final = (
    "external_id",
    "reference",
    "driver",
    "truck",
    "planned_start_at",
    "planned_end_at",
    "ecmr_number",
    "is_draft",
)
STOP_TIMES: Final = (
    "window_start_at",
    "window_end_at",
    "planned_arrival_at",
    "planned_departure_at",
)
STOP_TEXTS: Final = ("external_id", "reference", "contact_name", "contact_phone", "remark")
STOP_FLAGS: Final = ("requires_signature", "requires_photo")
NEW_SITE: Final = (
    "new_site_name",
    "new_site_address",
    "new_site_latitude",
    "new_site_longitude",
)
MINUTES: Final = {"planned_service_min": "planned_service_s", "free_time_min": "free_time_s"}
STOP: Final = (
    "id", "site", "purpose", *STOP_TIMES, *MINUTES, *STOP_TEXTS, *STOP_FLAGS, *NEW_SITE,
)  # fmt: skip
GOODS: Final = ("line_no", "description", "quantity", "unit", "weight_kg", "reference")
ON: Final = "on"
_STOP_KEY: Final = re.compile(r"stops-(\d{1,4})-purpose", re.ASCII)


@dataclass
class StopRow:
    """One stop; `goods` are its lines, one that is blank at the end."""

    fields: Fields
    goods: list[Fields] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.fields.get("id", "")


@dataclass
class MissionRow:
    """A whole mission, its stops in order."""

    head: Fields
    stops: list[StopRow] = field(default_factory=list)

    def by_id(self) -> dict[str, StopRow]:
        return {stop.id: stop for stop in self.stops if stop.id}

    def as_text(self) -> str:
        """To be carried by the form; read_text takes it back."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_text(text: str) -> MissionRow | None:
    """What `as_text` wrote; None for anything else."""
    try:
        read = json.loads(text)
        stops = [
            StopRow(_texts(stop["fields"], STOP), [_texts(line, GOODS) for line in stop["goods"]])
            for stop in read["stops"]
        ]
        return MissionRow(_texts(read["head"], HEAD), stops)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _texts(found: Mapping[str, Any], names: Iterable[str]) -> Fields:
    return {name: str(found.get(name, "")) for name in names}


def blank_goods() -> Fields:
    return dict.fromkeys(GOODS, "")


def blank_stop(purpose: str) -> StopRow:
    return StopRow({**dict.fromkeys(STOP, ""), "purpose": purpose}, [])


def row_of(mission: Mission, zone: ZoneInfo, names: SiteNames) -> MissionRow:
    """A stored mission. Wants what `shown_missions` reads along with it."""
    running, truck = running_of(mission), truck_of(mission)
    head = {
        "external_id": mission.external_id or "",
        "reference": mission.reference,
        "driver": _driver(running.driver if running else None),
        "truck": _truck(truck),
        "planned_start_at": typed(mission.planned_start_at, zone),
        "planned_end_at": typed(mission.planned_end_at, zone),
        "ecmr_number": mission.ecmr_number,
        "is_draft": ON if mission.status == MissionStatus.DRAFT else "",
    }
    return MissionRow(head, [_stop(stop, zone, names) for stop in mission.stops.all()])


def _driver(driver: Driver | None) -> str:
    """One who is not available is not named, nor their id."""
    return str(driver.uuid) if driver and driver.frozen_at is None else ""


def _truck(truck: Truck | None) -> str:
    return str(truck.uuid) if truck else ""


def _stop(stop: Stop, zone: ZoneInfo, names: SiteNames) -> StopRow:
    fields = {
        **dict.fromkeys(NEW_SITE, ""),
        "id": str(stop.uuid),
        "site": names.label(stop.site),
        "purpose": stop.purpose,
        **{name: typed(getattr(stop, name), zone) for name in STOP_TIMES},
        **{name: _minutes(getattr(stop, column)) for name, column in MINUTES.items()},
        **{name: getattr(stop, name) or "" for name in STOP_TEXTS},
        **{name: ON if getattr(stop, name) else "" for name in STOP_FLAGS},
    }
    return StopRow(fields, [_line(line) for line in stop.goods.all()])


def _minutes(seconds: int | None) -> str:
    return "" if seconds is None else _number(Decimal(seconds) / 60)


def _number(number: Decimal | None) -> str:
    """Without zeros that say nothing; minutes to a hundredth."""
    if number is None:
        return ""
    text = f"{number.quantize(Decimal('0.001')):f}"
    return text.rstrip("0").rstrip(".")


def _line(line: GoodsLine) -> Fields:
    return {
        "line_no": str(line.line_no),
        "description": line.description,
        "quantity": _number(line.quantity),
        "unit": line.unit,
        "weight_kg": _number(line.weight_kg),
        "reference": line.reference,
    }


def row_sent(data: QueryDict, zone: ZoneInfo) -> MissionRow:
    """What a form sent, in the order of its numbers; at most as much as a mission may have."""
    places = sorted(int(found[1]) for key in data if (found := _STOP_KEY.fullmatch(key)))
    stops = [_stop_sent(data, f"stops-{place}", zone) for place in places[: MOST_STOPS + 1]]
    return MissionRow({name: _sent(data, name, zone) for name in HEAD}, stops)


def _stop_sent(data: QueryDict, prefix: str, zone: ZoneInfo) -> StopRow:
    lines: list[Fields] = []
    while f"{prefix}-goods-{len(lines)}-description" in data and len(lines) <= MOST_GOODS:
        begin = f"{prefix}-goods-{len(lines)}"
        lines.append({name: _sent(data, f"{begin}-{name}", zone) for name in GOODS})
    return StopRow({name: _sent(data, f"{prefix}-{name}", zone) for name in STOP}, lines)


def _sent(data: QueryDict, name: str, zone: ZoneInfo) -> str:
    """As typed, a time that comes twice with the offset chosen; line ends as they are stored."""
    text = data.get(name, "").strip().replace("\r\n", "\n")
    offset = data.get(name + OFFSET, "")
    return text + offset if offset and offset in offsets_at(text, zone) else text


def filled(lines: Sequence[Fields]) -> list[tuple[int, Fields]]:
    """The lines of goods in which something stands, with their places: a number alone is none."""
    return [
        (place, line)
        for place, line in enumerate(lines)
        if any(value for name, value in line.items() if name != "line_no")
    ]
