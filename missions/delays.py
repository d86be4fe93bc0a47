"""Say of a stop that it will be late, once, while something can still be done about it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from missions.models import Change, ChangeType, Mission, MissionStatus, StageEvent, Stop
from missions.punctuality import is_at_risk, plan_of

# A stop is looked at from so long before it is due until so long after: a warning that comes
# earlier is a guess, and what nobody noticed for a day is no news.
AHEAD: Final = timedelta(hours=4)
BEHIND: Final = timedelta(hours=24)
UNDER_WAY: Final = (MissionStatus.ASSIGNED, MissionStatus.STARTED)


Distance = Callable[[Mission, Stop], float | None]


def tell_of_delays(now: datetime, distance_m: Distance) -> int:
    """Write `mission.delayed` for each stop that is newly at risk; how many were found.

    `distance_m` gives how far the mission's driver is from the stop's site, or None. Two
    sweeps at once tell once: the database holds that.
    """
    late = [
        stop
        for stop in _not_reached(now).iterator(chunk_size=500)
        if is_at_risk(plan_of(stop, stop.employer), now, distance_m(stop.mission, stop))
    ]
    told = Change.objects.bulk_create(
        (
            Change(
                employer_id=stop.employer_id,
                type=ChangeType.MISSION_DELAYED,
                object_uuid=stop.uuid,
                mission_uuid=stop.mission.uuid,
            )
            for stop in late
        ),
        ignore_conflicts=True,
    )
    return len(told)


def _not_reached(now: datetime) -> QuerySet[Stop]:
    """Stops that are due about now, where nobody has been, and that were not told of yet."""
    due = (now - BEHIND, now + AHEAD)
    at_stop = StageEvent.objects.filter(stop=OuterRef("pk"), corrections=None, is_retraction=False)
    told = Change.objects.filter(type=ChangeType.MISSION_DELAYED, object_uuid=OuterRef("uuid"))
    return (
        Stop.objects.filter(
            Q(window_end_at__range=due) | Q(planned_arrival_at__range=due),
            ~Exists(at_stop),
            ~Exists(told),
            mission__status__in=UNDER_WAY,
            result="",
        )
        .select_related("employer", "mission", "site")
        .order_by("id")
    )
