"""A driver's day, a truck's day and a mission, from what phones left behind."""

from datetime import date, datetime, timedelta

import pytest

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, TrackingWindow, Truck
from missions.models import Site, Stop
from tests.cast import Phone, put_fixes
from tests.tracking.reading import EIGHT, at, drive, mark, opened, press, rows
from tracking.models import Fix
from tracking.timeline import timeline_of_driver

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 24)
NOW = EIGHT + timedelta(days=3)


# --- A driver's day --------------------------------------------------------------------------


def put_vector(phone: Phone) -> None:
    """The acceptance vector: two moves, a dwell of 17 minutes, an open visit."""

    def point(seconds: int, longitude: float) -> tuple[datetime, float, float]:
        return EIGHT + timedelta(seconds=seconds), 48.85, longitude

    first, second = 2.3909544, 2.4182573
    put_fixes(phone, [point(60 * n, 2.35 + (first - 2.35) * n / 6) for n in range(7)])
    for seconds, stage in ((390, "arrival"), (1290, "signature"), (1410, "departure")):
        press(phone, EIGHT + timedelta(seconds=seconds), stage, (48.85, first))
    moving = [point(1410 + 60 * n, first + (second - first) * n / 4) for n in range(1, 5)]
    put_fixes(phone, moving)
    press(phone, EIGHT + timedelta(seconds=1670), "arrival", (48.85, second))
    put_fixes(phone, [point(2270, second)])


def test_the_acceptance_vector(ada: Driver, ada_phone: Phone) -> None:
    put_vector(ada_phone)
    timeline = timeline_of_driver(ada, DAY, NOW)
    found = [e.segment for e in timeline.entries if e.segment.type != "stage"]
    assert [segment.type for segment in found] == ["move", "dwell", "move", "dwell"]
    assert round(found[0].distance_m, 1) == 2996.6
    assert round(found[2].distance_m, 1) == 1997.8
    assert (found[1].duration_s, found[1].is_open) == (1020, False)
    assert (found[3].duration_s, found[3].is_open) == (600, True)
    stages = [entry.segment.kind for entry in timeline.entries if entry.segment.type == "stage"]
    assert stages == ["arrival", "signature", "departure", "arrival"]
    assert (timeline.distance_method, timeline.last_fix_at) == (
        "fixes",
        EIGHT + timedelta(seconds=2270),
    )


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 24), 24)],
)
def test_a_day_is_as_long_as_its_clock_says(
    ada: Driver, ada_phone: Phone, day: date, hours: int
) -> None:
    timeline = timeline_of_driver(ada, day, NOW)
    assert timeline.started_at is not None
    assert timeline.ended_at is not None
    assert timeline.ended_at - timeline.started_at == timedelta(hours=hours)
    assert timeline.timezone == "Europe/Brussels"
    # A drive in each of its hours, and one on either side that is not this day's.
    starts = [timeline.started_at + timedelta(hours=n, minutes=20) for n in range(-1, hours + 1)]
    for start in starts:
        put_fixes(
            ada_phone,
            [(start + timedelta(minutes=n), 50.85, 4.35 + 0.0071 * n) for n in range(10)],
        )
    timeline = timeline_of_driver(ada, day, NOW)
    moves = [entry.segment for entry in timeline.entries if entry.segment.type == "move"]
    assert len(moves) == hours
    assert {move.duration_s for move in moves} == {540}


def test_only_the_drivers_own_day_is_shown(ada: Driver, ada_phone: Phone, ben_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 5))
    put_fixes(ben_phone, drive(100, 105))
    assert rows(timeline_of_driver(ada, DAY, NOW)) == [("move", 0, 4)]


def test_a_late_fix_is_simply_there_and_says_when_it_came(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 3))
    put_fixes(ada_phone, [(at(20), 50.9, 4.35)])
    assert [row[0] for row in rows(timeline_of_driver(ada, DAY, NOW))] == ["move", "gap"]
    late = [point for point in drive(0, 12) if point[0] > at(2)]
    put_fixes(ada_phone, late, received_at=at(90))
    timeline = timeline_of_driver(ada, DAY, NOW)
    assert rows(timeline)[0] == ("move", 0, 11)
    assert timeline.entries[0].received_at == at(90)
    assert timeline.entries[-1].received_at == at(90)


