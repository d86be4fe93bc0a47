"""When a site is open, by the clock on its wall. (pure)

    [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "12:00"}, …]

Days are ISO weekdays, Monday is 1. `closes` is the first minute at which it is shut, and
may be "24:00". No hours at all: nobody said, so it counts as open. Judged by the local time
alone, so an hour that a change of the clocks repeats is open twice, and one that it skips
never came.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from accounts.refusals import FieldError

Hours: TypeAlias = Sequence[Mapping[str, Any]]

MOST_ENTRIES: Final = 50
# A longer window holds every weekday whole, however it begins.
EVERY_DAY: Final = timedelta(days=8)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


def minute_of_day(clock: str) -> int:
    """Minutes since midnight of "HH:MM", up to "24:00". ValueError when it is neither."""
    if not _CLOCK.fullmatch(clock):
        raise ValueError(f"{clock!r} is not a time of day like 08:30")
    return int(clock[:2]) * 60 + int(clock[3:])


def hours_problems(hours: Hours) -> Iterator[FieldError]:
    """What is wrong with hours whose times can be read: reversed, over midnight, overlapping."""
    taken: list[tuple[int, int, int]] = []
    for index, entry in enumerate(hours):
        opens, closes = minute_of_day(entry["opens"]), minute_of_day(entry["closes"])
        if closes <= opens:
            yield FieldError(
                f"/{index}/closes",
                "over_midnight",
                "It closes after it opens. Open over midnight is two entries: one that closes"
                " at 24:00, and one that opens at 00:00 on the day after.",
            )
            continue
        for day in entry["days"]:
            if any(day == of and opens < end and begin < closes for of, begin, end in taken):
                detail = f"On day {day} it is open then already."
                yield FieldError(f"/{index}/opens", "overlaps", detail)
                break
        taken += [(day, opens, closes) for day in entry["days"]]


def is_open_at(hours: Hours, zone: ZoneInfo, at: datetime) -> bool:
    """Whether a site with these hours is open at a moment."""
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return not hours or any(
        local.isoweekday() in entry["days"]
        and minute_of_day(entry["opens"]) <= minute < minute_of_day(entry["closes"])
        for entry in hours
    )


def is_open_between(hours: Hours, zone: ZoneInfo, begin: datetime, end: datetime) -> bool:
    """Whether it is open at some moment from `begin` to `end`, both included."""
    if not hours or end - begin >= EVERY_DAY:
        return True
    # An opening that touches the window holds one of its ends, or lies in it with its first
    # or its last minute: asking for these is enough. Either may be skipped by a change of the
    # clocks, or lie outside the window of an opening that the change cuts in two.
    bounds = (at for at in _first_and_last_minutes(hours, zone, begin, end) if begin <= at <= end)
    return any(is_open_at(hours, zone, at) for at in (begin, end, *bounds))


def _first_and_last_minutes(
    hours: Hours, zone: ZoneInfo, begin: datetime, end: datetime
) -> Iterator[datetime]:
    """Of each opening on the days of a window; both where one comes twice."""
    day, last_day = begin.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last_day:
        for entry in hours:
            yield from _both(day, minute_of_day(entry["opens"]), zone)
            yield from _both(day, minute_of_day(entry["closes"]) - 1, zone)
        day += timedelta(days=1)


def _both(day: date, minute: int, zone: ZoneInfo) -> Iterator[datetime]:
    local = datetime.combine(day, time(*divmod(minute, 60)), tzinfo=zone)
    yield from (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
