"""The page that says who was where: what it takes, what it answers, who may open it."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.freezing import freeze_driver
from accounts.models import Employer, Look, Truck, User
from missions.models import Site
from tests.cast import ClientFor, Phone, make_driver, make_phone, put_fixes
from tests.tracking.reading import at, drive, opened, press
from tracking.models import Fix

pytestmark = pytest.mark.django_db
WHERE = "/where"
# Eight in the drives of the tests is nine in Brussels.
TIME = {"date": "2026-11-24", "begin": "09:00", "end": "10:00"}
ASKED = {**TIME, "place": "50.85, 4.421", "radius_m": "200"}
BOX = {"west": "4.42", "south": "50.84", "east": "4.422", "north": "50.86"}


@pytest.fixture
def desk(client: Client, dee: User) -> Client:
    client.force_login(dee)
    return client


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


@pytest.fixture
def depot(acme: Employer) -> Site:
    return Site.objects.create(
        employer=acme, name="Dépôt Évere", address="Rue du Biplan 12, 1140 Brussel",
        latitude=50.85, longitude=4.421, radius_m=150,
    )  # fmt: skip


# --- Who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [WHERE, "/where/places?q=a", "/where.csv", "/where.xlsx"])
@pytest.mark.parametrize(("role", "status"), [("nobody", 302), ("dpo", 403), ("driver", 302)])
def test_who_may_not_ask(client_for: ClientFor, path: str, role: str, status: int) -> None:
    answer = client_for(role).get(path)
    assert answer.status_code == status
    assert "Location" not in answer.headers or "login" in answer.headers["Location"]


def test_the_form_asks_for_the_last_full_hour(desk: Client) -> None:
    answer = desk.get(WHERE)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    text = text_of(answer)
    assert 'type="date" name="date"' in text
    assert ':00"' in text.split('name="begin"')[1][:40]
    assert "Say where and when" in text
    assert not Look.objects.exists()


def test_a_time_alone_is_no_search(desk: Client) -> None:
    answer = desk.get(WHERE, {"date": "2026-11-24", "begin": "<b>", "end": "10:00"})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert 'value="2026-11-24"' in text
    assert "<b>" not in text
    assert "Type a place" not in text
    assert desk.get(WHERE, {"place": ""}).status_code == 400


def test_quick_times_keep_the_place(desk: Client) -> None:
    text = text_of(desk.get(WHERE, ASKED))
    assert "a week ago" in text
    assert text.count("?place=50.85%2C+4.421&date=") + text.count("&place=50.85%2C+4.421") >= 3


# --- What it answers -------------------------------------------------------------------------


def test_a_dispatcher_is_told_who_was_there_and_it_is_written_down(
    desk: Client, ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, None, truck=truck12, external_id="M-7")
    put_fixes(ada_phone, drive(0, 20), truck=truck12, mission=mission)
    press(ada_phone, at(10), "arrival", (50.85, 4.421), mission=mission, truck=truck12)
    text = text_of(desk.get(WHERE, ASKED))
    for said in (
        "1 visit", "Ada Peeters", "1-TRK-012", "M-7", "Arrival", "2 positions there",
        "Within 200 m of 50.85, 4.421, Tuesday 24 November 2026, 09:00 to 10:00.", "0 m at 09:10",
        f"/drivers/{ada_phone.driver.uuid}/day?date=2026-11-24",
        f"/missions/{mission.uuid}", "Drivers whose data is not available are not searched",
    ):  # fmt: skip
        assert said in text, said
    look = Look.objects.get()
    assert (look.driver, look.page) == (ada_phone.driver, "where_was_who")
    assert look.seen_period.upper - look.seen_period.lower == timedelta(hours=1)


def test_a_truck_that_stood_there_is_said_to_have_stayed(desk: Client, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(-60), 50.85, 4.421), (at(120), 50.85, 4.421)])
    text = text_of(desk.get(WHERE, ASKED))
    assert "before 09:00\N{EN DASH}after 10:00" in text
    assert "stayed: the positions before and after are there" in text


def test_a_leg_says_how_far_its_ends_are_apart(desk: Client, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(0), 50.85, 4.4174), (at(1), 50.85, 4.4246)])
    assert "passed between two positions 505 m apart" in text_of(desk.get(WHERE, ASKED))


def test_nobody_there_is_said_with_what_to_try(desk: Client, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(10), 51.2, 4.4)])
    text = text_of(desk.get(WHERE, ASKED))
    assert "Nobody was found" in text
    assert "Ada Peeters" not in text
    assert not Look.objects.exists()


def test_a_frozen_driver_and_another_employers_are_silently_not_there(
    desk: Client, ada_phone: Phone, ben_phone: Phone, cy_phone: Phone
) -> None:
    for phone in (ada_phone, ben_phone, cy_phone):
        put_fixes(phone, drive(0, 20))
    assert "2 visits" in text_of(desk.get(WHERE, ASKED))
    freeze_driver(ben_phone.driver)
    text = text_of(desk.get(WHERE, ASKED))
    assert "1 visit" in text
    assert "Ada Peeters" in text
    assert "Özdemir" not in text
    assert "Cleo" not in text


def test_old_days_say_that_only_stages_are_kept(desk: Client, ada_phone: Phone) -> None:
    press(ada_phone, at(10), "arrival", (50.85, 4.421))
    assert "before that only stages can be found" not in text_of(desk.get(WHERE, ASKED))
    Fix.objects.all().delete()
    old = {**ASKED, "date": "2026-06-24"}
    assert "Positions are kept for 2 months; before that only stages" in text_of(
        desk.get(WHERE, old)
    )
    assert "the driver marked a stage there" in text_of(desk.get(WHERE, ASKED))


# --- Which place -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "Dépôt Évere",
        "depot evere",
        "DEPOT",
        "biplan",
        "Dépôt Évere, Rue du Biplan 12, 1140 Brussel",
    ],
)
def test_a_site_is_found_by_its_name_or_address(
    desk: Client, ada_phone: Phone, depot: Site, typed: str
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    text = text_of(desk.get(WHERE, {**TIME, "place": typed}))
    assert "Within 500 m of Dépôt Évere, Rue du Biplan 12, 1140 Brussel" in text
    assert "1 visit" in text


@pytest.mark.parametrize("typed", ["Brussels", "brussel", "BRUXELLES"])
def test_a_town_is_found_in_each_language(desk: Client, depot: Site, typed: str) -> None:
    assert "Within 3.0 km of Br" in text_of(desk.get(WHERE, {**TIME, "place": typed}))


@pytest.mark.parametrize("typed", ["50.85, 4.421", "50,85; 4,421", " 50.85 4.421 ", "+50.85,4.421"])
def test_coordinates_may_be_typed_with_points_or_commas(
    desk: Client, ada_phone: Phone, typed: str
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    text = text_of(desk.get(WHERE, {**TIME, "place": typed}))
    assert "Within 500 m of 50.85, 4.421" in text
    assert "Ada Peeters" in text


def test_several_sites_are_offered_to_choose_from(
    desk: Client, acme: Employer, depot: Site
) -> None:
    for number in (1, 2):
        Site.objects.create(
            employer=acme, name=f"Bakery {number}", latitude=50.9, longitude=4.4 + number / 10
        )
    answer = desk.get(WHERE, {**TIME, "place": "bakery"})
    text = text_of(answer)
    assert answer.status_code == 400
    assert "Several places are called so. Choose one." in text
    other = Site.objects.get(name="Bakery 2")
    assert f"site={other.uuid}" in text
    assert "Within 500 m of Bakery 2" in text_of(desk.get(WHERE, {**TIME, "site": str(other.uuid)}))


def test_another_employers_site_is_none(desk: Client, elsewhere: Employer) -> None:
    theirs = Site.objects.create(employer=elsewhere, name="Secret", latitude=50.9, longitude=4.4)
    for query in ({"place": "Secret"}, {"site": str(theirs.uuid)}):
        answer = desk.get(WHERE, {**TIME, **query})
        assert answer.status_code == 400
        assert "Within" not in text_of(answer).split('id="answer"')[1]
    assert desk.get("/where/places", {"q": "secret"}).json() == {"places": []}


def test_names_are_suggested_while_typing(desk: Client, depot: Site) -> None:
    found = desk.get("/where/places", {"q": "ever"}).json()["places"]
    assert found == ["Dépôt Évere, Rue du Biplan 12, 1140 Brussel"]
    assert "Gent" in desk.get("/where/places", {"q": "gen"}).json()["places"]
    assert desk.get("/where/places").json() == {"places": []}


def test_a_box_is_searched(desk: Client, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    text = text_of(desk.get(WHERE, {**TIME, **BOX}))
    assert "In the box, Tuesday 24 November 2026" in text
    assert "Ada Peeters" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"place": " "}, "Type a place, click on the map, or draw a box on it."),
        ({"place": "Atlantis"}, "No site, town or coordinates are known by this."),
        ({"place": "91, 4.4"}, "No site, town or coordinates are known by this."),
        ({"place": "Gent", **BOX}, "There is a place and a box."),
        ({**BOX, "west": ""}, "A box needs all four edges."),
        ({**BOX, "west": "4.5"}, "The east edge lies east of the west edge."),
        ({**BOX, "south": "50.9"}, "The north edge lies north of the south edge."),
        ({**BOX, "south": "49"}, "The box is too large: it may be 50 km wide and high."),
        ({**BOX, "south": "nan"}, "Enter a number."),
        ({"place": "Gent", "radius_m": "49"}, "greater than or equal to 50"),
        ({"place": "Gent", "radius_m": "25001"}, "less than or equal to 25000"),
        ({"place": "Gent", "date": "2026-02-30"}, "Enter a valid date."),
        ({"place": "Gent", "date": "0001-01-01"}, "No such day can be searched."),
        ({"place": "Gent", "begin": "25:00"}, "Enter a valid time."),
        ({"place": "Gent", "end_date": "2026-11-23"}, "This is before the beginning."),
        ({"place": "Gent", "end_date": "2027-11-23"}, "The time is too long: 744 hours"),
        ({"place": "x" * 301}, "at most 300 characters"),
        ({"place": "Gent", "site": "1"}, "valid UUID"),
    ],
)
def test_what_cannot_be_searched_is_said(desk: Client, query: dict[str, str], said: str) -> None:
    answer = desk.get(WHERE, {**TIME, **query})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not Look.objects.exists()


# --- Which time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"begin": "22:00", "end": "02:00"}, "22:00 to 25 Nov 02:00"),
        ({"begin": "00:00", "end": "00:00"}, "00:00 to 25 Nov 00:00"),
        ({"end_date": "2026-11-26"}, "09:00 to 26 Nov 10:00"),
    ],
)
def test_a_time_may_go_past_midnight(desk: Client, query: dict[str, str], said: str) -> None:
    assert said in text_of(desk.get(WHERE, {**ASKED, **query}))


def test_an_hour_that_comes_twice_is_searched_twice(desk: Client) -> None:
    night = {**ASKED, "date": "2026-10-25", "begin": "02:00", "end": "02:30"}
    text = text_of(desk.get(WHERE, night))
    assert "The clocks showed 02:30 twice that day; both are searched." in text
    assert "02:00 CEST to 02:30 CET" in text


def test_an_hour_that_does_not_come_is_said(desk: Client) -> None:
    night = {**ASKED, "date": "2026-03-29", "begin": "02:30", "end": "04:00"}
    text = text_of(desk.get(WHERE, night))
    assert "The clocks never showed 02:30 that day; the moment of the change is meant." in text
    answer = desk.get(WHERE, {**night, "end": "02:45"})
    assert answer.status_code == 400
    assert "it did not exist that day" in text_of(answer)


# --- Files, cost -----------------------------------------------------------------------------


def test_the_answer_is_a_table_file_too_and_a_look(desk: Client, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    assert "/where.csv?" in text_of(desk.get(WHERE, ASKED))
    answer = desk.get("/where.csv", ASKED)
    assert "no-store" in answer.headers["Cache-Control"]
    head, row, end = answer.content.decode().split("\r\n")
    assert head.startswith("truck_plate,truck_id,driver_name")
    assert "Ada Peeters,D-1" in row
    assert "2026-11-24T09:" in row
    assert end == ""
    assert Look.objects.count() == 2
    assert desk.get("/where.xlsx", ASKED).content[:2] == b"PK"
    assert desk.get("/where.csv", {**ASKED, "place": "Atlantis"}).status_code == 400


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_the_same_queries_however_many(
    desk: Client, acme: Employer, truck12: Truck, count: int
) -> None:
    for n in range(count):
        phone = make_phone(make_driver(acme, f"D {n}", f"N-{n}"))
        put_fixes(phone, drive(0, 20), truck=truck12, mission=opened(phone.driver, 0))
    with CaptureQueriesContext(connection) as queries:
        assert f"{count} visit" in text_of(desk.get(WHERE, ASKED))
    # Session, user, membership; sites; the search; looks and audit in a transaction.
    assert len(queries) == 16
