"""When a driver was tracked at all: duties and open missions, less private mode. (pure)

Outside these periods nothing was stored because nothing may be, so a timeline shows neither
a standstill nor a gap there.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from accounts.duty_periods import DutyKind, Mark, duty_periods

Period = tuple[datetime, datetime]


def periods_on(
    marks: Iterable[Mark], kind: DutyKind, begin_at: datetime, end_at: datetime
) -> list[Period]:
    """When duty or private mode was on within `[begin_at, end_at)`, oldest first.

    `marks` holds the newest mark before the range, if any, and all within it, in any order.
    """
    found = (
        (period.started.recorded_at, period.ended.recorded_at if period.ended else end_at)
        for period in duty_periods(marks, kind)
    )
    return [*clipped(found, begin_at, end_at)]


def clipped(periods: Iterable[Period], begin_at: datetime, end_at: datetime) -> Iterator[Period]:
    """The parts of periods within a range; nothing for what lies outside."""
    for began_at, ended_at in periods:
        inside = max(began_at, begin_at), min(ended_at, end_at)
        if inside[0] < inside[1]:
            yield inside


def without(periods: Iterable[Period], holes: Iterable[Period]) -> list[Period]:
    """Periods less the holes, which come oldest first and do not overlap."""
    left = list(periods)
    for hole_begins, hole_ends in holes:
        left = [
            part
            for began_at, ended_at in left
            for part in (
                (began_at, min(ended_at, hole_begins)),
                (max(began_at, hole_ends), ended_at),
            )
            if part[0] < part[1]
        ]
    return left


def tracked_periods(
    window: str,
    marks: Sequence[Mark],
    missions: Iterable[Period],
    begin_at: datetime,
    end_at: datetime,
) -> list[Period]:
    """What an employer's window lets one know of a driver in a range; may overlap.

    Each period is a window of its own, so that the bounds of duties and missions cut the
    timeline. `window` is `mission`, `duty` or `always`.
    """
    periods = list(clipped(missions, begin_at, end_at))
    if window == "duty":
        periods += periods_on(marks, "duty", begin_at, end_at)
    elif window == "always":
        periods.append((begin_at, end_at))
    private = periods_on(marks, "private", begin_at, end_at)
    return sorted(without(periods, private))


def with_strays(periods: Sequence[Period], recorded: Iterable[datetime]) -> list[Period]:
    """Periods, and one more around each run of fixes that lie in none of them.

    What is stored was inside the window of its own time. When the employer changed the
    window since, or a mark was lost, it is shown all the same; the night is still not.
    """
    merged = _merged(periods)
    runs: list[list[datetime]] = []
    place, is_new = 0, True
    for at in sorted(recorded):
        while place < len(merged) and merged[place][1] < at:
            place, is_new = place + 1, True
        if place < len(merged) and merged[place][0] <= at:
            is_new = True
        elif is_new:
            runs.append([at, at])
            is_new = False
        else:
            runs[-1][1] = at
    return sorted([*periods, *((first, last) for first, last in runs if first < last)])


def _merged(periods: Iterable[Period]) -> list[Period]:
    merged: list[Period] = []
    for began_at, ended_at in sorted(periods):
        if merged and began_at <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended_at))
        else:
            merged.append((began_at, ended_at))
    return merged


def cut_at(periods: Sequence[Period], moment: datetime) -> list[Period]:
    """Periods with one bound more: the period around the moment begins there once more.

    It overlaps the one it is cut from, so that what goes on through the moment is one line
    of two parts.
    """
    later = [(moment, ended_at) for began_at, ended_at in periods if began_at < moment < ended_at]
    return sorted([*periods, *later])


def reach(periods: Iterable[Period], moment: datetime) -> Period:
    """The extent of all periods that go on through a moment; the moment itself without any."""
    through = [period for period in periods if period[0] < moment < period[1]]
    return (
        min((began_at for began_at, _ in through), default=moment),
        max((ended_at for _, ended_at in through), default=moment),
    )