def test_the_order_in_which_fixes_came_makes_no_difference(
    ada: Driver, ada_phone: Phone, ben: Driver, ben_phone: Phone
) -> None:
    points = [*drive(0, 30), *drive(60, 90, latitude=50.9)]
    put_fixes(ada_phone, points)
    for point in reversed(points):
        put_fixes(ben_phone, [point])
    first, second = timeline_of_driver(ada, DAY, NOW), timeline_of_driver(ben, DAY, NOW)
    assert rows(first) == rows(second)
    assert len(rows(first)) == 3
    assert first.distance_m == second.distance_m


def test_the_night_between_two_duties_is_not_shown(
    acme: Employer, ada: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, [*drive(0, 5), *drive(600, 605)])
    shown = [row[0] for row in rows(timeline_of_driver(ada, DAY, NOW))]
    assert shown == ["move", "gap", "move"]
    for minute, kind in ((0, "duty_started"), (10, "duty_ended"), (590, "duty_started")):
        mark(ada, at(minute), kind)
    use_window(acme, TrackingWindow.DUTY)
    ada.refresh_from_db()
    assert rows(timeline_of_driver(ada, DAY, NOW)) == [("move", 0, 4), ("move", 600, 604)]


def use_window(employer: Employer, window: TrackingWindow) -> None:
    employer.tracking_window = window
    employer.save()


def test_private_mode_is_neither_a_gap_nor_a_standstill(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [*drive(0, 5), *drive(60, 65)])
    assert len(rows(timeline_of_driver(ada, DAY, NOW))) == 3
    mark(ada, at(5), "private_started")
    mark(ada, at(55), "private_ended")
    assert rows(timeline_of_driver(ada, DAY, NOW)) == [("move", 0, 4), ("move", 60, 64)]


def test_what_was_stored_under_another_window_is_shown(
    acme: Employer, ada: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 5))
    use_window(acme, TrackingWindow.MISSION)
    ada.refresh_from_db()
    assert rows(timeline_of_driver(ada, DAY, NOW)) == [("move", 0, 4)]


@pytest.mark.parametrize("window", [TrackingWindow.ALWAYS, TrackingWindow.MISSION])
def test_a_mission_over_midnight_is_on_both_days_with_each_kilometre_on_one(
    acme: Employer, ada: Driver, ada_phone: Phone, window: TrackingWindow
) -> None:
    # Midnight in Brussels is 23:00 UTC: 15 hours after eight, and half-way between two fixes.
    opened(ada, 895.5, 905.5)
    put_fixes(ada_phone, drive(895.5, 906))
    use_window(acme, window)
    ada.refresh_from_db()
    today, tomorrow = (timeline_of_driver(ada, DAY + timedelta(days=n), NOW) for n in range(2))
    (before,) = [entry for entry in today.entries if entry.segment.type == "move"]
    (after,) = [entry for entry in tomorrow.entries if entry.segment.type == "move"]
    assert (before.segment.ended_at, after.segment.started_at) == (at(900), at(900))
    assert (before.continues_before, before.continues_after) == (False, True)
    assert (after.continues_before, after.continues_after) == (True, False)
    whole = put_elsewhere(ada_phone, 9)
    assert today.distance_m + tomorrow.distance_m == pytest.approx(whole, abs=0.1)
    assert today.distance_m == pytest.approx(before.segment.distance_m)


def put_elsewhere(phone: Phone, legs: int) -> float:
    """The metres of so many legs of a drive, on a day without anything else."""
    put_fixes(phone, drive(-3000, -3000 + legs + 1))
    return timeline_of_driver(phone.driver, DAY - timedelta(days=2), NOW).distance_m


def test_a_dwell_over_midnight_is_cut_there(ada: Driver, ada_phone: Phone) -> None:
    mission = opened(ada, 880, 920)
    stop = Stop.objects.create(employer=ada.employer, mission=mission, seq=1)
    press(ada_phone, at(890), "arrival", mission=mission, stop=stop)
    press(ada_phone, at(915), "departure", mission=mission, stop=stop)
    today, tomorrow = (timeline_of_driver(ada, DAY + timedelta(days=n), NOW) for n in range(2))
    assert rows(today, stages=True) == [("arrival", 890, 890), ("dwell", 890, 900)]
    assert rows(tomorrow, stages=True) == [("dwell", 900, 915), ("departure", 915, 915)]
    assert today.entries[1].stop == stop
    assert today.entries[1].segment.duration_s == 600
    assert tomorrow.entries[0].continues_before


