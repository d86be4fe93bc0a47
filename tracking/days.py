"""Days and durations as the clock on the wall shows them. (pure)"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def whole_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of a local day and that of the next one, in UTC: [start, end).

    23 to 25 hours apart where clocks change. Where midnight itself is skipped, the day
    starts when the clock does; where midnight comes twice, with the first one.
    """
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def whole_seconds(started_at: datetime, ended_at: datetime) -> int:
    """Seconds between two instants, each cut to its second.

    This is the difference of the two times as a page shows them, and the durations of
    neighbours add up to the duration of both: 30.9 -> 31.1 -> 32.0 is 1 s + 1 s = 2 s.
    """
    elapsed = ended_at.replace(microsecond=0) - started_at.replace(microsecond=0)
    return elapsed.days * 86_400 + elapsed.seconds


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
