"""Trucks and assignments over the API."""

from datetime import UTC, datetime

import pytest

from accounts.models import AuditEntry, Driver, Truck
from tests.cast import ClientFor, assign

MONDAY = "2026-11-16T06:00:00Z"
TUESDAY = "2026-11-17T06:00:00Z"


def test_a_plate_is_stored_as_it_is_read(client_for: ClientFor) -> None:
    client = client_for("manager")
    made = client.post("/api/v1/trucks", {"plate": " 1-abc-123 ", "country": "nl"})
    assert made.status_code == 201
    assert (made.json()["plate"], made.json()["country"]) == ("1-ABC-123", "NL")
    (found,) = client.get("/api/v1/trucks?q=abc").json()["results"]
    assert found == made.json()


def test_a_plate_is_measured_as_it_is_stored(truck12: Truck, client_for: ClientFor) -> None:
    client, path = client_for("manager"), f"/api/v1/trucks/{truck12.uuid}"
    assert client.patch(path, {"plate": "\u00df" * 10}).json()["plate"] == "S" * 20
    for answer in (
        client.post("/api/v1/trucks", {"plate": "\u00df" * 15}),
        client.patch(path, {"plate": "\u00df" * 15}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/plate")
    assert client.get(path).json()["plate"] == "S" * 20


def test_a_country_in_small_letters_is_the_same_country(
    truck12: Truck, client_for: ClientFor
) -> None:
    client = client_for("manager")
    made = client.post("/api/v1/trucks", {"plate": truck12.plate, "country": "NL"}).json()
    path = f"/api/v1/trucks/{made['id']}"
    answer = client.patch(path, {"country": "be"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_taken")
    assert client.patch(path, {"country": "de"}).json()["country"] == "DE"


def test_a_plate_is_in_service_once(truck12: Truck, client_for: ClientFor) -> None:
    client = client_for("manager")
    sent = {"plate": truck12.plate.lower()}
    answer = client.post("/api/v1/trucks", sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_taken")
    assert client.post("/api/v1/trucks", {**sent, "country": "NL"}).status_code == 201
    assert client.post(f"/api/v1/trucks/{truck12.uuid}/retire", {}).status_code == 200
    assert client.post("/api/v1/trucks", sent).status_code == 201


def test_retired_trucks_can_be_left_out(
    truck12: Truck, truck34: Truck, client_for: ClientFor
) -> None:
    client = client_for("manager")
    client.post(f"/api/v1/trucks/{truck12.uuid}/retire", {"at": MONDAY})

    def plates(query: str) -> list[str]:
        rows = client.get("/api/v1/trucks" + query).json()["results"]
        return [row["plate"] for row in rows]

    assert plates("") == [truck12.plate, truck34.plate]
    assert plates("?in_service=true") == [truck34.plate]
    assert plates("?in_service=false") == [truck12.plate]


def test_a_truck_that_somebody_drives_is_not_retired(
    truck12: Truck, ada: Driver, client_for: ClientFor
) -> None:
    assignment = assign(truck12, ada, datetime(2026, 11, 16, 6, tzinfo=UTC))
    answer = client_for("manager").post(f"/api/v1/trucks/{truck12.uuid}/retire", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "still_assigned")
    assert answer.json()["in_the_way"] == {"id": str(assignment.uuid)}


def test_a_truck_is_assigned_ended_and_listed(
    truck12: Truck, ada: Driver, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    sent = {"truck": str(truck12.uuid), "driver": str(ada.uuid), "from": MONDAY}
    made = client.post("/api/v1/truck-assignments", sent)
    assert made.status_code == 201
    assert made.json() | {**sent, "to": None, "source": "dispatcher"} == made.json()
    path = f"/api/v1/truck-assignments/{made.json()['id']}"
    ended = client.post(path + "/end", {"at": TUESDAY})
    assert ended.json()["assignment"] == {**made.json(), "to": TUESDAY}
    assert ended.json()["relink"] == [{"driver": str(ada.uuid), "from": TUESDAY, "to": None}]
    assert client.get(path).json() == ended.json()["assignment"]
    lists = "/api/v1/truck-assignments"
    for query, count in (
        ({"truck": str(truck12.uuid)}, 1),
        ({"driver": str(ada.uuid)}, 1),
        ({"from": TUESDAY}, 0),
        ({"to": MONDAY}, 0),
        ({"from": MONDAY, "to": TUESDAY}, 1),
    ):
        assert len(client.get(lists, query).json()["results"]) == count, query
    assert client.get(lists, {"from": TUESDAY, "to": MONDAY}).status_code == 400


def test_an_overlap_is_409_and_names_what_is_in_the_way(
    truck12: Truck, ada: Driver, ben: Driver, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    sent = {"truck": str(truck12.uuid), "driver": str(ada.uuid), "from": MONDAY}
    first = client.post("/api/v1/truck-assignments", sent).json()
    answer = client.post("/api/v1/truck-assignments", {**sent, "driver": str(ben.uuid)})
    assert (answer.status_code, answer.json()["type"]) == (409, "overlaps")
    assert answer.json()["in_the_way"]["id"] == first["id"]
    assert first["id"] in answer.json()["detail"]


def test_a_correction_changes_only_what_was_sent(
    truck12: Truck, truck34: Truck, ada: Driver, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    sent = {"truck": str(truck12.uuid), "driver": str(ada.uuid), "from": MONDAY, "to": TUESDAY}
    made = client.post("/api/v1/truck-assignments", sent).json()
    path = f"/api/v1/truck-assignments/{made['id']}"
    corrected = client.patch(path, {"truck": str(truck34.uuid)}).json()
    assert corrected["assignment"] == {**made, "truck": str(truck34.uuid)}
    assert corrected["relink"] == [{"driver": str(ada.uuid), "from": MONDAY, "to": TUESDAY}]
    assert client.patch(path, {"to": None}).json()["assignment"]["to"] is None
    assert AuditEntry.objects.filter(action="truck_assignment.corrected").count() == 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"from": "2026-11-16T06:00:00"}, "/from"),
        ({"from": 1795335330}, "/from"),
        ({"from": None}, "/from"),
        ({"to": MONDAY}, "/to"),
        ({"truck": "12"}, "/truck"),
        ({"source": "guess"}, "/source"),
    ],
)
def test_a_bad_assignment_is_refused(
    truck12: Truck,
    ada: Driver,
    client_for: ClientFor,
    change: dict[str, object],
    pointer: str,
) -> None:
    sent = {"truck": str(truck12.uuid), "driver": str(ada.uuid), "from": MONDAY, **change}
    answer = client_for("dispatcher").post("/api/v1/truck-assignments", sent)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_a_time_without_a_zone_is_refused_and_says_so(
    truck12: Truck, ada: Driver, client_for: ClientFor
) -> None:
    sent = {"truck": str(truck12.uuid), "driver": str(ada.uuid), "from": "2026-11-16T06:00:00"}
    answer = client_for("dispatcher").post("/api/v1/truck-assignments", sent)
    assert "has no zone" in answer.json()["detail"]
