"""From rows to moments and back: which fix and which stage event stand behind an entry."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple

from accounts.models import Truck
from missions.models import Mission, StageEvent, Stop
from missions.punctuality import Done, Split, split
from missions.stages import Stage
from tracking.evidence import superseded
from tracking.histories import StoredFix, Subject
from tracking.ingest.sent import LABEL_BY_KIND
from tracking.models import E7
from tracking.segmentation import Moment, Segment
from tracking.spans import Hand
from tracking.stop_times import stages_by_stop

# Clocks that differ by more than this are both told.
TWO_CLOCKS: Final = timedelta(minutes=1)
# What came in later than this is marked so where people read.
LATE: Final = timedelta(minutes=15)
_STAGES: Final = frozenset(stage.value for stage in Stage)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a segment beyond its own figures."""

    driver_id: int | None = None
    truck_id: int | None = None
    mission_id: int | None = None
    event: StageEvent | None = None
    received_at: datetime | None = None
    came_late_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    """Internal ids that a timeline has to name."""

    drivers: set[int] = field(default_factory=set)
    trucks: set[int] = field(default_factory=set)
    missions: set[int] = field(default_factory=set)


class Witnesses:
    """The fixes and stage events of one timeline."""

    def __init__(
        self,
        subject: Subject,
        fixes: Sequence[StoredFix],
        events: Sequence[StageEvent],
        hands: Sequence[Hand],
    ) -> None:
        self._fixes = fixes
        self._of_fix = {
            (event.driver_id, event.recorded_at, event.fix_id): event
            for event in events
            if event.fix_id is not None
        }
        keys = {(fix.driver_id, fix.recorded_at, fix.fix_id) for fix in fixes}
        gone = superseded(events)
        belonging = [
            event
            for event in events
            if (event.driver_id, event.recorded_at, event.fix_id) in keys
            or _belongs(event, subject, hands)
        ]
        self.superseded = [event for event in belonging if event.pk in gone]
        self._events = [event for event in belonging if event.pk not in gone]
        self._is_mission = isinstance(subject, Mission)
        self.stops: Mapping[Hashable | None, Stop] = {
            event.stop_id: event.stop for event in events if event.stop is not None
        }
        self._by_driver: defaultdict[int, list[StoredFix]] = defaultdict(list)
        for fix in fixes:
            self._by_driver[fix.driver_id].append(fix)
        self._events_at: defaultdict[tuple[Hashable, ...], list[StageEvent]] = defaultdict(list)
        for event in self._events:
            self._events_at[_mark(event.recorded_at, event.stage, event.stop_id)].append(event)
        self._at_stop = stages_by_stop(self._events)

    def moments(self) -> Iterator[Moment]:
        """One for each fix, and one for each stage that no fix stands for."""
        told: set[int] = set()
        live = {event.pk for event in self._events}
        for fix in self._fixes:
            event = self._event_of(fix) if fix.kind in _STAGES else None
            if event is not None and event.pk in live:
                told.add(event.pk)
            yield _moment(fix, event, is_bound=self._is_bound(fix, event, live))
        for event in self._events:
            if event.pk not in told:
                yield _bound(event)

    def split_of(self, dwell: Segment) -> Split:
        """How the time of a whole dwell was spent, from the stages within it."""
        if isinstance(dwell.stop, int):
            stages = self._at_stop[dwell.stop]
        else:
            stages = [event for event in self._events if event.stop_id is None]
        done = [Done(Stage(event.stage), event.recorded_at) for event in stages]
        within = [one for one in done if dwell.started_at <= one.at <= dwell.ended_at]
        return split(dwell.started_at, None if dwell.is_open else dwell.ended_at, within)

    def _event_of(self, fix: StoredFix) -> StageEvent | None:
        return self._of_fix.get((fix.driver_id, fix.recorded_at, fix.fix_id))

    def _is_bound(self, fix: StoredFix, event: StageEvent | None, live: set[int]) -> bool:
        """Whether a stage's fix is a stage of this timeline, not only a place on its way.

        A stage of another mission (groupage), or one that was corrected, is a place only.
        """
        if fix.kind not in _STAGES:
            return False
        return event.pk in live if event is not None else not self._is_mission

    def segment_of(self, event: StageEvent) -> Segment:
        """A stage as the segmentation would show it."""
        return Segment(
            type="stage",
            started_at=event.recorded_at,
            ended_at=event.recorded_at,
            duration_s=0,
            source=event.source,
            kind=Stage(event.stage).label,
            stop=event.stop_id,
            mission=event.mission_id,
            device=(event.driver_id, None),
            received_at=event.received_at,
            latitude=event.latitude,
            longitude=event.longitude,
            uncertainty_m=event.accuracy_m,
        )

    def of(self, segment: Segment) -> Seen:
        """Who and what is behind a segment."""
        if segment.type == "stage":
            return self._stage_seen(segment)
        device = segment.device
        driver_id = device[0] if isinstance(device, tuple) else None
        track = self._by_driver.get(driver_id or 0, [])
        first = bisect_right(track, segment.started_at, key=attrgetter("recorded_at"))
        last = bisect_right(track, segment.ended_at, key=attrgetter("recorded_at"))
        before = track[first - 1] if first else None
        apart = [
            fix
            for fix in track[max(0, first - 1) : last]
            if abs(fix.received_at - fix.recorded_at) > TWO_CLOCKS
        ]
        mission_id = segment.mission
        return Seen(
            driver_id=driver_id,
            truck_id=before.truck_id if before else None,
            mission_id=mission_id if isinstance(mission_id, int) else None,
            received_at=max((fix.received_at for fix in apart), default=None),
            came_late_at=max(
                (f.received_at for f in apart if f.received_at - f.recorded_at > LATE),
                default=None,
            ),
        )

    def _stage_seen(self, segment: Segment) -> Seen:
        stage = Stage[(segment.kind or "").upper()]
        found = self._events_at.get(_mark(segment.started_at, stage, segment.stop), [])
        event = found[0] if found else None
        device = segment.device
        driver_id = device[0] if isinstance(device, tuple) else None
        received_at = event.received_at if event is not None else segment.received_at
        clocks = clocks_apart(segment.started_at, received_at)
        mission_id = segment.mission
        return Seen(
            driver_id=event.driver_id if event is not None else driver_id,
            truck_id=event.truck_id if event is not None else self._truck_at(driver_id, segment),
            mission_id=mission_id if isinstance(mission_id, int) else None,
            event=event,
            received_at=clocks.received_at,
            came_late_at=clocks.came_late_at,
        )

    def _truck_at(self, driver_id: int | None, segment: Segment) -> int | None:
        track = self._by_driver.get(driver_id or 0, [])
        place = bisect_right(track, segment.started_at, key=attrgetter("recorded_at"))
        return track[place - 1].truck_id if place else None

    def ids_in(self, segments: Iterable[Segment]) -> Ids:
        """What has to be looked up to name everything."""
        ids = Ids()
        seen = [self.of(segment) for segment in segments]
        seen += [self.of(self.segment_of(event)) for event in self.superseded]
        for one in seen:
            ids.drivers.update({one.driver_id} - {None})  # type: ignore[arg-type]
            ids.trucks.update({one.truck_id} - {None})  # type: ignore[arg-type]
            ids.missions.update({one.mission_id} - {None})  # type: ignore[arg-type]
        return ids


