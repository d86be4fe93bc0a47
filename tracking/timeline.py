"""A driver's day, a truck's day or a mission, as a list of entries.

1. Who had it when (spans.py), and when they were tracked at all (tracked.py).
2. The fixes, through histories.py like every read of positions, and the stages beside them.
3. segmentation.py cuts them; what lies outside the day is cut off, at its very midnight.

Nothing is stored: a late fix is simply there at the next read. A day is read a little beyond
its bounds, as far as a duty or a mission goes on through midnight, so that what crosses it
shows on both days, with each kilometre on one of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from accounts.models import Driver, TrackingWindow, Truck
from missions.models import Mission, StageEvent, Stop
from tracking.days import whole_day, whole_seconds
from tracking.evidence import marks_of, named, open_missions_of, stages_of
from tracking.histories import CLOCK_AHEAD, StoredFix, Subject, history_of
from tracking.segmentation import Segment, Segmentation, segmentation
from tracking.spans import Hand, extent_of_mission, hands_of_mission, hands_of_truck
from tracking.tracked import (
    Period,
    clipped,
    cut_at,
    periods_on,
    reach,
    tracked_periods,
    with_strays,
    without,
)
from tracking.witnesses import Witnesses

# How far beyond a day a duty or mission is followed that goes on through midnight.
FARTHEST: Final = timedelta(hours=24)
# Where the employer tracks always, nothing says that something goes on: far enough for a move.
ALWAYS_BEYOND: Final = timedelta(hours=1)

Availability = Literal["available", "not_available", "erased"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a timeline: a segment, and whom and what it concerns.

    `event` is the stage event of a stage, or None when only its fix is known. `received_at`
    is there when something in it came in more than 15 minutes late. `continues_before` and
    `continues_after` say that it was cut off at the bounds of the day.
    """

    segment: Segment
    driver: Driver | None = None
    truck: Truck | None = None
    mission: Mission | None = None
    stop: Stop | None = None
    event: StageEvent | None = None
    received_at: datetime | None = None
    is_superseded: bool = False
    continues_before: bool = False
    continues_after: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """Who drove from when to when. Of a driver who is not available only the times remain."""

    started_at: datetime
    ended_at: datetime
    driver: Driver | None
    availability: Availability


@dataclass(frozen=True, slots=True)
class Timeline:
    """`[started_at, ended_at)` is what it covers; `ended_at` None: the mission is open.

    `distance_m` is the sum of the entries; a lower bound when `distance_method` is `fixes`.
    `last_fix_at` is the newest fix in it: after that nothing is claimed.
    """

    timezone: str
    started_at: datetime | None
    ended_at: datetime | None
    distance_m: float = 0.0
    distance_method: str = "fixes"
    flagged_legs: int = 0
    last_fix_at: datetime | None = None
    shifts: list[Shift] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def timeline_of_driver(driver: Driver, day: date, now: datetime) -> Timeline:
    """One day in the employer's zone, across trucks and missions. At most seven queries.

    Of a frozen driver it is empty; callers answer 404 before they come here. Nobody says
    when a driver's shift was: it is shown on days with anything in them, until now.
    """
    begin_at, end_at = whole_day(day, ZoneInfo(driver.employer.timezone))
    hand = Hand(
        begin_at - FARTHEST, end_at + FARTHEST, driver.pk, None, driver.frozen_at is not None
    )
    found = _day(driver, (begin_at, end_at), [hand], now)
    return found if found.entries else replace(found, shifts=[])


def timeline_of_truck(truck: Truck, day: date, now: datetime) -> Timeline:
    """One day in the employer's zone, its drivers one after the other. At most nine queries."""
    begin_at, end_at = whole_day(day, ZoneInfo(truck.employer.timezone))
    hands = hands_of_truck(truck, begin_at - FARTHEST, end_at + FARTHEST)
    return _day(truck, (begin_at, end_at), hands, now)


