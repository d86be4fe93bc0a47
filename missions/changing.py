"""Change what a mission says, and its driver and truck while it has not started."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.actors import Actor
from accounts.audit import record
from missions.lifecycle import (
    MoveRefused,
    assign_mission,
    locked,
    move,
    reassign_truck,
    save_change,
    unassign_mission,
)
from missions.models import Mission, MissionStatus
from missions.planning import MISSION_FIELDS, refuse_reversed


@transaction.atomic
def change_mission(
    mission: Mission, changes: Mapping[str, Any], *, actor: Actor | None = None
) -> Mission:
    """Set what `changes` names: MISSION_FIELDS, `driver`, `truck`, `is_draft`.

    A driver of None takes the mission back. After the start, a truck changes from now on
    and a driver only by a hand-over.
    """
    if "is_draft" in changes:
        _set_draft(mission, is_draft=changes["is_draft"])
    if "truck" in changes:
        reassign_truck(mission, changes["truck"], at=None, actor=actor)
    if "driver" in changes and changes["driver"] is None:
        unassign_mission(mission, actor=actor)
    elif "driver" in changes:
        assign_mission(mission, changes["driver"], actor=actor)
    mission = locked(mission)
    fields = [name for name in MISSION_FIELDS if name in changes]
    for name in fields:
        setattr(mission, name, changes[name])
    refuse_reversed(mission)
    if fields:
        save_change(mission)
        record(actor, "mission.changed", mission, {"fields": fields})
    return mission


def _set_draft(mission: Mission, *, is_draft: bool) -> None:
    mission = locked(mission)
    if is_draft and mission.status != MissionStatus.DRAFT:
        raise MoveRefused("A mission that was planned does not become a draft again.")
    if not is_draft and mission.status == MissionStatus.DRAFT:
        move(mission, MissionStatus.PLANNED)
        save_change(mission)
