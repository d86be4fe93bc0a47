"""Who drives a mission now, from assignments that were read along with it."""

from accounts.models import Truck
from missions.models import Mission, MissionAssignment


def running_of(mission: Mission) -> MissionAssignment | None:
    """The same as lifecycle.running_assignment. Wants `assignments` in the order of their ids."""
    newest = next(reversed(mission.assignments.all()), None)
    return newest if newest and newest.period.upper is None else None


def truck_of(mission: Mission) -> Truck | None:
    """The truck it is driven in, else the one it is planned for."""
    running = running_of(mission)
    return running.truck if running else mission.planned_truck
