"""A dispatcher enters a stage for a driver: by telephone, or to correct what a phone sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Driver, MarkSource, TruckAssignment
from accounts.refusals import Invalid
from missions.edits import record_change
from missions.lifecycle import MoveRefused, locked, refuse_future
from missions.models import Mission, MissionAssignment, MissionStatus, StageEvent, Stop
from missions.opening import apply_stage
from missions.stages import Stage

UNREADY: Final = frozenset({MissionStatus.DRAFT, MissionStatus.PLANNED, MissionStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredStage:
    """A stage as a dispatcher says it was. No position: nobody was there to measure it."""

    stage: Stage
    recorded_at: datetime
    stop: Stop | None = None
    reason: str = ""
    remark: str = ""
    ends_mission: bool = False
    corrects: StageEvent | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """The stored event, and whether this very request stored it."""

    event: StageEvent
    is_new: bool


@transaction.atomic
def enter_stage(mission: Mission, entered: EnteredStage, *, actor: Actor) -> Entered:
    """Store a stage for whoever drove then, and open, widen or end the mission by it.

    Entered again with the same stage, stop and time, the stored one comes back. A
    correction is a new row: the one it corrects stays, for both to be seen, and no longer
    opens or ends the mission.
    """
    refuse_future(entered.recorded_at, "recorded_at")
    _refuse_too_old(entered.recorded_at)
    _refuse_unreasoned(entered)
    mission = locked(mission)
    if mission.status in UNREADY:
        raise MoveRefused(f"A mission that is {mission.status} takes no stages.")
    stored = _stored(mission, entered)
    if stored is not None:
        return Entered(stored, is_new=False)
    assignment = _assignment_at(mission, entered.recorded_at)
    driver = _available(assignment)
    event = StageEvent.objects.create(
        employer_id=mission.employer_id,
        driver=driver,
        truck_id=assignment.truck_id or _truck_id_at(driver, entered.recorded_at),
        mission=mission,
        stop=entered.stop,
        stage=entered.stage,
        recorded_at=entered.recorded_at,
        reason=entered.reason,
        remark=entered.remark,
        ends_mission=entered.ends_mission,
        source=MarkSource.DISPATCHER,
        corrects=entered.corrects,
        author=actor.user,
    )
    mission = apply_stage(event) or mission
    action = "stage.corrected" if entered.corrects else "stage.entered"
    record_change(mission, action, actor, of=event, detail={"stage": entered.stage.label})
    return Entered(event, is_new=True)


def _refuse_too_old(at: datetime) -> None:
    """As for phones. A slip in the year would open the mission for years."""
    if at < timezone.now() - timedelta(days=settings.MAX_FIX_AGE_DAYS):
        detail = f"This is more than {settings.MAX_FIX_AGE_DAYS} days ago."
        raise Invalid(detail, field="recorded_at", code="recorded_at_too_old")


def _refuse_unreasoned(entered: EnteredStage) -> None:
    if (entered.stage == Stage.EXCEPTION) != bool(entered.reason):
        detail = "An exception has a reason from the list, and no other stage has one."
        raise Invalid(detail, field="reason", code="reason_and_stage")
    if entered.corrects and not entered.remark:
        raise Invalid("Say why it is corrected.", field="remark", code="required")


def _stored(mission: Mission, entered: EnteredStage) -> StageEvent | None:
    return mission.stage_events.filter(
        stage=entered.stage,
        recorded_at=entered.recorded_at,
        stop=entered.stop,
        corrects=entered.corrects,
        source=MarkSource.DISPATCHER,
    ).first()


def _assignment_at(mission: Mission, at: datetime) -> MissionAssignment:
    found = mission.assignments.select_related("driver").filter(period__contains=at).first()
    if found is None:
        raise Invalid("Nobody drove this mission then.", field="recorded_at", code="no_driver")
    return found


def _available(assignment: MissionAssignment) -> Driver:
    """The driver, locked so that a freeze that runs now is waited for and seen."""
    driver = (
        Driver.objects.select_for_update(of=("self",), no_key=True)
        .filter(mission_assignments=assignment, frozen_at=None)
        .first()
    )
    if driver is None:
        detail = "The driver of that moment is not available."
        raise Invalid(detail, field="recorded_at", code="not_available")
    return driver


def _truck_id_at(driver: Driver, at: datetime) -> int | None:
    assignments = TruckAssignment.objects.filter(driver=driver, period__contains=at)
    return assignments.values_list("truck_id", flat=True).first()
