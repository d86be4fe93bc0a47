"""A page of missions: which ones the address names, and what each row says of one.

Filters live in the address. What SQL cannot tell by itself (late, evidence missing) is told
by the same rules as a mission's own page, of a bounded number of missions at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from accounts.models import Employer
from accounts.moments import moment, rfc3339
from accounts.pagination import decode_cursor, encode_cursor
from accounts.refusals import Invalid
from missions.models import Mission, MissionStatus, SiteCheck, StageEvent, Stop, StopResult
from missions.reading import matching
from missions.requests import MissionFilter
from tracking.days import whole_day
from tracking.mission_flags import FLAGS, NOT_OVER
from tracking.mission_rows import MissionRow, listed, rows_of
from tracking.mission_words import STATUSES

PAGE: Final = 50
# Of so many missions at most one page works out what is amiss.
LOOKS_AT: Final = 200
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. Days are the employer's, both ends included; None: no end."""

    first: date | None
    last: date | None
    filters: dict[str, Any] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    after: tuple[datetime, int] | None = None
    errors: tuple[str, ...] = ()

    @property
    def one_day(self) -> date | None:
        return self.first if self.first == self.last else None


@dataclass(frozen=True, slots=True)
class MissionsPage:
    """`next`: the cursor of what comes after; `looked_at`: how many were looked through."""

    rows: list[MissionRow]
    next: str
    looked_at: int


def asked_of(query: QueryDict, zone: ZoneInfo, today: date) -> Asked:
    """Read an address. What cannot be read is named in `errors`, and nothing is shown then.

    Without `from` and `to`: today. One that is there and empty has no end.
    """
    errors: list[str] = []
    first: date | None = today
    last: date | None = today
    if "from" in query or "to" in query:
        first = _day(query.get("from", ""), "from", errors)
        last = _day(query.get("to", ""), "to", errors)
    named: dict[str, Any] = {
        name: query[name] for name in ("driver", "truck", "q") if query.get(name)
    }
    if statuses := [one for one in query.getlist("status") if one]:
        named["status"] = statuses
    if first:
        named["from"] = rfc3339(whole_day(first, zone)[0])
    if last:
        named["to"] = rfc3339(whole_day(last, zone)[1])
    form = MissionFilter(data=named)
    try:
        form.is_valid(raise_exception=True)
    except ValidationError:
        errors += form.errors
    after = _after(query.get("cursor", ""), errors)
    flags = frozenset(name for name in FLAGS if query.get(name))
    return Asked(first, last, form.validated_data, flags, after, tuple(errors))


def _day(text: str, name: str, errors: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        errors.append(name)
        return None
    if not FIRST_YEAR < day.year < LAST_YEAR:
        errors.append(name)
        return None
    return day


def _after(cursor: str, errors: list[str]) -> tuple[datetime, int] | None:
    if not cursor:
        return None
    try:
        began_at, key = decode_cursor(cursor, 2)
        return moment(str(began_at)), int(key)
    except (Invalid, ValueError):
        errors.append("cursor")
        return None


def missions_page(employer: Employer, asked: Asked, now: datetime) -> MissionsPage:
    """The rows in the order of their beginning. Nine queries, however many."""
    if asked.errors:
        return MissionsPage([], "", 0)
    missions = matching(Mission.objects.filter(employer=employer), asked.filters)
    missions = listed(_flagged(missions, asked.flags)).order_by(F("began_at"), "id")
    if asked.after:
        began_at, key = asked.after
        missions = missions.filter(Q(began_at__gt=began_at) | Q(began_at=began_at, id__gt=key))
    most = LOOKS_AT if asked.flags - {"failed"} else PAGE
    found = list(missions[: most + 1])
    looked_at = found[:most]
    rows = [
        row for row in rows_of(looked_at, employer, asked.one_day, now) if asked.flags <= row.flags
    ]
    ends_early = len(rows) > PAGE
    rows = rows[:PAGE]
    last = rows[-1].mission if ends_early else looked_at[-1] if looked_at else None
    has_more = ends_early or len(found) > most
    return MissionsPage(rows, _cursor(last) if last and has_more else "", len(looked_at))


def _cursor(mission: Mission) -> str:
    began_at: datetime = mission.began_at  # type: ignore[attr-defined]
    return encode_cursor([began_at.astimezone(UTC), mission.pk])


def _flagged(missions: QuerySet[Mission], flags: frozenset[str]) -> QuerySet[Mission]:
    """Without those that cannot have a flag: the rules have fewer to look at."""
    stops = Stop.objects.filter(mission=OuterRef("pk"))
    of_flag = {
        "failed": stops.filter(result=StopResult.FAILED),
        "far_from_site": StageEvent.objects.filter(
            mission=OuterRef("pk"), site_check=SiteCheck.OUTSIDE
        ),
        "missing_signature": stops.filter(requires_signature=True),
        "missing_photo": stops.filter(requires_photo=True),
        "late": stops,
        "at_risk": stops.filter(result=""),
    }
    if flags & {"at_risk", "silent"}:
        missions = missions.filter(status__in=NOT_OVER)
    for flag in flags:
        if flag in of_flag:
            missions = missions.filter(Exists(of_flag[flag]))
    return missions


def next_day(day: date, days: int) -> date:
    return day + timedelta(days=days)


def in_words(asked: Asked, names: Mapping[str, str]) -> list[str]:
    """The filters that narrow the days, as words. `names`: of a driver or a truck asked for."""
    words = [
        str(STATUSES[MissionStatus(one)])
        for one in MissionStatus.values
        if one in asked.filters.get("status", ())
    ]
    words += [names[name] for name in ("driver", "truck") if names.get(name)]
    if asked.filters.get("q"):
        words.append(f"“{asked.filters['q']}”")
    return words + [str(words_) for flag, words_ in FLAGS.items() if flag in asked.flags]
