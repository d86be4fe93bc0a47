"""OwnTracks: locations, sealed ones, and everything else that comes to the same address."""

from base64 import b64encode
from functools import partial
from typing import Any

import msgspec
import pytest
from nacl.secret import SecretBox

from tests.tracking.ingest.dialects.reads import fixes_in, near, posted, reasons_in, utc
from tracking.ingest.dialects import owntracks
from tracking.ingest.foreign import ForeignRequest
from tracking.ingest.sent import SentFix

LOCATION: dict[str, Any] = {"_type": "location", "lat": 51.0543, "lon": 3.7174, "tst": 1790000000}
KEY = owntracks.key_of("a passphrase")


def sealed(message: dict[str, Any]) -> dict[str, str]:
    """The message as a phone with the passphrase sends it."""
    data = b64encode(SecretBox(KEY).encrypt(msgspec.json.encode(message)))
    return {"_type": "encrypted", "data": data.decode()}


def test_a_location_becomes_our_units() -> None:
    readings = owntracks.read(
        posted(
            LOCATION
            | {
                "acc": 8, "alt": 12, "vel": 50, "cog": 181, "batt": 81, "bs": 2, "t": "u",
                "_id": "0571e18d", "SSID": "depot", "tid": "ad",
            }
        )
    )  # fmt: skip
    assert fixes_in(readings) == [
        SentFix(
            recorded_at=utc("2026-09-21T14:13:20"),
            latitude=51.0543,
            longitude=3.7174,
            accuracy_m=8,
            speed_mps=near(13.889, abs=0.001),
            heading_deg=181,
            altitude_m=12,
            battery=near(0.81),
            id="0571e18d",
        )
    ]
    assert (readings.health.battery, readings.health.is_charging) == (near(0.81), True)


def test_a_ping_is_a_heartbeat() -> None:
    assert [f.kind for f in fixes_in(owntracks.read(posted(LOCATION | {"t": "p"})))] == [
        "heartbeat"
    ]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("acc", 0, "accuracy_m"),
        ("acc", -1, "accuracy_m"),
        ("vel", -1, "speed_mps"),
        ("cog", -1, "heading_deg"),
        ("alt", "", "altitude_m"),
        ("batt", None, "battery"),
        ("vel", [1], "speed_mps"),
        ("vel", True, "speed_mps"),
    ],
)
def test_unknown_is_null(name: str, value: object, field: str) -> None:
    (fix,) = fixes_in(owntracks.read(posted(LOCATION | {name: value})))
    assert getattr(fix, field) is None


def test_numbers_as_text_and_arrays_of_messages_are_taken() -> None:
    as_text = {"lat": "51.0543", "lon": "3.7174", "tst": "1790000000", "acc": "20.0"}
    readings = owntracks.read(posted([LOCATION | as_text, LOCATION | {"lat": 52}]))
    assert [(f.latitude, f.accuracy_m) for f in fixes_in(readings)] == [(51.0543, 20), (52, None)]


@pytest.mark.parametrize(
    "kind",
    [
        "transition", "waypoint", "waypoints", "lwt", "card", "status", "steps", "beacon", "cmd",
        "request", "configuration",
    ],
)  # fmt: skip
def test_other_messages_are_no_fixes_and_no_failures(kind: str) -> None:
    assert owntracks.read(posted({"_type": kind, "lat": 1, "lon": 2, "tst": 3})).readings == []


