"""When what a phone says of itself is written down."""

import json

import pytest

from tracking.ingest.foreign import Health
from tracking.ingest.phone_health import AGAIN_AFTER_S, HealthReports, app_version_in

ADA, BEN = b"ada", b"ben"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reports(clock: Clock) -> HealthReports:
    return HealthReports(clock)


def test_news_is_written_and_the_same_again_is_not(reports: HealthReports) -> None:
    written = reports.news(ADA, Health(battery=0.8, is_charging=False), "")
    assert json.loads(written or "") == {"battery": 0.8, "is_charging": False}
    assert reports.news(ADA, Health(battery=0.79), "") is None
    assert reports.news(BEN, Health(battery=0.79), "")
    assert reports.news(ADA, Health(battery=0.74), "")
    assert reports.news(ADA, Health(permission="denied"), "")
    assert reports.news(ADA, Health(permission="denied"), "") is None


def test_after_ten_minutes_it_is_written_again(reports: HealthReports, clock: Clock) -> None:
    assert reports.news(ADA, Health(battery=0.8), "")
    clock.now_s += AGAIN_AFTER_S - 1
    assert reports.news(ADA, Health(battery=0.8), "") is None
    clock.now_s += 1
    assert reports.news(ADA, Health(battery=0.8), "")


def test_nothing_known_is_nothing_to_write(reports: HealthReports) -> None:
    assert reports.news(ADA, Health(), "okhttp/4.12") is None
    assert reports.news(ADA, Health(battery=7.0), "") is None


def test_a_version_is_short_and_printable(reports: HealthReports) -> None:
    written = reports.news(ADA, Health(app_version="a\0\x1b" + "b" * 500), "")
    assert json.loads(written or "") == {"app_version": "a" + "b" * 57}


@pytest.mark.parametrize(
    ("user_agent", "version"),
    [
        ("OwnTracks/18.4.1 CFNetwork/1490", "OwnTracks/18.4.1"),
        ("Owntracks-Android/420505000", "Owntracks-Android/420505000"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6)", None),
        ("okhttp/4.12.0", None),
        ("Mozilla/5.0 (X11)", None),
        ("", None),
        ("\xff", None),
    ],
)
def test_an_app_is_told_from_the_library_it_uses(user_agent: str, version: str | None) -> None:
    assert app_version_in(user_agent) == version
