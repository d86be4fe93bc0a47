"""Traccar Client in three generations: query, form and JSON."""

import pytest

from tests.tracking.ingest.dialects.reads import (
    fixes_in,
    form,
    near,
    posted,
    query,
    reasons_in,
    utc,
)
from tracking.ingest.dialects import osmand
from tracking.ingest.foreign import ForeignRequest
from tracking.ingest.sent import SentFix

PLACE = "id=7&lat=51.0543&lon=3.7174&timestamp=1790000000"
AT = utc("2026-09-21T14:13:20")


def test_an_android_query_becomes_our_units() -> None:
    (fix,) = fixes_in(
        osmand.read(
            query(
                PLACE + "&speed=27.0&bearing=181.5&altitude=12.0&accuracy=4.5"
                "&batt=81.0&charge=true&mock=true"
            )
        )
    )
    assert fix == SentFix(
        recorded_at=AT,
        latitude=51.0543,
        longitude=3.7174,
        accuracy_m=4.5,
        speed_mps=near(13.89),
        heading_deg=181.5,
        altitude_m=12.0,
        battery=near(0.81),
        is_mock=True,
    )


def test_the_same_as_a_form_body() -> None:
    readings = osmand.read(form(PLACE + "&speed=19.44&batt=79&charge=false"))
    (fix,) = fixes_in(readings)
    assert (fix.recorded_at, fix.battery) == (AT, near(0.79))
    assert fix.speed_mps == near(10.0, abs=0.003)
    assert readings.health.is_charging is False


def test_the_body_counts_only_when_the_query_holds_no_place() -> None:
    request = ForeignRequest(query=PLACE.encode(), body=b"lat=1&lon=1&timestamp=1")
    assert [fix.latitude for fix in fixes_in(osmand.read(request))] == [51.0543]
    # The address that sets the app up, pasted with its query: the fix is in the body.
    for pasted in (b"id=Samsung&distance=500", b""):
        request = form(PLACE, query=pasted)
        assert [fix.latitude for fix in fixes_in(osmand.read(request))] == [51.0543]


def test_the_json_of_9_is_in_metres_per_second() -> None:
    record = {
        "timestamp": "2026-09-21T14:13:20.250Z",
        "coords": {
            "latitude": 51.0543, "longitude": 3.7174, "accuracy": 5, "speed": 13.9,
            "heading": -1, "altitude": 12,
        },
        "odometer": 4200.5,
        "battery": {"level": 0.5, "is_charging": True},
        "extras": {},
        "_": "&id=7&lat=51.0543&lon=3.7174&",
    }  # fmt: skip
    readings = osmand.read(posted({"location": record, "device_id": "7"}))
    (fix,) = fixes_in(readings)
    assert (fix.recorded_at, fix.speed_mps) == (utc("2026-09-21T14:13:20.250"), 13.9)
    assert (fix.heading_deg, fix.accuracy_m, fix.odometer_m, fix.kind) == (
        None, 5, 4200.5, "distance",
    )  # fmt: skip
    assert (readings.health.battery, readings.health.is_charging) == (0.5, True)
    record["extras"] = {"heartbeat": True}
    (fix,) = fixes_in(osmand.read(posted({"location": record})))
    assert fix.kind == "heartbeat"


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ("accuracy=0.0", "accuracy_m"),  # the provider "gps" of Android: unknown, not perfect
        ("accuracy=-1", "accuracy_m"),
        ("speed=-1", "speed_mps"),
        ("bearing=-1", "heading_deg"),
        ("batt=0&charge=true", "battery"),  # iOS cannot tell
        ("speed=12,5", "speed_mps"),
        ("speed=NaN", "speed_mps"),
        ("altitude=Infinity", "altitude_m"),
    ],
)
def test_unknown_is_null_and_costs_nothing(extra: str, field: str) -> None:
    (fix,) = fixes_in(osmand.read(query(f"{PLACE}&{extra}")))
    assert getattr(fix, field) is None


def test_other_zeros_stay() -> None:
    (fix,) = fixes_in(osmand.read(query(PLACE + "&speed=0.0&bearing=0.0&altitude=0.0&batt=0")))
    assert (fix.speed_mps, fix.heading_deg, fix.altitude_m, fix.battery) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("1790000000", "2026-09-21T14:13:20"),
        ("1790000000250", "2026-09-21T14:13:20.250"),
        ("1.79E9", "2026-09-21T14:13:20"),
        ("2026-09-21T14:13:20Z", "2026-09-21T14:13:20"),
        ("2026-09-21T16:13:20%2B02:00", "2026-09-21T14:13:20"),
        ("2026-09-21T16:13:20%2B0200", "2026-09-21T14:13:20"),
        ("2026-09-21+14%3A13%3A20", "2026-09-21T14:13:20"),  # without a zone: UTC
    ],
)
def test_times_in_every_form_of_the_protocol(time: str, expected: str) -> None:
    (fix,) = fixes_in(osmand.read(query(f"lat=51&lon=3&timestamp={time}")))
    assert fix.recorded_at == utc(expected)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("lat=51&lon=3", "recorded_at_missing"),
        ("lat=51&lon=3&timestamp=", "recorded_at_missing"),
        ("lat=51&lon=3&timestamp=today", "recorded_at_invalid"),
        ("lat=51&lon=3&timestamp=1e300", "recorded_at_invalid"),
        ("lat=51&lon=3&timestamp=2026-13-01T00:00:00Z", "recorded_at_invalid"),
        ("lat=51&timestamp=1790000000", "place_incomplete"),
        ("location=51&timestamp=1790000000", "place_incomplete"),
        ("lat=51,05&lon=3&timestamp=1790000000", "latitude_invalid"),
        ("lat=51&lon=nan&timestamp=1790000000", "longitude_invalid"),
        (PLACE + "&valid=false", "place_not_valid"),
        ("hello", "body_invalid"),
        ("&".join(f"k{n}=1" for n in range(600)), "body_invalid"),
    ],
)
def test_it_refuses_what_it_cannot_read_and_keeps_the_bytes(sent: str, reason: str) -> None:
    readings = osmand.read(query(sent))
    assert reasons_in(readings) == [reason]
    assert readings.readings[0].source == sent.encode()


@pytest.mark.parametrize(
    "sent",
    [
        "id=7&timestamp=1790000000&batt=79&charge=true",  # a heartbeat without a place
        "id=7&notificationToken=abc",
        "id=7&timestamp=1790000000&cell=206,1,2,3&wifi=00-11-22-33-44-55,-70",
        "",
    ],
)
def test_without_a_place_it_is_no_fix_and_no_failure(sent: str) -> None:
    assert osmand.read(form(sent)).readings == []
    assert osmand.read(query(sent)).readings == []


def test_a_heartbeat_still_tells_of_the_battery() -> None:
    health = osmand.read(form("id=7&timestamp=1790000000&batt=9&charge=false")).health
    assert (health.battery, health.is_charging) == (near(0.09), False)


def test_a_location_pair_and_second_names() -> None:
    (fix,) = fixes_in(
        osmand.read(query("deviceid=7&location=51.5,-3.25&heading=90&timestamp=1790000000"))
    )
    assert (fix.latitude, fix.longitude, fix.heading_deg) == (51.5, -3.25, 90.0)


def test_the_answer_is_empty() -> None:
    answer = osmand.success(query(PLACE))
    assert (answer.status, answer.body) == (200, b"")
