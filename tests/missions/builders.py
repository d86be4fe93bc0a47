"""Missions and stages made by the product's own rules, and the state they are in."""

from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Driver, Employer, MarkSource, Truck
from missions.lifecycle import create_mission
from missions.models import Mission, StageEvent, StopResult
from missions.opening import apply_stage
from missions.planning import MissionPlan, StopPlan
from missions.stages import Stage
from tests.missions.opening_cases import Case, Ended, Sent, State


def make_mission(
    employer: Employer,
    driver: Driver | None = None,
    truck: Truck | None = None,
    *,
    stops: int = 0,
    **plan: Any,
) -> Mission:
    """A mission with that many stops: assigned when it has a driver, else planned."""
    asked = MissionPlan(
        driver=driver, truck=truck, stops=tuple(StopPlan() for _ in range(stops)), **plan
    )
    return create_mission(employer, asked).mission


def mission_before(case: Case, employer: Employer, driver: Driver) -> Mission:
    """A mission as a case finds it: its stops, their results, and the state before."""
    mission = make_mission(employer, driver, stops=case.stops)
    mission.stops.filter(seq__in=case.called_off).update(result=StopResult.CANCELLED)
    mission.stops.filter(seq__in=case.delivered).update(result=StopResult.SUCCEEDED)
    for seq, said in case.said.items():
        mission.stops.filter(seq=seq).update(
            result=said.result,
            result_at=said.at,
            result_source=said.source,
            result_said_at=said.said_at,
        )
    mission.status, mission.opened_at = case.before.status, case.before.opened_at
    mission.ended_at, mission.ended_source = case.before.ended_at, case.before.ended_source
    mission.save()
    return mission


def put_stage(mission: Mission, driver: Driver, sent: Sent) -> StageEvent:
    """A stage as a phone sends it, let in by the rule for stages."""
    event = StageEvent.objects.create(
        employer_id=mission.employer_id,
        driver=driver,
        mission=mission,
        stop=mission.stops.get(seq=sent.stop) if sent.stop else None,
        stage=sent.stage,
        recorded_at=sent.recorded_at,
        ends_mission=sent.ends_mission,
        result=sent.result,
        reason=sent.reason,
        source=MarkSource.DRIVER,
    )
    apply_stage(event)
    mission.refresh_from_db()
    return event


def start(mission: Mission, driver: Driver, at: datetime) -> None:
    """Open a mission by a departure."""
    put_stage(mission, driver, Sent(Stage.DEPARTURE, at))


def state_of(mission: Mission) -> State:
    mission.refresh_from_db()
    return State(mission.status, mission.opened_at, mission.ended_at, mission.ended_source)


def results_of(mission: Mission) -> dict[int, Ended]:
    """How the stops ended of which somebody said so, by their places in the order."""
    return {
        stop.seq: Ended(stop.result, stop.result_at, stop.result_reason, stop.result_source)
        for stop in mission.stops.exclude(result_at=None)
    }


def wrong_open_periods() -> list[int]:
    """Assignments whose open period is not their period * [opened_at, ended_at]."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.id FROM missions_missionassignment a
              JOIN missions_mission m ON m.id = a.mission_id
             WHERE a.open_period IS DISTINCT FROM CASE WHEN m.opened_at IS NOT NULL
                   THEN a.period * tstzrange(m.opened_at, m.ended_at, '[]') END
            """
        )
        return [row[0] for row in cursor.fetchall()]
