"""A driver's or a truck's month, day by day: hours, kilometres, missions.

Each day is cut by the very function that cuts it for its page, so both say the same. The month
is read once, a week of fixes in memory at a time: a heavy month has 50,000 of them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from accounts.models import Driver, Truck
from missions.models import MissionAssignment, MissionStatus, StageEvent, StopResult
from tracking.cutting import FARTHEST, cut, day_windows, farthest_of
from tracking.day_bars import Sums, bars, loadings, passed_s, sums_of
from tracking.days import whole_day
from tracking.evidence import marks_of, open_missions_of, stages_of
from tracking.histories import History, StoredFix
from tracking.people import readable_drivers
from tracking.spans import Hand, hands_of_truck, spans_of_driver, spans_of_truck
from tracking.tracked import Period

# Fixes that are in memory at once.
READ_AT_ONCE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DaySums:
    """One day of a month, as its own page says it.

    `first_at` and `last_at` are when the first part of the day began and the last one ended,
    None on a day without anything. `distance_m` is a lower bound when the method is `fixes`.
    """

    day: date
    sums: Sums
    on_duty_s: int
    distance_m: float
    distance_method: str
    first_at: datetime | None
    last_at: datetime | None
    missions_completed: int
    stops_failed: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known of it."""
        return self.first_at is None and not (
            self.on_duty_s or self.missions_completed or self.stops_failed
        )


def days_of_month(month: date) -> list[date]:
    """The days of the month in which `month` lies."""
    first = month.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return [first + timedelta(days=n) for n in range((following - first).days)]


def month_sums(subject: Driver | Truck, month: date, now: datetime) -> list[DaySums]:
    """Every day of a month in the employer's zone.

    Eleven queries for a driver. For a truck twelve, and more where it changed hands more than
    16 times in a week. Of a frozen driver nothing is read.
    """
    zone = ZoneInfo(subject.employer.timezone)
    days = days_of_month(month)
    whole = whole_day(days[0], zone)[0], whole_day(days[-1], zone)[1]
    source = _Month.read(subject, whole)
    completed, failed = _missions_completed(subject, whole), _stops_failed(subject, whole)
    ended_on = Counter(at.astimezone(zone).date() for at in completed)
    failed_on = Counter(at.astimezone(zone).date() for at in failed)
    return [
        source.day_sums(day, whole_day(day, zone), now, ended_on[day], failed_on[day])
        for day in days
    ]


class _Fixes:
    """The fixes of ranges that only move forward, a week of them in memory."""

    def __init__(self, subject: Driver | Truck, around: Period, hands: Sequence[Hand]) -> None:
        self._subject = subject
        self._hands = hands
        self._read_until, self._end_at = around
        self._fixes: list[StoredFix] = []

    def between(self, begin_at: datetime, end_at: datetime) -> list[StoredFix]:
        """Those in `[begin_at, end_at)`; what lies before `begin_at` less a day is forgotten."""
        keep_from = begin_at - FARTHEST
        while self._read_until < min(end_at, self._end_at):
            following = min(self._read_until + READ_AT_ONCE, self._end_at)
            self._fixes = self._since(keep_from)
            self._fixes += self._history(self._read_until, following).fixes()
            self._read_until = following
        since = self._since(begin_at)
        return since[: bisect_left(since, end_at, key=attrgetter("recorded_at"))]

    def _since(self, begin_at: datetime) -> list[StoredFix]:
        return self._fixes[bisect_left(self._fixes, begin_at, key=attrgetter("recorded_at")) :]

    def _history(self, begin_at: datetime, end_at: datetime) -> History:
        subject = self._subject
        if isinstance(subject, Driver):
            spans = spans_of_driver(subject, begin_at, end_at)
        else:
            hands = _hands_in(self._hands, (begin_at, end_at))
            spans = spans_of_truck(subject, begin_at, end_at, hands)
        return History(subject, begin_at, end_at, tuple(spans))


