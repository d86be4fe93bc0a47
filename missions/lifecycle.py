"""From planned to completed: which status may follow which is one table.

Each function that changes a mission locks its row, changes it, raises its version and
writes the audit entry, in one transaction. Stages open and end it in opening.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Driver, Employer, MarkSource, Truck
from accounts.refusals import Conflict, FieldError, Invalid, Overlaps
from missions.edits import record_change
from missions.goods import goods_of
from missions.models import (
    GoodsLine,
    Mission,
    MissionAssignment,
    MissionStatus,
    StageEvent,
    Stop,
)
from missions.planning import MissionPlan, StopPlan, differences, refuse_reversed

MOVES: Final[dict[MissionStatus, frozenset[MissionStatus]]] = {
    MissionStatus.DRAFT: frozenset(
        {MissionStatus.PLANNED, MissionStatus.ASSIGNED, MissionStatus.CANCELLED}
    ),
    MissionStatus.PLANNED: frozenset({MissionStatus.ASSIGNED, MissionStatus.CANCELLED}),
    MissionStatus.ASSIGNED: frozenset(
        {MissionStatus.PLANNED, MissionStatus.STARTED, MissionStatus.CANCELLED}
    ),
    MissionStatus.STARTED: frozenset({MissionStatus.COMPLETED, MissionStatus.CANCELLED}),
    # Only an automatic end is taken back, by a stage that was recorded after it.
    MissionStatus.COMPLETED: frozenset({MissionStatus.STARTED}),
    MissionStatus.CANCELLED: frozenset(),
}
OVER: Final = frozenset({MissionStatus.COMPLETED, MissionStatus.CANCELLED})

# What another clock may be ahead of ours; the same as for a phone's fixes.
AHEAD_AT_MOST: Final = timedelta(minutes=10)


class MoveRefused(Conflict):
    """The mission's status does not allow this now."""

    code = "move_refused"


class RequestDiffers(Conflict):
    """The external id belongs to a mission that was asked for differently."""

    code = "request_differs"


@dataclass(frozen=True, slots=True)
class Created:
    """The mission, and whether this very request made it."""

    mission: Mission
    is_new: bool


def locked(mission: Mission) -> Mission:
    """The mission as it is now, locked until the transaction ends.

    With the lock that a plain UPDATE takes: the recording statement waits for it, while
    rows that only point to the mission can still be written.
    """
    return Mission.objects.select_for_update(no_key=True).get(pk=mission.pk)


def move(mission: Mission, status: MissionStatus) -> None:
    """Set the next status. MoveRefused when the table does not have that move."""
    if status == mission.status:
        return
    if status not in MOVES[MissionStatus(mission.status)]:
        raise MoveRefused(f"A mission that is {mission.status} cannot become {status}.")
    mission.status = status


def save_change(mission: Mission) -> None:
    """Store a change of the mission, or of what belongs to it, as its next version."""
    mission.version += 1
    mission.save()


def refuse_future(at: datetime, field: str) -> None:
    """Nobody can say what has not happened yet. Invalid past 10 minutes from now."""
    if at > timezone.now() + AHEAD_AT_MOST:
        raise Invalid("This moment lies in the future.", field=field, code="in_future")


def create_mission(employer: Employer, plan: MissionPlan, *, actor: Actor | None = None) -> Created:
    """Make a mission with its stops: assigned when it has a driver, else planned or a draft.

    The external id is the natural key: asked for again, the stored mission comes back and
    nothing changes. RequestDiffers when it was asked for differently.
    """
    try:
        with transaction.atomic():
            return _stored(employer, plan) or Created(_insert(employer, plan, actor), is_new=True)
    except IntegrityError:
        # Two requests with the same external id at the same moment: the other was first.
        stored = _stored(employer, plan)
        if stored is None:
            raise
        return stored


def _stored(employer: Employer, plan: MissionPlan) -> Created | None:
    """The mission that was asked for before under this external id."""
    if not plan.external_id:
        return None
    mission = Mission.objects.filter(employer=employer, external_id=plan.external_id).first()
    if mission is None:
        return None
    if differing := differences(plan, mission):
        raise RequestDiffers(
            "The mission with this external_id is another one; change it with PATCH.",
            errors=[
                FieldError(pointer, "differs", "The stored mission has another value.")
                for pointer in differing
            ],
            extra={"mission": str(mission.uuid)},
        )
    return Created(mission, is_new=False)