def timeline_of_mission(mission: Mission, now: datetime) -> Timeline:
    """From its first moment to its last, across its drivers. At most ten queries."""
    extent = extent_of_mission(mission)
    if extent is None:
        return Timeline(mission.employer.timezone, None, None)
    whole = (extent.begin_at, extent.end_at or now + CLOCK_AHEAD)
    hands = hands_of_mission(mission, *whole)
    drivers = _readable(hands)
    marks = marks_of(drivers, *whole)
    # Open is tracked, whatever the window; private mode is not.
    windows = [
        period
        for driver_id in drivers
        for period in without(
            _hands_of(driver_id, hands), periods_on(marks[driver_id], "private", *whole)
        )
    ]
    found = _timeline(mission, whole, whole, windows, hands, now)
    return replace(found, ended_at=extent.ended_at)


def _day(subject: Driver | Truck, day: Period, hands: list[Hand], now: datetime) -> Timeline:
    employer = subject.employer
    farthest = day[0] - FARTHEST, day[1] + FARTHEST
    drivers = _readable(hands)
    marks = marks_of(drivers, *farthest)
    missions = open_missions_of(drivers, *farthest)
    windows: list[Period] = []
    read = day
    for driver_id in drivers:
        held = _hands_of(driver_id, hands)
        for name in {employer.tracking_window, TrackingWindow.DUTY}:
            periods = [
                part
                for began_at, ended_at in tracked_periods(
                    name, marks[driver_id], missions.get(driver_id, ()), *farthest
                )
                for part in clipped(held, began_at, ended_at)
            ]
            if name == employer.tracking_window:
                windows += periods
            if name == TrackingWindow.DUTY:
                read = _reaching(read, periods, day)
    if employer.tracking_window == TrackingWindow.ALWAYS:
        read = min(read[0], day[0] - ALWAYS_BEYOND), max(read[1], day[1] + ALWAYS_BEYOND)
    return _timeline(subject, day, read, windows, hands, now)


def _reaching(read: Period, periods: Sequence[Period], day: Period) -> Period:
    return (
        min(read[0], reach(periods, day[0])[0]),
        max(read[1], reach(periods, day[1])[1]),
    )


def _readable(hands: Iterable[Hand]) -> list[int]:
    return sorted({h.driver_id for h in hands if h.driver_id is not None and not h.is_frozen})


def _hands_of(driver_id: int, hands: Iterable[Hand]) -> list[Period]:
    return [(hand.begin_at, hand.end_at) for hand in hands if hand.driver_id == driver_id]


def _timeline(
    subject: Subject,
    bounds: Period,
    read: Period,
    windows: Sequence[Period],
    hands: Sequence[Hand],
    now: datetime,
) -> Timeline:
    """Read `read`, show `bounds`."""
    employer = subject.employer
    fixes = history_of(subject, *read).fixes()
    events = stages_of(subject, _readable(hands), *read)
    witnesses = Witnesses(subject, fixes, events, hands)
    shown = with_strays([*clipped(windows, *read)], (fix.recorded_at for fix in fixes))
    shown = cut_at(cut_at(shown, bounds[0]), bounds[1])
    cut = segmentation(
        witnesses.moments(), windows=shown, min_spacing_m=float(employer.min_spacing_m)
    )
    segments = [within for one in cut.segments if (within := _within(one, bounds)) is not None]
    people = _People.of(segments, witnesses, hands)
    entries = [_continued(people.entry(segment), cut, bounds) for segment in segments]
    entries += [people.superseded_entry(e) for e in witnesses.superseded if _is_in(e, bounds)]
    entries.sort(key=_place)
    distance_m, method, flagged_legs = _totals(cut, segments)
    return Timeline(
        timezone=employer.timezone,
        started_at=bounds[0],
        ended_at=bounds[1],
        distance_m=distance_m,
        distance_method=method,
        flagged_legs=flagged_legs,
        last_fix_at=_last(fixes, bounds),
        shifts=people.shifts(hands, (bounds[0], min(bounds[1], now))),
        entries=entries,
    )


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


