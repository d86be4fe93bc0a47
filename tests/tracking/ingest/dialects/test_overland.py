"""Overland: batches, what is no fix in them, and the newest fix ahead of its turn."""

from typing import Any

import pytest

from tests.tracking.ingest.dialects.reads import fixes_in, posted, reasons_in, utc
from tracking.ingest.dialects import overland
from tracking.ingest.foreign import ForeignRequest
from tracking.ingest.sent import SentFix


def feature(longitude: object = 3.7174, latitude: object = 51.0543, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": {"timestamp": "2026-09-21T14:13:20Z", **more},
    }


def test_a_feature_becomes_our_units() -> None:
    sent = feature(
        speed=14, course=181, altitude=12, horizontal_accuracy=5, battery_level=0.83,
        battery_state="unplugged", wifi="depot", device_id="7", motion=["driving"],
    )  # fmt: skip
    readings = overland.read(posted({"locations": [sent]}))
    assert fixes_in(readings) == [
        SentFix(
            recorded_at=utc("2026-09-21T14:13:20"),
            latitude=51.0543,
            longitude=3.7174,
            accuracy_m=5,
            speed_mps=14,
            heading_deg=181,
            altitude_m=12,
            battery=0.83,
        )
    ]
    assert (readings.health.battery, readings.health.is_charging) == (0.83, False)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("speed", "speed_mps"),
        ("course", "heading_deg"),
        ("horizontal_accuracy", "accuracy_m"),
        ("battery_level", "battery"),
    ],
)
def test_minus_one_is_unknown(name: str, field: str) -> None:
    (fix,) = fixes_in(overland.read(posted({"locations": [feature(**{name: -1})]})))
    assert getattr(fix, field) is None


def test_trips_visits_and_log_actions_are_no_fixes() -> None:
    log = {"type": "Feature", "properties": {"action": "will_terminate", "battery_level": 0.55}}
    batch = [
        feature(type="trip", start="x"),
        feature(action="visit", departure_date=None),
        log,
        feature(),
    ]
    readings = overland.read(posted({"locations": batch, "trip": {"mode": "car"}}))
    assert len(fixes_in(readings)) == 1
    assert readings.health.battery == 0.55


def test_current_is_the_same_fix_as_its_later_twin() -> None:
    first = fixes_in(overland.read(posted({"locations": [feature(1)], "current": feature(2)})))
    later = fixes_in(overland.read(posted({"locations": [feature(2)]})))
    assert [fix.longitude for fix in first] == [1, 2]
    assert first[1] == later[0]


def test_a_zone_of_an_older_build_is_read() -> None:
    sent = feature() | {"properties": {"timestamp": "2026-09-21T07:13:20-0700"}}
    (fix,) = fixes_in(overland.read(posted({"locations": [sent]})))
    assert fix.recorded_at == utc("2026-09-21T14:13:20")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (feature() | {"geometry": None}, "place_missing"),
        (feature() | {"geometry": {"coordinates": [1]}}, "place_missing"),
        (feature(None, None), "place_missing"),
        (feature("3,7"), "longitude_invalid"),
        (feature() | {"properties": None}, "recorded_at_missing"),
        (feature(timestamp=None), "recorded_at_missing"),
        ("feature", "fix_invalid"),
        (None, "fix_invalid"),
    ],
)
def test_it_refuses_one_and_reads_its_neighbour(sent: object, reason: str) -> None:
    readings = overland.read(posted({"locations": [sent, feature()]}))
    assert reasons_in(readings) == [reason]
    assert len(readings.readings) == 2
    # What is kept is a request of its own, which gives the same again.
    assert reasons_in(overland.read(posted(readings.readings[0].source))) == [reason]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"locations": 3}', b"{", b"null"])
def test_another_body_is_kept_whole(body: bytes) -> None:
    assert reasons_in(overland.read(posted(body))) == ["body_invalid"]


def test_an_empty_batch_is_nothing() -> None:
    assert overland.read(posted({"locations": []})).readings == []


def test_the_answer_lets_the_phone_delete_its_batch() -> None:
    answer = overland.success(ForeignRequest())
    assert (answer.body, answer.content_type) == (b'{"result":"ok"}', b"application/json")
