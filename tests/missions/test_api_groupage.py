"""A dispatcher's day over HTTP: several missions in one truck, and one handed over half-way."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Driver, Truck
from missions.models import StageEvent
from missions.stages import Stage
from tests.cast import ClientFor

MISSIONS = "/api/v1/missions"
MINE = "/api/v1/me/missions"
NOW = timezone.now().replace(microsecond=0)


def ago(minutes: int) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def make(client: APIClient, name: str, driver: Driver, truck: Truck) -> str:
    body = {
        "external_id": name,
        "driver": str(driver.uuid),
        "truck": str(truck.uuid),
        "stops": [{"purpose": "load"}, {"purpose": "unload"}],
    }
    return f"{MISSIONS}/{client.post(MISSIONS, body).json()['id']}"


def mark(client: APIClient, url: str, stage: str, minutes_ago: int, stop: int) -> None:
    """A stage at the stop with this place in the order."""
    stops = client.get(url).json()["stops"]
    body = {"stage": stage, "recorded_at": ago(minutes_ago), "stop": stops[stop - 1]["id"]}
    answer = client.post(f"{url}/stages", body)
    assert answer.status_code == 201, answer.json()


def mine(phone: APIClient) -> dict[str, str]:
    results: list[dict[str, Any]] = phone.get(MINE).json()["results"]
    return {mission["external_id"]: mission["status"] for mission in results}


def test_several_missions_are_open_at_once_and_end_apart(
    client: APIClient, client_for: ClientFor, ada: Driver, truck12: Truck
) -> None:
    phone = client_for("driver")
    bread, milk = (make(client, name, ada, truck12) for name in ("bread", "milk"))
    assert mine(phone) == {"bread": "assigned", "milk": "assigned"}
    mark(client, bread, "arrival", 100, stop=1)
    mark(client, milk, "arrival", 90, stop=1)
    assert mine(phone) == {"bread": "started", "milk": "started"}
    mark(client, bread, "departure", 60, stop=2)
    assert mine(phone) == {"bread": "completed", "milk": "started"}
    assert client.get(bread).json()["ended_at"] is not None
    assert client.get(milk).json()["ended_at"] is None


def test_a_mission_handed_over_half_way_keeps_both_parts(
    client: APIClient,
    client_for: ClientFor,
    ada: Driver,
    ben: Driver,
    truck12: Truck,
    truck34: Truck,
) -> None:
    url = make(client, "bread", ada, truck12)
    mark(client, url, "arrival", 100, stop=1)
    body = {"driver": str(ben.uuid), "truck": str(truck34.uuid), "at": ago(60)}
    assert client.post(f"{url}/hand-over", body).status_code == 200
    mark(client, url, "loading_ended", 90, stop=1)  # late, and still the first driver's
    mark(client, url, "arrival", 30, stop=2)
    shown = client.get(url).json()
    assert [(part["driver"], part["truck"]) for part in shown["assignments"]] == [
        (str(ada.uuid), str(truck12.uuid)),
        (str(ben.uuid), str(truck34.uuid)),
    ]
    assert (shown["driver"], shown["truck"], shown["status"]) == (
        str(ben.uuid),
        str(truck34.uuid),
        "started",
    )
    stages = client.get(f"{url}/stages").json()["results"]
    assert [(stage["stage"], stage["driver"], stage["truck"]) for stage in stages] == [
        ("arrival", str(ada.uuid), str(truck12.uuid)),
        ("loading_ended", str(ada.uuid), str(truck12.uuid)),
        ("arrival", str(ben.uuid), str(truck34.uuid)),
    ]
    assert (mine(client_for("driver")), mine(client_for("other_driver"))) == (
        {},
        {"bread": "started"},
    )
    for driver in (ada, ben):
        (listed,) = client.get(MISSIONS, {"driver": str(driver.uuid)}).json()["results"]
        assert listed["external_id"] == "bread"


def test_another_truck_half_way_keeps_the_driver(
    client: APIClient, client_for: ClientFor, ada: Driver, truck12: Truck, truck34: Truck
) -> None:
    url = make(client, "bread", ada, truck12)
    mark(client, url, "arrival", 100, stop=1)
    body = {"truck": str(truck34.uuid), "at": ago(60)}
    shown = client.post(f"{url}/truck", body).json()
    assert [(part["driver"], part["truck"]) for part in shown["assignments"]] == [
        (str(ada.uuid), str(truck12.uuid)),
        (str(ada.uuid), str(truck34.uuid)),
    ]
    (mission,) = client_for("driver").get(MINE).json()["results"]
    assert mission["truck"]["id"] == str(truck34.uuid)


def test_a_hand_over_sent_again_and_one_in_the_past_of_another(
    client: APIClient, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    url = make(client, "bread", ada, truck12)
    mark(client, url, "arrival", 100, stop=1)
    body = {"driver": str(ben.uuid), "at": ago(60)}
    first, again = (client.post(f"{url}/hand-over", body) for _ in range(2))
    assert (again.status_code, again.json()) == (200, first.json())
    earlier = client.post(f"{url}/hand-over", {"driver": str(ada.uuid), "at": ago(70)})
    assert (earlier.status_code, earlier.json()["code"]) == (409, "overlaps")
    assert len(client.get(url).json()["assignments"]) == 2


def test_a_mission_called_off_half_way_says_when(
    client: APIClient, ada: Driver, truck12: Truck
) -> None:
    url = make(client, "bread", ada, truck12)
    mark(client, url, "arrival", 100, stop=1)
    shown = client.post(f"{url}/cancel", {"at": ago(10)}).json()
    assert shown["status"] == "cancelled"
    assert StageEvent.objects.get().stage == Stage.ARRIVAL
    assert client.post(f"{url}/hand-over", {"driver": str(ada.uuid)}).status_code == 409
