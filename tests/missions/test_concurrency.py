"""Changes at the same moment, on connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer
from accounts.refusals import Overlaps, Problem
from missions.entering import Entered
from missions.lifecycle import (
    Created,
    MoveRefused,
    assign_mission,
    cancel_mission,
    create_mission,
    end_mission,
    hand_over_mission,
)
from missions.models import Mission
from missions.my_corrections import Correction, correct_own_stage
from missions.planning import MissionPlan
from missions.stages import Stage
from tests.cast import Phone
from tests.missions.builders import make_mission, put_stage, start, state_of, wrong_open_periods
from tests.missions.opening_cases import Sent, at

pytestmark = pytest.mark.django_db(transaction=True)


def at_the_same_time(*acts: Callable[[], object]) -> list[object]:
    """Each on a connection of its own; what it returned, or the Problem it raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=10)
            return act()
        except Problem as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_external_id_asked_for_at_the_same_time_is_one_mission(acme: Employer) -> None:
    for number in range(5):
        plan = MissionPlan(external_id=f"M-{number}")
        made = at_the_same_time(*[partial(create_mission, acme, plan)] * 4)
        news = [row.is_new for row in made if isinstance(row, Created)]
        assert sorted(news) == [False, False, False, True]
    assert Mission.objects.count() == 5


def test_two_hand_overs_at_the_same_time_do_not_overlap(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    for _ in range(5):
        mission = make_mission(acme, ada)
        results = at_the_same_time(
            partial(hand_over_mission, mission, ben, truck=None, at=at("10:00")),
            partial(hand_over_mission, mission, ada, truck=None, at=at("10:00")),
        )
        assert sum(isinstance(result, Overlaps) for result in results) == 1
        assert mission.assignments.count() == 2
    assert wrong_open_periods() == []


def test_an_end_and_a_cancellation_at_the_same_time_leave_one_of_them(
    acme: Employer, ada: Driver
) -> None:
    for _ in range(5):
        mission = make_mission(acme, ada)
        start(mission, ada, at("08:00"))
        results = at_the_same_time(
            partial(end_mission, mission, at=at("12:00")),
            partial(cancel_mission, mission, at=at("11:00")),
        )
        assert sum(isinstance(result, MoveRefused) for result in results) == 1
        assert state_of(mission).status in {"completed", "cancelled"}
        ends = AuditEntry.objects.filter(
            object_id=mission.uuid, action__in=["mission.ended", "mission.cancelled"]
        )
        assert ends.count() == 1


def test_stages_at_the_same_time_all_count(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    clocks = ["08:00", "09:00", "10:00", "11:00"]
    at_the_same_time(
        *[partial(put_stage, mission, ada, Sent(Stage.ARRIVAL, at(c))) for c in clocks]
    )
    mission.refresh_from_db()
    assert (mission.opened_at, mission.version) == (at("08:00"), 5)


def test_an_assignment_and_a_freeze_at_the_same_time_wait_for_each_other(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    """Either the assignment came first, or the frozen driver was refused: no deadlock."""
    for _ in range(10):
        Driver.objects.update(frozen_at=None)
        mission = make_mission(acme)
        assigned, _ = at_the_same_time(
            partial(assign_mission, mission, ada), partial(freeze_driver, ada)
        )
        is_assigned = mission.assignments.exists()
        assert is_assigned != isinstance(assigned, Problem)
        ada.refresh_from_db()
        assert ada.frozen_at is not None


def test_a_correction_sent_twice_at_the_same_time_is_stored_once(
    acme: Employer, ada: Driver, ada_phone: Phone
) -> None:
    actor = Actor("device", acme, device=ada_phone.device, driver=ada)
    now = timezone.now().replace(microsecond=0)
    for number in range(5):
        wrong = put_stage(make_mission(acme, ada), ada, Sent(Stage.ARRIVAL, now))
        correction = Correction(
            client_id=f"c-{number}", why="tapped wrongly", stage=Stage.DEPARTURE, recorded_at=now,
            stop=None, reason="", result="", ends_mission=False, is_retraction=False,
        )  # fmt: skip
        made = at_the_same_time(*[partial(correct_own_stage, wrong, correction, actor=actor)] * 4)
        news = [row.is_new for row in made if isinstance(row, Entered)]
        assert sorted(news) == [False, False, False, True]
        assert wrong.corrections.count() == 1
