from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Role, Truck
from missions.models import Mission, Site
from tests.cast import ClientFor, make_api_key
from tests.missions.builders import make_mission, start
from tests.missions.opening_cases import at

MISSIONS = "/api/v1/missions"


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def post(client: APIClient, **body: Any) -> Any:
    return client.post(MISSIONS, body)


# --- make ------------------------------------------------------------------------------------


def test_a_mission_with_a_driver_is_assigned(client: APIClient, ada: Driver) -> None:
    answer = post(client, external_id="M-1", driver=str(ada.uuid))
    made = answer.json()
    assert answer.status_code == 201
    assert (made["external_id"], made["status"]) == ("M-1", "assigned")
    assert made["driver"] == str(ada.uuid)
    assert [row["driver"] for row in made["assignments"]] == [str(ada.uuid)]
    assert answer["Location"] == f"{MISSIONS}/{made['id']}"
    assert answer["ETag"] == '"1"'


def test_a_mission_without_a_driver_is_planned_and_keeps_its_truck(
    client: APIClient, truck12: Truck
) -> None:
    made = post(client, external_id="M-1", truck=str(truck12.uuid)).json()
    assert (made["status"], made["driver"], made["truck"]) == ("planned", None, str(truck12.uuid))
    assert made["assignments"] == []


def test_nothing_has_to_be_said_of_a_mission(client: APIClient) -> None:
    answer = post(client)
    assert (answer.status_code, answer.json()["external_id"]) == (201, None)


def test_stops_are_numbered_as_they_were_sent(client: APIClient, acme: Employer) -> None:
    site = Site.objects.create(employer=acme, name="Ghent", external_id="S-9")
    made = post(
        client,
        stops=[
            {"external_id": "a", "site": "S-9", "purpose": "load"},
            {"external_id": "b", "site": str(site.uuid), "window_end_at": "2026-11-22T10:00:00Z"},
        ],
    ).json()
    assert [(stop["seq"], stop["external_id"]) for stop in made["stops"]] == [(1, "a"), (2, "b")]
    assert {stop["site"] for stop in made["stops"]} == {str(site.uuid)}
    assert made["stops"][1]["purpose"] == "unload"


def test_an_api_key_makes_a_mission(acme: Employer) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {make_api_key(acme, Role.DISPATCHER)}")
    assert post(client, external_id="M-1").status_code == 201


def test_making_a_mission_is_written_down(client: APIClient, ada: Driver, dee: Any) -> None:
    made = post(client, external_id="M-1", driver=str(ada.uuid)).json()
    entry = AuditEntry.objects.get(action="mission.created")
    assert (str(entry.object_id), entry.actor) == (made["id"], dee.uuid)
    assert entry.detail == {"driver": str(ada.uuid), "truck": None, "mission": made["id"]}


