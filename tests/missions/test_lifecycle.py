from datetime import datetime, timedelta
from itertools import product

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, MarkSource, Truck
from accounts.refusals import Invalid, Overlaps
from missions.lifecycle import (
    MOVES,
    MoveRefused,
    assign_mission,
    cancel_mission,
    end_mission,
    hand_over_mission,
    move,
    running_assignment,
    unassign_mission,
)
from missions.models import Mission, MissionAssignment, MissionStatus
from missions.silence import end_silent_missions
from missions.stages import Stage
from missions.trucks import reassign_truck
from tests.missions.builders import make_mission, put_stage, start, state_of, wrong_open_periods
from tests.missions.opening_cases import Sent, State, at


def parts(
    mission: Mission,
) -> list[tuple[int | None, int | None, datetime | None, datetime | None]]:
    return [
        (row.driver_id, row.truck_id, row.period.lower, row.period.upper)
        for row in mission.assignments.order_by("id")
    ]


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


# --- the table -------------------------------------------------------------------------------


def test_every_status_has_its_moves() -> None:
    assert set(MOVES) == set(MissionStatus)


@pytest.mark.parametrize(("begin", "end"), list(product(MissionStatus, repeat=2)))
def test_a_mission_takes_the_moves_of_the_table_and_no_other(
    begin: MissionStatus, end: MissionStatus
) -> None:
    mission = Mission(status=begin)
    if end == begin or end in MOVES[begin]:
        move(mission, end)
        assert mission.status == end
    else:
        with pytest.raises(MoveRefused):
            move(mission, end)
        assert mission.status == begin


# --- assign ----------------------------------------------------------------------------------


def test_a_planned_mission_is_assigned_without_bounds(
    acme: Employer, ada: Driver, truck12: Truck
) -> None:
    mission = assign_mission(make_mission(acme), ada, truck=truck12)
    assert mission.status == "assigned"
    assert parts(mission) == [(ada.pk, truck12.pk, None, None)]
    assert actions() == ["mission.created", "mission.assigned"]


