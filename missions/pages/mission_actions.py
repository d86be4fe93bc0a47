"""What a dispatcher may do with a mission now, as links: lifecycle.py's table decides."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from missions.entering import UNREADY
from missions.lifecycle import MOVES
from missions.models import Mission, MissionStatus


@dataclass(frozen=True, slots=True)
class MissionAction:
    """A page that does it, after asking."""

    url: str
    label: Promise


def actions_of(mission: Mission) -> list[MissionAction]:
    """The pages that change this mission, as far as its status lets them. No query."""
    status = MissionStatus(mission.status)
    moves = MOVES[status]
    offered = [
        (MissionStatus.ASSIGNED in moves, "mission_assign_page", _("Assign a driver")),
        (status == MissionStatus.ASSIGNED, "mission_assign_page", _("Assign another driver")),
        (status == MissionStatus.STARTED, "mission_assign_page", _("Hand over")),
        (status not in UNREADY, "stage_new", _("Enter a stage")),
        (mission.opened_at is not None, "stop_result_new", _("Say how a stop ended")),
        (status == MissionStatus.STARTED, "mission_end_page", _("End it")),
        (MissionStatus.CANCELLED in moves, "mission_cancel_page", _("Call it off")),
    ]
    return [
        MissionAction(reverse(name, args=[mission.uuid]), label)
        for is_offered, name, label in offered
        if is_offered
    ]