class Clocks(NamedTuple):
    """When something came in, where that is worth telling (both) or marking (late)."""

    received_at: datetime | None
    came_late_at: datetime | None


def clocks_apart(recorded_at: datetime, received_at: datetime | None) -> Clocks:
    """`received_at` when the clocks differ by more than a minute; late: more than 15."""
    if received_at is None or abs(received_at - recorded_at) <= TWO_CLOCKS:
        return Clocks(None, None)
    return Clocks(received_at, received_at if received_at - recorded_at > LATE else None)


def _belongs(event: StageEvent, subject: Subject, hands: Sequence[Hand]) -> bool:
    """Whether a stage without a fix belongs. A truck's only while its driver had that truck."""
    if not isinstance(subject, Truck):
        return True
    if event.truck_id is not None:
        return event.truck_id == subject.pk
    return any(
        hand.driver_id == event.driver_id and hand.begin_at <= event.recorded_at < hand.end_at
        for hand in hands
    )


def _mark(recorded_at: datetime, stage: int, stop: Hashable | None) -> tuple[Hashable, ...]:
    return recorded_at, int(stage), stop


def _moment(fix: StoredFix, event: StageEvent | None, *, is_bound: bool) -> Moment:
    is_stage = fix.kind in _STAGES
    return Moment(
        recorded_at=fix.recorded_at,
        kind="distance" if is_stage and not is_bound else LABEL_BY_KIND[fix.kind],
        latitude=fix.latitude_e7 / E7,
        longitude=fix.longitude_e7 / E7,
        accuracy_m=fix.accuracy_m,
        odometer_m=fix.odometer_m,
        stop=event.stop_id if event is not None and is_bound else None,
        mission=event.mission_id if event is not None and is_bound else fix.mission_id,
        received_at=fix.received_at,
        device=(fix.driver_id, fix.device_id),
        source=event.source if event is not None and is_bound else "driver",
    )


def _bound(event: StageEvent) -> Moment:
    """A stage whose fix is not there: a bound in time, not a place between two legs.

    Its own position is shown with it; but a line between the stages of a day whose route has
    expired would be a route that nobody drove.
    """
    return Moment(
        recorded_at=event.recorded_at,
        kind=Stage(event.stage).label,
        stop=event.stop_id,
        mission=event.mission_id,
        received_at=event.received_at,
        source=event.source,
    )
