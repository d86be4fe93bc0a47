"""A dispatcher enters a stage for a driver: by telephone, or to correct what a phone sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Driver, MarkSource, TruckAssignment
from accounts.refusals import Conflict, Invalid
from missions.edits import record_change
from missions.lifecycle import MoveRefused, locked, refuse_future
from missions.models import Mission, MissionAssignment, MissionStatus, StageEvent, Stop
from missions.opening import apply_stage
from missions.site_check import as_point, site_check, site_distance_m
from missions.stages import UNDELIVERED, Stage

Row = TypeVar("Row", bound=Model)

UNREADY: Final = frozenset({MissionStatus.DRAFT, MissionStatus.PLANNED, MissionStatus.CANCELLED})

_MEASURED: Final = (
    "latitude", "longitude", "accuracy_m", "odometer_m", "position_source", "position_recorded_at",
)  # fmt: skip
_BESIDE_SITE: Final = ("site_distance_m", "site_check")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredStage:
    """A stage as a dispatcher says it was. No position: nobody was there to measure it.

    A correction that leaves the moment as it was keeps what the phone measured then.
    """

    stage: Stage
    recorded_at: datetime
    stop: Stop | None = None
    reason: str = ""
    remark: str = ""
    ends_mission: bool = False
    corrects: StageEvent | None = None
    is_retraction: bool = False


class AlreadyCorrected(Conflict):
    """Another word took the place of this stage before; `correction` names it."""

    code = "already_corrected"


@dataclass(frozen=True, slots=True)
class Entered:
    """The stored event, and whether this very request stored it."""

    event: StageEvent
    is_new: bool


@transaction.atomic
def enter_stage(mission: Mission, entered: EnteredStage, *, actor: Actor) -> Entered:
    """Store a stage for whoever drove then, and open, widen or end the mission by it.

    Entered again with the same stage, stop and time, the stored one comes back, unless it
    was corrected or taken back since then. A correction is a new row: the one it corrects
    stays, for both to be seen, and no longer opens or ends the mission. A retraction repeats
    the row that it takes back. What the corrected stage said of how its stop ended stays
    said, of the stop that is named now.

    AlreadyCorrected when another correction was first: that one can be corrected in turn.
    """
    refuse_future(entered.recorded_at, "recorded_at")
    refuse_too_old(entered.recorded_at)
    _refuse_unreasoned(entered)
    mission = locked(mission)
    if mission.status in UNREADY:
        raise MoveRefused(f"A mission that is {mission.status} takes no stages.")
    stored = _stored(mission, entered)
    if stored is not None:
        return Entered(stored, is_new=False)
    if entered.corrects is not None:
        refuse_corrected(entered.corrects)
    assignment = _assignment_at(mission, entered.recorded_at)
    driver = _available(assignment)
    result, result_reason = _kept_result(entered)
    event = StageEvent.objects.create(
        employer_id=mission.employer_id,
        driver=driver,
        truck_id=assignment.truck_id or truck_id_at(driver, entered.recorded_at),
        mission=mission,
        stop=entered.stop,
        stage=entered.stage,
        recorded_at=entered.recorded_at,
        reason=entered.reason or result_reason,
        result=result,
        remark=entered.remark,
        ends_mission=entered.ends_mission,
        source=MarkSource.DISPATCHER,
        corrects=entered.corrects,
        is_retraction=entered.is_retraction,
        author=actor.user,
        **_kept_measures(entered, driver),
    )
    mission = apply_stage(event) or mission
    action = "stage.entered" if entered.corrects is None else correction_of(event)
    record_change(mission, action, actor, of=event, detail={"stage": entered.stage.label})
    return Entered(event, is_new=True)


def stage_asked_for(mission: Mission, asked: Mapping[str, Any]) -> EnteredStage:
    """A checked request, requests.NewStage, as the stage that it means. Invalid for another's ids.

    A retraction repeats what did not happen, and says only why.
    """
    fields = dict(asked)
    stop = _own(mission.stops.all(), fields.pop("stop", None), "stop")
    corrects = _own(mission.stage_events.all(), fields.pop("corrects", None), "corrects")
    if corrects is not None and fields["is_retraction"]:
        fields |= {"stage": Stage(corrects.stage), "recorded_at": corrects.recorded_at}
        fields |= {"reason": corrects.reason, "ends_mission": corrects.ends_mission}
        stop = corrects.stop
    return EnteredStage(stop=stop, corrects=corrects, **fields)


def _own(rows: QuerySet[Row], uuid: UUID | None, field: str) -> Row | None:
    """The mission's own row. Invalid when there is no such one, whoever else has it."""
    if uuid is None:
        return None
    found = rows.filter(uuid=uuid).first()
    if found is None:
        raise Invalid("There is no such id on this mission.", field=field, code="does_not_exist")
    return found