def test_a_stage_without_a_position_is_in_its_place(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 5))
    press(ada_phone, at(2), "break_started", None)
    (found,) = [e for e in timeline_of_driver(ada, DAY, NOW).entries if e.segment.type == "stage"]
    assert (found.segment.kind, found.segment.started_at) == ("break_started", at(2))
    assert (found.segment.latitude, found.driver) == (None, ada)


def test_a_correction_takes_the_place_of_what_it_corrects_and_shows_both(
    ada: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 5))
    wrong = press(ada_phone, at(5), "arrival", (50.85, 4.3855))
    press(ada_phone, at(30), "departure", (50.85, 4.3855))
    assert ("dwell", 5, 30) in rows(timeline_of_driver(ada, DAY, NOW))
    press(
        ada_phone, at(7), "arrival", None,
        source="dispatcher", corrects=wrong, received_at=at(600),
    )  # fmt: skip
    timeline = timeline_of_driver(ada, DAY, NOW)
    assert ("dwell", 7, 30) in rows(timeline)
    arrivals = [e for e in timeline.entries if e.segment.kind == "arrival"]
    assert [(e.is_superseded, e.segment.source) for e in arrivals] == [
        (True, "driver"),
        (False, "dispatcher"),
    ]
    assert arrivals[1].received_at == at(600)
    assert arrivals[1].event is not None


def test_stages_outlive_their_fixes_and_draw_no_line(ada: Driver, ada_phone: Phone) -> None:
    put_vector(ada_phone)
    assert len(rows(timeline_of_driver(ada, DAY, NOW))) == 4
    Fix.objects.filter(driver_id=ada.pk).delete()
    timeline = timeline_of_driver(ada, DAY, NOW)
    assert timeline.distance_m == 0
    assert [row[0] for row in rows(timeline, stages=True)] == [
        "arrival",
        "dwell",
        "signature",
        "departure",
        "arrival",
        "dwell",
    ]
    assert timeline.entries[0].event is not None
    assert timeline.entries[0].event.latitude == 48.85


def test_a_drivers_shift_lasts_until_now_and_an_empty_day_has_none(
    ada: Driver, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 5))
    (today,) = timeline_of_driver(ada, DAY, at(90)).shifts
    assert (today.started_at, today.ended_at) == (at(-540), at(90))
    (later,) = timeline_of_driver(ada, DAY, NOW).shifts
    assert later.ended_at == at(900)
    for days in (-1, 1):
        assert timeline_of_driver(ada, DAY + timedelta(days=days), NOW).shifts == []


def test_a_frozen_drivers_day_is_empty(ada: Driver, ada_phone: Phone) -> None:
    put_vector(ada_phone)
    assert timeline_of_driver(ada, DAY, NOW).entries
    assert timeline_of_driver(freeze_driver(ada), DAY, NOW).entries == []


def test_an_entry_names_truck_mission_and_stop(
    ada: Driver, ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada, 0, 60, truck=truck12)
    site = Site.objects.create(employer=ada.employer, name="Depot", latitude=50.85, longitude=4.4)
    stop = Stop.objects.create(employer=ada.employer, mission=mission, seq=1, site=site)
    put_fixes(ada_phone, drive(0, 5), truck=truck12, mission=mission)
    press(
        ada_phone, at(6), "arrival", (50.85, 4.39), mission=mission, stop=stop, truck=truck12,
        site_distance_m=703.0, site_check="outside",
    )  # fmt: skip
    entries = timeline_of_driver(ada, DAY, NOW).entries
    assert [(e.driver, e.truck, e.mission) for e in entries] == [(ada, truck12, mission)] * 3
    assert {e.stop for e in entries if e.segment.type in ("stage", "dwell")} == {stop}
    (arrival,) = [e.event for e in entries if e.event is not None]
    assert (arrival.site_check, arrival.position_source) == ("outside", "at_event")
