from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Driver, Employer
from missions.models import StopResult
from missions.opening import apply_stage, last_stop
from missions.stages import Stage
from tests.missions.builders import (
    make_mission,
    mission_before,
    put_stage,
    results_of,
    state_of,
    wrong_open_periods,
)
from tests.missions.opening_cases import CASES, LEAVES_DEPOT, SAYS_DONE, Case, Sent, at


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mission_opens_and_ends_whatever_the_order_of_its_stages(
    case: Case, acme: Employer, ada: Driver
) -> None:
    for order in case.orders:
        mission = mission_before(case, acme, ada)
        for sent in order:
            put_stage(mission, ada, sent)
        after = state_of(mission)
        assert replace(after, ended_source="") == replace(case.after, ended_source=""), order
        assert results_of(mission) == case.results, order
        assert wrong_open_periods() == []


def test_an_end_says_who_ended_it(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    put_stage(mission, ada, LEAVES_DEPOT)
    assert mission.ended_source == ""
    put_stage(mission, ada, SAYS_DONE)
    assert mission.ended_source == "driver"


def test_an_end_by_the_driver_replaces_the_systems_guess(acme: Employer, ada: Driver) -> None:
    case = next(case for case in CASES if case.before.ended_source == "automatic")
    mission = mission_before(case, acme, ada)
    put_stage(mission, ada, replace(SAYS_DONE, recorded_at=at("10:00")))
    assert (mission.ended_at, mission.ended_source) == (at("12:00"), "driver")


def test_a_stage_raises_the_version(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    before = mission.version
    put_stage(mission, ada, LEAVES_DEPOT)
    assert mission.version == before + 1


def test_a_stage_without_a_mission_changes_none(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    event = put_stage(mission, ada, LEAVES_DEPOT)
    before = state_of(mission)
    event.mission, event.recorded_at = None, event.recorded_at - timedelta(hours=1)
    assert apply_stage(event) is None
    assert state_of(mission) == before


def test_when_all_stops_are_called_off_the_last_one_is_the_last(
    acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada, stops=2)
    mission.stops.update(result=StopResult.CANCELLED)
    last = last_stop(mission)
    assert last is not None
    assert last.seq == 2


def test_a_mission_without_stops_has_no_last_one(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    assert last_stop(mission) is None
    put_stage(mission, ada, Sent(Stage.DEPARTURE, at("08:00")))
    assert mission.status == "started"
