"""The live page without a browser: where each truck is, what a search leaves, who may see it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import Driver, DutyMark, Employer, Truck, User
from missions.models import Mission, Site
from tests.cast import Phone, make_driver, make_phone, put_fixes
from tests.pages.test_pages import client_of, text_of
from tests.pages.test_phones_page import words
from tracking import fleet_view
from tracking.fleet_view import LONGEST_SEARCH

GHENT = (51.05, 3.72)
MECHELEN = (51.03, 4.48)
PATHS = ["/live", "/fleet/table", "/live/stream"]


@pytest.fixture
def seen(ada_phone: Phone, truck12: Truck) -> Driver:
    """Ada, with truck 12, was in Mechelen ten minutes ago."""
    put_fixes(ada_phone, [(timezone.now() - timedelta(minutes=10), *MECHELEN)], truck=truck12)
    return ada_phone.driver


def live(user: User, search: str = "") -> str:
    return text_of(client_of(user).get("/live", {"q": search} if search else {}))


def table(user: User, search: str = "") -> str:
    return words(text_of(client_of(user).get("/fleet/table", {"q": search} if search else {})))


def test_where_is_truck_12_now(seen: Driver, dee: User) -> None:
    said = table(dee)
    assert "truck 12 1-TRK-012" in said
    assert "near Mechelen" in said
    assert "10 min ago" in said
    assert "Ada Peeters" in said
    assert "Europe/Brussels" in live(dee)


def test_inside_a_site_the_site_is_named(seen: Driver, dee: User, acme: Employer) -> None:
    assert "near Mechelen" in table(dee)
    Site.objects.create(
        employer=acme, name="Depot North", latitude=51.0305, longitude=4.48, radius_m=150
    )
    assert "at Depot North" in table(dee)
    Site.objects.update(radius_m=20)
    assert "near Mechelen" in table(dee)


def test_another_employers_site_is_not_named(
    seen: Driver, dee: User, elsewhere: Employer, acme: Employer
) -> None:
    site = Site.objects.create(
        employer=elsewhere, name="Theirs", latitude=51.03, longitude=4.48, radius_m=150
    )
    assert "Theirs" not in table(dee)
    Site.objects.filter(pk=site.pk).update(employer=acme)
    assert "Theirs" in table(dee)


def test_a_silent_truck_says_since_when_in_words(
    ada_phone: Phone, truck12: Truck, dee: User
) -> None:
    put_fixes(ada_phone, [(timezone.now() - timedelta(minutes=42), *GHENT)], truck=truck12)
    page = text_of(client_of(dee).get("/fleet/table"))
    assert "silent 42 min" in words(page)
    assert 'class="warned stale"' in page


def test_who_is_off_duty_is_not_silent(seen: Driver, dee: User, acme: Employer) -> None:
    acme.tracking_window = "duty"
    acme.save()
    assert "On duty" not in table(dee)
    DutyMark.objects.create(
        employer=acme, driver=seen, kind=DutyMarkKind.DUTY_STARTED,
        recorded_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    assert "On duty" in table(dee)
    DutyMark.objects.create(
        employer=acme, driver=seen, kind=DutyMarkKind.DUTY_ENDED, recorded_at=timezone.now()
    )
    assert "Off duty" in table(dee)


def test_a_truck_that_another_driver_has_now_is_said_once(
    seen: Driver, ben_phone: Phone, truck12: Truck, dee: User
) -> None:
    put_fixes(ben_phone, [(timezone.now() + timedelta(minutes=1), *GHENT)], truck=truck12)
    assert "now with" not in table(dee)  # both on board: within half an hour
    put_fixes(
        make_phone(make_driver(seen.employer, "Cas Smet", "D-3")),
        [(timezone.now() - timedelta(hours=2), *GHENT)],
        truck=truck12,
    )
    page = text_of(client_of(dee).get("/fleet/table"))
    assert "now with Ben Özdemir" in words(page)
    assert page.count('data-name="truck 12"') == 2
    assert page.count('data-name="Cas Smet"') == 1


@pytest.mark.parametrize(
    "search",
    ["truck 12", "trk-012", "ADA", "peeters 12", "Mechelen", "depot", "m-77", "mechelen ada"],
)
def test_a_search_finds_plate_truck_driver_place_site_and_mission(
    seen: Driver, ben_phone: Phone, truck34: Truck, dee: User, acme: Employer, search: str
) -> None:
    mission = Mission.objects.create(employer=acme, reference="M-77")
    put_fixes(
        make_phone(seen), [(timezone.now(), *MECHELEN)], truck=truck_of(seen), mission=mission
    )
    put_fixes(ben_phone, [(timezone.now(), *GHENT)], truck=truck34)
    Site.objects.create(employer=acme, name="Depot", latitude=51.03, longitude=4.48)
    assert "Ben Özdemir" in table(dee)
    found = table(dee, search)
    assert "Ada Peeters" in found
    assert "Ben Özdemir" not in found


def test_accents_and_capitals_do_not_matter(ben_phone: Phone, dee: User) -> None:
    put_fixes(ben_phone, [(timezone.now(), *GHENT)])
    assert "Ben Özdemir" in table(dee, "OZDEMIR")
    assert "Ben Özdemir" not in table(dee, "ozdemira")


def test_what_matches_nothing_says_what_to_do(seen: Driver, dee: User) -> None:
    page = live(dee, "truck 99")
    assert "No truck matches" in page
    assert "truck 99" in page
    assert "Show the whole fleet" in page
    assert "Ada Peeters" not in page


@pytest.mark.parametrize("search", ["\0", "%", "a" * 5_000, "é" * 200, "<script>", "   "])
def test_any_search_is_answered(seen: Driver, dee: User, search: str) -> None:
    response = client_of(dee).get("/live", {"q": search})
    assert response.status_code == 200
    assert "<script>&" not in text_of(response)
    assert "a" * (LONGEST_SEARCH + 1) not in text_of(response)


def test_a_driver_without_a_fix_is_named_below(seen: Driver, ben: Driver, dee: User) -> None:
    page = live(dee)
    assert page.index("No position yet") < page.index("Ben Özdemir")
    assert "Ben Özdemir" not in live(dee, "ada")


def test_without_any_fix_the_page_says_what_to_do(ada: Driver, dee: User) -> None:
    assert "No phone has reported a position yet" in live(dee)


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_sent_to_sign_in(seen: Driver, path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("path", PATHS)
def test_a_dpo_may_not(seen: Driver, pat: User, path: str) -> None:
    response = client_of(pat).get(path)
    assert response.status_code == 403
    assert "Ada Peeters" not in text_of(response)


@pytest.mark.parametrize("path", PATHS)
def test_pages_with_positions_are_kept_nowhere(seen: Driver, dee: User, path: str) -> None:
    assert "no-store" in client_of(dee).get(path)["Cache-Control"]


def test_another_employer_sees_nothing(seen: Driver, dee: User, cy: User) -> None:
    assert "Ada Peeters" in live(dee)
    assert "Ada Peeters" not in live(cy)


def test_a_frozen_driver_is_gone(seen: Driver, dee: User) -> None:
    assert "Ada Peeters" in live(dee)
    freeze_driver(seen)
    assert "Ada Peeters" not in live(dee)


def test_the_table_is_not_sent_again_while_it_is_the_same(seen: Driver, dee: User) -> None:
    client = client_of(dee)
    first = client.get("/fleet/table")
    etag = {"If-None-Match": first["ETag"]}
    assert client.get("/fleet/table", headers=etag).status_code == 304
    assert client.get("/fleet/table?q=ada", headers=etag).status_code == 304  # it shows the same
    assert client.get("/fleet/table?q=ben", headers=etag).status_code == 200
    assert first["ETag"].strip('"') in text_of(client.get("/live"))
    Truck.objects.update(name="truck twelve")
    assert client.get("/fleet/table", headers=etag).status_code == 200


def test_a_table_in_another_language_is_another_one(seen: Driver, dee: User) -> None:
    client = client_of(dee)
    english = client.get("/fleet/table", headers={"Accept-Language": "en"})
    dutch = client.get(
        "/fleet/table",
        headers={"Accept-Language": "nl", "If-None-Match": english["ETag"]},
    )
    assert (english.status_code, dutch.status_code) == (200, 200)


def test_how_many_are_left_out_is_said(
    seen: Driver, ben_phone: Phone, dee: User, acme: Employer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fixes(ben_phone, [(timezone.now(), *GHENT)])
    for number in range(5):
        make_driver(acme, f"New {number}", f"N-{number}")
    monkeypatch.setattr(fleet_view, "NAMES_AT_MOST", 3)
    said = table(dee)
    assert said.index("New 2") < said.index("and 2 more")
    monkeypatch.setattr(fleet_view, "SHOWS_AT_MOST", 1)
    said = table(dee)
    assert "Ada Peeters" in said
    assert "Drivers not shown here: 6" in said


def test_the_page_costs_the_same_for_one_and_for_thirty(
    acme: Employer, seen: Driver, dee: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(dee)
    client.get("/live")
    with django_assert_num_queries(8):
        client.get("/live")
    for number in range(29):
        phone = make_phone(make_driver(acme, f"Driver {number}", f"N-{number}"))
        truck = Truck.objects.create(employer=acme, plate=f"P-{number}", name=f"truck {number}")
        put_fixes(phone, [(timezone.now(), 50.5, 4.5)], truck=truck)
        Site.objects.create(employer=acme, name=f"S {number}", latitude=50.5, longitude=4.5)
    with django_assert_num_queries(8):
        assert "Driver 28" in text_of(client.get("/live"))


def test_a_stream_of_nobodys_search_is_no_error(dee: User) -> None:
    assert client_of(dee).get("/live/stream", {"q": str(uuid4())}).status_code == 200


def test_truck_9_comes_before_truck_12(seen: Driver, ben_phone: Phone, dee: User) -> None:
    truck = Truck.objects.create(employer=seen.employer, plate="1-TRK-009", name="truck 9")
    put_fixes(ben_phone, [(timezone.now(), *GHENT)], truck=truck)
    said = table(dee)
    assert said.index("truck 9") < said.index("truck 12")


def truck_of(driver: Driver) -> Truck:
    return Truck.objects.get(employer=driver.employer, name="truck 12")
