"""What somebody means by a time that they typed, on the nights on which clocks change too."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tracking.where_times import NoTime, Odd, last_full_hour, typed_time

BRUSSELS = ZoneInfo("Europe/Brussels")
TUESDAY = date(2026, 11, 24)
FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)


def clock(text: str) -> time:
    return time.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "begin", "end", "begins", "ends", "odd"),
    [
        (TUESDAY, "14:00", "15:00", "24T13:00", "24T14:00", []),
        (TUESDAY, "22:00", "02:00", "24T21:00", "25T01:00", []),
        (TUESDAY, "00:00", "00:00", "23T23:00", "24T23:00", []),
        # 25 hours, and an hour that comes twice: searched with both.
        (BACK, "00:00", "00:00", "24T22:00", "25T23:00", []),
        (BACK, "02:00", "03:00", "25T00:00", "25T02:00", ["twice"]),
        (BACK, "02:30", "02:45", "25T00:30", "25T01:45", ["twice", "twice"]),
        (BACK, "01:00", "02:15", "24T23:00", "25T01:15", ["twice"]),
        # 23 hours, and an hour that does not come: the moment of the change.
        (FORWARD, "00:00", "00:00", "28T23:00", "29T22:00", []),
        (FORWARD, "02:30", "04:00", "29T01:00", "29T02:00", ["skipped"]),
        (FORWARD, "01:00", "02:30", "29T00:00", "29T01:00", ["skipped"]),
    ],
)
def test_a_typed_time(
    day: date, begin: str, end: str, begins: str, ends: str, odd: list[Odd]
) -> None:
    found = typed_time(day, clock(begin), clock(end), BRUSSELS)
    month = f"{day:%Y-%m}-"
    assert found.begin_at == datetime.fromisoformat(f"{month}{begins}").replace(tzinfo=UTC)
    assert found.end_at == datetime.fromisoformat(f"{month}{ends}").replace(tzinfo=UTC)
    assert [why for _, why in found.odd] == odd


def test_a_time_that_did_not_exist_is_none() -> None:
    with pytest.raises(NoTime):
        typed_time(FORWARD, clock("02:10"), clock("02:50"), BRUSSELS)


def test_a_last_day_is_taken_as_it_is() -> None:
    found = typed_time(TUESDAY, clock("14:00"), clock("15:00"), BRUSSELS, date(2026, 11, 26))
    assert (found.end_at - found.begin_at).total_seconds() == 49 * 3600
    for last in (date(2026, 11, 23), TUESDAY):
        with pytest.raises(ValueError, match="before the beginning"):
            typed_time(TUESDAY, clock("15:00"), clock("14:00"), BRUSSELS, last)


def test_the_last_full_hour_by_the_clock() -> None:
    now = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
    begin, end = last_full_hour(now, BRUSSELS)
    assert (f"{begin:%H:%M}", f"{end:%H:%M}") == ("09:00", "10:00")
