"""A driver corrects a stage of their own: it was otherwise, or it did not happen.

The correction is a new row that names the old one and says why. Like a dispatcher's, it
opens, widens and ends the mission by what stands then.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Driver, MarkSource
from accounts.refusals import Conflict, DriverFrozen, Invalid
from missions.edits import record_change
from missions.entering import (
    Entered,
    correction_of,
    measures_of,
    refuse_corrected,
    refuse_too_old,
    truck_id_at,
)
from missions.lifecycle import locked, refuse_future
from missions.models import Mission, MissionAssignment, StageEvent, Stop
from missions.opening import apply_stage
from missions.stages import UNDELIVERED, Stage


class CorrectionDiffers(Conflict):
    """The client id belongs to a correction that said something else."""

    code = "request_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A stage as it was in truth, and why it was said otherwise.

    `client_id` is the phone's: sent again, the stored correction comes back.
    """

    client_id: str
    why: str
    stage: Stage
    recorded_at: datetime
    stop: Stop | None
    reason: str
    result: str
    ends_mission: bool
    is_retraction: bool


def own_missions(driver: Driver) -> QuerySet[Mission]:
    """Those that a driver has or had a part in, whatever became of them."""
    parts = MissionAssignment.objects.filter(driver=driver, mission=OuterRef("pk"))
    stages = StageEvent.objects.filter(driver=driver, mission=OuterRef("pk"))
    return Mission.objects.filter(Exists(parts) | Exists(stages))


@transaction.atomic
def correct_own_stage(wrong: StageEvent, correction: Correction, *, actor: Actor) -> Entered:
    """Store a driver's correction of their own stage, once, and let the mission follow.

    AlreadyCorrected when another correction was first, for example a dispatcher's.
    Invalid when somebody else drove the mission at the moment that is said now.
    """
    mission = locked(wrong.mission) if wrong.mission else None
    driver = _available(wrong)
    stored = StageEvent.objects.filter(corrects=wrong, client_id=correction.client_id).first()
    if stored is not None:
        return Entered(_as_before(stored, correction), is_new=False)
    refuse_corrected(wrong)
    _refuse_impossible(wrong, correction)
    event = StageEvent.objects.create(
        employer_id=wrong.employer_id,
        driver=driver,
        truck_id=_truck_id(mission, driver, wrong, correction.recorded_at),
        mission=mission,
        client_id=correction.client_id,
        remark=correction.why,
        source=MarkSource.DRIVER,
        corrects=wrong,
        **_said(correction),
        **_kept(wrong, correction),
    )
    _write_down(event, apply_stage(event), actor)
    return Entered(event, is_new=True)


def _available(wrong: StageEvent) -> Driver:
    """The driver, locked so that a freeze that runs now is waited for and seen."""
    rows = Driver.objects.select_for_update(of=("self",), no_key=True)
    driver = rows.filter(stage_events=wrong, frozen_at=None).first()
    if driver is None:
        raise DriverFrozen("This driver's data is frozen.")
    return driver


def _said(correction: Correction) -> dict[str, object]:
    """What a correction says, by columns."""
    names = ("stage", "recorded_at", "stop", "reason", "result", "ends_mission", "is_retraction")
    return {name: getattr(correction, name) for name in names}


def _kept(wrong: StageEvent, correction: Correction) -> dict[str, object]:
    """The note, and what was measured, by columns: a correction does not name them."""
    if correction.is_retraction:
        return {}
    return {"note": wrong.note} | measures_of(wrong, correction.recorded_at, correction.stop)


def _as_before(stored: StageEvent, correction: Correction) -> StageEvent:
    said = {**_said(correction), "remark": correction.why}
    if any(getattr(stored, name) != value for name, value in said.items()):
        raise CorrectionDiffers("This client_id belongs to a correction that says something else.")
    return stored


def _refuse_impossible(wrong: StageEvent, correction: Correction) -> None:
    if correction.is_retraction:
        return
    if correction.recorded_at != wrong.recorded_at:
        refuse_future(correction.recorded_at, "recorded_at")
        refuse_too_old(correction.recorded_at)
    if correction.stage == Stage.EXCEPTION and not correction.reason:
        raise Invalid("An exception has a reason.", field="exception_reason", code="required")
    if correction.result in UNDELIVERED and not correction.reason:
        detail = "Say why it was not delivered."
        raise Invalid(detail, field="exception_reason", code="required")
    if correction.result and correction.stop is None:
        raise Invalid("A result is a stop's.", field="stop", code="required")


def _truck_id(
    mission: Mission | None, driver: Driver, wrong: StageEvent, at: datetime
) -> int | None:
    """The truck of the moment. Invalid when the mission was another driver's then."""
    if at == wrong.recorded_at:
        return wrong.truck_id
    assignment = None
    if mission is not None:
        assignment = mission.assignments.filter(driver=driver, period__contains=at).first()
        if assignment is None:
            detail = "You did not drive this mission then."
            raise Invalid(detail, field="recorded_at", code="no_driver")
    of_mission = assignment.truck_id if assignment else None
    return of_mission or truck_id_at(driver, at)


def _write_down(event: StageEvent, mission: Mission | None, actor: Actor) -> None:
    detail = {"stage": Stage(event.stage).label}
    if mission is None:
        record(actor, correction_of(event), event, detail)
    else:
        record_change(mission, correction_of(event), actor, of=event, detail=detail)