def test_before_the_start_another_driver_takes_the_place_of_the_first(
    acme: Employer, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    assert parts(mission) == [(ada.pk, truck12.pk, None, None)]
    mission = assign_mission(mission, ben)
    assert parts(mission) == [(ben.pk, truck12.pk, None, None)]


def test_assigning_the_same_again_changes_nothing(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    assert assign_mission(mission, ada).version == mission.version
    assert actions() == ["mission.created"]


def test_a_driver_whom_fixes_have_named_stays_in_the_history(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission = make_mission(acme, ada)
    MissionAssignment.objects.update(linked_period=(at("08:00"), at("08:30"), "[]"))
    mission = assign_mission(mission, ben)
    (first, _, _, until), (second, _, since, _) = parts(mission)
    assert (first, second) == (ada.pk, ben.pk)
    assert until == since is not None


def test_a_mission_taken_back_is_planned_again_with_its_truck(
    acme: Employer, ada: Driver, truck12: Truck
) -> None:
    mission = unassign_mission(make_mission(acme, ada, truck12))
    assert (mission.status, mission.planned_truck) == ("planned", truck12)
    assert parts(mission) == []
    assert parts(assign_mission(mission, ada)) == [(ada.pk, truck12.pk, None, None)]


@pytest.mark.parametrize("status", ["started", "completed", "cancelled"])
def test_what_has_started_or_is_over_is_neither_assigned_nor_taken_back(
    acme: Employer, ada: Driver, ben: Driver, status: str
) -> None:
    mission = make_mission(acme, ada)
    Mission.objects.update(status=status, opened_at=at("08:00"))
    with pytest.raises(MoveRefused):
        assign_mission(mission, ben)
    with pytest.raises(MoveRefused):
        unassign_mission(mission)
    assert parts(mission) == [(ada.pk, None, None, None)]


def test_a_frozen_driver_gets_no_mission(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme)
    freeze_driver(ada)
    with pytest.raises(Invalid):
        assign_mission(mission, ada)
    assert parts(mission) == []


# --- hand over -------------------------------------------------------------------------------


def test_a_hand_over_ends_one_assignment_and_begins_the_next(
    acme: Employer, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    start(mission, ada, at("08:00"))
    hand_over_mission(mission, ben, truck=truck34, at=at("10:00"))
    assert parts(mission) == [
        (ada.pk, truck12.pk, None, at("10:00")),
        (ben.pk, truck34.pk, at("10:00"), None),
    ]
    first, second = mission.assignments.order_by("id")
    assert (first.open_period.lower, first.open_period.upper) == (at("08:00"), at("10:00"))
    assert (second.open_period.lower, second.open_period.upper) == (at("10:00"), None)
    assert wrong_open_periods() == []
    assert actions()[-1] == "mission.handed_over"


def test_a_hand_over_sent_again_changes_nothing(acme: Employer, ada: Driver, ben: Driver) -> None:
    mission = make_mission(acme, ada)
    first = hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    again = hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    assert again.version == first.version
    assert len(parts(mission)) == 2


def test_a_hand_over_does_not_begin_before_the_one_before(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission = make_mission(acme, ada)
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    with pytest.raises(Overlaps):
        hand_over_mission(mission, ada, truck=None, at=at("10:00"))
    with pytest.raises(Overlaps):
        hand_over_mission(mission, ada, truck=None, at=at("09:00"))
    assert len(parts(mission)) == 2


def test_a_hand_over_is_not_promised_for_later(acme: Employer, ada: Driver, ben: Driver) -> None:
    mission = make_mission(acme, ada)
    with pytest.raises(Invalid):
        hand_over_mission(mission, ben, truck=None, at=timezone.now() + timedelta(minutes=11))
    assert len(parts(mission)) == 1


def taken_back_and_begun(employer: Employer, driver: Driver) -> tuple[Mission, datetime]:
    """A mission whose driver had begun it before it was taken back; and when that was."""
    mission = make_mission(employer, driver)
    MissionAssignment.objects.update(linked_period=(at("08:00"), at("08:30"), "[]"))
    mission = unassign_mission(mission)
    # As the recording statement does when the phone's departure comes in late.
    Mission.objects.update(status="started", opened_at=at("08:00"))
    ((_, _, _, until),) = parts(mission)
    assert until is not None
    return mission, until


def test_a_mission_that_began_after_it_was_taken_back_is_taken_over(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission, until = taken_back_and_begun(acme, ada)
    with pytest.raises(MoveRefused):
        assign_mission(mission, ben)
    at_once = hand_over_mission(mission, ben, truck=None, at=until)
    assert at_once.status == "started"
    assert parts(mission) == [(ada.pk, None, None, until), (ben.pk, None, until, None)]
    assert wrong_open_periods() == []
    again = hand_over_mission(mission, ben, truck=None, at=until)
    assert again.version == at_once.version


def test_it_is_taken_over_later_but_not_before_it_was_taken_back(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission, until = taken_back_and_begun(acme, ada)
    with pytest.raises(Overlaps):
        hand_over_mission(mission, ben, truck=None, at=until - timedelta(seconds=1))
    later = until + timedelta(minutes=5)
    hand_over_mission(mission, ben, truck=None, at=later)
    assert parts(mission) == [(ada.pk, None, None, until), (ben.pk, None, later, None)]


@pytest.mark.parametrize("status", ["planned", "completed", "cancelled"])
def test_a_mission_nobody_has_in_hand_is_not_handed_over(
    acme: Employer, ben: Driver, status: str
) -> None:
    mission = make_mission(acme)
    Mission.objects.update(status=status)
    with pytest.raises(MoveRefused):
        hand_over_mission(mission, ben, truck=None, at=at("10:00"))


def test_a_truck_changes_in_place_before_the_start_and_by_a_moment_after_it(
    acme: Employer, ada: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada)
    reassign_truck(mission, truck12, at=None)
    assert parts(mission) == [(ada.pk, truck12.pk, None, None)]
    start(mission, ada, at("08:00"))
    reassign_truck(mission, truck34, at=at("09:00"))
    assert parts(mission) == [
        (ada.pk, truck12.pk, None, at("09:00")),
        (ada.pk, truck34.pk, at("09:00"), None),
    ]


def test_a_truck_in_which_fixes_were_made_stays_in_the_history(
    acme: Employer, ada: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    MissionAssignment.objects.update(linked_period=(at("08:00"), at("08:30"), "[]"))
    mission = reassign_truck(mission, truck34, at=None)
    (_, first, _, until), (driver, second, since, _) = parts(mission)
    assert (first, second, driver) == (truck12.pk, truck34.pk, ada.pk)
    assert until == since is not None
    assert mission.assignments.order_by("id")[0].linked_period is not None
    mission = unassign_mission(mission)
    assert mission.planned_truck == truck34


def test_the_truck_it_has_already_changes_nothing(
    acme: Employer, ada: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    start(mission, ada, at("08:00"))
    changed = reassign_truck(mission, truck34, at=at("09:00"))
    before = parts(mission)
    for moment in (None, at("09:00"), at("10:00")):
        assert reassign_truck(mission, truck34, at=moment).version == changed.version
    assert parts(mission) == before
    with pytest.raises(Overlaps):
        reassign_truck(mission, truck34, at=at("08:30"))


def test_the_truck_of_a_mission_that_is_over_stays(
    acme: Employer, ada: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    cancel_mission(mission)
    with pytest.raises(MoveRefused):
        reassign_truck(mission, truck34, at=None)
    assert parts(mission) == [(ada.pk, truck12.pk, None, None)]


def test_a_planned_mission_has_no_running_assignment(acme: Employer, ada: Driver) -> None:
    assert running_assignment(make_mission(acme)) is None
    assert running_assignment(make_mission(acme, ada)) is not None


# --- end and cancel --------------------------------------------------------------------------


def test_a_dispatcher_ends_a_mission_at_a_moment(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    end_mission(mission, at=at("12:00"))
    assert state_of(mission) == State("completed", at("08:00"), at("12:00"), "dispatcher")
    assert wrong_open_periods() == []


def test_an_end_is_never_before_the_latest_stage(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("11:00")))
    end_mission(mission, at=at("07:00"))
    assert mission.ended_at is None
    assert state_of(mission).ended_at == at("11:00")


def test_a_later_end_corrects_an_automatic_one(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    end_mission(mission, at=at("09:00"), source=MarkSource.AUTOMATIC)
    end_mission(mission, at=at("12:00"))
    assert state_of(mission) == State("completed", at("08:00"), at("12:00"), "dispatcher")
    end_mission(mission, at=at("10:00"))
    assert state_of(mission).ended_at == at("12:00")


def test_what_never_started_cannot_end(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    with pytest.raises(MoveRefused):
        end_mission(mission, at=at("12:00"))
    assert state_of(mission) == State("assigned")


def test_nothing_ends_in_the_future(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    with pytest.raises(Invalid):
        end_mission(mission, at=timezone.now() + timedelta(hours=1))
    assert state_of(mission).status == "started"


def test_a_cancelled_mission_that_never_started_was_never_open(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    cancel_mission(mission)
    assert state_of(mission) == State("cancelled")
    assert cancel_mission(mission).version == 2
    assert mission.assignments.get().open_period is None


def test_a_mission_cancelled_on_its_way_ends_then(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    cancel_mission(mission, at=at("09:00"))
    assert state_of(mission) == State("cancelled", at("08:00"), at("09:00"), "dispatcher")
    assert wrong_open_periods() == []


def test_a_completed_mission_is_not_cancelled(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    end_mission(mission, at=at("12:00"))
    with pytest.raises(MoveRefused):
        cancel_mission(mission)
    assert state_of(mission).status == "completed"


# --- silence ---------------------------------------------------------------------------------

NOW = at("12:00") + timedelta(days=1)


def silent(last_fix_at: datetime | None) -> list[Mission]:
    return end_silent_missions(NOW, lambda mission: last_fix_at)


def test_a_mission_silent_for_a_day_ends_at_its_last_fix(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    assert silent(at("11:59")) == [mission]
    assert state_of(mission) == State("completed", at("08:00"), at("11:59"), "automatic")
    assert AuditEntry.objects.get(action="mission.ended").actor_kind == "system"


def test_without_a_fix_it_ends_at_its_last_stage(acme: Employer, ada: Driver) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    put_stage(mission, ada, Sent(Stage.BREAK_STARTED, at("09:30")))
    silent(None)
    assert state_of(mission).ended_at == at("09:30")


@pytest.mark.parametrize("last_fix_at", [at("12:00"), NOW])
def test_one_heard_from_within_a_day_goes_on(
    acme: Employer, ada: Driver, last_fix_at: datetime
) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    assert silent(last_fix_at) == []
    assert state_of(mission).status == "started"


def test_only_missions_that_are_open_are_asked_about(acme: Employer, ada: Driver) -> None:
    make_mission(acme, ada)
    open_one = make_mission(acme, ada)
    ended = make_mission(acme, ada)
    for mission in (open_one, ended):
        start(mission, ada, at("08:00"))
    end_mission(ended, at=at("09:00"))
    assert silent(None) == [open_one]
    assert silent(None) == []
