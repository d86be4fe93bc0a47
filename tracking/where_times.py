"""A time that somebody typed as a clock shows it: from when to when that is. (pure)

On the nights on which clocks change, a time may come twice or not at all. A time that comes
twice is searched with both; one that does not come means the moment of the change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Odd = Literal["twice", "skipped"]
HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


class NoTime(Exception):
    """Nothing lies between the two: the clocks were put forward over all of it."""


@dataclass(frozen=True, slots=True)
class TypedTime:
    """Half-open, in UTC. `odd`: what was typed and is not one moment, and why."""

    begin_at: datetime
    end_at: datetime
    odd: tuple[tuple[time, Odd], ...] = ()


def typed_time(
    day: date, begin: time, end: time, zone: ZoneInfo, end_day: date | None = None
) -> TypedTime:
    """From a time of a day to another one; without a last day, to the next time it is that late.

    So 22:00 to 02:00 goes past midnight, and 00:00 to 00:00 is a whole day.
    Raises NoTime, and ValueError when the end is before the beginning.
    """
    last_day = end_day or (day if end > begin else day + timedelta(days=1))
    begin_at, begin_odd = _moment(day, begin, zone, is_end=False)
    end_at, end_odd = _moment(last_day, end, zone, is_end=True)
    if (last_day, end) <= (day, begin):
        raise ValueError("the end is before the beginning")
    if end_at <= begin_at:
        raise NoTime
    odd = [(clock, why) for clock, why in ((begin, begin_odd), (end, end_odd)) if why]
    return TypedTime(begin_at, end_at, tuple(dict.fromkeys(odd)))


def _moment(day: date, clock: time, zone: ZoneInfo, *, is_end: bool) -> tuple[datetime, Odd | None]:
    first, second = (
        datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for fold in (0, 1)
    )
    if first == second:
        return first, None
    if first < second:
        return (second if is_end else first), "twice"
    # In a gap the two lie around the change, the other way round.
    at, offset = second, second.astimezone(zone).utcoffset()
    while at.astimezone(zone).utcoffset() == offset:
        at += _MINUTE
    return at, "skipped"


def last_full_hour(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The hour that has ended last by the clock on the wall, as local times."""
    end = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    return (end.astimezone(UTC) - HOUR).astimezone(zone), end
