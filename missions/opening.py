"""When a mission is open: the rule for a stage, whoever entered it and in whatever order.

Open from its first stage until a stage carries `ends_mission`, its last stop has a
departure or a result, or somebody ends it. A late stage only widens it. So opening and end
do not depend on the order in which stages arrive. tracking/ingest/record.sql says the same
in SQL; one table of cases in tests/missions/opening_cases.py runs against both.
"""

from django.db import transaction
from django.db.models import Q

from accounts.models import MarkSource
from missions.lifecycle import close, last_stage_at, locked, move, save_change
from missions.models import Mission, MissionStatus, StageEvent, Stop, StopResult
from missions.stages import Stage


def last_stop(mission: Mission) -> Stop | None:
    """The last stop that is still to be visited; when all are called off, the last one."""
    stops = list(mission.stops.order_by("-seq"))
    to_visit = (stop for stop in stops if stop.result != StopResult.CANCELLED)
    return next(to_visit, stops[0] if stops else None)


def is_done(mission: Mission) -> bool:
    """Whether a stage said so, or the last stop has a departure or a result."""
    last = last_stop(mission)
    if last is not None and last.result:
        return True
    done = Q(ends_mission=True)
    if last is not None:
        done |= Q(stage=Stage.DEPARTURE, stop=last)
    return mission.stage_events.filter(done).exists()


@transaction.atomic
def apply_stage(event: StageEvent) -> Mission | None:
    """Open, widen or end the mission of a stage that is stored already. None: it has none.

    A mission that was cancelled before it opened stays shut, whatever its phone still says.
    """
    if event.mission is None:
        return None
    mission = locked(event.mission)
    if mission.status == MissionStatus.CANCELLED and mission.opened_at is None:
        return mission
    at = event.recorded_at
    mission.opened_at = min(mission.opened_at or at, at)
    if mission.ended_at is not None:
        mission.ended_at = max(mission.ended_at, at)
    else:
        move(mission, MissionStatus.STARTED)
        _end_if_done(mission, event.source)
    save_change(mission)
    return mission


def end_if_done(mission: Mission) -> None:
    """End a locked mission whose stops were changed so that nothing is left to do."""
    if mission.status == MissionStatus.STARTED:
        _end_if_done(mission, MarkSource.DISPATCHER)


def _end_if_done(mission: Mission, source: str) -> None:
    latest = last_stage_at(mission)
    if latest is not None and is_done(mission):
        close(mission, MissionStatus.COMPLETED, latest, source)
