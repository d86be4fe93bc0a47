"""Two dispatchers edit one mission: the second is told what the first has changed."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import ApiKey, AuditEntry, Driver, Employer, Role, Truck, User
from missions.lifecycle import hand_over_mission
from missions.models import Mission
from missions.stages import Stage
from tests.cast import ClientFor, make_api_key
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent, at

MISSIONS = "/api/v1/missions"


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=3)


@pytest.fixture
def url(mission: Mission) -> str:
    return f"{MISSIONS}/{mission.uuid}"


@pytest.fixture
def first(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture
def second(client_for: ClientFor) -> APIClient:
    return client_for("manager")


def refused(client: APIClient, url: str, known: str) -> dict[str, Any]:
    """What somebody is told who changes the mission as it was under a tag."""
    answer = client.patch(url, {"ecmr_number": "E-1"}, headers={"If-Match": known})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    told: dict[str, Any] = answer.json()
    assert told["current"] == client.get(url).json()
    return told


def pointers(told: dict[str, Any]) -> list[str]:
    return [field["pointer"] for field in told["changed"]]


def value_at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part) if isinstance(document, list) else part]
    return document


def test_the_second_of_two_dispatchers_sees_what_changed_and_by_whom(
    first: APIClient, second: APIClient, url: str, dee: User
) -> None:
    User.objects.filter(pk=dee.pk).update(name="Dee Maes")
    known = second.get(url)["ETag"]
    stop = first.get(url).json()["stops"][1]["id"]
    first.patch(url, {"reference": "flour"}, headers={"If-Match": known})
    window = {"window_end_at": "2026-11-20T10:00:00Z", "contact_name": "Mieke"}
    assert first.patch(f"{url}/stops/{stop}", window).status_code == 200
    told = refused(second, url, known)
    assert pointers(told) == [
        "/reference",
        "/stops/1/contact_name",
        "/stops/1/window_end_at",
    ]
    assert [value_at(told["current"], pointer) for pointer in pointers(told)] == [
        "flour",
        "Mieke",
        "2026-11-20T10:00:00Z",
    ]
    entries = reversed(AuditEntry.objects.order_by("-id")[:2])
    for field, entry in zip(told["changed"][:2], entries, strict=True):
        assert field["at"] == entry.at.isoformat().replace("+00:00", "Z")
        assert (field["actor_kind"], field["actor"], field["name"]) == (
            "user",
            str(dee.uuid),
            "Dee Maes",
        )
    assert [field["version"] for field in told["changed"]] == [2, 3, 3]
    assert told["changed_otherwise"] == 0
    # With what it was told the second one can go on.
    again = second.patch(url, {"ecmr_number": "E-1"}, headers={"If-Match": '"3"'})
    assert (again.status_code, again.json()["reference"]) == (200, "flour")


def test_only_what_was_changed_since_that_version_is_told(
    first: APIClient, second: APIClient, url: str
) -> None:
    first.patch(url, {"reference": "flour"}, headers={"If-Match": "*"})
    known = second.get(url)["ETag"]
    first.patch(url, {"planned_start_at": "2026-11-20T10:00:00Z"}, headers={"If-Match": "*"})
    assert pointers(refused(second, url, known)) == ["/planned_start_at"]
    assert pointers(refused(second, url, '"1"')) == ["/reference", "/planned_start_at"]


def test_stops_that_come_and_go_and_trade_places_are_told(
    first: APIClient, second: APIClient, url: str
) -> None:
    ids = [stop["id"] for stop in first.get(url).json()["stops"]]
    first.patch(f"{url}/stops/{ids[2]}", {"remark": "bell"})
    first.delete(f"{url}/stops/{ids[0]}")
    first.post(f"{url}/stops", {"purpose": "load"})
    told = refused(second, url, '"1"')
    # Pointers lead into the mission as it is now: the third stop is the second one here.
    assert pointers(told) == ["/stops/1/remark", "/stops", "/stops/2"]
    assert value_at(told["current"], "/stops/1/remark") == "bell"
    shown = [stop["id"] for stop in told["current"]["stops"]]
    first.put(f"{url}/stops/order", {"stops": shown[::-1]})
    assert pointers(refused(second, url, '"4"')) == ["/stops"]


def test_a_mission_that_a_change_of_its_stops_ended_is_told(
    first: APIClient, second: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    ending = ["/status", "/ended_at", "/ended_source"]
    start(mission, ada, at("08:00"))
    ids = [stop["id"] for stop in first.get(url).json()["stops"]]
    first.post(f"{url}/stops/{ids[0]}/result", {"result": "succeeded"})
    told = refused(second, url, '"2"')
    assert set(pointers(told)).isdisjoint(ending)
    first.post(f"{url}/stops/{ids[2]}/result", {"result": "succeeded"})
    told = refused(second, url, '"3"')
    assert told["current"]["status"] == "completed"
    assert set(ending) < set(pointers(told))
    # A word that comes after the end does not end it once more.
    first.post(f"{url}/stops/{ids[1]}/result", {"result": "succeeded"})
    assert set(pointers(refused(second, url, '"4"'))).isdisjoint(ending)


def test_a_mission_whose_last_stop_was_removed_is_told_to_have_ended(
    first: APIClient, second: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, Sent(Stage.DEPARTURE, at("08:00"), stop=2))
    stop = first.get(url).json()["stops"][2]["id"]
    assert first.delete(f"{url}/stops/{stop}").status_code == 204
    told = refused(second, url, '"2"')
    assert told["current"]["status"] == "completed"
    assert pointers(told) == ["/status", "/ended_at", "/ended_source", "/stops"]


def test_another_driver_and_truck_are_told(
    first: APIClient, second: APIClient, url: str, ben: Driver, truck12: Truck
) -> None:
    change = {"driver": str(ben.uuid), "truck": str(truck12.uuid)}
    assert first.patch(url, change, headers={"If-Match": "*"}).status_code == 200
    told = refused(second, url, '"1"')
    assert {"/driver", "/truck"} <= set(pointers(told))
    assert told["changed_otherwise"] == 0


def test_a_draft_that_was_planned_is_told(first: APIClient, second: APIClient) -> None:
    url = f"{MISSIONS}/{first.post(MISSIONS, {'is_draft': True}).json()['id']}"
    first.patch(url, {"is_draft": False}, headers={"If-Match": "*"})
    assert pointers(refused(second, url, '"1"')) == ["/status"]


def test_what_a_phone_changed_is_counted(
    first: APIClient, second: APIClient, url: str, mission: Mission, ada: Driver
) -> None:
    first.patch(url, {"reference": "flour"}, headers={"If-Match": "*"})
    start(mission, ada, at("08:00"))
    told = refused(second, url, '"1"')
    assert (pointers(told), told["changed_otherwise"]) == (["/reference"], 1)
    assert told["current"]["status"] == "started"


def test_an_api_key_is_told_by_its_name(acme: Employer, second: APIClient, url: str) -> None:
    key = APIClient(HTTP_AUTHORIZATION=f"Bearer {make_api_key(acme, Role.DISPATCHER)}")
    acme_key = ApiKey.objects.get(employer=acme)
    ApiKey.objects.filter(pk=acme_key.pk).update(name="the planning")
    assert key.patch(url, {"reference": "x"}, headers={"If-Match": "*"}).status_code == 200
    (field,) = refused(second, url, '"1"')["changed"]
    told = (field["actor_kind"], field["actor"], field["name"])
    assert told == ("api_key", str(acme_key.uuid), "the planning")


@pytest.mark.parametrize("tag", ['"99"', 'W/"1"', "nonsense", "", '"01"', '"1.x"'])
def test_a_tag_that_never_was_tells_nothing_of_what_changed(
    second: APIClient, url: str, tag: str
) -> None:
    told = refused(second, url, tag)
    assert (told["changed"], told["changed_otherwise"]) == (None, None)


def test_a_tag_of_before_a_freeze_names_its_version_all_the_same(
    first: APIClient, second: APIClient, url: str, ada: Driver
) -> None:
    known = second.get(url)["ETag"]
    freeze_driver(ada)
    told = refused(second, url, known)
    assert (told["changed"], told["changed_otherwise"]) == ([], 0)
    frozen = second.get(url)["ETag"]
    assert frozen != known
    first.patch(url, {"reference": "x"}, headers={"If-Match": frozen})
    assert pointers(refused(second, url, frozen)) == ["/reference"]


def test_a_tag_says_which_drivers_are_hidden_and_which_are_erased(
    second: APIClient, url: str, mission: Mission, ada: Driver, ben: Driver
) -> None:
    hand_over_mission(mission, ben, truck=None, at=at("08:00"))
    tags = [second.get(url)["ETag"]]
    for frozen in (ada, ben):
        Driver.objects.update(frozen_at=None)
        freeze_driver(frozen)
        tags.append(second.get(url)["ETag"])
    Driver.objects.update(frozen_at=None)
    mission.assignments.filter(driver=ada).update(driver=None, erased_driver=uuid4())
    tags.append(second.get(url)["ETag"])
    assert len(set(tags)) == 4
    # Each names the version all the same; the last one is as it is now.
    assert [refused(second, url, tag)["changed"] for tag in tags[:3]] == [[], [], []]


def test_an_employer_sees_no_others_edits(
    first: APIClient, second: APIClient, url: str, elsewhere: Employer, mission: Mission
) -> None:
    AuditEntry.objects.create(
        employer=elsewhere,
        action="mission.changed",
        object_kind="mission",
        object_id=mission.uuid,
        actor_kind="system",
        detail={"mission": str(mission.uuid), "version": 2, "fields": ["ecmr_number"]},
    )
    first.patch(url, {"reference": "x"}, headers={"If-Match": "*"})
    assert pointers(refused(second, url, '"1"')) == ["/reference"]


def test_what_changed_costs_the_same_for_one_edit_and_for_thirty(
    first: APIClient, second: APIClient, url: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            second.patch(url, {"ecmr_number": "E-1"}, headers={"If-Match": '"1"'})
        return len(captured)

    first.patch(url, {"reference": "x"}, headers={"If-Match": "*"})
    one = queries()
    for number in range(29):
        first.patch(url, {"reference": f"x{number}"}, headers={"If-Match": "*"})
    assert len(refused(second, url, '"1"')["changed"]) == 30
    assert queries() == one


def test_the_trail_of_a_mission_is_found_by_its_index(url: str, mission: Mission) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM accounts_auditentry"
            " WHERE detail ? 'mission' AND (detail ->> 'mission') = %s ORDER BY id DESC",
            [str(mission.uuid)],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "audit_by_mission" in plan
