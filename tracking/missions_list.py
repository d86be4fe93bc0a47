"""A page of missions: which ones the address names, and what each row says of one.

Filters live in the address. What SQL cannot tell by itself (late, evidence missing) is told
by the same rules as a mission's own page, of a bounded number of missions at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from accounts.models import Employer
from accounts.moments import moment, rfc3339
from accounts.pagination import decode_cursor, encode_cursor
from accounts.refusals import Invalid
from missions.models import (
    Mission,
    MissionAssignment,
    MissionStatus,
    StageEvent,
    Stop,
    StopResult,
)
from missions.reading import matching
from missions.requests import MissionFilter
from missions.stages import Stage
from tracking.amiss import Amiss, amiss_at_stops
from tracking.days import whole_day
from tracking.mission_words import STATUSES, amiss_text, distinct, mission_name, person, span_text
from tracking.stop_times import StopTimes, is_corrected, stop_times_of_many

PAGE: Final = 50
# Of so many missions at most one page works out what is amiss.
LOOKS_AT: Final = 200
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
FLAGS: Final = {
    "late": gettext_lazy("late"),
    "failed": gettext_lazy("a stop failed"),
    "missing_signature": gettext_lazy("signature missing"),
    "missing_photo": gettext_lazy("photo missing"),
    "has_exception": gettext_lazy("something else amiss"),
}


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
class MissionRow:
    """One mission of the list. `marks`: (what kind, in words), the worst first."""

    mission: Mission
    name: str
    status: str
    icon: str
    drivers: list[str]
    trucks: list[str]
    planned: str
    done: int
    stops: int
    is_hidden: bool
    marks: list[tuple[str, str]]


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
    """The rows in the order of their beginning. Six queries, however many."""
    if asked.errors:
        return MissionsPage([], "", 0)
    missions = _flagged(matching(_listed(employer), asked.filters), asked.flags)
    missions = missions.annotate(began_at=F("began_at")).order_by("began_at", "id")
    if asked.after:
        began_at, key = asked.after
        missions = missions.filter(Q(began_at__gt=began_at) | Q(began_at=began_at, id__gt=key))
    most = LOOKS_AT if asked.flags - {"failed"} else PAGE
    found = list(missions[: most + 1])
    looked_at = found[:most]
    times = stop_times_of_many(looked_at, employer)
    zone = ZoneInfo(employer.timezone)
    rows: list[MissionRow] = []
    for mission in looked_at:
        row, flags = _row(mission, times[mission.pk], employer, zone, asked.one_day, now)
        if asked.flags <= flags:
            rows.append(row)
    ends_early = len(rows) > PAGE
    rows = rows[:PAGE]
    last = rows[-1].mission if ends_early else looked_at[-1] if looked_at else None
    has_more = ends_early or len(found) > most
    return MissionsPage(rows, _cursor(last) if last and has_more else "", len(looked_at))


def _cursor(mission: Mission) -> str:
    began_at: datetime = mission.began_at  # type: ignore[attr-defined]
    return encode_cursor([began_at.astimezone(UTC), mission.pk])


def _listed(employer: Employer) -> QuerySet[Mission]:
    """Missions with what a row says of them: three queries, however many rows."""
    assignments = MissionAssignment.objects.select_related("driver", "truck").order_by("id")
    raised = StageEvent.objects.filter(
        ~is_corrected(), mission=OuterRef("pk"), stage=Stage.EXCEPTION, driver__frozen_at=None
    )
    return (
        Mission.objects.filter(employer=employer)
        .select_related("planned_truck")
        .annotate(is_raised=Exists(raised))
        .prefetch_related(
            Prefetch("assignments", assignments),
            Prefetch("stops", Stop.objects.order_by("seq")),
        )
    )


def _flagged(missions: QuerySet[Mission], flags: Iterable[str]) -> QuerySet[Mission]:
    """Without those that cannot have a flag: the rules have fewer to look at."""
    stops = Stop.objects.filter(mission=OuterRef("pk"))
    of_flag = {
        "failed": stops.filter(result=StopResult.FAILED),
        "missing_signature": stops.filter(requires_signature=True),
        "missing_photo": stops.filter(requires_photo=True),
        "late": stops,
    }
    for flag in flags:
        if flag in of_flag:
            missions = missions.filter(Exists(of_flag[flag]))
    return missions


def _row(
    mission: Mission,
    times: Sequence[StopTimes],
    employer: Employer,
    zone: ZoneInfo,
    day: date | None,
    now: datetime,
) -> tuple[MissionRow, set[str]]:
    assignments = list(mission.assignments.all())
    # What somebody who is not available did is hidden: nobody can say then what is amiss.
    is_hidden = any(one.driver and one.driver.frozen_at for one in assignments)
    amiss: list[Amiss] = []
    if not is_hidden and mission.status != MissionStatus.CANCELLED:
        is_over = mission.ended_at is not None
        amiss = amiss_at_stops(times, employer, now=now, is_over=is_over)
    is_raised = not is_hidden and bool(mission.is_raised)  # type: ignore[attr-defined]
    has_failed = any(one.result == StopResult.FAILED for one in times)
    trucks = [one.truck.plate for one in assignments if one.truck]
    if not trucks and mission.planned_truck:
        trucks = [mission.planned_truck.plate]
    row = MissionRow(
        mission=mission,
        name=mission_name(mission),
        status=str(STATUSES[MissionStatus(mission.status)]),
        icon=f"icons/{mission.status}.html",
        drivers=distinct(person(one.driver) for one in assignments),
        trucks=distinct(trucks),
        planned=span_text(mission.planned_start_at, mission.planned_end_at, zone, day),
        done=sum(bool(one.result or one.departed_at) for one in times),
        stops=len(times),
        is_hidden=is_hidden,
        marks=_marks(amiss, has_failed=has_failed and not is_hidden, is_raised=is_raised),
    )
    return row, _flags(amiss, has_failed=has_failed, is_raised=is_raised)


def _flags(amiss: Iterable[Amiss], *, has_failed: bool, is_raised: bool) -> set[str]:
    flags = {"failed"} if has_failed else set()
    if is_raised:
        flags.add("has_exception")
    for one in amiss:
        if one.type == "missing_evidence":
            flags |= {f"missing_{name}" for name in one.missing}
        else:
            flags.add("late" if one.type == "late" else "has_exception")
    return flags


def _marks(amiss: Sequence[Amiss], *, has_failed: bool, is_raised: bool) -> list[tuple[str, str]]:
    """The worst of each kind in words; late first."""
    worst: dict[str, Amiss] = {}
    for one in amiss:
        known = worst.get(one.type)
        if known is None or abs(one.delta_s or 0) > abs(known.delta_s or 0):
            worst[one.type] = one
    marks = [("late", amiss_text(worst.pop("late")))] if "late" in worst else []
    if has_failed:
        marks.append(("failed", str(FLAGS["failed"])))
    missing = [name for one in amiss if one.type == "missing_evidence" for name in one.missing]
    marks += [(f"missing_{name}", str(FLAGS[f"missing_{name}"])) for name in distinct(missing)]
    if is_raised:
        marks.append(("exception", _("the driver reported an exception")))
    worst.pop("missing_evidence", None)
    return marks + [(one.type, amiss_text(one)) for one in worst.values()]


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
