"""When a mission is open: the rule for a stage, whoever entered it and in whatever order.

Open from its first stage until a stage carries `ends_mission`, its last stop has a
departure or a result, or somebody ends it. A late stage only widens it; the one end that a
later stage takes back is the system's own guess. So opening and end do not depend on the
order in which stages arrive. tracking/ingest/record.sql says the same in SQL for phones;
one table of cases in tests/missions/opening_cases.py runs against both.
"""

from django.db import transaction
from django.db.models import Q

from accounts.models import MarkSource
from missions.lifecycle import close, last_stage_at, locked, move, save_change
from missions.models import Mission, MissionStatus, StageEvent, Stop, StopResult
from missions.stages import Stage


def last_stop(mission: Mission) -> Stop | None:
    """The last stop that was not called off; when all were, the last one."""
    stops = list(mission.stops.order_by("-seq"))
    to_visit = (stop for stop in stops if stop.result != StopResult.CANCELLED)
    return next(to_visit, stops[0] if stops else None)


def is_done(mission: Mission) -> bool:
    """Whether a stage said so, or the last stop has a departure or a result."""
    done = Q(ends_mission=True)
    last = last_stop(mission)
    if last is not None:
        if last.result:
            return True
        done |= Q(stage=Stage.DEPARTURE, stop__seq__gte=last.seq)
    return mission.stage_events.filter(done).exists()


@transaction.atomic
def apply_stage(event: StageEvent) -> Mission | None:
    """Open, widen or end the mission of a stage that is stored already. None: it has none.

    A cancelled mission stays as it is, whatever its driver's phone still says.
    """
    if event.mission is None:
        return None
    mission = locked(event.mission)
    if mission.status == MissionStatus.CANCELLED:
        return mission
    mission.opened_at = min(mission.opened_at or event.recorded_at, event.recorded_at)
    if mission.ended_at is None:
        move(mission, MissionStatus.STARTED)
        _end_if_done(mission, event.source)
    else:
        _widen(mission, event)
    save_change(mission)
    return mission


def _widen(mission: Mission, event: StageEvent) -> None:
    """Let a stage reach a mission that has ended: move the end, or refute an automatic one."""
    is_guess = mission.ended_source == MarkSource.AUTOMATIC
    is_later = mission.ended_at is not None and event.recorded_at > mission.ended_at
    if is_guess and is_done(mission):
        mission.ended_source = event.source
    elif is_guess and is_later:
        move(mission, MissionStatus.STARTED)
        mission.ended_at, mission.ended_source = None, ""
        return
    if is_later:
        mission.ended_at = event.recorded_at


def end_if_done(mission: Mission) -> None:
    """End a locked mission whose stops were changed so that nothing is left to do."""
    if mission.status == MissionStatus.STARTED:
        _end_if_done(mission, MarkSource.DISPATCHER)


def _end_if_done(mission: Mission, source: str) -> None:
    latest = last_stage_at(mission)
    if latest is not None and is_done(mission):
        close(mission, MissionStatus.COMPLETED, latest, source)
