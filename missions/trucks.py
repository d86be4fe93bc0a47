"""In which truck a mission is driven, changed by a dispatcher."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Truck
from missions.edits import record_change
from missions.lifecycle import (
    OVER,
    MoveRefused,
    hand_over_mission,
    in_service,
    locked,
    running_assignment,
    save_change,
)
from missions.models import Mission, MissionAssignment, MissionStatus


@transaction.atomic
def reassign_truck(
    mission: Mission, truck: Truck | None, *, at: datetime | None, actor: Actor | None = None
) -> Mission:
    """Change the truck: before the start in place, after it from a moment on, default now.

    From a moment on, too, once fixes have named the mission: they were made in the old truck.
    The truck that it has then already changes nothing. MoveRefused when it is over.
    """
    mission = locked(mission)
    running = running_assignment(mission)
    if _has_truck(mission, running, truck, at):
        return mission
    if mission.status in OVER:
        raise MoveRefused(f"The truck of a mission that is {mission.status} stays.")
    is_started = mission.status == MissionStatus.STARTED
    if running and running.driver and (is_started or running.linked_period is not None):
        at = at or timezone.now()
        return hand_over_mission(mission, running.driver, truck=truck, at=at, actor=actor)
    if is_started:
        raise MoveRefused("Nobody drives this mission now: hand it over instead.")
    mission.planned_truck = in_service(truck)
    if running is not None:
        running.truck = truck
        running.save(update_fields=["truck"])
    save_change(mission)
    detail = {"driver": None, "truck": str(truck.uuid) if truck else None}
    record_change(mission, "mission.truck_changed", actor, detail=detail)
    return mission


def _has_truck(
    mission: Mission, running: MissionAssignment | None, truck: Truck | None, at: datetime | None
) -> bool:
    """Whether this is its truck at that moment, and since."""
    truck_id = running.truck_id if running else mission.planned_truck_id
    begin = running.period.lower if running else None
    is_since = at is None or begin is None or at >= begin
    return is_since and truck_id == (truck.pk if truck else None)
