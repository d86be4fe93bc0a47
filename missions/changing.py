"""Change what a mission says, and its driver and truck while it has not started."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.actors import Actor
from accounts.models import Driver
from missions.edits import record_change
from missions.lifecycle import (
    MoveRefused,
    assign_mission,
    locked,
    move,
    running_assignment,
    save_change,
    unassign_mission,
)
from missions.models import Mission, MissionStatus
from missions.planning import MISSION_FIELDS, refuse_reversed
from missions.trucks import reassign_truck


@transaction.atomic
def change_mission(
    mission: Mission, changes: Mapping[str, Any], *, actor: Actor | None = None
) -> Mission:
    """Set what `changes` names: MISSION_FIELDS, `driver`, `truck`, `is_draft`.

    A driver of None takes the mission back. After the start, a truck changes from now on
    and a driver only by a hand-over. What it says already changes nothing.
    """
    if "is_draft" in changes:
        _set_draft(mission, actor, is_draft=changes["is_draft"])
    if "truck" in changes:
        reassign_truck(mission, changes["truck"], at=None, actor=actor)
    if "driver" in changes:
        _set_driver(mission, changes["driver"], actor)
    mission = locked(mission)
    fields = [
        name
        for name in MISSION_FIELDS
        if name in changes and changes[name] != getattr(mission, name)
    ]
    for name in fields:
        setattr(mission, name, changes[name])
    refuse_reversed(mission)
    if fields:
        save_change(mission)
        record_change(mission, "mission.changed", actor, detail={"fields": fields})
    return mission


def _set_driver(mission: Mission, driver: Driver | None, actor: Actor | None) -> None:
    running = running_assignment(mission)
    if (running.driver_id if running else None) == (driver.pk if driver else None):
        return
    if driver is None:
        unassign_mission(mission, actor=actor)
    else:
        assign_mission(mission, driver, actor=actor)


def _set_draft(mission: Mission, actor: Actor | None, *, is_draft: bool) -> None:
    mission = locked(mission)
    if is_draft and mission.status != MissionStatus.DRAFT:
        raise MoveRefused("A mission that was planned does not become a draft again.")
    if not is_draft and mission.status == MissionStatus.DRAFT:
        move(mission, MissionStatus.PLANNED)
        save_change(mission)
        record_change(mission, "mission.planned", actor)