def test_an_empty_body_and_an_empty_array_are_nothing() -> None:
    assert owntracks.read(posted(b"")).readings == []
    assert owntracks.read(posted([])).readings == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"lat": 51}, "type_unknown"),
        ({"_type": "teleport"}, "type_unknown"),
        ({"_type": ["location"]}, "type_unknown"),
        (7, "type_unknown"),
        ({"_type": "location"}, "place_missing"),
        (LOCATION | {"lat": None}, "place_incomplete"),
        (LOCATION | {"lat": "51,05"}, "latitude_invalid"),
        (LOCATION | {"tst": None}, "recorded_at_missing"),
        (LOCATION | {"tst": "soon"}, "recorded_at_invalid"),
        (LOCATION | {"tst": "2026-09-21T14:13:20"}, "recorded_at_without_zone"),
        ({"_type": "encrypted"}, "sealed_invalid"),
        (sealed(LOCATION), "key_missing"),
    ],
)
def test_it_refuses_what_it_cannot_read(message: object, reason: str) -> None:
    readings = owntracks.read(posted(message))
    assert reasons_in(readings) == [reason]
    assert readings.readings[0].source == message
    # Its neighbours go on.
    assert len(owntracks.read(posted([message, LOCATION])).readings) == 2


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b"[" + b"1," * 1_100_000 + b"1]", b"lat=51"]
)
def test_a_body_that_is_no_json_is_kept_whole(body: bytes) -> None:
    readings = owntracks.read(posted(body))
    assert reasons_in(readings) == ["body_invalid"]
    assert readings.readings[0].source == body


def test_nan_costs_one_message() -> None:
    body = b'[{"_type":"location","lat":NaN,"lon":3,"tst":1790000000}, %s]' % msgspec.json.encode(
        LOCATION
    )
    readings = owntracks.read(posted(body))
    assert reasons_in(readings) == ["latitude_invalid"]
    assert len(readings.readings) == 2


def test_a_sealed_message_opens_with_the_phones_key() -> None:
    opener = partial(owntracks.opened, key=KEY)
    request = posted(sealed(LOCATION | {"t": "p"}), open_sealed=opener)
    (fix,) = fixes_in(owntracks.read(request))
    assert (fix.latitude, fix.kind) == (51.0543, "heartbeat")


def test_a_sealed_message_needs_the_key_and_the_right_one() -> None:
    readings = owntracks.read(posted(sealed(LOCATION)))
    assert readings.is_sealed
    for data in (sealed(LOCATION)["data"], "not base64!", "YWJj", ""):
        request = posted(
            {"_type": "encrypted", "data": data},
            open_sealed=partial(owntracks.opened, key=owntracks.key_of("another")),
        )
        assert reasons_in(owntracks.read(request)) == ["key_wrong"]


def test_sealed_messages_in_sealed_messages_end() -> None:
    message: dict[str, Any] = LOCATION
    for _ in range(6):
        message = sealed(message)
    request = posted(message, open_sealed=partial(owntracks.opened, key=KEY))
    assert reasons_in(owntracks.read(request)) == ["type_unknown"]


def test_overlands_seconds_since_2001_are_known_by_its_open_credentials() -> None:
    odd = LOCATION | {"tst": 1790000000 - 978_307_200}
    (fix,) = fixes_in(owntracks.read(posted(odd, is_basic_unencoded=True)))
    assert fix.recorded_at == utc("2026-09-21T14:13:20")
    # From anybody else it is the time it says, and the judge refuses it as too old.
    (fix,) = fixes_in(owntracks.read(posted(odd)))
    assert fix.recorded_at == utc("1995-09-21T14:13:20")
    broken = posted(LOCATION | {"tst": "soon"}, is_basic_unencoded=True)
    assert reasons_in(owntracks.read(broken)) == ["recorded_at_invalid"]


def test_a_status_tells_of_the_permission() -> None:
    status = {"locationManagerAuthorizationStatus": "kCLAuthorizationStatusDenied"}
    health = owntracks.read(
        posted({"_type": "status", "iOS": status | {"version": "18.1.2"}})
    ).health
    assert (health.permission, health.app_version) == ("denied", "18.1.2")
    assert owntracks.read(posted({"_type": "status", "iOS": [1]})).readings == []


def test_the_answer_holds_nothing_to_execute() -> None:
    assert owntracks.success(ForeignRequest()).body == b"[]"
