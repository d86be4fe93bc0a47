"""A truck's day without a browser: its drivers one after the other, and whom it hides."""

import re
from datetime import date
from uuid import uuid4

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, TruckAssignment, User
from missions.models import StageEvent
from tests.cast import Phone, assign, put_fixes
from tests.pages.test_day_page import DAY, dutiful, shared, truck_url, words
from tests.pages.test_pages import client_of, text_of
from tests.tracking.reading import at, drive, mark, opened, press
from tracking.models import Fix

__all__ = ["dutiful", "shared"]


def test_a_trucks_day_says_who_drove_from_when_to_when(shared: Truck, dee: User) -> None:
    page = words(client_of(dee), truck_url(shared))
    assert "1-TRK-012" in page
    first = page.index("09:00 \N{EN DASH} 10:00 Ada Peeters")
    assert first < page.index("10:00 \N{EN DASH} 11:00 Ben Özdemir")
    assert "at least 29.9 km" in page


def test_whose_part_is_whose_stands_on_the_bar_and_leads_to_their_days(
    shared: Truck, ada: Driver, ben: Driver, dee: User
) -> None:
    page = text_of(client_of(dee).get(truck_url(shared)))
    assert re.findall(r'<g class="block driver"><title>([^<]+)</title>', page) == [
        "09:00 to 10:00: Ada Peeters",
        "10:00 to 11:00: Ben Özdemir",
    ]
    for driver in (ada, ben):
        assert f'href="/drivers/{driver.uuid}/day?date={DAY}"' in page


def test_a_frozen_drivers_part_is_not_available_and_never_says_why(
    shared: Truck, ada: Driver, dee: User
) -> None:
    client = client_of(dee)
    assert "Ada Peeters" in words(client, truck_url(shared))
    freeze_driver(ada)
    page = words(client, truck_url(shared))
    assert "Ada Peeters" not in page
    assert "Not available 1 h 00 min" in page
    assert "frozen" not in page.lower()
    assert "Ben Özdemir" in page
    assert "at least 15.0 km" in page
    assert str(ada.uuid) not in text_of(client.get(truck_url(shared)))


def test_an_erased_drivers_part_says_that_it_is_erased(
    shared: Truck, ben_phone: Phone, dee: User
) -> None:
    client = client_of(dee)
    assert "Ben Özdemir" in words(client, truck_url(shared))
    TruckAssignment.objects.filter(driver=ben_phone.driver).update(
        driver=None, erased_driver=uuid4()
    )
    Fix.objects.filter(driver_id=ben_phone.driver.pk).delete()
    page = words(client, truck_url(shared))
    assert "Driver and positions erased 1 h 00 min" in page
    assert "Ben Özdemir" not in page
    assert "Ada Peeters" in page
    assert "No positions" not in page


def test_two_drivers_at_once_are_named_in_each_row(
    dutiful: Employer, ada_phone: Phone, ben_phone: Phone, truck12: Truck, dee: User
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(120))
    mission = opened(ben_phone.driver, 30, 60, truck=truck12)
    mark(ada_phone.driver, at(0), "duty_started")
    put_fixes(ada_phone, drive(0, 20), truck=truck12)
    put_fixes(ben_phone, drive(30, 60), truck=truck12, mission=mission)
    page = words(client_of(dee), truck_url(truck12))
    assert re.search(r"Driving Ben Özdemir", page)


def test_previous_and_next_lead_to_the_days_on_which_the_truck_has_data(
    shared: Truck, ben_phone: Phone, ada_phone: Phone, dee: User
) -> None:
    put_fixes(ada_phone, [(at(-4 * 24 * 60), 51.0, 3.7)])  # Ada, without the truck
    assign(shared, ben_phone.driver, at(-72 * 60), at(-70 * 60))
    put_fixes(ben_phone, [(at(-71 * 60), 51.0, 3.7)], truck=shared)
    client = client_of(dee)
    page = text_of(client.get(truck_url(shared)))
    assert 'rel="prev" href="?date=2026-11-21"' in page
    assert 'rel="next" href="?date=2026-11-24"' in text_of(
        client.get(truck_url(shared, "2026-11-21"))
    )
    freeze_driver(ben_phone.driver)
    assert "nothing earlier" in words(client, truck_url(shared))


def test_a_truck_that_nobody_had_says_what_that_means(truck34: Truck, dee: User) -> None:
    page = words(client_of(dee), truck_url(truck34, date.today().isoformat()))  # noqa: DTZ011
    assert "Nothing was recorded on this day" in page
    assert "Nobody had this truck on this day" in page


def test_of_an_erased_truck_driver_the_stages_are_left(
    shared: Truck, ben_phone: Phone, dee: User
) -> None:
    event = press(ben_phone, at(105), "arrival", None, truck=shared)
    StageEvent.objects.filter(pk=event.pk).update(driver=None, erased_driver=uuid4())
    page = words(client_of(dee), truck_url(shared))
    assert "10:45 Arrival" in page
