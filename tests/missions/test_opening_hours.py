"""When a site is open, by the clock on its wall."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from missions.opening_hours import hours_problems, is_open_at, is_open_between

BRUSSELS = ZoneInfo("Europe/Brussels")
WORKDAYS = [
    {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "12:00"},
    {"days": [1, 2, 3, 4, 5], "opens": "13:00", "closes": "17:00"},
]
NIGHT = [
    {"days": [7], "opens": "22:00", "closes": "24:00"},
    {"days": [1], "opens": "00:00", "closes": "04:00"},
]
# On 29 March 2026 the clock jumps from 02:00 to 03:00; on 25 October 03:00 becomes 02:00.
SUNDAY_NIGHT = [{"days": [7], "opens": "02:15", "closes": "02:45"}]
SUNDAY_EARLY = [{"days": [7], "opens": "02:30", "closes": "03:10"}]
SUNDAY_LATE = [{"days": [7], "opens": "00:30", "closes": "02:30"}]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        (WORKDAYS, local("2026-11-20T08:00"), True),  # a Friday
        (WORKDAYS, local("2026-11-20T07:59:59"), False),
        (WORKDAYS, local("2026-11-20T11:59:59"), True),
        (WORKDAYS, local("2026-11-20T12:00"), False),
        (WORKDAYS, local("2026-11-20T12:30"), False),
        (WORKDAYS, local("2026-11-21T10:00"), False),  # a Saturday
        ([], local("2026-11-21T10:00"), True),  # nobody said
        (NIGHT, local("2026-11-22T23:59:59"), True),
        (NIGHT, local("2026-11-23T00:00"), True),
        (NIGHT, local("2026-11-23T04:00"), False),
        (NIGHT, local("2026-11-23T22:30"), False),  # Monday night is not Sunday night
        # Winter and summer: the wall says eight, whatever UTC says.
        (WORKDAYS, utc("2026-11-20T07:00"), True),
        (WORKDAYS, utc("2026-07-17T06:00"), True),
        (WORKDAYS, utc("2026-07-17T05:59"), False),
        # The hour that comes twice is open twice.
        (SUNDAY_NIGHT, utc("2026-10-25T00:30"), True),
        (SUNDAY_NIGHT, utc("2026-10-25T01:30"), True),
        (SUNDAY_NIGHT, utc("2026-10-25T02:30"), False),
        # The hour that is skipped never came.
        (SUNDAY_NIGHT, utc("2026-03-29T00:59"), False),
        (SUNDAY_NIGHT, utc("2026-03-29T01:00"), False),
        (SUNDAY_EARLY, utc("2026-03-29T01:05"), True),  # 03:05 on the wall
    ],
)
def test_a_site_is_open_by_its_own_clock(
    hours: list[dict[str, Any]], at: datetime, is_open: bool
) -> None:
    assert is_open_at(hours, BRUSSELS, at) is is_open


@pytest.mark.parametrize(
    ("hours", "begin", "end", "is_open"),
    [
        (WORKDAYS, local("2026-11-20T09:00"), local("2026-11-20T10:00"), True),
        (WORKDAYS, local("2026-11-20T06:00"), local("2026-11-20T08:00"), True),  # its last moment
        (WORKDAYS, local("2026-11-20T06:00"), local("2026-11-20T07:59"), False),
        (WORKDAYS, local("2026-11-20T12:00"), local("2026-11-20T12:59"), False),
        (WORKDAYS, local("2026-11-20T12:00"), local("2026-11-20T18:00"), True),  # the afternoon
        (WORKDAYS, local("2026-11-20T17:00"), local("2026-11-23T07:59"), False),  # a weekend
        (WORKDAYS, local("2026-11-20T17:00"), local("2026-11-24T07:59"), True),  # and a Monday
        (WORKDAYS, local("2026-11-20T12:15"), local("2026-11-20T12:15"), False),
        (NIGHT, local("2026-11-22T20:00"), local("2026-11-22T21:59"), False),
        (NIGHT, local("2026-11-22T20:00"), local("2026-11-23T12:00"), True),
        (NIGHT, local("2026-11-17T00:00"), local("2026-11-26T00:00"), True),  # over a week
        ([], local("2026-11-21T10:00"), local("2026-11-21T11:00"), True),
        (SUNDAY_NIGHT, utc("2026-03-29T00:00"), utc("2026-03-29T03:00"), False),
        (SUNDAY_EARLY, utc("2026-03-29T00:50"), utc("2026-03-29T01:20"), True),
        (SUNDAY_NIGHT, utc("2026-10-25T01:00"), utc("2026-10-25T02:00"), True),  # the second one
        # Its last minute never came.
        (SUNDAY_LATE, utc("2026-03-28T22:00"), utc("2026-03-29T02:00"), True),
        # Cut in two: 02:30 to 03:00, and 02:30 to 03:10 after the clock was put back.
        (SUNDAY_EARLY, utc("2026-10-24T23:00"), utc("2026-10-25T01:15"), True),
    ],
)
def test_a_window_meets_the_hours_or_lies_wholly_outside(
    hours: list[dict[str, Any]], begin: datetime, end: datetime, is_open: bool
) -> None:
    assert is_open_between(hours, BRUSSELS, begin, end) is is_open
    by_minute = any(
        is_open_at(hours, BRUSSELS, datetime.fromtimestamp(at, UTC))
        for at in range(int(begin.timestamp()), int(end.timestamp()) + 1, 60)
    )
    assert by_minute is is_open


@pytest.mark.parametrize(
    ("hours", "problems"),
    [
        (WORKDAYS + NIGHT, []),
        ([{"days": [1], "opens": "00:00", "closes": "24:00"}], []),
        ([{"days": [1], "opens": "22:00", "closes": "04:00"}], ["/0/closes over_midnight"]),
        ([{"days": [1], "opens": "08:00", "closes": "08:00"}], ["/0/closes over_midnight"]),
        ([*WORKDAYS, {"days": [5], "opens": "11:59", "closes": "13:30"}], ["/2/opens overlaps"]),
        ([*WORKDAYS, {"days": [5, 6], "opens": "12:00", "closes": "13:00"}], []),
        ([*WORKDAYS, {"days": [6], "opens": "08:00", "closes": "12:00"}], []),
    ],
)
def test_hours_that_cannot_be_say_where(hours: list[dict[str, Any]], problems: list[str]) -> None:
    assert [f"{one.pointer} {one.code}" for one in hours_problems(hours)] == problems