def _kept_measures(entered: EnteredStage, driver: Driver) -> dict[str, object]:
    wrong = entered.corrects
    if wrong is None or entered.is_retraction or wrong.driver_id != driver.pk:
        return {}
    return measures_of(wrong, entered.recorded_at, entered.stop)


def measures_of(wrong: StageEvent, at: datetime, stop: Stop | None) -> dict[str, object]:
    """What a phone measured at a corrected stage, by columns, if its moment was not wrong.

    The distance stays as it was measured, unless it is one to another site now.
    """
    if at != wrong.recorded_at:
        return {}
    kept: dict[str, object] = {name: getattr(wrong, name) for name in _MEASURED}
    if (stop.pk if stop else None) == wrong.stop_id:
        return kept | {name: getattr(wrong, name) for name in _BESIDE_SITE}
    site = stop.site if stop else None
    distance_m = site_distance_m(
        as_point(wrong.latitude, wrong.longitude),
        as_point(site.latitude, site.longitude) if site else None,
    )
    check = site_check(
        distance_m, accuracy_m=wrong.accuracy_m, radius_m=site.radius_m if site else 0
    )
    return kept | dict(zip(_BESIDE_SITE, (distance_m, check), strict=True))


def correction_of(event: StageEvent) -> str:
    """What the audit trail calls a correction."""
    return "stage.retracted" if event.is_retraction else "stage.corrected"


def refuse_corrected(wrong: StageEvent) -> None:
    """Two words cannot both take the place of one. Call with its mission locked."""
    correction = StageEvent.objects.filter(corrects=wrong).first()
    if correction is not None:
        extra = {"correction": str(correction.uuid)}
        raise AlreadyCorrected("This stage was corrected before.", extra=extra)


def _kept_result(entered: EnteredStage) -> tuple[str, str]:
    """The result that a corrected stage said, and its reason; blank when it said none."""
    wrong = entered.corrects
    if wrong is None or entered.stop is None or entered.is_retraction:
        return "", ""
    return wrong.result, wrong.reason if wrong.result in UNDELIVERED else ""


def refuse_too_old(at: datetime) -> None:
    """As for phones. A slip in the year would open the mission for years."""
    if at < timezone.now() - timedelta(days=settings.MAX_FIX_AGE_DAYS):
        detail = f"This is more than {settings.MAX_FIX_AGE_DAYS} days ago."
        raise Invalid(detail, field="recorded_at", code="recorded_at_too_old")


def _refuse_unreasoned(entered: EnteredStage) -> None:
    if entered.is_retraction and entered.corrects is None:
        raise Invalid("Say which stage did not happen.", field="corrects", code="required")
    is_exception = entered.stage == Stage.EXCEPTION
    if not entered.is_retraction and is_exception != bool(entered.reason):
        detail = "An exception has a reason from the list, and no other stage has one."
        raise Invalid(detail, field="reason", code="reason_and_stage")
    if entered.corrects and not entered.remark:
        raise Invalid("Say why it is corrected.", field="remark", code="required")


def _stored(mission: Mission, entered: EnteredStage) -> StageEvent | None:
    """The row of the same request before. A stage that no longer stands is not this one: said
    again, it happened after all. A correction is the same whatever became of it."""
    rows = mission.stage_events.all()
    if entered.corrects is None:
        rows = rows.filter(corrections=None)
    return rows.filter(
        stage=entered.stage,
        recorded_at=entered.recorded_at,
        stop=entered.stop,
        corrects=entered.corrects,
        is_retraction=entered.is_retraction,
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


def truck_id_at(driver: Driver, at: datetime) -> int | None:
    assignments = TruckAssignment.objects.filter(driver=driver, period__contains=at)
    return assignments.values_list("truck_id", flat=True).first()
