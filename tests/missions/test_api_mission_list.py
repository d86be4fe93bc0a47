from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Driver, Employer, Truck
from missions.lifecycle import end_mission, hand_over_mission
from missions.models import Site
from tests.cast import ClientFor
from tests.missions.builders import make_mission, start
from tests.missions.opening_cases import at

MISSIONS = "/api/v1/missions"


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def listed(client: APIClient, **query: Any) -> list[str]:
    answer = client.get(MISSIONS, query)
    assert answer.status_code == 200, answer.json()
    return [row["external_id"] for row in answer.json()["results"]]


def test_the_list_is_newest_first_and_pages(client: APIClient, acme: Employer) -> None:
    for number in range(5):
        make_mission(acme, external_id=f"M-{number}")
    seen, url = [], f"{MISSIONS}?limit=2"
    while url:
        page = client.get(url).json()
        seen += [row["external_id"] for row in page["results"]]
        url = page["next"]
    assert seen == ["M-4", "M-3", "M-2", "M-1", "M-0"]


def test_the_list_is_filtered_by_status(client: APIClient, acme: Employer, ada: Driver) -> None:
    make_mission(acme, external_id="planned")
    make_mission(acme, ada, external_id="assigned")
    start(make_mission(acme, ada, external_id="started"), ada, at("08:00"))
    assert listed(client, status="planned") == ["planned"]
    assert listed(client, status=["assigned", "started"]) == ["started", "assigned"]


def test_the_list_is_filtered_by_driver_and_truck(
    client: APIClient, acme: Employer, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck
) -> None:
    mission = make_mission(acme, ada, truck12, external_id="both")
    hand_over_mission(mission, ben, truck=truck34, at=at("10:00"))
    make_mission(acme, ben, external_id="ben")
    make_mission(acme, truck=truck34, external_id="waits for a driver")
    assert listed(client, driver=ada.uuid) == ["both"]
    assert listed(client, driver=ben.uuid) == ["ben", "both"]
    assert listed(client, truck=truck34.uuid) == ["waits for a driver", "both"]


def test_the_list_is_searched(client: APIClient, acme: Employer) -> None:
    site = Site.objects.create(employer=acme, name="Bakkerij De Molen", address="Kouter 1, Gent")
    make_mission(acme, external_id="A-17", reference="flour")
    stop = make_mission(acme, external_id="B-18", stops=1).stops.get()
    stop.site = site
    stop.save()
    for part, found in [("flou", "A-17"), ("a-1", "A-17"), ("molen", "B-18"), ("kouter", "B-18")]:
        assert listed(client, q=part) == [found]
    assert listed(client, q="é") == []


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        ("07:00", "08:00", []),
        ("07:00", "08:01", ["driven"]),
        ("12:00", "12:30", ["driven"]),
        ("12:30", "14:00", []),
        ("14:00", "15:30", ["open", "planned"]),
        ("18:00", "19:00", ["open"]),
    ],
)
def test_the_list_is_cut_to_a_range_as_driven_else_as_planned(
    client: APIClient, acme: Employer, ada: Driver, begin: str, end: str, found: list[str]
) -> None:
    planned: dict[str, Any] = {"planned_start_at": at("15:00"), "planned_end_at": at("16:00")}
    make_mission(acme, ada, external_id="planned", **planned)
    driven = make_mission(acme, ada, external_id="driven", **planned)
    start(driven, ada, at("08:00"))
    end_mission(driven, at=at("12:00"))
    start(make_mission(acme, ada, external_id="open", **planned), ada, at("14:30"))
    query = {"from": at(begin).isoformat(), "to": at(end).isoformat()}
    assert listed(client, **query) == found


def test_a_mission_nobody_planned_is_found_by_when_it_was_made(
    client: APIClient, acme: Employer
) -> None:
    make_mission(acme, external_id="M-1")
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert listed(client, **{"from": hour_ago.isoformat()}) == ["M-1"]
    assert listed(client, to=hour_ago.isoformat()) == []


@pytest.mark.parametrize(
    "query",
    [
        "status=late",
        "driver=ada",
        "from=yesterday",
        "from=2026-11-20T08:00:00",
        "cursor=x",
        "limit=0",
        "q=%00",
    ],
)
def test_the_list_refuses_a_filter_it_does_not_understand(client: APIClient, query: str) -> None:
    assert client.get(f"{MISSIONS}?{query}").status_code == 400


def test_the_list_costs_the_same_for_one_row_and_for_thirty(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")

    def with_site() -> None:
        make_mission(acme, ada, truck12, stops=2).stops.update(site=site)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(MISSIONS).status_code == 200
        return len(captured)

    with_site()
    one = queries()
    for _ in range(29):
        with_site()
    assert len(client.get(MISSIONS).json()["results"]) == 30
    assert queries() == one
