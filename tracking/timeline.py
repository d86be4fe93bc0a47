"""A driver's day, a truck's day or a mission, as a list of entries.

1. Who had it when (spans.py), and when they were tracked at all (tracked.py).
2. The fixes, through histories.py like every read of positions, and the stages beside them.
3. cutting.py cuts them; what lies outside the day is cut off, at its very midnight.
4. Beside the stages stand their plan, photos and signatures; amiss.py says what is wrong.

Nothing is stored: a late fix is simply there at the next read. A day is read a little beyond
its bounds, as far as a duty or a mission goes on through midnight, so that what crosses it
shows on both days, with each kilometre on one of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from accounts.models import Driver, Truck
from missions.models import Attachment, Mission, MissionStatus, Signature, StageEvent, Stop
from tracking.amiss import Amiss, amiss_at_stops, amiss_on_the_way
from tracking.cutting import FARTHEST, cut, day_windows, farthest_of, hands_of
from tracking.day_bars import loadings
from tracking.days import whole_day
from tracking.entries import Availability as Availability
from tracking.entries import Entry as Entry
from tracking.entries import Shift as Shift
from tracking.entries import Timeline as Timeline
from tracking.evidence import (
    corrections_of,
    marks_of,
    open_missions_of,
    proofs_of,
    stages_of,
)
from tracking.histories import CLOCK_AHEAD, Subject, history_of
from tracking.moments import INSTANTS
from tracking.people import People, readable_drivers
from tracking.segmentation import Segmentation
from tracking.spans import Hand, extent_of_mission, hands_of_mission, hands_of_truck
from tracking.stop_times import stop_times, stops_of
from tracking.tracked import Period, periods_on, without
from tracking.witnesses import Witnesses


def timeline_of_driver(driver: Driver, day: date, now: datetime) -> Timeline:
    """One day in the employer's zone, across trucks and missions. At most 10 queries.

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
    """One day in the employer's zone, its drivers one after the other. At most 12 queries."""
    begin_at, end_at = whole_day(day, ZoneInfo(truck.employer.timezone))
    hands = hands_of_truck(truck, begin_at - FARTHEST, end_at + FARTHEST)
    return _day(truck, (begin_at, end_at), hands, now)


def timeline_of_mission(mission: Mission, now: datetime) -> Timeline:
    """From its first moment to its last, across its drivers. At most 14 queries."""
    extent = extent_of_mission(mission)
    if extent is None:
        return Timeline(mission.employer.timezone, None, None)
    whole = (extent.begin_at, extent.end_at or now + CLOCK_AHEAD)
    hands = hands_of_mission(mission, *whole)
    drivers = readable_drivers(hands)
    marks = marks_of(drivers, *whole)
    # Open is tracked, whatever the window; private mode is not.
    windows = [
        period
        for driver_id in drivers
        for period in without(
            hands_of(driver_id, hands), periods_on(marks[driver_id], "private", *whole)
        )
    ]
    found = _timeline(mission, whole, whole, windows, hands, now)
    return replace(found, ended_at=extent.ended_at)


def _day(subject: Driver | Truck, day: Period, hands: list[Hand], now: datetime) -> Timeline:
    drivers = readable_drivers(hands)
    farthest = farthest_of(day)
    marks = marks_of(drivers, *farthest)
    missions = open_missions_of(drivers, *farthest)
    found = day_windows(subject.employer, day, hands, marks, missions)
    timeline = _timeline(subject, day, found.read, found.windows, hands, now)
    return replace(timeline, on_duty=found.on_duty)


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
    events = stages_of(subject, readable_drivers(hands), *read)
    proofs = proofs_of(subject, hands, *bounds)
    found = cut(subject, bounds, read, windows=windows, hands=hands, fixes=fixes, events=events)
    witnesses, segments = found.witnesses, found.segments
    people = People.of(segments, witnesses, hands, proofs, employer)
    entries = [_continued(people.entry(segment), found.whole, bounds) for segment in segments]
    entries += people.superseded_entries(bounds, corrections_of(events))
    stops, told = _stops(subject, witnesses, bounds)
    entries += people.proof_entries(proofs, events)
    entries += people.results(told, hands)
    entries.sort(key=_place)
    exceptions = _at_stops(subject, stops, events, proofs, now)
    in_bounds = [fix for fix in fixes if bounds[0] <= fix.recorded_at < bounds[1]]
    exceptions += amiss_on_the_way(in_bounds, events, segments)
    return Timeline(
        timezone=employer.timezone,
        started_at=bounds[0],
        ended_at=bounds[1],
        distance_m=found.distance_m,
        distance_method=found.distance_method,
        flagged_legs=found.flagged_legs,
        last_fix_at=max((fix.recorded_at for fix in in_bounds), default=None),
        fixes=in_bounds,
        shifts=people.shifts(hands, (bounds[0], min(bounds[1], now))),
        entries=entries,
        exceptions=exceptions,
        tracked=found.tracked,
        loadings=loadings(found.whole.segments, bounds),
    )


def _stops(subject: Subject, witnesses: Witnesses, bounds: Period) -> tuple[list[Stop], list[Stop]]:
    """The stops of a mission, or those that a day came by; and those with a result to show.

    A mission's results are shown also when somebody said them after its end.
    """
    if isinstance(subject, Mission):
        stops = stops_of(subject)
        return stops, stops
    stops = list(witnesses.stops.values())
    return stops, [s for s in stops if s.result_at and bounds[0] <= s.result_at < bounds[1]]


def _at_stops(
    subject: Subject,
    stops: Sequence[Stop],
    events: Sequence[StageEvent],
    proofs: Sequence[Attachment | Signature],
    now: datetime,
) -> list[Amiss]:
    """What is amiss at a mission's stops. A day has only parts of missions, and says nothing."""
    if not isinstance(subject, Mission) or subject.status == MissionStatus.CANCELLED:
        return []
    rows = stop_times(
        subject.employer,
        stops,
        events,
        photos=[proof for proof in proofs if isinstance(proof, Attachment)],
        signatures=[proof for proof in proofs if isinstance(proof, Signature)],
    )
    is_over = subject.ended_at is not None
    return amiss_at_stops(rows, subject.employer, now=now, is_over=is_over)


def _continued(entry: Entry, whole: Segmentation, bounds: Period) -> Entry:
    """Say of what touches the bounds whether it goes on beyond them."""
    shown = entry.segment
    if shown.type in INSTANTS or not (shown.started_at == bounds[0] or shown.ended_at == bounds[1]):
        return entry
    alike = [one for one in whole.segments if (one.type, one.device) == (shown.type, shown.device)]
    before = shown.started_at == bounds[0] and any(
        one.started_at < bounds[0] <= one.ended_at for one in alike
    )
    after = shown.ended_at == bounds[1] and any(
        one.started_at <= bounds[1] < one.ended_at for one in alike
    )
    if not (before or after):
        return entry
    # Of a part of a visit nobody can say how its time was spent.
    return replace(
        entry, continues_before=before, continues_after=after, split=None, detention_s=None
    )


def _place(entry: Entry) -> tuple[datetime, bool, datetime]:
    segment = entry.segment
    return segment.started_at, segment.type not in INSTANTS, segment.ended_at
