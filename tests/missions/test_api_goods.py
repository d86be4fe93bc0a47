"""The goods of a stop, its contact and what evidence it wants."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Driver, Employer
from missions.lifecycle import cancel_mission
from missions.models import GoodsLine, Mission, Site
from tests.cast import ClientFor
from tests.missions.builders import make_mission

MISSIONS = "/api/v1/missions"
PALLETS: dict[str, Any] = {
    "description": "Euro pallets of flour",
    "quantity": 12,
    "unit": "pallet",
    "weight_kg": 7200.5,
    "reference": "PO-77",
}
CRATES: dict[str, Any] = {"description": "Crates", "quantity": "0.125"}
FULL: dict[str, Any] = {
    "external_id": "a",
    "purpose": "load",
    "planned_service_s": 1800,
    "free_time_s": 0,
    "reference": "DOCK-4",
    "contact_name": "Mieke",
    "contact_phone": "+32 9 000 00 00",
    "requires_signature": True,
    "requires_photo": False,
    "goods": [PALLETS, CRATES],
}


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=1)


@pytest.fixture
def stop(mission: Mission) -> str:
    return f"{MISSIONS}/{mission.uuid}/stops/{mission.stops.get().uuid}"


def lines_of(shown: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(line["line_no"], line["description"], line["quantity"]) for line in shown["goods"]]


def test_a_mission_is_made_with_all_that_a_dispatcher_knows(client: APIClient) -> None:
    made = client.post(MISSIONS, {"external_id": "M-1", "stops": [FULL]})
    assert made.status_code == 201, made.json()
    (shown,) = made.json()["stops"]
    assert {name: shown[name] for name in FULL if name != "goods"} == {
        name: value for name, value in FULL.items() if name != "goods"
    }
    first, second = shown["goods"]
    assert first == {"id": first["id"], "line_no": 1, **PALLETS}
    assert (second["line_no"], second["quantity"], second["weight_kg"]) == (2, 0.125, None)
    assert (shown["result"], shown["result_at"], shown["result_source"]) == ("", None, "")


def test_a_stop_is_added_with_its_goods(client: APIClient, mission: Mission) -> None:
    shown = client.post(f"{MISSIONS}/{mission.uuid}/stops", FULL).json()
    assert lines_of(shown) == [(1, "Euro pallets of flour", 12), (2, "Crates", 0.125)]
    assert client.get(f"{MISSIONS}/{mission.uuid}").json()["stops"][1] == shown


def test_goods_are_replaced_as_a_whole(client: APIClient, stop: str) -> None:
    client.patch(stop, {"goods": [PALLETS, CRATES]})
    shown = client.patch(stop, {"goods": [{**CRATES, "line_no": 7}]}).json()
    assert lines_of(shown) == [(7, "Crates", 0.125)]
    assert lines_of(client.patch(stop, {"remark": "bell"}).json()) == lines_of(shown)
    assert client.patch(stop, {"goods": []}).json()["goods"] == []
    assert GoodsLine.objects.count() == 0


def test_lines_are_in_the_order_of_their_numbers(client: APIClient, stop: str) -> None:
    sent = [{**PALLETS, "line_no": 20}, {**CRATES, "line_no": 10}, {**CRATES, "quantity": 3}]
    shown = client.patch(stop, {"goods": sent}).json()
    assert [line["line_no"] for line in shown["goods"]] == [10, 11, 20]


@pytest.mark.parametrize(
    "change", [FULL, {"goods": [PALLETS, CRATES]}, {"remark": "", "site": None}]
)
def test_what_a_stop_says_already_raises_no_version(
    client: APIClient, mission: Mission, stop: str, change: dict[str, Any]
) -> None:
    changed = client.patch(stop, FULL).json()
    mission.refresh_from_db()
    version, entries = mission.version, AuditEntry.objects.count()
    assert client.patch(stop, change).json() == changed
    mission.refresh_from_db()
    assert (mission.version, AuditEntry.objects.count()) == (version, entries)
    assert client.patch(stop, {"goods": [PALLETS]}).json() != changed
    mission.refresh_from_db()
    assert mission.version == version + 1
    assert AuditEntry.objects.latest("id").detail["fields"] == ["goods"]


@pytest.mark.parametrize(
    ("lines", "pointer"),
    [
        ([{"quantity": 1}], "/goods/0/description"),
        ([{"description": "x"}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": 0}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": -1}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": "NaN"}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": "Infinity"}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": 0.0001}], "/goods/0/quantity"),
        ([{**PALLETS, "quantity": 10**10}], "/goods/0/quantity"),
        ([{**PALLETS, "weight_kg": -0.5}], "/goods/0/weight_kg"),
        ([PALLETS, {**PALLETS, "unit": "x" * 21}], "/goods/1/unit"),
        ([PALLETS, {**PALLETS, "line_no": 1}], "/goods/1/line_no"),
        ([{**PALLETS, "line_no": 2}, {**PALLETS, "line_no": 1}, PALLETS], "/goods/2/line_no"),
        ([{**PALLETS, "line_no": 0}], "/goods/0/line_no"),
        (["x"], "/goods/0"),
        ([{"quantity": 0}] * 501, "/goods"),
        ("x", "/goods"),
        (None, "/goods"),
    ],
)
def test_goods_that_cannot_be_say_where(
    client: APIClient, stop: str, lines: Any, pointer: str
) -> None:
    answer = client.patch(stop, {"goods": lines})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    in_mission = client.post(MISSIONS, {"stops": [{}, {"goods": lines}]}).json()
    assert in_mission["errors"][0]["pointer"] == f"/stops/1{pointer}"
    assert GoodsLine.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"planned_service_s": -1}, "/planned_service_s"),
        ({"free_time_s": 10**9}, "/free_time_s"),
        ({"requires_photo": None}, "/requires_photo"),
        ({"contact_phone": "0" * 41}, "/contact_phone"),
        (
            {
                "planned_arrival_at": "2026-11-22T09:00:00Z",
                "planned_departure_at": "2026-11-22T08:59:59Z",
            },
            "/planned_departure_at",
        ),
    ],
)
def test_a_plan_that_cannot_be_says_where(
    client: APIClient, stop: str, change: dict[str, Any], pointer: str
) -> None:
    answer = client.patch(stop, change)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_a_mission_that_is_over_keeps_its_goods(
    client: APIClient, mission: Mission, stop: str
) -> None:
    client.patch(stop, {"goods": [PALLETS]})
    cancel_mission(mission)
    answer = client.patch(stop, {"goods": [CRATES]})
    assert (answer.status_code, answer.json()["code"]) == (409, "move_refused")
    assert GoodsLine.objects.get().description == PALLETS["description"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("free_time_s", 60),
        ("planned_service_s", 60),
        ("reference", "DOCK-5"),
        ("contact_name", "Jan"),
        ("requires_signature", False),
        ("requires_photo", True),
        ("goods", [PALLETS]),
        ("goods", []),
        ("goods", [PALLETS, {**CRATES, "quantity": 0.25}]),
    ],
)
def test_the_same_external_id_with_another_plan_is_another_request(
    client: APIClient, name: str, value: Any
) -> None:
    def post(stop: dict[str, Any]) -> Any:
        return client.post(MISSIONS, {"external_id": "M-1", "stops": [stop]})

    assert [post(FULL).status_code for _ in range(2)] == [201, 200]
    answer = post({**FULL, name: value})
    assert answer.status_code == 409
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/stops/0/{name}"]
    less = {key: value for key, value in FULL.items() if key != name}
    assert post(less).status_code == 200


def test_goods_cost_the_same_for_one_stop_and_for_thirty(client: APIClient, acme: Employer) -> None:
    Site.objects.create(
        employer=acme,
        name="Ghent",
        external_id="S-1",
        opening_hours=[{"days": [1], "opens": "08:00", "closes": "12:00"}],
    )
    stop = {
        "site": "S-1",
        "goods": [PALLETS, CRATES],
        "window_start_at": "2026-11-20T08:00:00Z",
        "window_end_at": "2026-11-20T09:00:00Z",
    }

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    def paths(stops: int) -> tuple[str, str]:
        made = client.post(MISSIONS, {"stops": [stop] * stops}).json()
        assert len(made["stops"]) == stops
        url = f"{MISSIONS}/{made['id']}"
        return url, f"{url}/stops"

    assert [queries(path) for path in paths(1)] == [queries(path) for path in paths(30)]
