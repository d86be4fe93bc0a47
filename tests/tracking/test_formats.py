"""Each format read back by somebody else's parser."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import gpxpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.formats import (
    Csv,
    FixRow,
    Format,
    GeoJson,
    Gpx,
    chunks,
    csv_text,
    degrees,
    rfc3339,
)

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
BRUSSELS = ZoneInfo("Europe/Brussels")
ADA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"


def row(seconds: float, latitude_e7: int = 508_503_000, **values: Any) -> FixRow:
    at = EIGHT + timedelta(seconds=seconds)
    fix = FixRow(at, at + timedelta(seconds=2), latitude_e7, 43_517_000, "distance", ADA)
    return fix._replace(**values)


def written(how: Format, *batches: list[FixRow]) -> str:
    return b"".join(chunks(how, batches)).decode()


FULL = row(
    0.25,
    kind="arrival",
    truck=BEN,
    mission=ADA,
    link_source="client",
    accuracy_m=8.5,
    speed_mps=0,
    heading_deg=181,
    altitude_m=-4.5,
    odometer_m=183_220_100,
    battery=0.81,
    is_mock=True,
)


def test_geojson_is_read_back_by_json() -> None:
    features = json.loads(written(GeoJson(), [FULL], [row(60)]))["features"]
    assert [feature["geometry"]["coordinates"] for feature in features] == [
        [4.3517, 50.8503],
        [4.3517, 50.8503],
    ]
    assert features[0]["properties"] == {
        "recorded_at": "2026-11-24T08:00:00.250Z",
        "received_at": "2026-11-24T08:00:02.250Z",
        "kind": "arrival",
        "driver": ADA,
        "truck": BEN,
        "mission": ADA,
        "link_source": "client",
        "accuracy_m": 8.5,
        "speed_mps": 0,
        "heading_deg": 181,
        "altitude_m": -4.5,
        "odometer_m": 183_220_100,
        "battery": 0.81,
        "is_mock": True,
    }
    assert features[1]["properties"]["truck"] is None
    assert features[1]["properties"]["battery"] is None


@pytest.mark.parametrize("sizes", [[], [0], [0, 0], [1], [0, 1, 0, 2], [3]])
def test_geojson_is_well_formed_however_the_batches_fall(sizes: list[int]) -> None:
    batches = [[row(n) for n in range(size)] for size in sizes]
    assert len(json.loads(written(GeoJson(), *batches))["features"]) == sum(sizes)


def test_geojson_has_no_literal_nan() -> None:
    text = written(GeoJson(), [row(0, speed_mps=float("nan"), altitude_m=float("inf"))])
    properties = json.loads(text, parse_constant=pytest.fail)["features"][0]["properties"]
    assert properties["speed_mps"] is None
    assert properties["altitude_m"] is None


def test_gpx_is_read_back_by_gpxpy() -> None:
    gpx = gpxpy.parse(written(Gpx("Ada's day"), [FULL], [row(60, 508_548_000)]))
    assert gpx.version == "1.1"
    assert gpx.creator == "Milepost"
    assert gpx.tracks[0].name == "Ada's day"
    first, second = gpx.tracks[0].segments[0].points
    assert (first.latitude, first.longitude, first.elevation) == (50.8503, 4.3517, -4.5)
    assert first.time == EIGHT + timedelta(seconds=0.25)
    assert (first.type, second.type) == ("arrival", None)


def test_gpx_carries_its_namespace_and_times_in_utc() -> None:
    text = written(Gpx("x"), [row(0, recorded_at=EIGHT.astimezone(BRUSSELS))])
    assert 'xmlns="http://www.topografix.com/GPX/1/1"' in text
    assert "<time>2026-11-24T08:00:00Z</time>" in text


# 0.0045 degrees of latitude are 500 m.
@pytest.mark.parametrize(
    ("case", "second", "min_spacing_m", "segments"),
    [
        ("500 m in 36 s is driving", row(36, 508_548_000), 0, 1),
        ("10 km in 300 s is still one leg of driving", row(300, 509_403_000), 0, 1),
        ("1 km in 301 s is a gap", row(301, 508_593_000), 0, 2),
        ("500 m in an hour is a standstill, not a gap", row(3600, 508_548_000), 0, 1),
        ("1 km is no gap for a phone that reports every 2 km", row(301, 508_593_000), 2000, 1),
        ("another driver is another line", row(36, 508_548_000, driver=BEN), 0, 2),
    ],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_gpx_begins_a_segment_after_a_gap(
    case: str, second: FixRow, min_spacing_m: int, segments: int, is_one_batch: bool
) -> None:
    batches = [[row(0), second]] if is_one_batch else [[row(0)], [], [second]]
    gpx = gpxpy.parse(written(Gpx("x", min_spacing_m=min_spacing_m), *batches))
    assert [len(s.points) for s in gpx.tracks[0].segments] == ([2] if segments == 1 else [1, 1])


def test_gpx_of_nothing_is_a_track_without_points() -> None:
    gpx = gpxpy.parse(written(Gpx("nothing"), []))
    assert gpx.tracks[0].name == "nothing"
    assert gpx.tracks[0].segments == []


def test_gpx_escapes_its_title_and_drops_what_xml_cannot_hold() -> None:
    text = written(Gpx("</name><evil/> & \x00\x08 é"), [row(0)])
    assert str(gpxpy.parse(text).tracks[0].name).split() == ["</name><evil/>", "&", "é"]


def test_csv_is_read_back_by_csv() -> None:
    text = written(Csv(BRUSSELS), [FULL], [row(60)])
    full, plain = csv.DictReader(io.StringIO(text, newline=""))
    assert full == {
        "recorded_at": "2026-11-24T08:00:00.250Z",
        "received_at": "2026-11-24T08:00:02.250Z",
        "local_time": "2026-11-24T09:00:00.250000+01:00",
        "timezone": "Europe/Brussels",
        "latitude": "50.8503",
        "longitude": "4.3517",
        "kind": "arrival",
        "driver": ADA,
        "truck": BEN,
        "mission": ADA,
        "link_source": "client",
        "accuracy_m": "8.5",
        "speed_mps": "0",
        "heading_deg": "181",
        "altitude_m": "-4.5",
        "odometer_m": "183220100",
        "battery": "0.81",
        "is_mock": "true",
    }
    assert (plain["truck"], plain["battery"], plain["is_mock"]) == ("", "", "false")


def test_csv_has_a_header_even_without_rows_and_ends_its_lines_as_asked() -> None:
    assert written(Csv(BRUSSELS), []).count("\r\n") == 1
    assert written(Csv(BRUSSELS), [row(0), row(1)]).count("\r\n") == 3


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    rows = [row(0, recorded_at=first + timedelta(hours=n)) for n in range(2)]
    read = csv.DictReader(io.StringIO(written(Csv(BRUSSELS), rows), newline=""))
    assert [line["local_time"] for line in read] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", '=HYPERLINK("x","y")'])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    read = list(csv.reader(io.StringIO(f"{csv_text(text)}\r\n", newline="")))
    assert read == [[f"'{text}"]]


@pytest.mark.parametrize("text", ["", "Ghent", "a,b", 'say "x"', "two\nlines", "1-2", "é"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    read = list(csv.reader(io.StringIO(f"x,{csv_text(text)}\r\n", newline="")))
    assert read == [["x", text]]


def test_a_name_that_is_a_formula_is_disarmed_in_a_row_and_a_negative_number_is_not() -> None:
    text = written(Csv(BRUSSELS), [row(0, kind="=x", longitude_e7=-5, altitude_m=-2)])
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert line["kind"] == "'=x"
    assert (line["longitude"], line["altitude_m"]) == ("-0.0000005", "-2")


@settings(deadline=None)  # the machine may be busy
@given(st.integers(-1_800_000_000, 1_800_000_000))
def test_degrees_are_exact(e7: int) -> None:
    text = degrees(e7)
    whole, decimals = text.split(".")
    assert len(decimals) <= 7
    assert int(whole + decimals.ljust(7, "0")) == e7


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (EIGHT, "2026-11-24T08:00:00Z"),
        (EIGHT.replace(microsecond=250_000), "2026-11-24T08:00:00.250Z"),
        (EIGHT.replace(microsecond=250_001), "2026-11-24T08:00:00.250001Z"),
        (EIGHT.astimezone(BRUSSELS), "2026-11-24T08:00:00Z"),
        (EIGHT.replace(microsecond=1000).astimezone(BRUSSELS), "2026-11-24T08:00:00.001Z"),
    ],
)
def test_times_are_written_in_utc_as_precisely_as_they_are(at: datetime, text: str) -> None:
    assert rfc3339(at) == text
