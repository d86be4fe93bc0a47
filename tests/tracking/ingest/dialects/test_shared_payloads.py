"""Every example request beside this repository, read to its values or to a named refusal.

The files stay where they are: without them these tests skip. What a fix should be is worked
out here from the file by a few plain lines of our own, one set for each format.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings

from tests.tracking.ingest.dialects.reads import (
    DIALECTS,
    FORM,
    JSON,
    fixes_in,
    near,
    posted,
    reasons_in,
)
from tracking.ingest.dialects import owntracks
from tracking.ingest.foreign import ForeignRequest, Readings
from tracking.ingest.sent import SentFix

SHARED = Path(settings.BASE_DIR).parent / "shared"
PAYLOADS = SHARED / "payloads"
KNOT = 1852 / 3600

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not here")

# Files that hold no fix at all, by the reason of their refusal; None: nothing to refuse.
WITHOUT_FIX: dict[str, str | None] = {
    "traccar/notification_token.txt": None,
    "traccar/v10_form_heartbeat_no_position.txt": None,
    "transistorsoft/built_refresh_form.txt": None,
    "transistorsoft/console_register_body.json": None,
    # Answers of a server to a phone, not requests: whoever posts them sends no record.
    "transistorsoft/refresh_response_flat.json": "body_invalid",
    "transistorsoft/refresh_response_nested.json": "body_invalid",
    "owntracks/android_fixture_encrypted_message.json": "key_missing",
    "owntracks/android_encrypted_key_123.json": "key_missing",
    "owntracks/schema_e.json": "key_missing",
    "owntracks/schema_e-nobase64.json": "key_missing",
    "owntracks/schema_e-nodata.json": "sealed_invalid",
    "owntracks/schema_location-lat-missing.json": "place_incomplete",
    "owntracks/android_fixture_location_empty.json": "place_missing",
    "owntracks/android_fixture_unknown_message.json": "type_unknown",
}


def names(folder: str, *endings: str) -> list[str]:
    """The files of a folder; one that is not there gives none, and the test skips."""
    found = sorted(path.name for path in (PAYLOADS / folder).glob("*") if path.suffix in endings)
    return [f"{folder}/{name}" for name in found]


def content(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def at(seconds: object) -> datetime:
    return datetime.fromtimestamp(float(str(seconds)), UTC)


def expect_no_fix(name: str, readings: Readings) -> None:
    reason = WITHOUT_FIX[name]
    assert reasons_in(readings) == ([] if reason is None else [reason])
    assert len(readings.readings) == (reason is not None)


def is_record_of(fix: SentFix, record: dict[str, Any]) -> bool:
    """Whether a fix of the background-geolocation library says what its record says."""
    coords, stamp = record["coords"], record["timestamp"]
    expected_at = at(stamp / 1000) if isinstance(stamp, int) else datetime.fromisoformat(stamp)

    def or_none(value: float) -> float | None:
        return None if value < 0 else value

    assert fix == SentFix(
        recorded_at=expected_at,
        latitude=coords["latitude"],
        longitude=coords["longitude"],
        accuracy_m=coords["accuracy"],
        speed_mps=or_none(coords["speed"]),
        heading_deg=or_none(coords["heading"]),
        altitude_m=coords["altitude"],
        odometer_m=record["odometer"],
        battery=or_none(record["battery"]["level"]),
        is_mock=True if record.get("mock") else None,
        kind="heartbeat" if record.get("event") == "heartbeat" else "distance",
        id=record.get("uuid"),
    )
    return True


@pytest.mark.parametrize("name", names("transistorsoft", ".json", ".txt"))
def test_records_of_the_background_geolocation_library(name: str) -> None:
    readings = DIALECTS["background_geolocation"].read(posted(content(name)))
    if name in WITHOUT_FIX:
        expect_no_fix(name, readings)
        return
    body = json.loads(content(name))
    records = body.get("location", body)
    records = records if isinstance(records, list) else [records]
    fixes = fixes_in(readings)
    assert len(fixes) == len(records) > 0
    assert all(map(is_record_of, fixes, records))


@pytest.mark.parametrize("name", names("traccar", ".json"))
def test_json_of_traccar_9(name: str) -> None:
    (fix,) = fixes_in(DIALECTS["osmand"].read(posted(content(name))))
    assert is_record_of(fix, json.loads(content(name))["location"])


def traccar_lines(name: str) -> Iterator[tuple[ForeignRequest, dict[str, str]]]:
    for line in content(name).decode().split():
        query = urlsplit(line).query if "?" in line else ""
        fields = {key: values[-1] for key, values in parse_qs(query or line).items()}
        body = b"" if query else line.encode()
        yield ForeignRequest(query=query.encode(), body=body, content_type=FORM), fields


@pytest.mark.parametrize("name", names("traccar", ".txt"))
def test_queries_and_forms_of_traccar(name: str) -> None:
    for request, fields in traccar_lines(name):
        readings = DIALECTS["osmand"].read(request)
        if "lat" not in fields and "location" not in fields:
            assert readings.readings == []
            continue
        if "timestamp" not in fields:
            assert reasons_in(readings) == ["recorded_at_missing"]
            continue
        (fix,) = fixes_in(readings)
        assert [fix.latitude, fix.longitude] == [
            float(part)
            for part in (
                fields["location"].split(",")
                if "location" in fields
                else (fields["lat"], fields["lon"])
            )
        ]
        if "speed" in fields:
            assert fix.speed_mps == near(float(fields["speed"]) * KNOT)
        assert fix.accuracy_m == (float(fields.get("accuracy", "0")) or None)
        if fields["timestamp"].isdigit():
            stamp = int(fields["timestamp"])
            assert fix.recorded_at == at(stamp / 1000 if stamp > 1e11 else stamp)


def is_location_of(fix: SentFix, message: dict[str, Any]) -> bool:
    def or_none(key: str) -> float | None:
        value = message.get(key)
        return None if value in (None, "") or float(str(value)) < 0 else float(str(value))

    speed, battery = or_none("vel"), or_none("batt")
    assert fix == SentFix(
        recorded_at=at(message["tst"]),
        latitude=float(message["lat"]),
        longitude=float(message["lon"]),
        accuracy_m=or_none("acc") or None,
        speed_mps=None if speed is None else near(speed / 3.6),
        heading_deg=or_none("cog"),
        altitude_m=None if message.get("alt") in (None, "") else float(message["alt"]),
        battery=None if battery is None else near(battery / 100),
        kind="heartbeat" if message.get("t") == "p" else "distance",
        id=message.get("_id"),
    )
    return True


def expect_messages(raw: bytes) -> int:
    """Read an OwnTracks body and hold it to its messages; gives the number of fixes."""
    value = json.loads(raw)
    messages = value if isinstance(value, list) else [value]
    locations = [message for message in messages if message.get("_type") == "location"]
    fixes = fixes_in(DIALECTS["owntracks"].read(posted(raw)))
    assert len(fixes) == len(locations)
    assert all(map(is_location_of, fixes, locations))
    return len(fixes)


@pytest.mark.parametrize("name", names("owntracks", ".json"))
def test_messages_of_owntracks(name: str) -> None:
    if name in WITHOUT_FIX:
        expect_no_fix(name, DIALECTS["owntracks"].read(posted(content(name))))
    else:
        expect_messages(content(name))


@pytest.mark.parametrize("name", names("owntracks", ".rec", ".jsonl"))
def test_recordings_of_owntracks(name: str) -> None:
    lines = [line for line in content(name).splitlines() if line.strip()]
    assert sum(expect_messages(line[line.index(b"{") :]) for line in lines) > 3


def test_the_sealed_sample_opens_with_its_key() -> None:
    raw = content("owntracks/android_encrypted_key_123.json")
    request = posted(raw, open_sealed=partial(owntracks.opened, key=owntracks.key_of("123")))
    (fix,) = fixes_in(owntracks.read(request))
    assert (fix.latitude, fix.longitude, fix.id) == (50.1182933, -5.5407733, "0d871a61")
    assert (fix.recorded_at, fix.accuracy_m, fix.battery) == (at(1754215100), 5, 1)
    for name in (
        "schema_e.json",
        "schema_e-nobase64.json",
        "android_fixture_encrypted_message.json",
    ):
        wrong = posted(content(f"owntracks/{name}"), open_sealed=request.open_sealed)
        assert reasons_in(owntracks.read(wrong)) == ["key_wrong"]


@pytest.mark.parametrize("name", names("overland", ".json"))
def test_batches_of_overland(name: str) -> None:
    body = json.loads(content(name))
    if "locations" not in body:  # its OwnTracks mode
        request = posted(content(name), is_basic_unencoded=True)
        (fix,) = fixes_in(DIALECTS["owntracks"].read(request))
        assert fix.recorded_at == at(body["tst"] + 978_307_200)
        return
    features = [*body["locations"], *([body["current"]] if "current" in body else [])]
    expected = [
        feature
        for feature in features
        if "action" not in feature["properties"] and feature["properties"].get("type") != "trip"
    ]
    fixes = fixes_in(DIALECTS["overland"].read(posted(content(name))))
    assert len(fixes) == len(expected) > 0
    for fix, feature in zip(fixes, expected, strict=True):
        properties = feature["properties"]
        assert [fix.longitude, fix.latitude] == feature["geometry"]["coordinates"]
        assert fix.recorded_at == datetime.fromisoformat(properties["timestamp"])
        assert fix.accuracy_m == properties["horizontal_accuracy"]
        assert (fix.speed_mps, fix.battery) == (
            properties.get("speed"), properties.get("battery_level"),
        )  # fmt: skip


@pytest.mark.parametrize("name", names("gpslogger", ".txt"))
def test_urls_of_gpslogger(name: str) -> None:
    if "templates" in name:
        # Tokens that the app has not yet replaced are no numbers.
        for line in content(name).decode().splitlines():
            if "?lat=" in line:
                request = ForeignRequest(method="GET", query=line.partition("?")[2].encode())
                assert reasons_in(DIALECTS["gpslogger"].read(request)) == ["latitude_invalid"]
        return
    outcomes = []
    for line in content(name).decode().splitlines():
        address, _, query = line.partition("?")
        request = ForeignRequest(query=query.encode(), body=b"" if query else address.encode())
        outcomes.append(DIALECTS["gpslogger"].read(request).readings[0].fix)
    fixes = [fix for fix in outcomes if isinstance(fix, SentFix)]
    assert {fix.recorded_at.isoformat() for fix in fixes} == {
        "2016-03-05T19:24:29.949000+00:00",
        "2016-03-05T21:24:29.949000+02:00",
        "2016-05-02T20:14:19.349000+03:00",
    }
    assert (fixes[0].speed_mps, fixes[0].heading_deg, fixes[0].accuracy_m) == (9005, 359, 8)
    assert fixes[0].battery == near(0.91)
    assert {fix.reason for fix in outcomes if not isinstance(fix, SentFix)} <= {
        "recorded_at_missing", "place_incomplete", "place_missing",
    }  # fmt: skip


def test_forms_and_points_of_phonetrack() -> None:
    read = DIALECTS["phonetrack"].read
    body = content("phonetrack/logPost_form.txt").strip()
    (single,) = fixes_in(read(ForeignRequest(body=body, content_type=FORM)))
    first, second = fixes_in(read(posted(content("phonetrack/logPostMultiple.json"))))
    assert single == first
    assert (first.recorded_at, first.accuracy_m, first.battery) == (at(1547460652), 20, near(0.43))
    assert (second.recorded_at, second.latitude) == (at(1547460653), 43.65339660644532)
    expect_messages(content("phonetrack/custom_job_owntracks_json.json"))


def test_the_form_of_ulogger() -> None:
    request = ForeignRequest(body=content("ulogger/addpos_form.txt").strip(), content_type=FORM)
    (fix,) = fixes_in(DIALECTS["ulogger"].read(request))
    assert (fix.recorded_at, fix.latitude, fix.longitude) == (at(1502974402), 0, 10.604001083)
    assert (fix.altitude_m, fix.speed_mps, fix.heading_deg, fix.accuracy_m) == (
        10.01, 10.01, 10.01, 100,
    )  # fmt: skip


def test_no_file_is_left_out() -> None:
    here = {path for path in PAYLOADS.rglob("*") if path.is_file() and path.suffix != ".md"}
    covered = {
        *names("transistorsoft", ".json", ".txt"),
        *names("traccar", ".json", ".txt"),
        *names("owntracks", ".json", ".rec", ".jsonl"),
        *names("overland", ".json"),
        *names("gpslogger", ".txt"),
        *names("phonetrack", ".json", ".txt"),
        *names("ulogger", ".txt"),
    }
    assert {str(path.relative_to(PAYLOADS)) for path in here} == covered


def vectors() -> list[dict[str, Any]]:
    file = SHARED / "vectors" / "osmand.json"
    return json.loads(file.read_text()) if file.is_file() else []


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_vectors_of_the_osmand_protocol(vector: dict[str, Any]) -> None:
    address = urlsplit(vector["target"])
    readings = DIALECTS["osmand"].read(
        ForeignRequest(
            method=vector["method"],
            query=address.query.encode(),
            content_type=JSON if vector.get("headers") else "",
            body=(vector["body"] or "").encode(),
        )
    )
    expected = vector["expected"]["position"]
    if expected is None:  # the reference misses the device that our token names
        (fix,) = fixes_in(readings)
        assert (fix.recorded_at, fix.latitude) == (at(1377177267), 60)
        return
    if not expected["has_position"]:
        assert readings.readings == []
        return
    if expected["fix_time"] == "server now":
        assert reasons_in(readings) == ["recorded_at_missing"]
        return
    (fix,) = fixes_in(readings)
    wire, unknown = vector["expected"].get("wire", {}), expected.get("unknown", [])
    assert fix.recorded_at == datetime.fromisoformat(expected["fix_time"])
    assert (fix.latitude, fix.longitude) == (near(expected["lat"]), near(expected["lon"]))
    speed_mps = wire.get("speed_mps", expected["speed_knots"] * KNOT)
    for name, ours, value in (
        ("altitude_m", fix.altitude_m, expected["altitude_m"]),
        ("speed_knots", fix.speed_mps, speed_mps),
        ("course_deg", fix.heading_deg, expected["course_deg"]),
        ("accuracy_m", fix.accuracy_m, wire.get("accuracy_m", expected["accuracy_m"])),
    ):
        assert ours == (None if name in unknown else near(value)), name
    level = expected["attributes"].get("batteryLevel")
    assert fix.battery == (None if level is None else near(level / 100))