def _hands_in(hands: Sequence[Hand], period: Period) -> list[Hand]:
    """What of each hand lies in a period, as a query for that period gives it."""
    return [
        hand._replace(begin_at=max(hand.begin_at, period[0]), end_at=min(hand.end_at, period[1]))
        for hand in hands
        if hand.begin_at < period[1] and hand.end_at > period[0]
    ]


@dataclass(frozen=True, slots=True)
class _Month:
    """What a month's days are cut from, read once for all of them."""

    subject: Driver | Truck
    hands: list[Hand]
    marks: Any
    missions: Any
    events: list[StageEvent]
    fixes: _Fixes

    @classmethod
    def read(cls, subject: Driver | Truck, whole: Period) -> "_Month":
        around = farthest_of(whole)
        if isinstance(subject, Driver):
            is_frozen = subject.frozen_at is not None
            hands = [Hand(*around, subject.pk, None, is_frozen)]
        else:
            hands = hands_of_truck(subject, *around)
        drivers = readable_drivers(hands)
        return cls(
            subject,
            hands,
            marks_of(drivers, *around),
            open_missions_of(drivers, *around),
            stages_of(subject, drivers, *around),
            _Fixes(subject, around, hands),
        )

    def day_sums(
        self, day: date, bounds: Period, now: datetime, completed: int, failed: int
    ) -> DaySums:
        hands = _hands_in(self.hands, farthest_of(bounds))
        found = day_windows(self.subject.employer, bounds, hands, self.marks, self.missions)
        made = cut(
            self.subject,
            bounds,
            found.read,
            windows=found.windows,
            hands=hands,
            fixes=self.fixes.between(*found.read),
            events=self._events(found.read, hands),
        )
        parts = bars(
            made.segments,
            bounds,
            until=now,
            tracked=made.tracked,
            loadings=loadings(made.whole.segments, bounds),
        )
        return DaySums(
            day=day,
            sums=sums_of(parts, made.segments),
            on_duty_s=passed_s(found.on_duty, now),
            distance_m=made.distance_m,
            distance_method=made.distance_method,
            first_at=min((one.started_at for one in made.segments), default=None),
            last_at=max((one.ended_at for one in made.segments), default=None),
            missions_completed=completed,
            stops_failed=failed,
        )

    def _events(self, read: Period, hands: Sequence[Hand]) -> list[StageEvent]:
        first = bisect_left(self.events, read[0], key=attrgetter("recorded_at"))
        last = bisect_left(self.events, read[1], key=attrgetter("recorded_at"))
        drivers = {*readable_drivers(hands), None}
        return [event for event in self.events[first:last] if event.driver_id in drivers]


def _assigned(subject: Driver | Truck) -> Q:
    """Whose a mission was. Of a truck also an erased driver's, never a frozen one's."""
    if isinstance(subject, Driver):
        return Q(driver=subject, driver__frozen_at=None)
    return Q(truck=subject, driver__frozen_at=None)


def _missions_completed(subject: Driver | Truck, whole: Period) -> list[datetime]:
    """When each mission was completed that the subject had at that moment. One query."""
    rows = MissionAssignment.objects.filter(
        _assigned(subject),
        mission__status=MissionStatus.COMPLETED,
        mission__ended_at__gte=whole[0],
        mission__ended_at__lt=whole[1],
        period__contains=F("mission__ended_at"),
    )
    return [at for at in rows.values_list("mission__ended_at", flat=True) if at is not None]


def _stops_failed(subject: Driver | Truck, whole: Period) -> list[datetime]:
    """When each stop was said to have failed, of missions the subject had then. One query."""
    rows = MissionAssignment.objects.filter(
        _assigned(subject),
        mission__stops__result=StopResult.FAILED,
        mission__stops__result_at__gte=whole[0],
        mission__stops__result_at__lt=whole[1],
        period__contains=F("mission__stops__result_at"),
    )
    return [at for at in rows.values_list("mission__stops__result_at", flat=True) if at is not None]
