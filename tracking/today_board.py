"""The board of a day: which missions are shown, in which order, and how many of each kind.

Counts are of the whole day, whatever is filtered: they say what there is.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Employer
from missions.models import Mission
from missions.reading import matching
from tracking.day_flags import Day, LeanMission, read_day
from tracking.days import whole_day
from tracking.mission_flags import NOT_OVER, TROUBLE
from tracking.mission_rows import MissionRow, listed, rows_of
from tracking.missions_list import Asked, asked_of

PAGE: Final = 50
ORDERS: Final[dict[str, Promise]] = {
    "trouble": gettext_lazy("trouble first"),
    "time": gettext_lazy("planned time"),
    "name": gettext_lazy("name"),
}
# Filters that only the database can answer.
SOUGHT: Final = ("driver", "truck", "q")
_RANK: Final = {name: rank for rank, name in enumerate(TROUBLE)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for: filters as on the page of missions, an order, a page."""

    day: date
    asked: Asked
    order: str
    page: int

    @property
    def errors(self) -> tuple[str, ...]:
        return self.asked.errors


@dataclass(frozen=True, slots=True)
class Board:
    """A page of a day. `matched`: how many have what was asked for; `pages`: how many pages."""

    day: Day
    rows: list[MissionRow]
    matched: int
    page: int
    pages: int

    by_status: Counter[str]
    by_flag: Counter[str]

    @property
    def total(self) -> int:
        return len(self.day.missions)


def wanted_of(query: QueryDict, zone: ZoneInfo, today: date) -> Wanted:
    """Read an address; what cannot be read is named in `errors`. The day is always today."""
    known = query.copy()
    for name in ("from", "to", "cursor"):
        known.pop(name, None)
    order = query.get("order", "") or "trouble"
    asked = asked_of(known, zone, today)
    if order not in ORDERS:
        asked = Asked(asked.first, asked.last, {}, asked.flags, None, (*asked.errors, "order"))
    number = query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    return Wanted(today, asked, order, max(1, page))


def board_of(employer: Employer, wanted: Wanted, now: datetime) -> Board:
    """Fifteen queries, and one more for each of a driver, a truck or words asked for."""
    day = read_day(employer, _of_day(employer, wanted), now)
    if wanted.errors:
        return Board(day, [], 0, 1, 1, day.by_status(), day.by_flag())
    found = _ordered(_matching(employer, wanted, day), day, wanted.order)
    pages = max(1, -(-len(found) // PAGE))
    page = min(wanted.page, pages)
    ids = [mission.pk for mission in found[(page - 1) * PAGE : page * PAGE]]
    rows = _rows(employer, wanted, day, ids, now)
    return Board(day, rows, len(found), page, pages, day.by_status(), day.by_flag())


def _of_day(employer: Employer, wanted: Wanted, **filters: Any) -> QuerySet[Mission]:
    begin, end = whole_day(wanted.day, ZoneInfo(employer.timezone))
    missions = Mission.objects.filter(employer=employer)
    return matching(missions, {**filters, "begin": begin, "end": end})


def _matching(employer: Employer, wanted: Wanted, day: Day) -> list[LeanMission]:
    statuses = wanted.asked.filters.get("status")
    flags = wanted.asked.flags
    found = [
        mission
        for mission in day.missions
        if (not statuses or mission.status in statuses) and flags <= day.flags[mission.pk]
    ]
    sought = {name: wanted.asked.filters[name] for name in SOUGHT if name in wanted.asked.filters}
    if not sought:
        return found
    ids = set(_of_day(employer, wanted, **sought).values_list("id", flat=True))
    return [mission for mission in found if mission.pk in ids]


def _ordered(missions: list[LeanMission], day: Day, order: str) -> list[LeanMission]:
    if order == "name":
        return sorted(missions, key=lambda one: (one.name.casefold(), one.began_at, one.pk))
    if order == "time":
        return sorted(missions, key=lambda one: (one.due_at, one.pk))
    return sorted(missions, key=lambda one: (*_urgency(one, day.flags[one.pk]), one.due_at, one.pk))


def _urgency(mission: LeanMission, flags: Collection[str]) -> tuple[int, int]:
    """What can still be changed comes before what is over, and that before what is well."""
    worst = min((_RANK[name] for name in flags if name in _RANK), default=None)
    if worst is None:
        return 2, 0
    return (0 if mission.status in NOT_OVER else 1), worst


def _rows(
    employer: Employer, wanted: Wanted, day: Day, ids: list[int], now: datetime
) -> list[MissionRow]:
    missions = listed(_of_day(employer, wanted).filter(pk__in=ids)).in_bulk()
    # One that was taken away since the day was read is simply not there.
    whole = [missions[pk] for pk in ids if pk in missions]
    return rows_of(whole, employer, wanted.day, now, day.fleet)
