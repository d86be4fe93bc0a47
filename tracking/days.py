"""Days and durations as the clock on the wall shows them. (pure)"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from missions.punctuality import whole_seconds as whole_seconds


def whole_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of a local day and that of the next one, in UTC: [start, end).

    23 to 25 hours apart where clocks change. Where midnight itself is skipped, the day
    starts when the clock does; where midnight comes twice, with the first one.
    """
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