# --- refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"driver": "ada"}, "/driver"),
        ({"driver": 7}, "/driver"),
        ({"driver": ["x"]}, "/driver"),
        ({"external_id": ""}, "/external_id"),
        ({"external_id": "x" * 101}, "/external_id"),
        ({"external_id": "a\0b"}, "/external_id"),
        ({"planned_start_at": "2026-11-22T08:00:00"}, "/planned_start_at"),
        ({"planned_start_at": "9999-99-99"}, "/planned_start_at"),
        ({"stops": [{"purpose": "look"}]}, "/stops/0/purpose"),
        ({"stops": [{"site": "S-1"}]}, "/stops/0/site"),
        ({"stops": [{"site": {}}]}, "/stops/0/site"),
        ({"stops": [{"site": "a\0b"}]}, "/stops/0/site"),
        ({"stops": {}}, "/stops"),
        ({"stops": [7]}, "/stops/0"),
        ({"stops": [{"site": "S-1"}] * 201}, "/stops"),
        ({"stops": [{"external_id": "a"}, {"external_id": "a"}]}, "/stops"),
        (
            {
                "stops": [
                    {
                        "window_start_at": "2026-11-22T09:00:00Z",
                        "window_end_at": "2026-11-22T08:00:00Z",
                    }
                ]
            },
            "/stops/0/window_end_at",
        ),
        (
            {
                "planned_start_at": "2026-11-22T09:00:00Z",
                "planned_end_at": "2026-11-22T08:00:00Z",
            },
            "/planned_end_at",
        ),
    ],
)
def test_it_refuses_what_cannot_be_and_says_where(
    client: APIClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post(MISSIONS, body)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert Mission.objects.count() == 0


@pytest.mark.parametrize(
    "body", ["[]", "7", "null", '"x"', "{", '{"stops": NaN}', r'{"stops": [{"site": "\ud800"}]}']
)
def test_it_refuses_what_is_no_readable_object(client: APIClient, body: str) -> None:
    answer = client.post(MISSIONS, body, content_type="application/json")
    assert (answer.status_code, Mission.objects.count()) == (400, 0)


def test_a_frozen_driver_is_as_unknown_as_nobody(client: APIClient, ada: Driver) -> None:
    freeze_driver(ada)
    answer = post(client, driver=str(ada.uuid))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert Mission.objects.count() == 0


def test_a_retired_truck_is_not_available(client: APIClient, ada: Driver, truck12: Truck) -> None:
    Truck.objects.update(retired_at=at("08:00"))
    answer = post(client, driver=str(ada.uuid), truck=str(truck12.uuid))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/truck")


# --- read and change -------------------------------------------------------------------------


def test_nothing_new_is_304_and_a_change_is_not(client: APIClient, acme: Employer) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}"
    known = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": known}).status_code == 304
    client.patch(url, {"reference": "new"}, headers={"If-Match": known})
    answer = client.get(url, headers={"If-None-Match": known})
    assert (answer.status_code, answer.json()["reference"]) == (200, "new")


