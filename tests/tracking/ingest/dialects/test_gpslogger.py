"""GPSLogger: the published template, the app's default, and its `%ALL`."""

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
from tracking.ingest.dialects import gpslogger
from tracking.ingest.sent import SentFix

PUBLISHED = (
    "lat=51.0543&lon=3.7174&timestamp=1790000000&alt=12.0&acc=8.0&dir=181.0&spd=13.9&sat=9"
    "&prov=gps&batt=81.0&ischarging=true"
)
FIX = SentFix(
    recorded_at=utc("2026-09-21T14:13:20"),
    latitude=51.0543,
    longitude=3.7174,
    accuracy_m=8,
    speed_mps=13.9,
    heading_deg=181,
    altitude_m=12,
    battery=near(0.81),
)


def test_the_published_template_in_query_and_body() -> None:
    readings = gpslogger.read(query(PUBLISHED, "GET"))
    assert fixes_in(readings) == [FIX]
    assert readings.health.is_charging is True
    assert fixes_in(gpslogger.read(form(PUBLISHED))) == [FIX]
    body = dict(pair.split("=") for pair in PUBLISHED.split("&"))
    assert fixes_in(gpslogger.read(posted(body))) == [FIX]


def test_the_apps_default_template() -> None:
    (fix,) = fixes_in(
        gpslogger.read(query("lat=51&longitude=3&time=2026-09-21T14:13:20.250Z&s=13.9", "GET"))
    )
    assert (fix.recorded_at, fix.speed_mps) == (utc("2026-09-21T14:13:20.250"), 13.9)


def test_everything_at_once_and_kilometres_an_hour() -> None:
    (fix,) = fixes_in(
        gpslogger.read(
            form(
                "lat=51&lon=3&sat=0&desc=&alt=0.0&acc=0.0&dir=0.0&prov=MOCK&spd_kph=50.04&time="
                "2026-09-21T14:13:20Z&date=2026-09-21&starttimestamp=0&aid=x&ser=y&act=&dist=27"
            )
        )
    )
    assert fix.speed_mps == near(13.9)
    assert (fix.accuracy_m, fix.altitude_m, fix.heading_deg) == (None, 0, 0)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("lat=51&lon=3", "recorded_at_missing"),
        ("lat=51&lon=3&date=2026-09-21", "recorded_at_missing"),
        ("lat=51&lon=3&time=2026-09-21", "recorded_at_invalid"),
        ("lat=51&lon=3&time=2026-09-21T14:13:20", "recorded_at_without_zone"),
        ("time=2026-09-21T14:13:20Z", "place_missing"),
        ("lat=51,5&lon=3&timestamp=1790000000", "latitude_invalid"),
        ("hello", "place_missing"),
    ],
)
def test_it_refuses_what_it_cannot_read(sent: str, reason: str) -> None:
    assert reasons_in(gpslogger.read(query(sent, "GET"))) == [reason]


def test_nothing_sent_is_nothing() -> None:
    assert gpslogger.read(query("", "GET")).readings == []
    assert gpslogger.success(query("", "GET")).status == 200


def test_a_body_counts_beside_a_query_without_a_place() -> None:
    body = "lat=50.5&lon=4.5&timestamp=1790000000"
    assert [fix.latitude for fix in fixes_in(gpslogger.read(form(body, query=b"x=1")))] == [50.5]
    sent = posted({"lat": 50.5, "lon": 4.5, "timestamp": 1790000000}, query=b"x=1")
    assert [fix.latitude for fix in fixes_in(gpslogger.read(sent))] == [50.5]
