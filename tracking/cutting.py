"""Cut what was recorded into segments: one way for a day, for a mission and for a month's sums.

What is read is given; nothing here asks the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from accounts.duty_periods import Mark
from accounts.models import Employer, TrackingWindow
from missions.models import StageEvent
from tracking.days import whole_seconds
from tracking.histories import StoredFix, Subject
from tracking.legs import continuous
from tracking.people import readable_drivers
from tracking.segmentation import Segment, Segmentation, segmentation
from tracking.spans import Hand
from tracking.tracked import Period, clipped, cut_at, reach, tracked_periods, with_strays
from tracking.witnesses import Witnesses

# How far beyond a day a duty or mission is followed that goes on through midnight.
FARTHEST: Final = timedelta(hours=24)
# Where the employer tracks always, nothing says that something goes on: far enough for a move.
ALWAYS_BEYOND: Final = timedelta(hours=1)
# What lasted less is not told.
SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DayWindows:
    """When a day's drivers were tracked, and what has to be read to cut the day.

    `windows` may overlap and reach as far as FARTHEST beyond the day, since each of their bounds
    cuts; `on_duty` is when a duty or a mission was open within the day, less private mode.
    """

    windows: list[Period]
    read: Period
    on_duty: list[Period]


def farthest_of(day: Period) -> Period:
    """How far beyond a day its duties, missions and hands matter."""
    return day[0] - FARTHEST, day[1] + FARTHEST


def day_windows(
    employer: Employer,
    day: Period,
    hands: Sequence[Hand],
    marks: Mapping[int, Sequence[Mark]],
    missions: Mapping[int, Sequence[Period]],
) -> DayWindows:
    """`hands`, `marks` and open `missions` are those of the day and at least FARTHEST around it."""
    farthest = farthest_of(day)
    windows: list[Period] = []
    on_duty: list[Period] = []
    read = day
    for driver_id in readable_drivers(hands):
        held = [*clipped(hands_of(driver_id, hands), *farthest)]
        for name in {employer.tracking_window, TrackingWindow.DUTY}:
            periods = [
                part
                for began_at, ended_at in tracked_periods(
                    name, marks.get(driver_id, ()), missions.get(driver_id, ()), *farthest
                )
                for part in clipped(held, began_at, ended_at)
            ]
            if name == employer.tracking_window:
                windows += periods
            if name == TrackingWindow.DUTY:
                on_duty += clipped(periods, *day)
                read = _reaching(read, periods, day)
    if employer.tracking_window == TrackingWindow.ALWAYS:
        read = min(read[0], day[0] - ALWAYS_BEYOND), max(read[1], day[1] + ALWAYS_BEYOND)
    return DayWindows(windows, read, continuous(on_duty))


def _reaching(read: Period, periods: Sequence[Period], day: Period) -> Period:
    return (
        min(read[0], reach(periods, day[0])[0]),
        max(read[1], reach(periods, day[1])[1]),
    )


def hands_of(driver_id: int, hands: Iterable[Hand]) -> list[Period]:
    """When a driver had it. What named a mission before its departure came in overlaps with
    the mission itself, and is no bound of anything."""
    own = [(hand.begin_at, hand.end_at) for hand in hands if hand.driver_id == driver_id]
    return continuous(own)


@dataclass(frozen=True, slots=True)
class Cut:
    """`whole` is all that was read, `segments` what of it lies within the bounds.

    `distance_m` is the sum of `segments`, a lower bound when the method is `fixes`. `tracked` are
    the windows within the bounds, with those around what was recorded outside of all.
    """

    witnesses: Witnesses
    whole: Segmentation
    segments: list[Segment]
    distance_m: float
    distance_method: str
    flagged_legs: int
    tracked: list[Period]


def cut(
    subject: Subject,
    bounds: Period,
    read: Period,
    *,
    windows: Sequence[Period],
    hands: Sequence[Hand],
    fixes: Sequence[StoredFix],
    events: Sequence[StageEvent],
) -> Cut:
    """`fixes` and `events` are those of `read`; `bounds` is what is to be shown of it."""
    witnesses = Witnesses(subject, fixes, events, hands)
    shown = with_strays([*clipped(windows, *read)], (fix.recorded_at for fix in fixes))
    shown = cut_at(cut_at(shown, bounds[0]), bounds[1])
    whole = segmentation(
        witnesses.moments(), windows=shown, min_spacing_m=float(subject.employer.min_spacing_m)
    )
    segments = [within for one in whole.segments if (within := _within(one, bounds)) is not None]
    totals = _totals(whole, segments)
    tracked = continuous([*clipped(shown, *bounds)])
    return Cut(witnesses, whole, [one for one in segments if _is_told(one)], *totals, tracked)


def _within(segment: Segment, bounds: Period) -> Segment | None:
    """The part of a segment inside the bounds; None when there is none.

    Moves, standstills and gaps were cut at the bounds already; a dwell is cut here, and its
    few metres on the yard are shared by time.
    """
    begin_at, end_at = bounds
    if segment.started_at == segment.ended_at:
        return segment if begin_at <= segment.started_at < end_at else None
    started_at, ended_at = max(segment.started_at, begin_at), min(segment.ended_at, end_at)
    if started_at >= ended_at:
        return None
    if (started_at, ended_at) == (segment.started_at, segment.ended_at):
        return segment
    share = (ended_at - started_at) / (segment.ended_at - segment.started_at)
    return replace(
        segment,
        started_at=started_at,
        ended_at=ended_at,
        duration_s=whole_seconds(started_at, ended_at),
        distance_m=segment.distance_m * share,
        distance_method="fixes",
    )


def _is_told(segment: Segment) -> bool:
    """A mission ends a microsecond after its last stage: what lies between is no part of a day."""
    is_detected = segment.type in ("move", "standstill", "gap")
    return not is_detected or segment.ended_at - segment.started_at >= SHORTEST


def _totals(whole: Segmentation, shown: Sequence[Segment]) -> tuple[float, str, int]:
    if len(shown) == len(whole.segments) and shown == whole.segments:
        return whole.distance_m, whole.distance_method, whole.flagged_legs
    driven = [segment for segment in shown if segment.distance_m > 0]
    by_fixes = any(segment.distance_method == "fixes" for segment in driven) or not driven
    return (
        sum(segment.distance_m for segment in driven),
        "fixes" if by_fixes else "odometer",
        sum(segment.flagged_legs for segment in shown),
    )
