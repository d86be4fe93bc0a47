"""What a month's page shows: a row for each day, their sums, and the same as a chart."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Driver, Truck
from missions.exporting import local
from missions.tables import Row
from tracking.day_bars import Kind
from tracking.day_page import FIRST_YEAR, LAST_YEAR
from tracking.day_rows import Clock, distance_text, duration_text, kilometres
from tracking.day_strip import WORDS
from tracking.days import whole_day
from tracking.fleet_rows import driver_name
from tracking.kept import kept_since
from tracking.month_sums import DaySums, month_sums

TABLE: Final = (
    "day",
    "timezone",
    "driver_number",
    "driver_name",
    "truck_plate",
    "on_duty_s",
    "moving_s",
    "standing_s",
    "loading_s",
    "gap_s",
    "distance_m",
    "distance_method",
    "missions_completed",
    "stops_failed",
    "first_at",
    "first_local",
    "last_at",
    "last_local",
)
# What the chart piles up, from the bottom.
CHARTED: Final[tuple[Kind, ...]] = ("move", "loading", "standing", "gap")
CHART_TOP_PX: Final = 16
CHART_HEIGHT_PX: Final = 150
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A day as the table shows it; texts are empty where there is nothing to say."""

    day: date
    on_duty: str
    moving: str
    standing: str
    loading: str
    gap: str
    distance: str
    completed: int
    failed: int
    first: str
    last: str
    is_empty: bool
    is_weekend: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A kind's part of a day's column."""

    kind: Kind
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Column:
    """A day of the chart: from the left and how wide, in per cent."""

    x: str
    middle: str
    width: str
    label: str
    is_major: bool
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the chart's scale."""

    y: float
    label: str


def month_asked(text: str, today: date) -> date | None:
    """The first day of the asked month; this month's when none is asked; None: no month."""
    if not text:
        return today.replace(day=1)
    found = _MONTH.fullmatch(text)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):
        return None
    return date(year, month, 1)


def month_context(subject: Driver | Truck, month: date, now: datetime) -> dict[str, Any]:
    """All that the template names; what it costs says month_sums()."""
    employer = subject.employer
    zone = ZoneInfo(employer.timezone)
    today = now.astimezone(zone).date()
    days = [one for one in month_sums(subject, month, now) if one.day <= today]
    following = (month + timedelta(days=32)).replace(day=1)
    return {
        "employer": employer,
        "name": name_of(subject),
        "month": month,
        "this_month": today.replace(day=1),
        "before": (month - timedelta(days=1)).replace(day=1),
        "after": following if following <= today else None,
        "zone": zone,
        "rows": [_row(one, zone) for one in days],
        "totals": _totals(days),
        "worked": sum(not one.is_empty for one in days),
        "columns": _columns(days),
        "lines": _lines(days),
        "chart_bottom": CHART_TOP_PX + CHART_HEIGHT_PX,
        "keys": [(kind, WORDS[kind]) for kind in CHARTED],
        "is_past_its_period": whole_day(month, zone)[0] < kept_since(employer, now),
    }


def name_of(subject: Driver | Truck) -> str:
    if isinstance(subject, Driver):
        return driver_name(subject.name, subject.number)
    return f"{subject.plate} · {subject.name}" if subject.name else subject.plate


def _row(one: DaySums, zone: ZoneInfo) -> MonthRow:
    clock = Clock.of_day(zone, *whole_day(one.day, zone))
    return MonthRow(
        day=one.day,
        on_duty=_lasted(one.on_duty_s),
        moving=_lasted(one.sums.moving_s),
        standing=_lasted(one.sums.standing_s),
        loading=_lasted(one.sums.loading_s),
        gap=_lasted(one.sums.gap_s),
        distance=kilometres(one.distance_m) if one.distance_m else "",
        completed=one.missions_completed,
        failed=one.stops_failed,
        first=clock.text(one.first_at) if one.first_at else "",
        last=clock.text(one.last_at) if one.last_at else "",
        is_empty=one.is_empty,
        is_weekend=one.day.isoweekday() > 5,
    )