def test_a_driver_who_is_frozen_is_no_longer_shown_whatever_was_known(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    url = f"{MISSIONS}/{make_mission(acme, ada, external_id='M-1').uuid}"
    before = client.get(url)
    assert before.json()["driver"] == str(ada.uuid)
    assert client.get(MISSIONS, {"driver": str(ada.uuid)}).json()["results"] != []
    freeze_driver(ada)
    after = client.get(url, headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert str(ada.uuid) not in after.content.decode()
    assert client.get(MISSIONS, {"driver": str(ada.uuid)}).json()["results"] == []


def test_a_change_without_if_match_is_428(client: APIClient, acme: Employer) -> None:
    mission = make_mission(acme)
    answer = client.patch(f"{MISSIONS}/{mission.uuid}", {"reference": "new"})
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    mission.refresh_from_db()
    assert mission.reference == ""


@pytest.mark.parametrize("tag", ['"99"', 'W/"1"', "nonsense", ""])
def test_a_change_of_another_version_is_412_with_the_current_state(
    client: APIClient, acme: Employer, tag: str
) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}"
    answer = client.patch(url, {"reference": "new"}, headers={"If-Match": tag})
    assert (answer.status_code, answer["ETag"]) == (412, '"1"')
    assert answer.json()["current"] == client.get(url).json()
    assert answer.json()["current"]["reference"] == ""


def test_a_stale_change_of_a_mission_with_a_truck_shows_the_truck(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}"
    given = {"driver": str(ada.uuid), "truck": str(truck12.uuid)}
    assert client.patch(url, given, headers={"If-Match": '"1"'}).status_code == 200
    answer = client.patch(url, {"reference": "new"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 412
    assert answer.json()["current"] == client.get(url).json()
    assert answer.json()["current"]["truck"] == given["truck"]


def test_the_current_state_of_a_mission_with_a_truck_is_told_whole(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    for mission in (make_mission(acme, ada, truck12), make_mission(acme, truck=truck12)):
        url = f"{MISSIONS}/{mission.uuid}"
        answer = client.patch(url, {"reference": "new"}, headers={"If-Match": '"99"'})
        assert (answer.status_code, answer["ETag"]) == (412, '"1"')
        assert answer.json()["current"] == client.get(url).json()
        assert answer.json()["current"]["truck"] == str(truck12.uuid)


def test_an_action_may_name_its_version_too(client: APIClient, acme: Employer) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}"
    stale = client.post(f"{url}/cancel", headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["current"]["status"]) == (412, "planned")
    assert client.post(f"{url}/cancel", headers={"If-Match": '"1"'}).json()["status"] == "cancelled"


def test_a_driver_and_a_truck_are_given_and_taken_by_patch(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}"
    given = {"driver": str(ada.uuid), "truck": str(truck12.uuid)}
    shown = client.patch(url, given, headers={"If-Match": "*"}).json()
    assert (shown["status"], shown["driver"]) == ("assigned", given["driver"])
    assert shown["assignments"][0]["truck"] == given["truck"]
    shown = client.patch(url, {"driver": None}, headers={"If-Match": "*"}).json()
    assert (shown["status"], shown["driver"], shown["truck"]) == ("planned", None, given["truck"])
    shown = client.patch(url, {"truck": None}, headers={"If-Match": "*"}).json()
    assert shown["truck"] is None


def test_a_draft_becomes_planned_and_not_the_other_way(client: APIClient, ada: Driver) -> None:
    made = post(client, is_draft=True).json()
    assert made["status"] == "draft"
    url, any_version = f"{MISSIONS}/{made['id']}", {"If-Match": "*"}
    assert client.patch(url, {"is_draft": False}, headers=any_version).json()["status"] == "planned"
    assert client.patch(url, {"is_draft": True}, headers=any_version).status_code == 409
    assert post(client, is_draft=True, driver=str(ada.uuid)).status_code == 400


def test_a_change_that_is_refused_half_way_changes_nothing(
    client: APIClient, acme: Employer, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    url = f"{MISSIONS}/{mission.uuid}"
    before = client.get(url).json()
    change = {"truck": str(truck12.uuid), "driver": str(ben.uuid)}
    answer = client.patch(url, change, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "move_refused")
    assert client.get(url).json() == before


@pytest.mark.parametrize("is_started", [False, True])
def test_unchanged_values_change_nothing(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck, is_started: bool
) -> None:
    mission = make_mission(acme, ada, truck12, reference="pallets", planned_start_at=at("08:00"))
    if is_started:
        start(mission, ada, at("08:00"))
    url = f"{MISSIONS}/{mission.uuid}"
    before, entries = client.get(url), AuditEntry.objects.count()
    names = ("driver", "truck", "reference", "planned_start_at", "planned_end_at", "ecmr_number")
    same = {name: before.json()[name] for name in names}
    for change in ({"driver": same["driver"]}, {"truck": same["truck"]}, same):
        answer = client.patch(url, change, headers={"If-Match": before["ETag"]})
        assert (answer.status_code, answer.json()) == (200, before.json())
    assert AuditEntry.objects.count() == entries


def test_nobody_and_no_truck_again_change_nothing(client: APIClient) -> None:
    for made in (post(client).json(), post(client, is_draft=True).json()):
        url = f"{MISSIONS}/{made['id']}"
        answer = client.patch(url, {"driver": None, "truck": None}, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()) == (200, made)


def test_a_plan_that_ends_before_it_starts_is_refused(client: APIClient, acme: Employer) -> None:
    mission = make_mission(acme, planned_start_at=at("09:00"))
    answer = client.patch(
        f"{MISSIONS}/{mission.uuid}",
        {"planned_end_at": "2026-11-20T08:00:00Z"},
        headers={"If-Match": "*"},
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/planned_end_at")


def test_a_hand_over_keeps_both_parts(
    client: APIClient, acme: Employer, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    mission = make_mission(acme, ada, truck12)
    start(mission, ada, at("08:00"))
    url = f"{MISSIONS}/{mission.uuid}"
    body = {"driver": str(ben.uuid), "at": "2026-11-20T10:00:00Z"}
    shown = client.post(f"{url}/hand-over", body).json()
    assert (shown["driver"], shown["truck"]) == (str(ben.uuid), str(truck12.uuid))
    parts = [(row["driver"], row["from"], row["to"]) for row in shown["assignments"]]
    assert parts == [
        (str(ada.uuid), None, "2026-11-20T10:00:00Z"),
        (str(ben.uuid), "2026-11-20T10:00:00Z", None),
    ]
    assert client.get(f"{url}/assignments").json()["results"] == shown["assignments"]
