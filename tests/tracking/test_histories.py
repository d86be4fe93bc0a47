"""The fixes of a driver, a truck and a mission, out of one table."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck
from missions.models import MissionAssignment
from tests.cast import Phone, assign, make_driver, make_phone, put_fixes
from tests.tracking.reading import EIGHT, at, drive, give, minutes, opened, pages, streams_open
from tracking.histories import (
    CHUNK,
    History,
    Names,
    StoredFix,
    Subject,
    history_of,
    history_of_driver,
    range_of,
)

pytestmark = pytest.mark.django_db


def whole(subject: Subject, begin: float = -600, end: float = 600) -> History:
    return history_of(subject, at(begin), at(end))


# --- A driver --------------------------------------------------------------------------------


def test_a_drivers_history_is_in_order_and_half_open(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, reversed(drive(0, 10)))
    assert minutes(history_of_driver(ada, at(2), at(5)).page(100).fixes) == [2, 3, 4]


def test_two_places_in_one_second_are_both_there(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(0), 50.85, 4.35), (at(0), 50.86, 4.36)])
    places = {fix.latitude_e7 for fix in whole(ada).page(100).fixes}
    assert places == {508_500_000, 508_600_000}


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_walk_every_fix_once(ada: Driver, ada_phone: Phone, limit: int) -> None:
    stored = put_fixes(ada_phone, [*drive(0, 10), *drive(0, 10, latitude=50.9)])
    found = [fix for page in pages(whole(ada), limit) for fix in page]
    assert [fix.key for fix in found] == sorted(
        fix.pk[1:2] + fix.pk[:1] + fix.pk[2:] for fix in stored
    )


def test_a_last_page_that_is_full_says_that_it_is_the_last(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 6))
    first = whole(ada).page(3)
    assert first.next_after == first.fixes[-1].key
    assert whole(ada).page(3, first.next_after).next_after is None


def test_a_history_crosses_months(ada: Driver, ada_phone: Phone) -> None:
    eve = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    put_fixes(ada_phone, [(eve + timedelta(minutes=n), 50.85, 4.35) for n in range(3)])
    history = history_of_driver(ada, eve, eve + timedelta(hours=1))
    assert [len(page) for page in pages(history, 2)] == [2, 1]


def test_a_phone_that_changed_hands_splits_its_fixes(
    ada: Driver, ben: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 5))
    put_fixes(Phone(ada_phone.device, ada_phone.token, ben), drive(5, 8))
    assert minutes(whole(ada).page(100).fixes) == [0, 1, 2, 3, 4]
    assert minutes(whole(ben).page(100).fixes) == [5, 6, 7]


def test_a_driver_who_is_frozen_meanwhile_is_gone_from_the_next_statement(
    ada: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 5))
    history = whole(ada)
    first = history.page(2)
    assert len(first.fixes) == 2
    freeze_driver(ada)
    assert history.page(2, first.next_after).fixes == []


def test_a_page_reads_only_the_months_in_question(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 5))
    put_fixes(ada_phone, [(datetime(2026, 10, 2, tzinfo=UTC), 50.85, 4.35)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(whole(ada).page(10).fixes) == 5
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + queries[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "tracking_fix_2026_11" in plan
    assert "tracking_fix_2026_10" not in plan


# --- A truck ---------------------------------------------------------------------------------


def test_a_trucks_history_follows_it_across_drivers(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(5))
    assign(truck12, ben_phone.driver, at(5))
    put_fixes(ada_phone, drive(0, 8), truck=truck12)
    put_fixes(ben_phone, drive(3, 8), truck=truck12)
    fixes = whole(truck12).page(100).fixes
    assert minutes(fixes) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [fix.driver_id for fix in fixes] == [ada_phone.driver.pk] * 5 + [ben_phone.driver.pk] * 3


def test_a_fix_of_another_truck_does_not_belong(
    ada_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 2), truck=truck12)
    put_fixes(ada_phone, drive(2, 4), truck=truck34)
    put_fixes(ada_phone, drive(4, 6))
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 4, 5]


def test_a_mission_driven_with_a_truck_is_in_its_history(ada_phone: Phone, truck12: Truck) -> None:
    mission = opened(ada_phone.driver, 2, 5, truck=truck12)
    put_fixes(ada_phone, drive(0, 2))
    put_fixes(ada_phone, drive(2, 6), truck=truck12, mission=mission)
    # The mission ended with the fix of minute 5; that of 0 and 1 was nobody's truck.
    assert minutes(whole(truck12).page(100).fixes) == [2, 3, 4, 5]


def test_fixes_that_named_a_mission_that_was_not_open_are_in_its_trucks_history(
    ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada_phone.driver, None, truck=truck12)
    put_fixes(ada_phone, drive(0, 4), truck=truck12, mission=mission)
    assert whole(truck12).page(100).fixes == []
    link(mission.pk, 0, 3)
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 2, 3]


def test_between_such_fixes_only_what_names_the_mission_or_the_truck_belongs(
    ada_phone: Phone, truck12: Truck
) -> None:
    """A driver on foot, or with a truck that nobody entered, is in no truck's history."""
    mission = opened(ada_phone.driver, None, truck=truck12)
    put_fixes(ada_phone, drive(0, 2), truck=truck12, mission=mission)
    put_fixes(ada_phone, drive(2, 8))
    put_fixes(ada_phone, drive(8, 9), mission=mission)
    put_fixes(ada_phone, drive(9, 10), truck=truck12)
    link(mission.pk, 0, 9)
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 8, 9]
    # Where the driver had the truck then, a fix that knew of none is its too.
    assign(truck12, ada_phone.driver, at(3), at(5))
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 3, 4, 8, 9]
    assign(truck12, ada_phone.driver, at(7), at(60))
    put_fixes(ada_phone, drive(20, 22))
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 3, 4, 7, 8, 9, 20, 21]


