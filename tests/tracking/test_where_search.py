"""Who was where: what counts as having been there, and what does not."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import (
    AuditEntry,
    Device,
    DeviceHolding,
    Driver,
    Employer,
    Look,
    TrackingWindow,
    Truck,
    User,
)
from missions.models import StageEvent
from tests.cast import Phone, assign, make_driver, make_phone, put_fixes
from tests.tracking.reading import at, drive, mark, opened, press
from tracking.models import Fix
from tracking.where_area import Area, Box, Circle
from tracking.where_search import Sighting, looked_up, sightings

pytestmark = pytest.mark.django_db
LATITUDE, LONGITUDE = 50.85, 4.421
# Where a drive along 50.85 north (tests.tracking.reading) is after ten minutes.
THERE = Circle(LATITUDE, LONGITUDE, 200)
TOMORROW = at(24 * 60)
# One minute and 500 m before it, and after it.
WEST, EAST = LONGITUDE - 0.0071, LONGITUDE + 0.0071
FAR = (51.2, 4.4)


def search(
    employer: Employer, begin: float, end: float, area: Area = THERE, now: datetime = TOMORROW
) -> list[Sighting]:
    """From minute to minute after eight."""
    return sightings(employer, area, at(begin), at(end), now)


def spans(found: list[Sighting]) -> list[tuple[str, int, int]]:
    """How surely, from minute, to minute after eight."""
    return [
        (
            one.visit.how,
            round((one.visit.began_at - at(0)) / timedelta(minutes=1)),
            round((one.visit.ended_at - at(0)) / timedelta(minutes=1)),
        )
        for one in found
    ]


# --- What is a presence ----------------------------------------------------------------------


def test_whoever_has_a_position_there_was_there(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    (one,) = search(acme, 0, 60)
    assert one.driver == ada_phone.driver
    assert spans([one]) == [("position", 10, 10)]
    assert [round(place.away_m or 0) for place in one.visit.positions] == [0]
    assert one.visit.nearest.nearest_at == at(10)


def test_whoever_drove_by_between_two_positions_was_there(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(
        ada_phone, [(at(0), LATITUDE, LONGITUDE - 0.0036), (at(1), LATITUDE, LONGITUDE + 0.0036)]
    )
    between = Circle(LATITUDE, LONGITUDE, 100)
    (one,) = search(acme, 0, 60, between)
    assert one.visit.how == "between"
    assert not one.visit.positions
    assert 495 < (one.visit.best.apart_m or 0) < 510
    assert one.visit.nearest.nearest_at == at(0.5)
    assert (one.visit.nearest.away_m or 0) < 1
    # In the twenty seconds around the middle, not for the whole minute.
    assert timedelta(seconds=20) < one.visit.ended_at - one.visit.began_at < timedelta(seconds=28)


def test_a_leg_beside_the_place_is_no_presence(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    assert spans(search(acme, 0, 60, Circle(LATITUDE + 0.003, LONGITUDE, 340)))
    assert search(acme, 0, 60, Circle(LATITUDE + 0.003, LONGITUDE, 320)) == []


def test_a_truck_that_stood_there_all_the_while_was_there(acme: Employer, ada_phone: Phone) -> None:
    """No position lies in the asked time: only one before it and one after it."""
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(180), LATITUDE, LONGITUDE + 0.0005)])
    (one,) = search(acme, 60, 120)
    assert spans([one]) == [("around", 60, 120)]
    assert one.visit.is_there_before
    assert one.visit.is_there_after
    assert not one.visit.positions


def test_a_truck_that_stood_there_over_the_weekend_was_there(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(60 * 60), LATITUDE, LONGITUDE)])
    assert spans(search(acme, 30 * 60, 31 * 60, now=at(99 * 60))) == [("around", 1800, 1860)]


def test_a_truck_whose_next_position_is_a_spacing_away_may_have_stood_there(
    acme: Employer, ada_phone: Phone
) -> None:
    """It arrives, unloads for half an hour, and reports again 500 m down the road."""
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(30), LATITUDE, EAST)])
    (one,) = search(acme, 10, 20)
    assert spans([one]) == [("between", 10, 20)]
    assert one.visit.best.is_standing


def test_a_gap_is_no_presence(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(60), LATITUDE, LONGITUDE + 0.05)])
    assert spans(search(acme, 0, 5)) == [("position", 0, 0)]
    assert search(acme, 5, 55) == []


def test_two_positions_there_with_a_gap_between_are_two_visits(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(
        ada_phone, [(at(0), LATITUDE, LONGITUDE - 0.02), (at(60), LATITUDE, LONGITUDE + 0.02)]
    )
    wide = Circle(LATITUDE, LONGITUDE, 2000)
    assert spans(search(acme, 0, 90, wide)) == [("position", 0, 0), ("position", 60, 60)]


def test_a_straight_line_over_a_long_way_is_no_presence(acme: Employer, ada_phone: Phone) -> None:
    """Five minutes without a position on the motorway: nobody knows which way it went."""
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE - 0.02), (at(4), LATITUDE, LONGITUDE + 0.02)])
    assert search(acme, 0, 60) == []
    put_fixes(ada_phone, [(at(2), LATITUDE, LONGITUDE - 0.001)])
    assert spans(search(acme, 0, 60)) == [("position", 2, 2)]


def test_a_position_that_came_in_late_is_found_at_its_own_time(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 10))
    assert search(acme, 0, 60) == []
    put_fixes(ada_phone, [(at(10), LATITUDE, LONGITUDE)], received_at=at(600))
    assert spans(search(acme, 0, 60)) == [("position", 10, 10)]
    assert spans(search(acme, 590, 610)) == [("last_seen", 590, 610)]


def test_the_last_position_and_nothing_since_may_be_a_presence(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE)])
    (one,) = search(acme, 30, 90, now=at(95))
    assert (one.visit.how, one.visit.is_last) == ("last_seen", True)
    put_fixes(ada_phone, [(at(20), *FAR)])
    assert search(acme, 30, 90, now=at(95)) == []


def test_the_end_of_the_asked_time_is_not_in_it(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    tiny = Circle(LATITUDE, LONGITUDE, 50)
    assert spans(search(acme, 10, 11, tiny)) == [("position", 10, 10)]
    (before,) = search(acme, 9, 10, tiny)
    assert before.visit.how == "between"


# --- When nobody was tracked -----------------------------------------------------------------


def test_private_time_between_two_positions_is_no_presence(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(180), LATITUDE, LONGITUDE)])
    assert spans(search(acme, 60, 120)) == [("around", 60, 120)]
    mark(ada_phone.driver, at(30), "private_started")
    mark(ada_phone.driver, at(150), "private_ended")
    assert search(acme, 60, 120) == []


def test_the_night_between_two_duties_is_no_presence(acme: Employer, ada_phone: Phone) -> None:
    Employer.objects.update(tracking_window=TrackingWindow.DUTY)
    acme.refresh_from_db()
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(180), LATITUDE, LONGITUDE)])
    mark(ada_phone.driver, at(-60), "duty_started")
    assert spans(search(acme, 60, 120)) == [("around", 60, 120)]
    mark(ada_phone.driver, at(30), "duty_ended")
    assert search(acme, 60, 120) == []
    mark(ada_phone.driver, at(150), "duty_started")
    assert search(acme, 60, 120) == []


def test_after_the_end_of_a_duty_nobody_is_last_seen(acme: Employer, ada_phone: Phone) -> None:
    Employer.objects.update(tracking_window=TrackingWindow.DUTY)
    acme.refresh_from_db()
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE)])
    mark(ada_phone.driver, at(-60), "duty_started")
    assert spans(search(acme, 30, 90, now=at(95))) == [("last_seen", 30, 90)]
    mark(ada_phone.driver, at(10), "duty_ended")
    assert search(acme, 30, 90, now=at(95)) == []


def test_private_time_begins_between_two_near_positions(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, WEST), (at(4), LATITUDE, EAST)])
    assert spans(search(acme, 0, 60, Circle(LATITUDE, LONGITUDE, 100))) == [("between", 2, 2)]
    mark(ada_phone.driver, at(1), "private_started")
    mark(ada_phone.driver, at(3), "private_ended")
    assert search(acme, 0, 60, Circle(LATITUDE, LONGITUDE, 100)) == []


# --- Who -------------------------------------------------------------------------------------


def test_a_frozen_driver_and_another_employers_are_not_there(
    acme: Employer, ada_phone: Phone, ben_phone: Phone, cy_phone: Phone
) -> None:
    for phone in (ada_phone, ben_phone, cy_phone):
        put_fixes(phone, drive(0, 20))
        press(phone, at(10.5), "arrival", (LATITUDE, LONGITUDE))
    assert {one.driver.name for one in search(acme, 0, 60)} == {"Ada Peeters", "Ben Özdemir"}
    freeze_driver(ben_phone.driver)
    assert {one.driver.name for one in search(acme, 0, 60)} == {"Ada Peeters"}


def test_a_visit_names_the_truck_and_the_mission_of_its_positions(
    acme: Employer, ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, None, truck=truck12)
    put_fixes(ada_phone, drive(0, 20), truck=truck12, mission=mission)
    (one,) = search(acme, 0, 60)
    assert (one.truck, one.missions) == (truck12, (mission,))


def test_a_position_without_a_truck_has_the_one_that_was_assigned(
    acme: Employer, ada_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    assign(truck34, ada_phone.driver, at(-90), at(-30))
    assign(truck12, ada_phone.driver, at(-30))
    (one,) = search(acme, 0, 60)
    assert one.truck == truck12


def test_who_changes_the_truck_there_visits_it_twice(
    acme: Employer, ada_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE)], truck=truck12)
    put_fixes(ada_phone, [(at(4), LATITUDE, LONGITUDE)], truck=truck34)
    assert [one.truck for one in search(acme, 0, 60)] == [truck12, truck34]


def second_phone(driver: Driver) -> Phone:
    device = Device.objects.create(employer=driver.employer, name="a second one")
    DeviceHolding.objects.create(
        employer=driver.employer, device=device, driver=driver, period=(None, None)
    )
    return Phone(device, "", driver)


def test_two_phones_of_one_driver_are_not_one_line(acme: Employer, ada_phone: Phone) -> None:
    """One lies at the depot, the other drives past, far away."""
    put_fixes(second_phone(ada_phone.driver), [(at(5), *FAR), (at(6), *FAR)])
    put_fixes(ada_phone, drive(0, 20))
    assert spans(search(acme, 0, 60)) == [("position", 10, 10)]


def test_what_another_phone_saw_meanwhile_wins_over_silence(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, [(at(0), LATITUDE, LONGITUDE), (at(180), LATITUDE, LONGITUDE)])
    assert spans(search(acme, 60, 120)) == [("around", 60, 120)]
    put_fixes(second_phone(ada_phone.driver), [(at(90), *FAR)])
    assert search(acme, 60, 120) == []


# --- Stages ----------------------------------------------------------------------------------


def test_a_stage_is_found_when_its_position_is_no_longer_kept(
    acme: Employer, ada_phone: Phone, truck12: Truck
) -> None:
    press(ada_phone, at(10), "arrival", (LATITUDE, LONGITUDE), truck=truck12)
    press(ada_phone, at(20), "unloading_started", (LATITUDE, LONGITUDE), truck=truck12)
    assert spans(search(acme, 0, 60))[0][0] == "position"
    Fix.objects.all().delete()
    one, other = search(acme, 0, 60)
    assert spans([one, other]) == [("stage", 10, 10), ("stage", 20, 20)]
    assert one.truck == truck12
    assert [len(one.stages), len(other.stages)] == [1, 1]


def test_a_stage_that_was_corrected_says_nothing(acme: Employer, ada_phone: Phone) -> None:
    arrival = press(ada_phone, at(10), "arrival", (LATITUDE, LONGITUDE))
    Fix.objects.all().delete()
    assert spans(search(acme, 0, 60)) == [("stage", 10, 10)]
    StageEvent.objects.create(
        employer=acme, driver=ada_phone.driver, stage=arrival.stage, recorded_at=at(10),
        corrects=arrival, is_retraction=True,
    )  # fmt: skip
    assert search(acme, 0, 60) == []


def test_a_place_that_was_measured_before_a_stage_proves_nothing(
    acme: Employer, ada_phone: Phone
) -> None:
    press(
        ada_phone, at(10), "arrival", None, latitude=LATITUDE, longitude=LONGITUDE,
        position_source="last_known", position_recorded_at=at(0),
    )  # fmt: skip
    assert search(acme, 0, 60) == []


# --- Boxes and bounds ------------------------------------------------------------------------


def test_a_box_is_searched_like_a_circle(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    (one,) = search(acme, 0, 60, Box(LONGITUDE - 0.01, 50.84, LONGITUDE + 0.01, 50.86))
    assert spans([one]) == [("position", 9, 11)]
    assert one.visit.nearest.away_m is None
    assert search(acme, 0, 60, Box(LONGITUDE - 0.01, 50.86, LONGITUDE + 0.01, 50.87)) == []


# --- Who is told of it -----------------------------------------------------------------------


def test_each_driver_shown_is_written_down_and_the_search_without_its_place(
    acme: Employer, dee: User, ada_phone: Phone, ben_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    put_fixes(ben_phone, [(at(10), *FAR)])
    actor = Actor("user", acme, frozenset({"dispatcher"}), user=dee)
    assert len(looked_up(actor, THERE, at(0), at(60), at(90))) == 1
    look = Look.objects.get()
    assert (look.driver, look.page, look.actor) == (ada_phone.driver, "where_was_who", dee.uuid)
    assert (look.seen_period.lower, look.seen_period.upper) == (at(0), at(60))
    entry = AuditEntry.objects.get(action="whereabouts.searched")
    assert entry.detail == {
        "shape": "circle", "radius_m": 200, "drivers": 1,
        "from": at(0).isoformat(), "to": at(60).isoformat(),
    }  # fmt: skip
    assert looked_up(actor, THERE, at(100), at(160), at(190)) == []
    assert Look.objects.count() == 1
    assert AuditEntry.objects.filter(action="whereabouts.searched").count() == 2


@pytest.mark.parametrize("count", [1, 30])
def test_the_search_costs_the_same_queries_however_many(
    acme: Employer, truck12: Truck, count: int
) -> None:
    for n in range(count):
        phone = make_phone(make_driver(acme, f"D {n}", f"N-{n}"))
        put_fixes(phone, drive(0, 20), truck=truck12, mission=opened(phone.driver, 0))
    with CaptureQueriesContext(connection) as queries:
        assert len(search(acme, 0, 60)) == count
    assert len([query for query in queries if "tracking_fix" in query["sql"]]) == 1
    assert len(queries) == 8
