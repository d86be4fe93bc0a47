"""What a list says of one mission, in words: its row, and the marks of what is amiss."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Employer
from missions.models import Mission, MissionAssignment, MissionStatus, StageEvent, Stop
from missions.proof_words import distance, duration
from missions.stages import Stage
from tracking.amiss import Amiss
from tracking.fleet_now import FleetNow, fleet_now
from tracking.mission_flags import FLAGS, AtRisk, Known, Standing, standing_of
from tracking.mission_words import STATUSES, amiss_text, distinct, mission_name, person, span_text
from tracking.stop_times import StopTimes, is_corrected, stop_times_of_many


@dataclass(frozen=True, slots=True)
class MissionRow:
    """One mission of a list. `marks`: (what kind, in words), the worst first.

    `times` are its stops; `holder` is who drives it now, None when nobody does or may be named.
    """

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
    flags: frozenset[str]
    times: Sequence[StopTimes]
    holder: MissionAssignment | None


def listed(missions: QuerySet[Mission]) -> QuerySet[Mission]:
    """Missions with what a row says of them: three queries, however many rows.

    They carry `began_at` as an alias (reading.matching).
    """
    assignments = MissionAssignment.objects.select_related("driver", "truck").order_by("id")
    standing = StageEvent.objects.filter(
        ~is_corrected(), mission=OuterRef("pk"), driver__frozen_at=None
    )
    return (
        missions.select_related("planned_truck")
        .annotate(
            began_at=F("began_at"),
            is_raised=Exists(standing.filter(stage=Stage.EXCEPTION)),
            has_note=has_note(standing),
        )
        .prefetch_related(
            Prefetch("assignments", assignments),
            Prefetch("stops", Stop.objects.select_related("site").order_by("seq")),
        )
    )


def has_note(standing: QuerySet[StageEvent]) -> Q:
    """A driver wrote something at a stage that stands, or a stop has a remark."""
    remarked = Stop.objects.filter(mission=OuterRef("pk")).exclude(remark="")
    return Q(Exists(standing.exclude(note=""))) | Q(Exists(remarked))


def rows_of(
    missions: Sequence[Mission],
    employer: Employer,
    day: date | None,
    now: datetime,
    fleet: FleetNow | None = None,
) -> list[MissionRow]:
    """A row for each of `listed`, in their order. Three queries, and three without a fleet."""
    times = stop_times_of_many(missions, employer)
    zone = ZoneInfo(employer.timezone)
    holders = {mission.pk: holder_of(mission, now) for mission in missions}
    if fleet is None:
        drivers = {one.driver_id for one in holders.values() if one and one.driver_id}
        fleet = fleet_now(employer, drivers, now)
    return [
        _row(mission, times[mission.pk], holders, employer, zone, day, fleet)
        for mission in missions
    ]


def holder_of(mission: Mission, now: datetime) -> MissionAssignment | None:
    """Who has it now: the assignment whose period this is."""
    return next(
        (
            one
            for one in mission.assignments.all()
            if (one.period.lower is None or one.period.lower <= now)
            and (one.period.upper is None or now < one.period.upper)
        ),
        None,
    )


def _row(
    mission: Mission,
    times: Sequence[StopTimes],
    holders: Mapping[int, MissionAssignment | None],
    employer: Employer,
    zone: ZoneInfo,
    day: date | None,
    fleet: FleetNow,
) -> MissionRow:
    assignments = list(mission.assignments.all())
    holder = holders[mission.pk]
    known = _known(mission, assignments, holder)
    standing = standing_of(times, known, employer, fleet)
    trucks = [one.truck.plate for one in assignments if one.truck]
    if not trucks and mission.planned_truck:
        trucks = [mission.planned_truck.plate]
    return MissionRow(
        mission=mission,
        name=mission_name(mission),
        status=str(STATUSES[MissionStatus(mission.status)]),
        icon=f"icons/{mission.status}.html",
        drivers=distinct(person(one.driver) for one in assignments),
        trucks=distinct(trucks),
        planned=span_text(mission.planned_start_at, mission.planned_end_at, zone, day),
        done=sum(bool(one.result or one.departed_at) for one in times),
        stops=len(times),
        is_hidden=known.is_hidden,
        marks=_marks(standing, is_raised=known.is_raised),
        flags=standing.flags,
        times=times,
        holder=None if known.is_hidden else holder,
    )


def _known(
    mission: Mission, assignments: Iterable[MissionAssignment], holder: MissionAssignment | None
) -> Known:
    # What somebody who is not available did is hidden: nobody can say then what is amiss.
    is_hidden = any(one.driver and one.driver.frozen_at for one in assignments)
    return Known(
        status=mission.status,
        is_over=mission.ended_at is not None,
        is_hidden=is_hidden,
        driver_id=holder.driver_id if holder else None,
        begins_at=mission.began_at,  # type: ignore[attr-defined]
        is_raised=not is_hidden and bool(mission.is_raised),  # type: ignore[attr-defined]
        has_note=not is_hidden and bool(mission.has_note),  # type: ignore[attr-defined]
    )


def _marks(standing: Standing, *, is_raised: bool) -> list[tuple[str, str]]:
    """The worst of each kind in words; in the order of the flags."""
    worst: dict[str, Amiss] = {}
    for one in standing.amiss:
        known = worst.get(one.type)
        if known is None or _size(one) > _size(known):
            worst[one.type] = one
    marks = [("late", amiss_text(worst["late"]))] if "late" in worst else []
    risks = [one for one in standing.at_risk if one.left_s >= 0]
    if risks:
        marks.append(("at_risk", _risk_text(min(risks, key=lambda one: one.left_s))))
    flags = standing.flags
    marks += [(name, str(FLAGS[name])) for name in ("failed", "silent") if name in flags]
    if is_raised:
        marks.append(("exception", _("the driver reported an exception")))
    told = {"late", "missing_evidence"}
    marks += [(kind, amiss_text(one)) for kind, one in worst.items() if kind not in told]
    missing = ("missing_signature", "missing_photo")
    return marks + [(name, str(FLAGS[name])) for name in missing if name in flags]


def _size(one: Amiss) -> float:
    return abs(one.delta_s or one.distance_m or 0)


def _risk_text(one: AtRisk) -> str:
    left = duration(max(60, one.left_s // 60 * 60))
    if one.distance_m is None:
        return _("at risk: last moment in %(duration)s") % {"duration": left}
    said = _("at risk: %(distance)s to go, last moment in %(duration)s")
    return said % {"distance": distance(one.distance_m), "duration": left}
