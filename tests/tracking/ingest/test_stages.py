"""Stages of one batch mean what they would mean one by one."""

from datetime import datetime, timedelta

import pytest

from accounts.freezing import freeze_driver
from accounts.models import DeviceHolding, Employer, TrackingWindow, Truck
from missions.models import Mission, MissionAssignment, MissionStatus, StageEvent
from tests.cast import Phone, assign
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix, mark
from tests.tracking.ingest.conftest import make_mission
from tracking.models import Fix, LinkSource

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def fixes(phone: Phone) -> list[Fix]:
    return list(Fix.objects.filter(driver_id=phone.driver.pk).order_by("recorded_at"))


def test_an_unnamed_stage_after_the_missions_end_does_not_widen_it(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    mission.opened_at, mission.ended_at = now, now + 120 * MINUTE
    mission.status, mission.ended_source = MissionStatus.COMPLETED, "dispatcher"
    mission.save()
    sent = [
        mark(now + 60 * MINUTE, "arrival", mission="M-1"),
        mark(now + 170 * MINUTE, "break_started"),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "outside_window"]
    mission.refresh_from_db()
    assert mission.ended_at == now + 120 * MINUTE


def test_after_a_hand_over_the_old_drivers_stages_are_not_the_missions(
    ingest: AsgiPhone,
    on_duty_only: Employer,
    ada_phone: Phone,
    ben_phone: Phone,
    mission: Mission,
    now: datetime,
) -> None:
    mission.assignments.update(period=(None, now + 60 * MINUTE))
    MissionAssignment.objects.create(
        employer=on_duty_only, mission=mission, driver=ben_phone.driver,
        period=(now + 60 * MINUTE, None),
    )  # fmt: skip
    sent = [
        mark(now, "departure", mission="M-1"),
        fix(now + 120 * MINUTE, kind="break_started"),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "outside_window"]
    assert StageEvent.objects.filter(driver=ada_phone.driver).count() == 1
    assert fixes(ada_phone) == []


def test_a_stage_and_its_fix_have_one_truck(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, truck12: Truck, truck34: Truck,
    now: datetime,
) -> None:  # fmt: skip
    mission.assignments.update(period=(None, now + 60 * MINUTE), truck=truck12)
    MissionAssignment.objects.create(
        employer=ada_phone.driver.employer, mission=mission, driver=ada_phone.driver,
        truck=truck34, period=(now + 60 * MINUTE, None),
    )  # fmt: skip
    sent = [
        fix(now, kind="departure", mission="M-1"),
        fix(now + 120 * MINUTE, kind="arrival"),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "stored"]
    events = StageEvent.objects.filter(driver=ada_phone.driver).order_by("recorded_at")
    assert [event.truck_id for event in events] == [truck12.pk, truck34.pk]
    assert [row.truck_id for row in fixes(ada_phone)] == [truck12.pk, truck34.pk]


def test_a_cancelled_mission_opens_no_window(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    Mission.objects.update(status=MissionStatus.CANCELLED)
    sent = [fix(now, kind="departure", mission="M-1"), mark(now + MINUTE, "arrival")]
    assert ingest.post(ada_phone.token, sent).statuses == ["outside_window", "outside_window"]
    assert fixes(ada_phone) == []


def test_a_departure_in_private_time_opens_nothing(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    sent = [
        mark(now, "private_started"),
        fix(now + MINUTE, kind="departure", mission="M-1"),
        mark(now + 2 * MINUTE, "private_ended"),
        fix(now + 3 * MINUTE, kind="arrival"),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == [
        "stored", "outside_window", "stored", "outside_window",
    ]  # fmt: skip
    mission.refresh_from_db()
    assert (mission.opened_at, fixes(ada_phone)) == (None, [])


def test_a_departure_from_the_last_stop_ends_the_window_for_its_neighbours(
    ingest: AsgiPhone, acme: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    acme.tracking_window = TrackingWindow.MISSION
    acme.save()
    stop = mission.stops.create(employer=acme, seq=1)
    sent = [
        mark(now, "departure", mission="M-1"),
        mark(now + 10 * MINUTE, "departure", mission="M-1", stop=str(stop.uuid)),
        mark(now + 60 * MINUTE, "break_started"),
        fix(now + 30 * MINUTE),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == [
        "stored", "stored", "outside_window", "outside_window",
    ]  # fmt: skip
    mission.refresh_from_db()
    assert mission.ended_at == now + 10 * MINUTE


def test_a_lent_phone_that_came_back_links_once(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, mission: Mission, now: datetime
) -> None:
    employer = ada_phone.driver.employer
    DeviceHolding.objects.filter(device=ada_phone.device).update(period=(None, now))
    for driver, begin, end in (
        (ben_phone.driver, now, now + 10 * MINUTE),
        (ada_phone.driver, now + 10 * MINUTE, None),
    ):
        DeviceHolding.objects.create(
            employer=employer, device=ada_phone.device, driver=driver, period=(begin, end)
        )
    sent = [
        fix(now - 5 * MINUTE, kind="departure", mission="M-1"),
        fix(now + 5 * MINUTE, 50.1),
        fix(now + 20 * MINUTE, 50.2),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored"] * 3
    assert [row.mission_id for row in fixes(ada_phone)] == [mission.pk, mission.pk]
    assert [row.mission_id for row in fixes(ben_phone)] == [None]


def test_sending_a_stage_again_does_not_end_what_opened_since(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    ending = [mark(now + 60 * MINUTE, "arrival", ends_mission=True, id="x")]
    assert ingest.post(ada_phone.token, ending).statuses == ["stored"]
    ingest.post(ada_phone.token, [mark(now, "departure", mission="M-1")])
    assert ingest.post(ada_phone.token, ending).statuses == ["duplicate"]
    mission.refresh_from_db()
    assert (mission.status, mission.ended_at) == ("started", None)


def test_the_newest_stage_counts_whoever_recorded_it(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    ingest.post(ada_phone.token, [mark(now + 170 * MINUTE, "signature", mission="M-1")])
    mission.refresh_from_db()
    assert mission.last_stage_at == now + 170 * MINUTE
    ending = mark(now + 100 * MINUTE, "arrival", mission="M-1", ends_mission=True)
    ingest.post(ada_phone.token, [ending])
    mission.refresh_from_db()
    assert mission.ended_at == now + 170 * MINUTE


def test_two_marks_of_one_instant_are_one(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    sent = [mark(now, "duty_started", id="a"), mark(now, "duty_started", id="b")]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "duplicate"]


def test_a_backlog_over_many_days_is_linked_day_by_day(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, now: datetime
) -> None:
    sent = []
    for day in range(1, 11):
        morning = now - timedelta(days=day)
        sent += [mark(morning, "duty_started"), mark(morning + 60 * MINUTE, "duty_ended")]
        sent += [fix(morning + minutes * MINUTE, 50 + day / 10) for minutes in (30, 90)]
    answer = ingest.post(ada_phone.token, sent)
    assert (answer.json["stored"], answer.json["outside_window"]) == (30, 10)
    assert len(fixes(ada_phone)) == 10


# --- fixes that came before their stage ------------------------------------------------------


def links(phone: Phone) -> list[tuple[int | None, int | None, int]]:
    return [(row.mission_id, row.truck_id, row.link_source) for row in fixes(phone)]


def test_a_departure_that_comes_late_links_the_fixes_that_came_before_it(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, truck12: Truck, truck34: Truck,
    now: datetime,
) -> None:  # fmt: skip
    assign(truck12, ada_phone.driver, None)
    mission.assignments.update(truck=truck34)
    ingest.post(ada_phone.token, [fix(now + minute * MINUTE) for minute in (0, 10, 20)])
    assert links(ada_phone) == [(None, truck12.pk, LinkSource.NONE)] * 3
    ingest.post(ada_phone.token, [mark(now + 5 * MINUTE, "departure", mission="M-1")])
    linked = (mission.pk, truck34.pk, LinkSource.RESOLVED)
    assert links(ada_phone) == [(None, truck12.pk, LinkSource.NONE), linked, linked]
    assert [row.flags for row in fixes(ada_phone)] == [None, 2, 2]
    ending = mark(now + 15 * MINUTE, "arrival", mission="M-1", ends_mission=True)
    ingest.post(ada_phone.token, [ending])
    unlinked = (None, truck12.pk, LinkSource.NONE)
    assert links(ada_phone) == [unlinked, linked, unlinked]
    assert [row.flags for row in fixes(ada_phone)] == [None, 2, None]


def test_a_late_departure_leaves_what_was_named_or_corrected(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, truck12: Truck, now: datetime
) -> None:
    other = make_mission(ada_phone.driver, "M-2")
    ingest.post(ada_phone.token, [fix(now, mission="M-2"), fix(now + MINUTE)])
    Fix.objects.filter(mission_id=None).update(
        link_source=LinkSource.CORRECTED, truck_id=truck12.pk
    )
    before = links(ada_phone)
    assert before == [
        (other.pk, None, LinkSource.CLIENT), (None, truck12.pk, LinkSource.CORRECTED),
    ]  # fmt: skip
    ingest.post(ada_phone.token, [mark(now - MINUTE, "departure", mission="M-1")])
    mission.refresh_from_db()
    assert mission.opened_at == now - MINUTE
    assert links(ada_phone) == before


def test_a_late_stage_writes_nothing_for_a_frozen_driver_of_its_mission(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, mission: Mission, now: datetime
) -> None:
    mission.assignments.update(period=(None, now))
    MissionAssignment.objects.create(
        employer=mission.employer, mission=mission, driver=ben_phone.driver, period=(now, None)
    )
    ingest.post(ben_phone.token, [fix(now + MINUTE)])
    ingest.post(ada_phone.token, [fix(now - MINUTE)])
    freeze_driver(ben_phone.driver)
    ingest.post(ada_phone.token, [mark(now - 5 * MINUTE, "departure", mission="M-1")])
    assert [row.mission_id for row in fixes(ada_phone)] == [mission.pk]
    assert [row.mission_id for row in fixes(ben_phone)] == [None]


def test_a_stage_of_a_mission_without_a_truck_does_not_take_anothers(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, truck34: Truck, now: datetime
) -> None:
    mission.assignments.update(truck=truck34)
    make_mission(ada_phone.driver, "M-2")
    ingest.post(ada_phone.token, [mark(now, "departure", mission="M-1")])
    ingest.post(ada_phone.token, [fix(now + MINUTE, kind="departure", mission="M-2")])
    assert [event.truck_id for event in StageEvent.objects.order_by("recorded_at")] == [
        truck34.pk, None,
    ]  # fmt: skip
    assert [row.truck_id for row in fixes(ada_phone)] == [None]
