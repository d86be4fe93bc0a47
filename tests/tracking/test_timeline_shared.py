"""A truck's day and a mission: several drivers, one timeline."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.freezing import freeze_driver
from accounts.models import Driver, Truck, TruckAssignment
from missions.models import MissionAssignment, StageEvent
from missions.stages import Stage
from tests.cast import Phone, assign, put_fixes
from tests.tracking.reading import EIGHT, at, drive, give, opened, press, rows
from tracking.models import Fix
from tracking.timeline import (
    Timeline,
    timeline_of_driver,
    timeline_of_mission,
    timeline_of_truck,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 24)
NOW = EIGHT + timedelta(days=3)


# --- A truck's day ---------------------------------------------------------------------------


def test_a_trucks_day_has_its_drivers_one_after_the_other(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(30))
    assign(truck12, ben_phone.driver, at(30), at(60))
    put_fixes(ada_phone, drive(0, 10), truck=truck12)
    put_fixes(ben_phone, drive(40, 50), truck=truck12)
    press(ben_phone, at(50), "arrival", (50.85, 4.42), truck=truck12)
    # Ben drove something else before.
    press(ben_phone, at(5), "arrival")
    put_fixes(ben_phone, drive(0, 4))
    timeline = timeline_of_truck(truck12, DAY, NOW)
    assert rows(timeline) == [("move", 0, 9), ("move", 40, 50), ("dwell", 50, 50)]
    assert [entry.driver for entry in timeline.entries] == [
        ada_phone.driver, ben_phone.driver, ben_phone.driver, ben_phone.driver,
    ]  # fmt: skip
    assert [(s.started_at, s.ended_at, s.driver) for s in timeline.shifts] == [
        (at(0), at(30), ada_phone.driver),
        (at(30), at(60), ben_phone.driver),
    ]


def test_a_frozen_or_erased_driver_of_a_truck_leaves_only_the_times(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(30))
    erased = assign(truck12, ben_phone.driver, at(30), at(60))
    put_fixes(ada_phone, drive(0, 10), truck=truck12)
    put_fixes(ben_phone, drive(40, 50), truck=truck12)
    press(ada_phone, at(11), "arrival", truck=truck12)
    event = press(ben_phone, at(55), "arrival", None, truck=truck12)
    assert len(rows(timeline_of_truck(truck12, DAY, NOW))) == 4
    freeze_driver(ada_phone.driver)
    alias = "6f7d8a0c-8a55-4a57-9c42-0d8d6f7a2b10"
    TruckAssignment.objects.filter(pk=erased.pk).update(driver=None, erased_driver=alias)
    StageEvent.objects.filter(pk=event.pk).update(driver=None, erased_driver=alias)
    Fix.objects.filter(driver_id=ben_phone.driver.pk).delete()

    timeline = timeline_of_truck(truck12, DAY, NOW)

    assert [(s.availability, s.driver) for s in timeline.shifts] == [
        ("not_available", None),
        ("erased", None),
    ]
    stages = [row for row in rows(timeline, stages=True) if row[0] != "dwell"]
    assert stages == [("arrival", 55, 55)]
    assert [entry.driver for entry in timeline.entries if entry.event] == [None]


# --- A mission -------------------------------------------------------------------------------


def test_a_mission_is_shown_whole_across_a_hand_over(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, 60, truck=truck12)
    MissionAssignment.objects.update(period=(None, at(30)))
    give(mission, ben_phone.driver, 30, None, truck=truck34)
    put_fixes(ada_phone, drive(0, 10), truck=truck12, mission=mission)
    put_fixes(ben_phone, drive(0, 50), truck=truck34, mission=mission)
    timeline = timeline_of_mission(mission, NOW)
    assert rows(timeline) == [("move", 0, 9), ("move", 30, 49)]
    assert [entry.truck for entry in timeline.entries] == [truck12, truck34]
    assert [shift.driver for shift in timeline.shifts] == [ada_phone.driver, ben_phone.driver]
    assert (timeline.started_at, timeline.ended_at) == (at(0), at(60))
    assert [(shift.started_at, shift.ended_at) for shift in timeline.shifts] == [
        (at(0), at(30)),
        (at(30), at(60)),
    ]


def test_an_open_mission_has_no_end(ada: Driver, ada_phone: Phone) -> None:
    mission = opened(ada, 0)
    put_fixes(ada_phone, drive(0, 10), mission=mission)
    timeline = timeline_of_mission(mission, NOW)
    assert (timeline.started_at, timeline.ended_at) == (at(0), None)
    assert rows(timeline) == [("move", 0, 9)]
    assert [(shift.started_at, shift.ended_at) for shift in timeline.shifts] == [(at(0), NOW)]


def test_a_trucks_shift_lasts_until_now(ada: Driver, truck12: Truck) -> None:
    assign(truck12, ada, at(0))
    (today,) = timeline_of_truck(truck12, DAY, at(90)).shifts
    assert (today.started_at, today.ended_at) == (at(0), at(90))
    assert timeline_of_truck(truck12, DAY + timedelta(days=1), at(90)).shifts == []


def test_a_mission_that_never_opened_is_empty(ada: Driver) -> None:
    timeline = timeline_of_mission(opened(ada, None), NOW)
    assert (timeline.started_at, timeline.entries, timeline.distance_m) == (None, [], 0)


def test_a_stage_of_another_mission_is_only_a_place_on_the_way(
    ada: Driver, ada_phone: Phone
) -> None:
    first, second = opened(ada, 0, 60), opened(ada, 0, 60)
    put_fixes(ada_phone, drive(0, 5), mission=first)
    press(ada_phone, at(6), "arrival", (50.85, 4.3855), mission=second)
    press(ada_phone, at(9), "arrival", (50.85, 4.3926), mission=first)
    assert rows(timeline_of_mission(first, NOW), stages=True) == [
        ("move", 0, 9),
        ("arrival", 9, 9),
        ("dwell", 9, 9),
    ]
    assert ("arrival", 6, 6) in rows(timeline_of_mission(second, NOW), stages=True)


def test_a_missions_stages_stay_when_its_driver_is_corrected(
    ada_phone: Phone, ben_phone: Phone
) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    press(ada_phone, at(6), "arrival", mission=mission)
    press(ada_phone, at(9), "departure", None, mission=mission)
    MissionAssignment.objects.filter(mission=mission).update(driver=ben_phone.driver)
    put_fixes(ben_phone, drive(0, 5))
    timeline = timeline_of_mission(mission, NOW)
    stages = [entry for entry in timeline.entries if entry.event is not None]
    assert [entry.segment.kind for entry in stages] == ["arrival", "departure"]
    assert {entry.driver for entry in stages} == {ada_phone.driver}
    freeze_driver(ada_phone.driver)
    assert rows(timeline_of_mission(mission, NOW), stages=True) == [("move", 0, 4)]


def test_a_mission_of_several_days_is_one_timeline(ada: Driver, ada_phone: Phone) -> None:
    mission = opened(ada, 0, 4000)
    put_fixes(ada_phone, drive(0, 10), mission=mission)
    put_fixes(ada_phone, drive(3000, 3010), mission=mission)
    found = rows(timeline_of_mission(mission, NOW))
    assert (found[0], found[-1]) == (("move", 0, 9), ("move", 3000, 3009))


# --- Queries ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 30])
def test_a_timeline_costs_the_same_queries_however_much_happened(
    ada: Driver, ada_phone: Phone, truck12: Truck, count: int
) -> None:
    mission = opened(ada, 0, 600, truck=truck12)
    put_fixes(ada_phone, drive(0, 3 + count), truck=truck12, mission=mission)
    for n in range(count):
        press(ada_phone, at(60 + n), Stage.SIGNATURE.label, mission=mission, truck=truck12)
    reads: tuple[tuple[Callable[[], Timeline], int], ...] = (
        (lambda: timeline_of_driver(ada, DAY, NOW), 9),
        (lambda: timeline_of_truck(truck12, DAY, NOW), 11),
        (lambda: timeline_of_mission(mission, NOW), 13),
    )
    for read, expected in reads:
        with CaptureQueriesContext(connection) as queries:
            timeline = read()
        assert sum(entry.event is not None for entry in timeline.entries) == count
        assert len(queries) == expected, [query["sql"][:60] for query in queries]


def test_a_day_opens_only_its_own_months(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 5))
    put_fixes(ada_phone, [(datetime(2026, 9, 2, tzinfo=UTC), 50.85, 4.35)])
    with CaptureQueriesContext(connection) as queries:
        assert rows(timeline_of_driver(ada, DAY, NOW)) == [("move", 0, 4)]
    (read,) = [query["sql"] for query in queries if "tracking_fix" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + read)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "tracking_fix_2026_11" in plan
    assert "tracking_fix_2026_09" not in plan
