from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Driver, Employer
from missions.models import Site
from tests.cast import ClientFor
from tests.missions.builders import make_mission

SITES = "/api/v1/sites"
GHENT: dict[str, Any] = {
    "external_id": "S-1",
    "name": "Ghent",
    "latitude": 51.05,
    "longitude": 3.72,
}


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def test_a_site_is_made_read_changed_and_removed(client: APIClient) -> None:
    made = client.post(SITES, GHENT)
    assert (made.status_code, made.json()["radius_m"], made.json()["country"]) == (201, 150, "BE")
    url = f"{SITES}/{made.json()['id']}"
    assert client.get(url).json() == made.json()
    assert client.patch(url, {"radius_m": 400}).json()["radius_m"] == 400
    assert client.get(SITES).json()["results"] == [{**made.json(), "radius_m": 400}]
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["site.created", "site.changed", "site.removed"]


def test_the_same_site_again_is_the_stored_one_and_another_is_refused(client: APIClient) -> None:
    first = client.post(SITES, GHENT)
    again = client.post(SITES, GHENT)
    assert (again.status_code, again.json()) == (200, first.json())
    moved = client.post(SITES, {**GHENT, "latitude": 51.06})
    assert (moved.status_code, moved.json()["site"]) == (409, first.json()["id"])
    assert "latitude" in moved.json()["detail"]
    assert Site.objects.get().latitude == 51.05


def test_a_site_cannot_take_anothers_external_id(client: APIClient) -> None:
    client.post(SITES, GHENT)
    other = client.post(SITES, {"name": "Bruges"}).json()["id"]
    assert client.patch(f"{SITES}/{other}", {"external_id": "S-1"}).status_code == 409
    assert Site.objects.filter(external_id="S-1").count() == 1


def test_a_site_where_missions_stop_is_not_removed(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")
    make_mission(acme, ada, stops=1).stops.update(site=site)
    answer = client.delete(f"{SITES}/{site.uuid}")
    assert (answer.status_code, answer.json()["code"]) == (409, "site_in_use")
    assert Site.objects.count() == 1
    assert not AuditEntry.objects.filter(action="site.removed").exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"external_id": ""}, "/external_id"),
        ({"latitude": 91}, "/latitude"),
        ({"longitude": -180.5}, "/longitude"),
        ({"latitude": "NaN"}, "/latitude"),
        ({"latitude": "Infinity"}, "/latitude"),
        ({"latitude": None}, ""),
        ({"radius_m": 0}, "/radius_m"),
        ({"radius_m": 10**12}, "/radius_m"),
        ({"country": "BEL"}, "/country"),
        ({"country": "<>"}, "/country"),
        ({"country": "be"}, "/country"),
        ({"country": ""}, "/country"),
        ({"timezone": "Europe/Ghent"}, "/timezone"),
    ],
)
def test_it_refuses_a_site_that_cannot_be(
    client: APIClient, change: dict[str, Any], pointer: str
) -> None:
    answer = client.post(SITES, {**GHENT, **change})
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert Site.objects.count() == 0


def test_half_a_point_is_refused_when_changing_too(client: APIClient) -> None:
    url = f"{SITES}/{client.post(SITES, GHENT).json()['id']}"
    assert client.patch(url, {"latitude": None}).status_code == 400
    shown = client.patch(url, {"latitude": None, "longitude": None}).json()
    assert (shown["latitude"], shown["longitude"]) == (None, None)


def test_sites_are_searched_and_paged(client: APIClient, acme: Employer) -> None:
    for name in ("Gent Noord", "Brugge", "Gent Zuid"):
        Site.objects.create(employer=acme, name=name, address="Kaai 1")
    seen, url = [], f"{SITES}?q=gent&limit=1"
    while url:
        page = client.get(url).json()
        seen += [row["name"] for row in page["results"]]
        url = page["next"]
    assert seen == ["Gent Noord", "Gent Zuid"]
    assert len(client.get(f"{SITES}?q=kaai").json()["results"]) == 3


def test_the_sites_cost_the_same_for_one_and_for_thirty(client: APIClient, acme: Employer) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(SITES).status_code == 200
        return len(captured)

    Site.objects.create(employer=acme, name="Ghent")
    one = queries()
    Site.objects.bulk_create(Site(employer=acme, name=f"Ghent {n}") for n in range(29))
    assert len(client.get(SITES).json()["results"]) == 30
    assert queries() == one