def _continued(entry: Entry, cut: Segmentation, bounds: Period) -> Entry:
    """Say of what touches the bounds whether it goes on beyond them."""
    shown = entry.segment
    if shown.type == "stage" or not (shown.started_at == bounds[0] or shown.ended_at == bounds[1]):
        return entry
    alike = [one for one in cut.segments if (one.type, one.device) == (shown.type, shown.device)]
    return replace(
        entry,
        continues_before=shown.started_at == bounds[0]
        and any(one.started_at < bounds[0] <= one.ended_at for one in alike),
        continues_after=shown.ended_at == bounds[1]
        and any(one.started_at <= bounds[1] < one.ended_at for one in alike),
    )


def _is_in(event: StageEvent, bounds: Period) -> bool:
    return bounds[0] <= event.recorded_at < bounds[1]


def _place(entry: Entry) -> tuple[datetime, bool, datetime]:
    segment = entry.segment
    return segment.started_at, segment.type != "stage", segment.ended_at


def _totals(cut: Segmentation, shown: Sequence[Segment]) -> tuple[float, str, int]:
    if len(shown) == len(cut.segments) and shown == cut.segments:
        return cut.distance_m, cut.distance_method, cut.flagged_legs
    driven = [segment for segment in shown if segment.distance_m > 0]
    by_fixes = any(segment.distance_method == "fixes" for segment in driven) or not driven
    return (
        sum(segment.distance_m for segment in driven),
        "fixes" if by_fixes else "odometer",
        sum(segment.flagged_legs for segment in shown),
    )


def _last(fixes: Sequence[StoredFix], bounds: Period) -> datetime | None:
    return max(
        (fix.recorded_at for fix in fixes if bounds[0] <= fix.recorded_at < bounds[1]),
        default=None,
    )


@dataclass(frozen=True, slots=True)
class _People:
    """The rows that the entries name, looked up once for all of them."""

    witnesses: Witnesses
    drivers: Mapping[int, Driver]
    trucks: Mapping[int, Truck]
    missions: Mapping[int, Mission]

    @classmethod
    def of(
        cls, segments: Iterable[Segment], witnesses: Witnesses, hands: Collection[Hand]
    ) -> "_People":
        ids = witnesses.ids_in(segments)
        driver_ids = ids.drivers | set(_readable(hands))
        return cls(witnesses, *named(driver_ids, ids.trucks, ids.missions))

    def entry(self, segment: Segment) -> Entry:
        seen = self.witnesses.of(segment)
        return Entry(
            segment=segment,
            driver=self.drivers.get(seen.driver_id or 0),
            truck=self.trucks.get(seen.truck_id or 0),
            mission=self.missions.get(seen.mission_id or 0),
            stop=self.witnesses.stops.get(segment.stop),
            event=seen.event,
            received_at=seen.received_at,
        )

    def superseded_entry(self, event: StageEvent) -> Entry:
        return replace(
            self.entry(self.witnesses.segment_of(event)), event=event, is_superseded=True
        )

    def shifts(self, hands: Iterable[Hand], bounds: Period) -> list[Shift]:
        """Who drove, in order; what touches or overlaps of one person is one shift."""
        runs: list[Hand] = []
        for hand in sorted(hands, key=lambda hand: hand.begin_at):
            last = runs[-1] if runs else None
            if last is None or not _is_one_shift(last, hand):
                runs.append(hand)
            elif hand.end_at > last.end_at:
                runs[-1] = hand._replace(begin_at=last.begin_at)
        return [
            self._shift(hand, began_at, ended_at)
            for hand in runs
            for began_at, ended_at in clipped([(hand.begin_at, hand.ended_at)], *bounds)
        ]

    def _shift(self, hand: Hand, began_at: datetime, ended_at: datetime) -> Shift:
        if hand.driver_id is None:
            return Shift(began_at, ended_at, None, "erased")
        if hand.is_frozen:
            return Shift(began_at, ended_at, None, "not_available")
        return Shift(began_at, ended_at, self.drivers.get(hand.driver_id), "available")


def _is_one_shift(last: Hand, hand: Hand) -> bool:
    who = last.driver_id, last.erased_driver
    return who == (hand.driver_id, hand.erased_driver) and hand.begin_at <= last.end_at