def _lasted(seconds: int) -> str:
    return duration_text(seconds) if seconds else ""


def _totals(days: Sequence[DaySums]) -> dict[str, Any]:
    return {
        "on_duty": duration_text(sum(one.on_duty_s for one in days)),
        "moving": duration_text(sum(one.sums.moving_s for one in days)),
        "standing": duration_text(sum(one.sums.standing_s for one in days)),
        "loading": duration_text(sum(one.sums.loading_s for one in days)),
        "gap": duration_text(sum(one.sums.gap_s for one in days)),
        "distance": distance_text(sum(one.distance_m for one in days), _method(days)),
        "kilometres": kilometres(sum(one.distance_m for one in days)),
        "completed": sum(one.missions_completed for one in days),
        "failed": sum(one.stops_failed for one in days),
    }


def _method(days: Iterable[DaySums]) -> str:
    """Kilometres are as good as the worst of them."""
    methods = {one.distance_method for one in days if one.distance_m}
    return "odometer" if methods == {"odometer"} else "fixes"


def _most_hours(days: Sequence[DaySums]) -> int:
    """The top of the scale: full pairs of hours, at least four."""
    most_s = max((sum(_charted(one).values()) for one in days), default=0)
    return max(4, 2 * -(-most_s // (2 * HOUR_S)))


def _charted(one: DaySums) -> dict[Kind, int]:
    return {kind: one.sums.lasted_s.get(kind, 0) for kind in CHARTED}


def _lines(days: Sequence[DaySums]) -> list[Line]:
    most = _most_hours(days)
    step = 2 if most <= 8 else 4 if most <= 16 else 6
    bottom = CHART_TOP_PX + CHART_HEIGHT_PX
    return [
        Line(round(bottom - CHART_HEIGHT_PX * hours / most, 1), str(hours))
        for hours in range(0, most + 1, step)
    ]


def _columns(days: Sequence[DaySums]) -> list[Column]:
    """A column for each day, on the same scale."""
    most_s = _most_hours(days) * HOUR_S
    share = 100 / max(1, len(days))
    found = []
    for place, one in enumerate(days):
        parts: list[Part] = []
        top = float(CHART_TOP_PX + CHART_HEIGHT_PX)
        for kind, seconds in _charted(one).items():
            height = round(CHART_HEIGHT_PX * seconds / most_s, 1)
            if height:
                top -= height
                said = f"{date_format(one.day, _('D j M'))}: {WORDS[kind]} {duration_text(seconds)}"
                parts.append(Part(kind, round(top, 1), height, said))
        found.append(
            Column(
                x=f"{share * (place + 0.15):.3f}%",
                middle=f"{share * (place + 0.5):.3f}%",
                width=f"{share * 0.7:.3f}%",
                label=str(one.day.day),
                is_major=one.day.day == 1 or one.day.day % 5 == 0,
                parts=parts,
            )
        )
    return found


def month_table(subject: Driver | Truck, month: date, now: datetime) -> list[Row]:
    """The rows of TABLE: one for each day until today, in whole seconds and metres."""
    zone = ZoneInfo(subject.employer.timezone)
    today = now.astimezone(zone).date()
    driver = subject if isinstance(subject, Driver) else None
    return [
        [
            one.day.isoformat(),
            zone.key,
            driver.number if driver else None,
            driver.name if driver else None,
            subject.plate if isinstance(subject, Truck) else None,
            one.on_duty_s,
            one.sums.moving_s,
            one.sums.standing_s,
            one.sums.loading_s,
            one.sums.gap_s,
            round(one.distance_m),
            one.distance_method if one.distance_m else None,
            one.missions_completed,
            one.stops_failed,
            one.first_at,
            local(one.first_at, zone),
            one.last_at,
            local(one.last_at, zone),
        ]
        for one in month_sums(subject, month, now)
        if one.day <= today
    ]
