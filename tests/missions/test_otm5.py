"""A mission in OpenTripModel's words, written out by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from missions.models import MissionStatus, StopPurpose, StopResult
from missions.otm5 import ACTION_TYPES, TRIP_STATUS, trip
from missions.otm5_facts import Goods, Happened, Paper, Place, TripFacts, Visit

CREATED = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACTION_KINDS = {"stop", "load", "unload", "handOver", "move", "wait", "break"}


def uuid(number: int) -> UUID:
    return UUID(int=number)


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


def happened(*stages: tuple[str, str]) -> tuple[Happened, ...]:
    return tuple(
        Happened(id=uuid(100 + n), stage=stage, recorded_at=at(clock), point=(51.05, 3.72))
        for n, (clock, stage) in enumerate(stages)
    )


GHENT = Place(
    id=uuid(20), name="Ghent", kind="depot", address="Kouter 1", country="BE", point=(51.05, 3.72)
)
LILLE = Place(id=uuid(21), name="Lille", kind="customer", external_id="LILLE", country="FR")
FLOUR = Goods(
    id=uuid(30), description="Flour", quantity=Decimal(4), unit="pallet", weight_kg=Decimal(1000)
)
LOAD = Visit(
    id=uuid(10),
    external_id="S-1",
    purpose="load",
    place=GHENT,
    goods=(FLOUR,),
    planned_departure_at=at("08:30"),
    happened=happened(("08:00", "arrival"), ("08:40", "departure")),
)
UNLOAD = Visit(
    id=uuid(11),
    external_id=None,
    purpose="unload",
    place=LILLE,
    window=(at("10:00"), at("11:00")),
    planned_arrival_at=at("10:15"),
    result="partially_succeeded",
    result_reason="receiver_absent",
    remark="one pallet wet",
    goods=(FLOUR,),
    happened=happened(
        ("10:05", "arrival"),
        ("10:05", "waiting_started"),
        ("10:20", "unloading_started"),
        ("10:50", "unloading_ended"),
        ("11:00", "departure"),
    ),
    papers=(
        Paper(id=uuid(40), kind="photo", recorded_at=at("10:45"), media_type="image/jpeg"),
        Paper(id=uuid(41), kind="signature", recorded_at=at("10:55"), signer="Els"),
    ),
)
FACTS = TripFacts(
    id=uuid(1),
    external_id="M-1",
    reference="",
    status="started",
    created_at=CREATED,
    updated_at=CREATED,
    carrier=(uuid(2), "Acme Transport"),
    drivers=((uuid(3), "D-1"),),
    vehicle=(uuid(4), "1-TRK-012"),
    ecmr_number="E-7",
    visits=(LOAD, UNLOAD),
)


def actions(body: dict[str, Any], kind: str, lifecycle: str) -> list[dict[str, Any]]:
    """The trip's own actions, and those of its stops, of one type and lifecycle."""
    own = [action["entity"] for action in body["actions"]]
    inner = [one["entity"] for action in own for one in action.get("actions", [])]
    return [
        action
        for action in own + inner
        if (action["actionType"], action["lifecycle"]) == (kind, lifecycle)
    ]


def test_the_trip_names_its_vehicle_its_company_and_its_driver_by_number() -> None:
    body = trip(FACTS)
    assert (body["entityType"], body["id"], body["name"]) == ("trip", str(uuid(1)), "M-1")
    assert body["status"] == "inTransit"
    assert body["externalAttributes"] == {"externalId": "M-1", "ecmrNumber": "E-7"}
    assert body["vehicle"] == {
        "associationType": "inline",
        "entity": {"entityType": "vehicle", "id": str(uuid(4)), "licensePlate": "1-TRK-012"},
    }
    carrier, driver = body["actors"]
    assert (carrier["roles"], carrier["entity"]["name"]) == (["carrier"], "Acme Transport")
    assert (driver["roles"], driver["entity"]) == (
        ["driver"],
        {"entityType": "actor", "id": str(uuid(3)), "externalAttributes": {"number": "D-1"}},
    )


def test_a_stop_is_planned_and_realized_under_one_id() -> None:
    body = trip(FACTS)
    _, planned = actions(body, "stop", "planned")
    _, realized = actions(body, "stop", "realized")
    assert planned["id"] == realized["id"] == str(uuid(11))
    assert planned["sequenceNr"] == realized["sequenceNr"] == 1
    assert planned["constraint"]["entity"]["value"] == {
        "type": "timeWindowConstraint",
        "startTime": "2026-11-24T10:00:00Z",
        "endTime": "2026-11-24T11:00:00Z",
    }
    assert (realized["startTime"], realized["endTime"]) == (
        "2026-11-24T10:05:00Z",
        "2026-11-24T11:00:00Z",
    )
    assert realized["result"] == {
        "status": "partiallySucceeded",
        "reason": "receiverAbsent",
        "remark": "one pallet wet",
    }
    assert "result" not in planned


