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
        ({"kind": "castle"}, "/kind"),
        ({"language": "xx"}, "/language"),
        ({"contact_phone": "0" * 41}, "/contact_phone"),
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


# --- opening hours ---------------------------------------------------------------------------

HOURS = [
    {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "17:00"},
    {"days": [6], "opens": "22:00", "closes": "24:00"},
    {"days": [7], "opens": "00:00", "closes": "02:00"},
]


def test_a_site_has_hours_a_contact_a_kind_and_a_language(client: APIClient) -> None:
    known = {
        "kind": "warehouse",
        "language": "nl",
        "contact_name": "Mieke",
        "contact_phone": "+32 9 000 00 00",
        "opening_hours": HOURS,
    }
    made = client.post(SITES, {**GHENT, **known})
    assert made.status_code == 201, made.json()
    assert {name: made.json()[name] for name in known} == known
    assert client.post(SITES, {**GHENT, **known}).status_code == 200
    other = {**GHENT, **known, "opening_hours": HOURS[:1]}
    assert client.post(SITES, other).status_code == 409
    url = f"{SITES}/{made.json()['id']}"
    assert client.patch(url, {"opening_hours": []}).json()["opening_hours"] == []


@pytest.mark.parametrize(
    ("hours", "pointer", "code"),
    [
        ([{"days": [1], "opens": "22:00", "closes": "04:00"}], "/0/closes", "over_midnight"),
        ([HOURS[0], {"days": [5], "opens": "16:59", "closes": "18:00"}], "/1/opens", "overlaps"),
        ([{"days": [1], "opens": "08:00"}], "/0/closes", "required"),
        ([{"opens": "08:00", "closes": "09:00"}], "/0/days", "required"),
        ([{"days": [], "opens": "08:00", "closes": "09:00"}], "/0/days", "min_length"),
        ([{"days": [0], "opens": "08:00", "closes": "09:00"}], "/0/days/0", "min_value"),
        ([{"days": [1, 8], "opens": "08:00", "closes": "09:00"}], "/0/days/1", "max_value"),
        ([{"days": [1], "opens": "8:00", "closes": "09:00"}], "/0/opens", "invalid_time"),
        ([{"days": [1], "opens": "08:00", "closes": "24:01"}], "/0/closes", "invalid_time"),
        ([{"days": [1], "opens": "08:00", "closes": 9}], "/0/closes", "invalid_time"),
        (["always"], "/0", "invalid"),
        ({"days": [1]}, "", "not_a_list"),
        (None, "", "null"),
        (HOURS[:1] * 51, "", "max_length"),
    ],
)
def test_hours_that_cannot_be_say_where(
    client: APIClient, hours: Any, pointer: str, code: str
) -> None:
    url = f"{SITES}/{client.post(SITES, GHENT).json()['id']}"
    for answer in (
        client.post(SITES, {"name": "Bruges", "opening_hours": hours}),
        client.patch(url, {"opening_hours": hours}),
    ):
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (f"/opening_hours{pointer}", code)
    assert Site.objects.exclude(opening_hours=[]).count() == 0


def test_open_over_midnight_comes_with_a_hint(client: APIClient) -> None:
    hours = [{"days": [6], "opens": "22:00", "closes": "02:00"}]
    answer = client.post(SITES, {**GHENT, "opening_hours": hours}).json()
    assert "two entries" in answer["detail"]


def test_what_a_site_says_already_changes_nothing(client: APIClient) -> None:
    full = {**GHENT, "opening_hours": HOURS}
    made = client.post(SITES, full).json()
    url, entries = f"{SITES}/{made['id']}", AuditEntry.objects.count()
    assert client.patch(url, full).json() == made
    assert AuditEntry.objects.count() == entries
    client.patch(url, {**full, "name": "Gent"})
    assert AuditEntry.objects.latest("id").detail == {"fields": ["name"]}


@pytest.fixture
def visit(client: APIClient, acme: Employer, ada: Driver) -> str:
    """A stop at a site that is open on workdays from eight to five, in Brussels."""
    site = client.post(SITES, {**GHENT, "opening_hours": HOURS}).json()
    mission = make_mission(acme, ada, stops=2)
    mission.stops.filter(seq=2).update(site=Site.objects.get(uuid=site["id"]))
    return f"/api/v1/missions/{mission.uuid}/stops/{mission.stops.get(seq=2).uuid}"


@pytest.mark.parametrize(
    ("begin", "end", "warnings"),
    [
        ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", []),  # a Friday
        ("2026-11-20T06:00:00Z", "2026-11-20T07:30:00Z", []),  # partly
        ("2026-11-20T05:00:00Z", "2026-11-20T06:30:00Z", ["window_outside_opening_hours"]),
        ("2026-11-21T08:00:00Z", "2026-11-21T12:00:00Z", ["window_outside_opening_hours"]),
        ("2026-11-21T08:00:00Z", None, []),  # open at one end: not wholly outside
        (None, None, []),
    ],
)
def test_a_window_wholly_outside_the_hours_is_warned_of_and_never_refused(
    client: APIClient, visit: str, begin: str | None, end: str | None, warnings: list[str]
) -> None:
    answer = client.patch(visit, {"window_start_at": begin, "window_end_at": end})
    assert (answer.status_code, answer.json()["warnings"]) == (200, warnings)
    mission = client.get(visit.partition("/stops")[0]).json()
    assert [stop["warnings"] for stop in mission["stops"]] == [[], warnings]
    (listed,) = client.get("/api/v1/missions").json()["results"]
    assert listed == mission


def test_the_hours_are_those_of_the_sites_own_zone(client: APIClient, visit: str) -> None:
    window = {"window_start_at": "2026-11-20T07:00:00Z", "window_end_at": "2026-11-20T07:30:00Z"}
    assert client.patch(visit, window).json()["warnings"] == []
    Site.objects.update(timezone="Europe/London")  # seven o'clock there
    assert client.get(visit).json()["warnings"] == ["window_outside_opening_hours"]


def test_other_hours_are_seen_by_who_knows_the_mission_already(
    client: APIClient, visit: str
) -> None:
    mission = visit.partition("/stops")[0]
    window = {"window_start_at": "2026-11-20T08:00:00Z", "window_end_at": "2026-11-20T09:00:00Z"}
    client.patch(visit, window)
    known = client.get(mission)["ETag"]
    assert client.get(mission, headers={"If-None-Match": known}).status_code == 304
    Site.objects.update(opening_hours=HOURS[1:])
    answer = client.get(mission, headers={"If-None-Match": known})
    assert answer.status_code == 200
    assert answer.json()["stops"][1]["warnings"] == ["window_outside_opening_hours"]
    told = client.patch(mission, {"reference": "x"}, headers={"If-Match": known}).json()
    assert (told["code"], told["changed"], told["changed_otherwise"]) == ("stale", [], 0)