def _insert(employer: Employer, plan: MissionPlan, actor: Actor | None) -> Mission:
    if plan.is_draft and plan.driver:
        raise Invalid("A draft has no driver yet.", field="driver", code="draft")
    mission = Mission(
        employer=employer,
        external_id=plan.external_id or None,
        reference=plan.reference,
        status=plan.status,
        planned_start_at=plan.planned_start_at,
        planned_end_at=plan.planned_end_at,
        ecmr_number=plan.ecmr_number,
        planned_truck=in_service(plan.truck),
    )
    refuse_reversed(mission)
    mission.save()
    _insert_stops(mission, plan.stops or ())
    if plan.driver:
        _begin_assignment(mission, plan.driver, plan.truck, at=None)
    detail = {**_who(plan.driver, plan.truck), "mission": str(mission.uuid)}
    record(actor, "mission.created", mission, detail)
    return mission


def _insert_stops(mission: Mission, plans: Sequence[StopPlan]) -> None:
    stops = Stop.objects.bulk_create(
        plan.stop_of(mission, seq) for seq, plan in enumerate(plans, start=1)
    )
    GoodsLine.objects.bulk_create(
        line
        for stop, plan in zip(stops, plans, strict=True)
        for line in goods_of(stop, plan.goods or ())
    )


def _who(driver: Driver | None, truck: Truck | None) -> dict[str, object]:
    return {
        "driver": str(driver.uuid) if driver else None,
        "truck": str(truck.uuid) if truck else None,
    }


def in_service(truck: Truck | None) -> Truck | None:
    """The same truck. Invalid when it is out of service."""
    if truck is not None and truck.retired_at is not None:
        raise Invalid("This truck is out of service.", field="truck", code="not_available")
    return truck


def _begin_assignment(
    mission: Mission, driver: Driver, truck: Truck | None, *, at: datetime | None
) -> MissionAssignment:
    """Give the mission to a driver from a moment on; None: from the beginning.

    The driver is locked first, so that a freeze that runs now is waited for and seen.
    """
    driver = Driver.objects.select_for_update(no_key=True).get(pk=driver.pk)
    if driver.frozen_at is not None:
        raise Invalid("This driver is not available.", field="driver", code="not_available")
    return MissionAssignment.objects.create(
        employer_id=mission.employer_id,
        mission=mission,
        driver=driver,
        truck=in_service(truck),
        period=DateTimeTZRange(at, None),
    )


def running_assignment(mission: Mission) -> MissionAssignment | None:
    """The newest assignment, unless it has ended."""
    newest = mission.assignments.order_by("id").last()
    return newest if newest and newest.period.upper is None else None


@transaction.atomic
def assign_mission(
    mission: Mission, driver: Driver, *, truck: Truck | None = None, actor: Actor | None = None
) -> Mission:
    """Give a mission that nobody began yet to a driver, in place of any driver before.

    Without a truck, the planned one holds, else whatever truck the driver is assigned to.
    MoveRefused once it has started: then it is handed over.
    """
    mission = locked(mission)
    if mission.status == MissionStatus.STARTED:
        raise MoveRefused("This mission has started: hand it over at a moment instead.")
    truck = truck or mission.planned_truck
    if _is_with(running_assignment(mission), driver, truck):
        return mission
    move(mission, MissionStatus.ASSIGNED)
    _begin_assignment(mission, driver, truck, at=_release(mission))
    mission.planned_truck = truck
    save_change(mission)
    record_change(mission, "mission.assigned", actor, detail=_who(driver, truck))
    return mission


def _is_with(running: MissionAssignment | None, driver: Driver, truck: Truck | None) -> bool:
    """Whether a request to give it to them was granted before: sent again, it changes nothing."""
    asked = (driver.pk, truck.pk if truck else None)
    return running is not None and (running.driver_id, running.truck_id) == asked


@transaction.atomic
def unassign_mission(mission: Mission, *, actor: Actor | None = None) -> Mission:
    """Take a mission that nobody began yet back from its driver; its truck stays planned."""
    mission = locked(mission)
    if mission.status == MissionStatus.PLANNED:
        return mission
    if mission.status == MissionStatus.DRAFT:
        raise MoveRefused("A draft has no driver.")
    move(mission, MissionStatus.PLANNED)
    _release(mission)
    save_change(mission)
    record_change(mission, "mission.unassigned", actor)
    return mission


