"""The stops of a mission: add, change, remove, put in order, and say how each ended.

A mission that is over keeps its stops as they are; only a result may still be said.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError

from accounts.actors import Actor
from accounts.models import MarkSource
from accounts.refusals import AlreadyTaken, Conflict, Invalid
from missions.edits import record_change
from missions.goods import replace_goods
from missions.lifecycle import OVER, MoveRefused, close, locked, refuse_future, save_change
from missions.models import Mission, MissionStatus, Stop, StopResult
from missions.opening import end_if_done, is_done
from missions.planning import MOST_STOPS, StopPlan
from missions.results import FIELDS as RESULT_FIELDS
from missions.results import say_result
from missions.stages import UNDELIVERED


class StopInUse(Conflict):
    """The driver has been there, or its result is known."""

    code = "stop_in_use"


def _locked_to_plan(mission: Mission) -> Mission:
    mission = locked(mission)
    if mission.status in OVER:
        raise MoveRefused(f"The stops of a mission that is {mission.status} stay as they are.")
    return mission


def _stop_now(mission: Mission, stop: Stop) -> Stop:
    """The stop as it is now; its mission's lock is its own."""
    return mission.stops.get(pk=stop.pk)


@transaction.atomic
def add_stop(mission: Mission, plan: StopPlan, *, actor: Actor | None = None) -> Stop:
    """Append a stop. AlreadyTaken when the mission has one with this external id.

    Invalid when it has as many as a mission may have.
    """
    mission = _locked_to_plan(mission)
    if mission.stops.count() >= MOST_STOPS:
        raise Invalid(f"A mission has at most {MOST_STOPS} stops.", code="max_length")
    last_seq: int = mission.stops.aggregate(last=Max("seq"))["last"] or 0
    stop = plan.stop_of(mission, last_seq + 1)
    _save(stop)
    replace_goods(stop, plan.goods or ())
    save_change(mission)
    record_change(mission, "stop.added", actor, of=stop)
    return stop


@transaction.atomic
def change_stop(stop: Stop, changes: Mapping[str, Any], *, actor: Actor | None = None) -> Stop:
    """Set these columns of a stop, named as in the model, and its `goods`, as a whole.

    What it says already changes nothing.
    """
    mission = _locked_to_plan(stop.mission)
    stop = _stop_now(mission, stop)
    columns = {name: value for name, value in changes.items() if name != "goods"}
    fields = [name for name, value in columns.items() if value != getattr(stop, name)]
    for name in fields:
        setattr(stop, name, columns[name])
    if fields:
        _save(stop)
    if "goods" in changes and replace_goods(stop, changes["goods"]):
        fields.append("goods")
    if fields:
        save_change(mission)
        record_change(mission, "stop.changed", actor, of=stop, detail={"fields": sorted(fields)})
    return stop


def _save(stop: Stop) -> None:
    try:
        with transaction.atomic():
            stop.save()
    except IntegrityError as refused:
        if "one_stop_per_external_id" not in str(refused):
            raise
        raise AlreadyTaken("This mission has a stop with this external_id.") from None


@transaction.atomic
def remove_stop(stop: Stop, *, actor: Actor | None = None) -> None:
    """Take a stop out. StopInUse when it has a stage or a result: that is evidence."""
    mission = _locked_to_plan(stop.mission)
    stop = _stop_now(mission, stop)
    if stop.result:
        raise StopInUse("This stop has a result.")
    try:
        stop.delete()
    except ProtectedError:
        raise StopInUse("This stop has stages.") from None
    end_if_done(mission)
    save_change(mission)
    record_change(mission, "stop.removed", actor, of=stop, detail=_if_ended(mission))


@transaction.atomic
def reorder_stops(
    mission: Mission, order: Sequence[UUID], *, actor: Actor | None = None
) -> Mission:
    """Put all stops of a mission in this order, numbered from 1."""
    mission = _locked_to_plan(mission)
    stops = {stop.uuid: stop for stop in mission.stops.all()}
    if len(order) != len(stops) or set(order) != set(stops):
        raise Invalid("Name each stop of this mission once.", field="stops", code="not_all_stops")
    for seq, uuid in enumerate(order, start=1):
        stops[uuid].seq = seq
    Stop.objects.bulk_update(stops.values(), ["seq"])
    end_if_done(mission)
    save_change(mission)
    record_change(mission, "mission.stops_reordered", actor, detail=_if_ended(mission))
    return mission


def _if_ended(mission: Mission) -> dict[str, bool]:
    """For the trail: of a mission that was not over, whether this change ended it."""
    return {"ended": True} if mission.status in OVER else {}


@transaction.atomic
def set_stop_result(
    stop: Stop,
    result: StopResult,
    *,
    reason: str = "",
    remark: str | None = None,
    at: datetime,
    actor: Actor | None = None,
) -> Stop:
    """Say how a stop ended; a result on the last one ends a started mission at `at`.

    Said now, it holds over every earlier word, also one of a phone that comes in later.
    Paperwork may come late: a completed mission takes results too, and its end stays.
    MoveRefused while the mission has not started: a result would have nothing to end.
    """
    refuse_future(at, "at")
    if result in UNDELIVERED and not reason:
        raise Invalid("Say why it was not delivered.", field="reason", code="required")
    if result == StopResult.SUCCEEDED and reason:
        detail = "What succeeded has no reason: then it succeeded in part."
        raise Invalid(detail, field="reason", code="reason_and_result")
    mission = locked(stop.mission)
    if mission.opened_at is None:
        raise MoveRefused("This mission has not started: change or remove its stops instead.")
    stop = _stop_now(mission, stop)
    say_result(stop, result, reason=reason, at=at)
    stop.remark = stop.remark if remark is None else remark
    stop.save(update_fields=[*RESULT_FIELDS, "remark"])
    told: dict[str, object] = {"result": str(result), "reason": reason}
    if mission.status == MissionStatus.STARTED and is_done(mission):
        close(mission, MissionStatus.COMPLETED, at, MarkSource.DISPATCHER)
        told |= _if_ended(mission)
    save_change(mission)
    record_change(mission, "stop.result_set", actor, of=stop, detail=told)
    return stop
