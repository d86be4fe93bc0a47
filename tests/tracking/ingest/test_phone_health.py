"""When what a phone says of itself is written down."""

import asyncio
import json

import pytest

from tracking.ingest.arrays import Request
from tracking.ingest.foreign import Health
from tracking.ingest.http import Message
from tracking.ingest.off_the_shelf import OffTheShelf
from tracking.ingest.outcomes import DatabaseAway, Recorded, Sender
from tracking.ingest.phone_health import (
    AGAIN_AFTER_S,
    ROUTINE_A_SECOND,
    HealthReports,
    app_version_in,
)

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


def test_what_was_not_written_is_news_again(reports: HealthReports) -> None:
    assert reports.news(ADA, Health(permission="denied"), "")
    assert reports.news(ADA, Health(permission="denied"), "") is None
    reports.forget(ADA)
    assert reports.news(ADA, Health(permission="denied"), "")
    reports.forget(BEN)


def test_only_so_many_batteries_a_second_are_written_and_the_others_at_their_next_fix(
    reports: HealthReports, clock: Clock
) -> None:
    phones = [str(n).encode() for n in range(ROUTINE_A_SECOND + 1)]
    written = [reports.news(phone, Health(battery=0.5), "") for phone in phones]
    assert [text is not None for text in written] == [True] * ROUTINE_A_SECOND + [False]
    assert reports.news(phones[-1], Health(permission="denied"), "")
    assert reports.news(phones[-1], Health(battery=0.5), "") is None
    clock.now_s += 1
    assert reports.news(phones[-1], Health(battery=0.5), "")


def test_a_lost_permission_is_written_when_the_phone_sends_it_again_after_a_503() -> None:
    lost = b'{"location":{"timestamp":"2026-11-25T01:00:00.000Z","provider":{"status":2}}}'
    scope = {
        "method": "POST", "path": "/ingest/background_geolocation/mpd_x", "query_string": b"",
        "headers": [(b"content-length", str(len(lost)).encode())],
    }  # fmt: skip
    offered: list[str | None] = []

    async def record(request: Request) -> Recorded:
        offered.append(request.health)
        if len(offered) == 1:
            raise DatabaseAway
        return Recorded(Sender.UNKNOWN if len(offered) == 2 else Sender.KNOWN, "", "")

    async def no_passphrase(token_hash: bytes) -> str | None:
        return None

    async def receive() -> Message:
        return {"type": "http.request", "body": lost, "more_body": False}

    async def send_four_times() -> None:
        clients = OffTheShelf(record, no_passphrase, 59)
        with pytest.raises(DatabaseAway):
            await clients.answer("background_geolocation", scope, receive)
        for status in (401, 200, 200):
            answer = await clients.answer("background_geolocation", scope, receive)
            assert answer.status == status

    asyncio.run(send_four_times())
    assert [json.loads(text or "{}").get("permission") for text in offered] == [
        "denied", "denied", "denied", None,
    ]  # fmt: skip


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
