"""A mission asked for again under its external id: the stored one, or what differs."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Driver, Truck
from missions.lifecycle import hand_over_mission
from missions.models import Mission
from tests.cast import ClientFor
from tests.missions.opening_cases import at

MISSIONS = "/api/v1/missions"


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def post(client: APIClient, **body: Any) -> Any:
    return client.post(MISSIONS, body)


FULL = {
    "external_id": "M-1",
    "reference": "pallets",
    "planned_start_at": "2026-11-22T08:00:00+01:00",
    "stops": [{"external_id": "a", "purpose": "load"}, {"external_id": "b"}],
}


def test_the_same_request_again_answers_with_the_stored_mission(
    client: APIClient, ada: Driver
) -> None:
    first = post(client, **FULL, driver=str(ada.uuid))
    again = post(client, **FULL, driver=str(ada.uuid))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Mission.objects.count() == 1


def test_a_request_that_says_less_does_not_differ(client: APIClient) -> None:
    post(client, **FULL)
    assert post(client, external_id="M-1").status_code == 200


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"reference": "boxes"}, "/reference"),
        ({"planned_start_at": "2026-11-22T08:00:00Z"}, "/planned_start_at"),
        ({"stops": [{"external_id": "a"}]}, "/stops"),
        ({"stops": [{"external_id": "a"}, {"external_id": "c"}]}, "/stops/1/external_id"),
    ],
)
def test_another_request_with_that_external_id_says_what_differs(
    client: APIClient, other: dict[str, Any], pointer: str
) -> None:
    first = post(client, **FULL).json()
    answer = post(client, **{**FULL, **other})
    assert answer.status_code == 409
    assert answer.json()["code"] == "request_differs"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert answer.json()["mission"] == first["id"]
    assert client.get(f"{MISSIONS}/{first['id']}").json() == first


def test_another_driver_or_truck_is_another_request(
    client: APIClient, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    post(client, external_id="M-1", driver=str(ada.uuid))
    answer = post(client, external_id="M-1", driver=str(ben.uuid), truck=str(truck12.uuid))
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert (answer.status_code, pointers) == (409, ["/driver", "/truck"])


def test_a_planned_truck_is_part_of_the_request(client: APIClient, truck12: Truck) -> None:
    body = {"external_id": "M-1", "truck": str(truck12.uuid)}
    assert [post(client, **body).status_code for _ in range(2)] == [201, 200]


def test_a_hand_over_since_then_does_not_make_it_another_request(
    client: APIClient, ada: Driver, ben: Driver
) -> None:
    post(client, external_id="M-1", driver=str(ada.uuid))
    hand_over_mission(Mission.objects.get(), ben, truck=None, at=at("10:00"))
    assert post(client, external_id="M-1", driver=str(ada.uuid)).status_code == 200


@pytest.mark.parametrize("change", ["unassign", "assign", "truck", "patch"])
def test_another_driver_or_truck_since_then_does_not_make_it_another_request(
    client: APIClient, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck, change: str
) -> None:
    body = {"external_id": "M-1", "driver": str(ada.uuid), "truck": str(truck12.uuid)}
    url = f"{MISSIONS}/{post(client, **body).json()['id']}"
    other = {"driver": str(ben.uuid), "truck": str(truck34.uuid)}
    if change == "patch":
        answer = client.patch(url, other, headers={"If-Match": "*"})
    else:
        answer = client.post(f"{url}/{change}", {"unassign": {}}.get(change, other))
    assert answer.status_code == 200
    stored = client.get(url).json()
    assert (stored["driver"], stored["truck"]) != (body["driver"], body["truck"])
    again = post(client, **body)
    assert (again.status_code, again.json()) == (200, stored)


def test_a_driver_who_was_neither_asked_for_nor_has_it_is_another_request(
    client: APIClient, ada: Driver, ben: Driver
) -> None:
    made = post(client, external_id="M-1", driver=str(ada.uuid)).json()
    client.post(f"{MISSIONS}/{made['id']}/unassign")
    answer = post(client, external_id="M-1", driver=str(ben.uuid))
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/driver"]
    assert post(client, external_id="M-1", driver=str(ada.uuid)).status_code == 200


def test_two_employers_may_use_one_external_id(client_for: ClientFor) -> None:
    assert post(client_for("dispatcher"), external_id="M-1").status_code == 201
    assert post(client_for("stranger"), external_id="M-1").status_code == 201