def _release(mission: Mission) -> datetime | None:
    """Remove the running assignment, and say from when the next one may begin.

    One that fixes have named already is evidence: it ends now and stays.
    """
    running = running_assignment(mission)
    if running is not None and running.linked_period is None:
        running.delete()
        running = None
    if running is not None:
        _end_assignment(running, timezone.now())
    newest = mission.assignments.order_by("id").last()
    return newest.period.upper if newest else None


def _end_assignment(running: MissionAssignment, at: datetime) -> None:
    begin = running.period.lower
    if begin is not None and at <= begin:
        raise Overlaps(f"The assignment before began at {begin.isoformat()}.")
    running.period = DateTimeTZRange(begin, at)
    running.save(update_fields=["period"])


@transaction.atomic
def hand_over_mission(
    mission: Mission,
    driver: Driver,
    *,
    truck: Truck | None,
    at: datetime,
    actor: Actor | None = None,
) -> Mission:
    """Give an assigned or started mission to another driver, another truck or both, at a moment.

    The running assignment ends there and the next begins; both stay. A started one has none
    when it was taken back before its driver's first stage came in. Overlaps when the last
    assignment began, or had ended, later.
    """
    refuse_future(at, "at")
    mission = locked(mission)
    running = running_assignment(mission)
    if mission.status in OVER or (running is None and mission.status != MissionStatus.STARTED):
        raise MoveRefused(f"A mission that is {mission.status} cannot be handed over.")
    if running is None:
        if (ended_at := _release(mission)) and at < ended_at:
            raise Overlaps(f"The assignment before ended at {ended_at.isoformat()}.")
    elif running.period.lower == at and _is_with(running, driver, truck):
        return mission
    else:
        _end_assignment(running, at)
    _begin_assignment(mission, driver, truck, at=at)
    mission.planned_truck = truck
    save_change(mission)
    detail = {**_who(driver, truck), "at": at.isoformat()}
    record_change(mission, "mission.handed_over", actor, detail=detail)
    return mission


def standing(mission: Mission) -> QuerySet[StageEvent]:
    """Its stages without those that were corrected by another or did not happen."""
    return mission.stage_events.filter(corrections=None, is_retraction=False)


def last_stage_at(mission: Mission) -> datetime | None:
    """When its latest stage was recorded, of those that stand."""
    latest: datetime | None = standing(mission).aggregate(at=Max("recorded_at"))["at"]
    return latest


def close(mission: Mission, status: MissionStatus, at: datetime, source: str) -> None:
    """Set the end of a locked mission that was open: never before its latest stage."""
    move(mission, status)
    known = [moment for moment in (at, mission.opened_at, last_stage_at(mission)) if moment]
    mission.ended_at = max(known)
    mission.ended_source = source


@transaction.atomic
def end_mission(
    mission: Mission,
    *,
    at: datetime,
    source: MarkSource = MarkSource.DISPATCHER,
    actor: Actor | None = None,
) -> Mission:
    """Complete a started mission at a moment, or at its latest stage if that is later.

    A completed one is widened to a later moment, which also corrects an automatic end, and
    is otherwise left as it is. MoveRefused when it never started.
    """
    refuse_future(at, "at")
    mission = locked(mission)
    if mission.opened_at is None:
        raise MoveRefused("This mission never started: cancel it instead.")
    if mission.status == MissionStatus.COMPLETED and mission.ended_at and at <= mission.ended_at:
        return mission
    close(mission, MissionStatus.COMPLETED, at, source)
    save_change(mission)
    detail = {"at": at.isoformat(), "source": str(source)}
    record_change(mission, "mission.ended", actor, detail=detail)
    return mission


@transaction.atomic
def cancel_mission(
    mission: Mission, *, at: datetime | None = None, actor: Actor | None = None
) -> Mission:
    """Call a mission off; one that had started ends at the moment, default now."""
    refuse_future(at or timezone.now(), "at")
    mission = locked(mission)
    if mission.status == MissionStatus.CANCELLED:
        return mission
    if mission.opened_at is None:
        move(mission, MissionStatus.CANCELLED)
    else:
        close(mission, MissionStatus.CANCELLED, at or timezone.now(), MarkSource.DISPATCHER)
    save_change(mission)
    record_change(mission, "mission.cancelled", actor)
    return mission
