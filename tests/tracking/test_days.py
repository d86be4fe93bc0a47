"""Local days in UTC, and durations by the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracking.days import whole_day, whole_seconds

BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("day", "hours", "start"),
    [
        (date(2026, 3, 28), 24, datetime(2026, 3, 27, 23, tzinfo=UTC)),
        (date(2026, 3, 29), 23, datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), 24, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), 25, datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 26), 24, datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_in_brussels_has_23_to_25_hours(day: date, hours: int, start: datetime) -> None:
    assert whole_day(day, BRUSSELS) == (start, start + timedelta(hours=hours))


def test_every_instant_is_in_one_day_even_where_midnight_is_skipped_or_comes_twice() -> None:
    for zone in ("Asia/Beirut", "America/Havana", "Europe/Brussels", "America/Santiago"):
        day = date(2026, 1, 1)
        for _ in range(365):
            following = day + timedelta(days=1)
            assert whole_day(day, ZoneInfo(zone))[1] == whole_day(following, ZoneInfo(zone))[0]
            day = following


def test_a_day_starts_with_the_clock_where_midnight_is_skipped() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    start, end = whole_day(date(2026, 3, 29), beirut)
    assert start.astimezone(beirut).hour == 1
    assert end - start == timedelta(hours=23)


def test_durations_are_those_of_the_clock_and_add_up() -> None:
    times = [
        datetime(2026, 11, 24, 8, 0, 30, 900_000, tzinfo=UTC) + timedelta(seconds=s)
        for s in (0, 0.2, 1.1)
    ]
    assert whole_seconds(times[0], times[1]) == 1
    assert whole_seconds(times[1], times[2]) == 1
    assert whole_seconds(times[0], times[2]) == 2
    assert whole_seconds(times[0], times[0] + timedelta(days=2)) == 172_800
