"""The pages of sites: who sees which, what is found, and what a form makes of what is typed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Driver, Employer, User
from missions.models import Site
from missions.pages.site_list import sites_like
from missions.stages import Stage
from tests.missions.builders import make_mission, put_stage
from tests.missions.opening_cases import Sent
from tests.pages.test_pages import client_of, text_of

TYPED = {"name": "Brouwerij Noord", "kind": "customer", "country": "be", "radius_m": "150"}


def site_of(employer: Employer, name: str = "Depot", **fields: object) -> Site:
    return Site.objects.create(employer=employer, name=name, **fields)


def page_of(site: Site) -> str:
    return f"/manage/sites/{site.uuid}"


def test_the_pages_of_sites_are_for_dispatchers_and_managers(
    acme: Employer, dee: User, max: User, pat: User, cy: User
) -> None:
    site = site_of(acme)
    for path in ("/manage/sites", "/manage/sites/new", page_of(site), f"{page_of(site)}/remove"):
        assert Client().get(path)["Location"].startswith("/accounts/login/"), path
        assert client_of(pat).get(path).status_code == 403, path
        assert client_of(dee).get(path).status_code == 200, path
        assert client_of(max).get(path).status_code == 200, path
    for path in (page_of(site), f"{page_of(site)}/remove"):
        assert client_of(cy).get(path).status_code == 404, path
        assert client_of(cy).post(path, TYPED).status_code == 404, path
    assert client_of(dee).get(f"/manage/sites/{uuid4()}").status_code == 404
    assert "Depot" not in text_of(client_of(cy).get("/manage/sites"))


@pytest.mark.parametrize("words", ["francois", "FRANÇOIS", "liege chaussee", "k-17"])
def test_a_site_is_found_without_accents_and_capitals(
    words: str, acme: Employer, elsewhere: Employer, dee: User
) -> None:
    site_of(acme, "Chez François", address="Chaussée de Liège 4", external_id="K-17")
    site_of(acme, "Depot")
    site_of(elsewhere, "Chez François", address="Chaussée de Liège 4", external_id="K-17")
    page = text_of(client_of(dee).get("/manage/sites", {"q": words}))
    assert "Chez François" in page
    assert "1 site" in page
    assert ">Depot<" not in page


def test_sites_are_in_the_order_of_their_folded_names(acme: Employer) -> None:
    for name in ("Zebra", "élan", "Ekster", "Fabriek"):
        site_of(acme, name)
    names = [site.name for site in sites_like(acme, "")]
    assert names == ["Ekster", "élan", "Fabriek", "Zebra"]


def test_a_search_that_finds_nothing_offers_to_make_it(acme: Employer, dee: User) -> None:
    page = text_of(client_of(dee).get("/manage/sites", {"q": "A & B"}))
    assert "/manage/sites/new?name=A%20%26%20B" in page
    assert 'value="A &amp; B"' in text_of(client_of(dee).get("/manage/sites/new?name=A%20%26%20B"))


def test_the_list_takes_as_many_queries_for_thirty_sites_as_for_one(
    acme: Employer, dee: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(dee)
    client.get("/manage/sites")
    for total in (1, 30):
        for number in range(Site.objects.count(), total):
            site_of(acme, f"Site {number}", latitude=50.8, longitude=4.3)
        # The session, the user, their memberships; the count, the page, the stays, the visits
        # and the points.
        with django_assert_num_queries(8):
            page = text_of(client.get("/manage/sites"))
        assert page.count('class="driver"') == total


def test_a_long_list_has_pages(acme: Employer, dee: User) -> None:
    Site.objects.bulk_create(Site(employer=acme, name=f"Site {n:03}") for n in range(60))
    first = text_of(client_of(dee).get("/manage/sites"))
    assert "60 sites" in first
    assert ">Site 049<" in first
    assert ">Site 050<" not in first
    assert ">Site 050<" in text_of(client_of(dee).get("/manage/sites?page=2"))
    assert ">Site 059<" in text_of(client_of(dee).get("/manage/sites?page=99"))


def test_a_site_is_made_as_it_was_typed(acme: Employer, dee: User) -> None:
    typed = {
        **TYPED,
        "latitude": "51,05",
        "longitude": "3.72",
        "external_id": "K-17",
        "timezone": "Europe/Amsterdam",
        "language": "nl",
        "hours-1-0-opens": "08:00",
        "hours-1-0-closes": "12:00",
        "hours-1-1-opens": "13:00",
        "hours-1-1-closes": "00:00",
        "hours-2-0-opens": "08:00",
        "hours-2-0-closes": "12:00",
    }
    answer = client_of(dee).post("/manage/sites/new", typed)
    site = Site.objects.get(employer=acme)
    assert answer["Location"] == page_of(site)
    assert (site.name, site.latitude, site.longitude) == ("Brouwerij Noord", 51.05, 3.72)
    assert (site.country, site.timezone, site.language) == ("BE", "Europe/Amsterdam", "nl")
    assert site.opening_hours == [
        {"days": [1, 2], "opens": "08:00", "closes": "12:00"},
        {"days": [1], "opens": "13:00", "closes": "24:00"},
    ]
    page = text_of(client_of(dee).get(page_of(site)))
    assert 'name="hours-1-1-closes" value="00:00"' in page
    assert AuditEntry.objects.filter(action="site.created", object_id=site.uuid).count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"latitude": "51.05"}, "A site has a latitude and a longitude, or neither."),
        ({"latitude": "95", "longitude": "3"}, "less than or equal to 90"),
        ({"latitude": "north", "longitude": "3"}, "A valid number is required."),
        ({"radius_m": "0"}, "greater than or equal to 1"),
        ({"radius_m": "wide"}, "A valid integer is required."),
        ({"country": "Belgium"}, "at most 2 characters"),
        ({"country": "1x"}, "required pattern"),
        ({"name": " "}, "This field is required."),
        ({"hours-1-0-opens": "12:00", "hours-1-0-closes": "08:00"}, "It closes after it opens."),
        ({"hours-1-0-opens": "12:00", "hours-1-0-closes": ""}, "12:00\N{EN DASH}…"),
        ({"hours-1-0-opens": "noon", "hours-1-0-closes": "13:00"}, "not a time of day"),
        ({"timezone": "Europe/Atlantis"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_stored(
    wrong: dict[str, str], said: str, acme: Employer, dee: User
) -> None:
    answer = client_of(dee).post("/manage/sites/new", {**TYPED, **wrong})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not Site.objects.exists()


def test_only_what_was_changed_is_changed(acme: Employer, dee: User) -> None:
    hours = [{"days": [1], "opens": "08:00", "closes": "10:00"}]
    hours += [{"days": [1], "opens": "11:00", "closes": "12:00"}]
    hours += [{"days": [1], "opens": "13:00", "closes": "14:00"}]
    site = site_of(acme, latitude=50.123456789012, longitude=4.0, opening_hours=hours)
    typed = {**TYPED, "name": "Yard", "country": "BE", "latitude": "50.123456789012"}
    page = text_of(client_of(dee).get(page_of(site)))
    assert 'name="latitude" value="50.1234568"' in page
    assert 'name="hours-1-2-opens" value="13:00"' in page
    typed |= {"latitude": "50.1234568", "longitude": "4"}
    for place, (opens, closes) in enumerate((("08", "10"), ("11", "12"), ("13", "14"))):
        typed |= {
            f"hours-1-{place}-opens": f"{opens}:00",
            f"hours-1-{place}-closes": f"{closes}:00",
        }
    for day in range(2, 8):
        for place in range(3):
            typed |= {f"hours-{day}-{place}-opens": "", f"hours-{day}-{place}-closes": ""}
    client_of(dee).post(page_of(site), typed)
    site.refresh_from_db()
    assert (site.name, site.latitude) == ("Yard", 50.123456789012)
    entry = AuditEntry.objects.get(action="site.changed")
    assert entry.detail["fields"] == ["name"]


def test_a_number_that_another_site_has_is_refused(acme: Employer, dee: User) -> None:
    site_of(acme, "Other", external_id="K-17")
    site = site_of(acme)
    for path in (page_of(site), "/manage/sites/new"):
        answer = client_of(dee).post(path, {**TYPED, "external_id": "K-17"})
        assert answer.status_code == 409
        assert "Another one has this number already." in text_of(answer)


def test_a_site_is_removed_unless_missions_stop_there(acme: Employer, dee: User) -> None:
    unused, used = site_of(acme, "Unused"), site_of(acme, "Used")
    make_mission(acme).stops.create(employer=acme, seq=1, site=used)
    assert "Remove Unused?" in text_of(client_of(dee).get(f"{page_of(unused)}/remove"))
    assert client_of(dee).post(f"{page_of(unused)}/remove")["Location"] == "/manage/sites"
    answer = client_of(dee).post(f"{page_of(used)}/remove", follow=True)
    assert "Missions stop at this site, so it stays." in text_of(answer)
    assert list(Site.objects.values_list("name", flat=True)) == ["Used"]


def test_the_usual_stay_is_the_median_of_visits_that_stand(
    acme: Employer, ada: Driver, dee: User
) -> None:
    site, now = site_of(acme), timezone.now()
    for number, minutes in enumerate((10, 20, 90)):
        mission = make_mission(acme, ada)
        mission.stops.create(employer=acme, seq=1, site=site)
        begin = now - timedelta(days=number + 1)
        put_stage(mission, ada, Sent(Stage.ARRIVAL, begin, stop=1))
        put_stage(mission, ada, Sent(Stage.DEPARTURE, begin + timedelta(minutes=minutes), stop=1))
        if number < 2:
            assert "20 min" not in text_of(client_of(dee).get(page_of(site)))
    for path in ("/manage/sites", page_of(site)):
        assert "20 min" in text_of(client_of(dee).get(path)), path