def test_a_location_is_inline_once_and_then_a_reference() -> None:
    body = trip(FACTS)
    depot, customer = (stop["location"] for stop in actions(body, "stop", "planned"))
    assert depot["entity"]["type"] == "operationalBase"
    assert depot["entity"]["geoReference"] == {
        "type": "latLonPointGeoReference",
        "lat": 51.05,
        "lon": 3.72,
    }
    assert customer["entity"]["geoReference"] == {
        "type": "addressGeoReference",
        "name": "Lille",
        "country": "FR",
    }
    assert actions(body, "stop", "realized")[1]["location"] == {
        "associationType": "reference",
        "entityType": "location",
        "uuid": str(uuid(21)),
    }


def test_goods_are_a_consignment_whose_weight_is_of_one_item() -> None:
    (planned,) = actions(trip(FACTS), "unload", "planned")
    (item,) = planned["consignment"]["entity"]["goods"]
    assert item["entity"] == {
        "type": "items",
        "id": str(uuid(30)),
        "description": "Flour",
        "quantity": 4.0,
        "packagingMaterial": "pallet",
        "grossWeight": {"value": 250.0, "unit": "kg"},
    }


def test_waiting_unloading_and_handing_over_are_actions_of_the_stop() -> None:
    body = trip(FACTS)
    (wait,) = actions(body, "wait", "realized")
    assert (wait["startTime"], wait["endTime"]) == ("2026-11-24T10:05:00Z", "2026-11-24T10:20:00Z")
    (unload,) = actions(body, "unload", "realized")
    assert unload["startTime"] == "2026-11-24T10:20:00Z"
    assert unload["documents"][0]["entity"]["documentType"] == "photo"
    assert unload["documents"][0]["entity"]["mimeType"] == "image/jpeg"
    (hand_over,) = actions(body, "handOver", "realized")
    assert hand_over["from"]["uuid"] == str(uuid(2))
    assert (hand_over["to"]["roles"], hand_over["to"]["entity"]["name"]) == (["receiver"], "Els")
    assert hand_over["documents"][0]["entity"]["documentType"] == "signature"


def test_the_move_between_two_stops_is_planned_and_realized() -> None:
    (planned,) = actions(trip(FACTS), "move", "planned")
    (realized,) = actions(trip(FACTS), "move", "realized")
    assert planned["id"] == realized["id"]
    assert (planned["startTime"], planned["endTime"]) == (
        "2026-11-24T08:30:00Z",
        "2026-11-24T10:15:00Z",
    )
    assert (realized["startTime"], realized["endTime"]) == (
        "2026-11-24T08:40:00Z",
        "2026-11-24T10:05:00Z",
    )
    assert (realized["from"]["uuid"], realized["to"]["uuid"]) == (str(uuid(20)), str(uuid(21)))


def test_movements_with_a_place_are_events() -> None:
    kinds = [event["eventType"] for event in trip(FACTS)["contextEvents"]]
    assert kinds == [
        "stopMovingEvent",
        "startMovingEvent",
        "stopMovingEvent",
        "startWaitingEvent",
        "startMovingEvent",
    ]


def everything(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from everything(inner)
        else:
            yield inner


def test_nothing_is_null_and_every_association_says_which_kind_it_is() -> None:
    found = list(everything(trip(FACTS)))
    assert [one for one in found if one in (None, "", [], {})] == []
    entities = [one for one in found if isinstance(one, dict)]
    inline = [one for one in entities if "entity" in one]
    references = [one for one in entities if "uuid" in one]
    assert (len(inline), len(references)) > (10, 5)
    assert {one["associationType"] for one in inline} == {"inline"}
    assert {one["associationType"] for one in references} == {"reference"}
    assert all(one["entityType"] for one in references)
    assert {one["actionType"] for one in entities if "actionType" in one} <= ACTION_KINDS


@pytest.mark.parametrize("status", MissionStatus.values)
def test_every_status_has_its_word(status: str) -> None:
    assert TRIP_STATUS[status] in {"draft", "confirmed", "inTransit", "completed", "cancelled"}


def test_every_purpose_and_result_has_its_word() -> None:
    assert set(ACTION_TYPES) == set(StopPurpose.values)
    said = set()
    for result in StopResult.values:
        visit = Visit(id=uuid(9), external_id=None, purpose="other", result=result)
        body = trip(TripFacts(**{**_as_dict(), "visits": (visit,)}))
        said.add(actions(body, "stop", "realized")[0]["result"]["status"])
    assert said == {"succeeded", "partiallySucceeded", "failed", "cancelled"}


def _as_dict() -> dict[str, Any]:
    return {name: getattr(FACTS, name) for name in FACTS.__dataclass_fields__}