def link(mission_id: int, begin: float, end: float) -> None:
    """What the recording statement does for fixes that name a mission that is not open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE missions_missionassignment SET linked_period = tstzrange(%s, %s, '[]') "
            "WHERE mission_id = %s",
            [at(begin), at(end), mission_id],
        )


def test_overlapping_assignments_show_a_fix_once(ada_phone: Phone, truck12: Truck) -> None:
    assign(truck12, ada_phone.driver, at(0))
    opened(ada_phone.driver, 1, 4, truck=truck12)
    opened(ada_phone.driver, 3, 6, truck=truck12)
    put_fixes(ada_phone, drive(0, 8), truck=truck12)
    assert minutes(whole(truck12).page(100).fixes) == [*range(8)]


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_merge_many_drivers_in_order(acme: Employer, truck12: Truck, limit: int) -> None:
    for n in range(20):
        phone = make_phone(make_driver(acme, f"D {n}", f"D-{n}"))
        # Every third fix of each driver is at the same moment as another driver's.
        opened(phone.driver, n // 2, n // 2 + 4, truck=truck12)
        put_fixes(phone, drive(n // 2, n // 2 + 4, latitude=50 + n / 100), truck=truck12)
    found = [fix.key for page in pages(whole(truck12), limit) for fix in page]
    assert len(found) == 80
    assert found == sorted(set(found))
    assert [fix.key for fix in whole(truck12).fixes()] == found


def test_a_frozen_drivers_fixes_are_left_out_of_a_trucks_history(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(3))
    assign(truck12, ben_phone.driver, at(3), at(6))
    put_fixes(ada_phone, drive(0, 3), truck=truck12)
    put_fixes(ben_phone, drive(3, 6), truck=truck12)
    assert minutes(whole(truck12).page(100).fixes) == [0, 1, 2, 3, 4, 5]
    freeze_driver(ada_phone.driver)
    assert minutes(whole(truck12).page(100).fixes) == [3, 4, 5]


# --- A mission -------------------------------------------------------------------------------


def test_a_missions_history_is_what_was_recorded_while_it_was_open(
    ada: Driver, ada_phone: Phone
) -> None:
    mission = opened(ada, 2, 5)
    put_fixes(ada_phone, drive(0, 8))
    fixes = whole(mission).page(100).fixes
    assert minutes(fixes) == [2, 3, 4, 5]
    assert {fix.link_source for fix in fixes} == {0}


def test_with_groupage_one_fix_belongs_to_several_missions(ada: Driver, ada_phone: Phone) -> None:
    first, second = opened(ada, 0, 5), opened(ada, 3, 8)
    put_fixes(ada_phone, drive(0, 5), mission=first)
    put_fixes(ada_phone, drive(5, 8), mission=second)
    assert minutes(whole(first).page(100).fixes) == [0, 1, 2, 3, 4, 5]
    assert minutes(whole(second).page(100).fixes) == [3, 4, 5, 6, 7]


def test_a_fix_of_a_mission_that_was_not_open_belongs_to_that_one_only(
    ada: Driver, ada_phone: Phone
) -> None:
    running, named = opened(ada, 0, 5), opened(ada, None)
    put_fixes(ada_phone, drive(0, 2), mission=running)
    put_fixes(ada_phone, drive(2, 4), mission=named)
    link(named.pk, 2, 3)
    assert minutes(whole(running).page(100).fixes) == [0, 1]
    assert minutes(whole(named).page(100).fixes) == [2, 3]


def test_a_fix_that_named_a_mission_after_its_end_is_no_groupage(
    ada: Driver, ada_phone: Phone
) -> None:
    running, ended = opened(ada, 0, 9), opened(ada, 0, 3)
    put_fixes(ada_phone, drive(0, 6), mission=ended)
    put_fixes(ada_phone, drive(6, 8), mission=running)
    link(ended.pk, 4, 5)
    assert minutes(whole(ended).page(100).fixes) == [0, 1, 2, 3, 4, 5]
    assert minutes(whole(running).page(100).fixes) == [0, 1, 2, 3, 6, 7]


def test_a_hand_over_half_way_splits_between_two_drivers(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, 9, truck=truck12)
    MissionAssignment.objects.update(period=(None, at(4)))
    give(mission, ben_phone.driver, 4, None, truck=truck34)
    put_fixes(ada_phone, drive(0, 8))
    put_fixes(ben_phone, drive(0, 8, latitude=50.9))
    fixes = whole(mission).page(100).fixes
    assert minutes(fixes) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [fix.driver_id for fix in fixes] == [ada_phone.driver.pk] * 4 + [ben_phone.driver.pk] * 4
    assert minutes(whole(truck34).page(100).fixes) == [4, 5, 6, 7]


def test_a_frozen_drivers_part_of_a_mission_is_left_out(ada: Driver, ada_phone: Phone) -> None:
    mission = opened(ada, 0, 5)
    put_fixes(ada_phone, drive(0, 5))
    assert len(whole(mission).page(100).fixes) == 5
    freeze_driver(ada)
    assert whole(mission).page(100).fixes == []


# --- Ranges ----------------------------------------------------------------------------------


def test_without_a_range_it_is_the_last_24_hours(ada: Driver) -> None:
    begin, end = range_of(ada, None, None, EIGHT)
    assert begin == EIGHT - timedelta(hours=24)
    # A phone's clock may be ten minutes ahead, and its newest fix is wanted all the same.
    assert end == EIGHT + timedelta(minutes=10)


def test_what_is_said_of_a_range_is_kept(ada: Driver) -> None:
    assert range_of(ada, at(-9999), None, EIGHT) == (at(-9999), at(10))
    assert range_of(ada, None, at(-9999), EIGHT) == (at(-9999 - 1440), at(-9999))
    assert range_of(ada, at(1), at(2), EIGHT) == (at(1), at(2))


def test_the_day_before_the_first_moment_of_the_calendar_is_no_error(ada: Driver) -> None:
    first = datetime.min.replace(tzinfo=UTC)
    assert range_of(ada, None, first, EIGHT) == (first, first)


def test_a_mission_without_a_range_is_shown_whole(ada: Driver) -> None:
    mission = opened(ada, -5000, -4000)
    begin, end = range_of(mission, None, None, EIGHT)
    assert (begin, end - at(-4000)) == (at(-5000), timedelta(microseconds=1))
    assert range_of(opened(ada, -5000), None, None, EIGHT) == (at(-5000), at(10))
    assert range_of(opened(ada, None), None, None, EIGHT) == (at(-1440), at(10))


# --- Queries ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 30])
def test_a_page_costs_the_same_queries_however_many_rows(
    ada: Driver, ada_phone: Phone, truck12: Truck, rows: int
) -> None:
    mission = opened(ada, 0, 60, truck=truck12)
    put_fixes(ada_phone, drive(0, rows), truck=truck12, mission=mission)
    for subject, expected in ((ada, 1 + 3), (truck12, 2 + 3), (mission, 3 + 3)):
        with CaptureQueriesContext(connection) as queries:
            page = whole(subject).page(100)
            names = Names().learn(page.fixes)
            assert len(page.fixes) == rows
            assert names.missions == {mission.pk: mission.uuid}
        assert len(queries) == expected


# --- Streams ---------------------------------------------------------------------------------


def read_all(history: History, names: Names | None = None) -> list[StoredFix]:
    async def read() -> list[StoredFix]:
        return [fix async for chunk in history.chunks(names) for fix in chunk]

    return asyncio.run(read())


@pytest.mark.django_db(transaction=True)
def test_a_stream_is_what_the_pages_are(acme: Employer, truck12: Truck) -> None:
    rows = 0
    for n, latitude in enumerate((50.0, 51.0)):
        phone = make_phone(make_driver(acme, f"D {n}", f"D-{n}"))
        opened(phone.driver, 0, None, truck=truck12)
        rows += len(put_fixes(phone, drive(0, 41, 0.01, latitude), truck=truck12))
    assert rows > CHUNK * 4
    names = Names()
    found = read_all(whole(truck12), names)
    assert len(found) == rows
    assert [fix.key for fix in found] == [fix.key for fix in whole(truck12).fixes()]
    assert names.trucks == {truck12.pk: truck12.uuid}
    assert len(names.drivers) == 2


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_leaves_closes_the_connection(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 30, 0.01))

    async def read_one_chunk() -> int:
        async with aclosing(whole(ada).chunks()) as chunks:
            async for chunk in chunks:
                assert streams_open() == 1
                return len(chunk)
        return 0

    with_one = asyncio.run(read_one_chunk())
    assert with_one == CHUNK
    assert streams_open() == 0


@pytest.mark.django_db(transaction=True)
def test_a_stream_ends_for_a_driver_who_is_frozen_meanwhile(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 30, 0.01))

    async def read() -> list[int]:
        sizes = []
        async with aclosing(whole(ada).chunks()) as chunks:
            async for chunk in chunks:
                sizes.append(len(chunk))
                await asyncio.to_thread(freeze_on_own_connection, ada)
        return sizes

    assert asyncio.run(read()) == [CHUNK]
    ada.refresh_from_db()
    assert ada.frozen_at is not None
    assert ada.frozen_at <= timezone.now()


def freeze_on_own_connection(driver: Driver) -> None:
    try:
        freeze_driver(driver)
    finally:
        connection.close()
