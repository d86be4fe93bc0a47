"""The background-geolocation library under the names that apps give its records."""

from typing import Any

import pytest

from tests.tracking.ingest.dialects.reads import fixes_in, posted, reasons_in, utc
from tracking.ingest.dialects import background_geolocation
from tracking.ingest.foreign import ForeignRequest, Health
from tracking.ingest.sent import SentFix


def record(**more: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-09-21T14:13:20.250Z",
        "uuid": "2fb04c65-99cf-42ab-8dd3-ebcb4b108bf8",
        "coords": {
            "latitude": 51.0543, "longitude": 3.7174, "accuracy": 5.1, "speed": 13.9,
            "heading": 181.5, "altitude": 12.5,
        },
        "odometer": 4386408.5,
        "battery": {"level": 0.81, "is_charging": False},
        "mock": True,
        "extras": {"order": 7},
        **more,
    }  # fmt: skip


FIX = SentFix(
    recorded_at=utc("2026-09-21T14:13:20.250"),
    latitude=51.0543,
    longitude=3.7174,
    accuracy_m=5.1,
    speed_mps=13.9,
    heading_deg=181.5,
    altitude_m=12.5,
    odometer_m=4386408.5,
    battery=0.81,
    is_mock=True,
    id="2fb04c65-99cf-42ab-8dd3-ebcb4b108bf8",
)


@pytest.mark.parametrize(
    "body",
    [
        {"location": record()},
        {"location": [record()]},
        {"location": record(), "device_id": "7", "params": {"a": {}}},
        {"params": {"user": 1}, "positions": [record()]},
        {"data": record()},
        {"tags": [], "data": [record()]},
        {"tags": ["a"], "data": record()},
        {"location": {}, "routes": [{"name": "x"}], "data": [record()]},
        record(device_id="7"),
        [record()],
        {k: v for k, v in record().items() if k != "coords"} | record()["coords"],
    ],
    ids=[
        "object",
        "list",
        "params",
        "list property",
        "property",
        "empty list before",
        "list before",
        "objects before",
        "root",
        "array",
        "template",
    ],
)
def test_a_record_is_found_wherever_the_app_puts_it(body: object) -> None:
    assert fixes_in(background_geolocation.read(posted(body))) == [FIX]


def test_a_time_in_milliseconds_is_the_same_time() -> None:
    (fix,) = fixes_in(
        background_geolocation.read(posted({"location": record(timestamp=1790000000250)}))
    )
    assert fix == FIX


def test_minus_one_and_null_are_unknown() -> None:
    unknown = {"accuracy": None, "speed": -1, "heading": -1, "altitude": None}
    sent = record(coords={"latitude": 51, "longitude": 3} | unknown, battery={"level": -1})
    (fix,) = fixes_in(background_geolocation.read(posted({"location": sent})))
    assert (fix.accuracy_m, fix.speed_mps, fix.heading_deg, fix.altitude_m, fix.battery) == (
        None, None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "extra",
    [{"event": "heartbeat"}, {"extras": {"heartbeat": True}}],
)
def test_a_heartbeat_has_its_kind(extra: dict[str, Any]) -> None:
    (fix,) = fixes_in(background_geolocation.read(posted({"location": record(**extra)})))
    assert fix.kind == "heartbeat"


@pytest.mark.parametrize("event", ["motionchange", "geofence", "providerchange"])
def test_other_events_are_fixes_like_any(event: str) -> None:
    (fix,) = fixes_in(background_geolocation.read(posted({"location": record(event=event)})))
    assert fix == FIX


def test_a_provider_change_tells_of_permission_and_location_service() -> None:
    lost = record(event="providerchange", provider={"enabled": False, "status": 2, "gps": False})
    health = background_geolocation.read(posted({"location": [record(), lost]})).health
    assert health == Health(0.81, False, "denied", False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"location": []},
        {"location": {"event": "heartbeat", "timestamp": "2026-09-21T14:13:20Z"}},
        {"framework": "flutter", "model": "iPhone", "uuid": "x", "version": "2.0"},
        b"grant_type=refresh_token&refresh_token=abc",
        b"",
    ],
)
def test_what_is_no_fix_is_no_failure(body: object) -> None:
    assert background_geolocation.read(posted(body)).readings == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (record(coords={"latitude": 51}), "place_incomplete"),
        (record(coords={}), "place_missing"),
        (record(coords={"latitude": "51,5", "longitude": 3}), "latitude_invalid"),
        (record(timestamp=None), "recorded_at_missing"),
        (record(timestamp="2026-09-21T14:13:20"), "recorded_at_without_zone"),
        (record(timestamp=True), "recorded_at_invalid"),
        (7, "fix_invalid"),
    ],
)
def test_it_refuses_one_and_reads_its_neighbour(sent: object, reason: str) -> None:
    readings = background_geolocation.read(posted({"location": [sent, record()]}))
    assert reasons_in(readings) == [reason]
    assert len(readings.readings) == 2


@pytest.mark.parametrize("body", [b"7", b'{"a": 1}', b'{"a": [], "b": [7]}', b"{", b'"x"'])
def test_another_body_is_kept_whole(body: bytes) -> None:
    assert reasons_in(background_geolocation.read(posted(body))) == ["body_invalid"]


def test_the_answer_holds_nothing_to_execute() -> None:
    assert background_geolocation.success(ForeignRequest()).body == b"{}"
