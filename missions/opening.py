"""When a mission is open: the rule for a stage, whoever entered it and in whatever order.

Open from its first stage until a stage carries `ends_mission`, its last stop has a
departure or a result, or somebody ends it. A late stage only widens it; the one end that a
later stage takes back is the system's own guess. So opening and end do not depend on the
order in which stages arrive. A stage that was corrected no longer counts, nor does what it
opened or ended; an end that a dispatcher gave stays. tracking/ingest/record.sql says the
rule in SQL for phones, which correct nothing; one table of cases in
tests/missions/opening_cases.py runs against both. What a stage says of how its stop ended
is settled first (results.py).
"""

from django.db import transaction
from django.db.models import Min, Q

from accounts.models import MarkSource
from missions.lifecycle import (
    close,
    last_stage_at,
    locked,
    move,
    running_assignment,
    save_change,
    standing,
)
from missions.models import Mission, MissionStatus, StageEvent, Stop, StopResult
from missions.results import settle_result
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
    return standing(mission).filter(done).exists()


@transaction.atomic
def apply_stage(event: StageEvent) -> Mission | None:
    """Open, widen or end the mission of a stage that is stored already. None: it has none.

    A cancelled mission stays as it is, whatever its driver's phone still says; only how its
    stops ended is still heard.
    """
    if event.mission is None:
        return None
    mission = locked(event.mission)
    is_resulted = _settle_results(mission, event)
    if mission.status != MissionStatus.CANCELLED:
        _move_by(mission, event)
    elif not is_resulted:
        return mission
    save_change(mission)
    return mission


def _settle_results(mission: Mission, event: StageEvent) -> bool:
    """Whether the result of a stop changed: of the stage's, or of the one it corrects."""
    spoken = [said for said in (event, event.corrects) if said is not None and said.result]
    stops = mission.stops.filter(pk__in=[said.stop_id for said in spoken])
    changed = [settle_result(stop) for stop in stops]
    return any(changed)


def _move_by(mission: Mission, event: StageEvent) -> None:
    source = event.source
    if event.corrects is not None:
        source = _take_back(mission, event.corrects) or source
    if not event.is_retraction:
        mission.opened_at = min(mission.opened_at or event.recorded_at, event.recorded_at)
    if mission.opened_at is None:
        _never_start(mission)
    elif mission.ended_at is None:
        move(mission, MissionStatus.STARTED)
        _end_if_done(mission, source)
    elif not event.is_retraction:
        _widen(mission, event)


def _never_start(mission: Mission) -> None:
    """All its stages were taken back: it is with its driver as before, if it has one.

    Not a move of the table: it never was started. What a dispatcher ended stays ended, and
    all that is known of it is that moment.
    """
    if mission.ended_at is not None:
        mission.opened_at = mission.ended_at
        return
    running = running_assignment(mission)
    mission.status = MissionStatus.ASSIGNED if running else MissionStatus.PLANNED


def _take_back(mission: Mission, wrong: StageEvent) -> str:
    """Undo what a stage did that is corrected now: the opening, the end or both.

    Whose end it was, when that was the driver's and still is if the mission is done.
    """
    if mission.opened_at == wrong.recorded_at:
        mission.opened_at = standing(mission).aggregate(at=Min("recorded_at"))["at"]
    mission.last_stage_at = last_stage_at(mission)
    if not _was_ended_by(mission, wrong):
        return ""
    source = mission.ended_source
    mission.ended_at, mission.ended_source = None, ""
    return source if source == MarkSource.DRIVER else ""


def _was_ended_by(mission: Mission, wrong: StageEvent) -> bool:
    """Whether the end came from this stage; what a dispatcher set at another moment did not."""
    if mission.ended_at is None:
        return False
    is_its_moment = mission.ended_at == wrong.recorded_at
    if mission.ended_source == MarkSource.DISPATCHER:
        return is_its_moment and wrong.source == MarkSource.DISPATCHER and _is_ending(wrong)
    return is_its_moment or (mission.ended_source == MarkSource.DRIVER and _is_ending(wrong))


def _is_ending(event: StageEvent) -> bool:
    """Whether it ends its mission: it says so, or it departs from or ends the last stop."""
    last = last_stop(event.mission) if event.mission else None
    if event.ends_mission or last is None or event.stop is None:
        return event.ends_mission
    is_end = event.stage == Stage.DEPARTURE or bool(event.result)
    return is_end and event.stop.seq >= last.seq


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
