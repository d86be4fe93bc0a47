"""Planned against actual: when a driver came, how long what took, and what is late. (pure)

The stages of one stop go in, oldest first, without those that were corrected. What is
missing, or contradicts the order of things, gives None: never a negative duration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from missions.stages import Stage

# A truck on its way to a stop, as the crow flies: the glossary's 50 km/h.
APPROACH_MPS: Final = 50 / 3.6
STARTS: Final = {
    Stage.LOADING_STARTED: Stage.LOADING_ENDED,
    Stage.UNLOADING_STARTED: Stage.UNLOADING_ENDED,
}
# What shows that somebody worked at a stop, in contrast to having only been there.
WORK: Final = frozenset({*STARTS, *STARTS.values(), Stage.SIGNATURE})


class Done(NamedTuple):
    """A stage that stands, at one stop. There are tens of thousands of them in a day."""

    stage: Stage
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was planned for a stop, and how far beside a planned time is on time, in seconds.

    With a window the window alone decides; one of its bounds may be open.
    """

    window_start_at: datetime | None = None
    window_end_at: datetime | None = None
    planned_arrival_at: datetime | None = None
    planned_departure_at: datetime | None = None
    free_time_s: int | None = None
    early_s: int = 900
    late_s: int = 900

    @property
    def earliest_at(self) -> datetime | None:
        """Before this an arrival is early; None: never."""
        if self.has_window or self.planned_arrival_at is None:
            return self.window_start_at
        return self.planned_arrival_at - timedelta(seconds=self.early_s)

    @property
    def latest_at(self) -> datetime | None:
        """After this an arrival is late; None: never."""
        if self.has_window or self.planned_arrival_at is None:
            return self.window_end_at
        return self.planned_arrival_at + timedelta(seconds=self.late_s)

    @property
    def has_window(self) -> bool:
        return self.window_start_at is not None or self.window_end_at is not None


class Planned(Protocol):
    """A stop, as far as its plan goes."""

    @property
    def window_start_at(self) -> datetime | None: ...
    @property
    def window_end_at(self) -> datetime | None: ...
    @property
    def planned_arrival_at(self) -> datetime | None: ...
    @property
    def planned_departure_at(self) -> datetime | None: ...
    @property
    def free_time_s(self) -> int | None: ...


class Tolerance(Protocol):
    """An employer, as far as it says what is on time."""

    @property
    def early_s(self) -> int: ...
    @property
    def late_s(self) -> int: ...


def plan_of(stop: Planned, employer: Tolerance) -> Plan:
    """The plan for a stop, with its employer's tolerances."""
    return Plan(
        window_start_at=stop.window_start_at,
        window_end_at=stop.window_end_at,
        planned_arrival_at=stop.planned_arrival_at,
        planned_departure_at=stop.planned_departure_at,
        free_time_s=stop.free_time_s,
        early_s=employer.early_s,
        late_s=employer.late_s,
    )


@dataclass(frozen=True, slots=True)
class Split:
    """How the time at a stop was spent, in whole seconds; None: it cannot be told.

    `end_inferred`: an end of (un)loading was not marked, and is taken to be the signature,
    else the departure.
    """

    waiting_s: int | None = None
    loading_s: int | None = None
    unloading_s: int | None = None
    paperwork_s: int | None = None
    end_inferred: bool = False


@dataclass(frozen=True, slots=True)
class Punctuality:
    """What became of the plan for one stop. Deltas are positive when late."""

    arrived_at: datetime | None = None
    departed_at: datetime | None = None
    arrival_delta_s: int | None = None
    departure_delta_s: int | None = None
    on_time: bool | None = None
    dwell_s: int | None = None
    detention_s: int | None = None
    split: Split = Split()
    visit_count: int = 0


@dataclass(frozen=True, slots=True)
class _Presence:
    arrived_at: datetime | None
    departed_at: datetime | None
    stages: tuple[Done, ...]


def whole_seconds(started_at: datetime, ended_at: datetime) -> int:
    """Seconds between two instants, each cut to its second.

    This is the difference of the two times as a page shows them, and the durations of
    neighbours add up to the duration of both: 30.9 -> 31.1 -> 32.0 is 1 s + 1 s = 2 s.
    """
    elapsed = ended_at.replace(microsecond=0) - started_at.replace(microsecond=0)
    return elapsed.days * 86_400 + elapsed.seconds


@dataclass(frozen=True, slots=True)
class Compared:
    """One arrival or departure beside its plan; None: nothing was planned for it."""

    planned_at: datetime | None
    delta_s: int | None
    on_time: bool | None = None


def compared(plan: Plan, stage: Stage, at: datetime) -> Compared:
    """An arrival or a departure against its plan. Only an arrival is on time or not."""
    if stage == Stage.DEPARTURE:
        return Compared(plan.planned_departure_at, _between(plan.planned_departure_at, at))
    planned_at = plan.planned_arrival_at
    return Compared(planned_at, _between(planned_at, at), is_on_time(plan, at))


def punctuality(plan: Plan, stages: Sequence[Done]) -> Punctuality:
    """Of the visit in which work was done; of several the last one, of none the last visit.

    Whoever was sent away and came back is judged by the visit that counts; both are on the
    timeline.
    """
    found = _presences(stages)
    if not found:
        return Punctuality()
    visit = _that_counts(found)
    arrived_at, departed_at = visit.arrived_at, visit.departed_at
    dwell_s = _between(arrived_at, departed_at)
    return Punctuality(
        arrived_at=arrived_at,
        departed_at=departed_at,
        arrival_delta_s=_between(plan.planned_arrival_at, arrived_at),
        departure_delta_s=_between(plan.planned_departure_at, departed_at),
        on_time=None if arrived_at is None else is_on_time(plan, arrived_at),
        dwell_s=dwell_s,
        detention_s=detention_s(dwell_s, plan.free_time_s),
        split=split(arrived_at, departed_at, visit.stages),
        visit_count=sum(one.arrived_at is not None for one in found),
    )


def came_and_went(stages: Sequence[Done]) -> tuple[datetime | None, datetime | None]:
    """Arrival and departure of the visit that counts, as `punctuality` has them."""
    found = _presences(stages)
    if not found:
        return None, None
    visit = _that_counts(found)
    return visit.arrived_at, visit.departed_at


def _that_counts(visits: Sequence[_Presence]) -> _Presence:
    worked = [one for one in visits if any(done.stage in WORK for done in one.stages)]
    return (worked or visits)[-1]


def is_on_time(plan: Plan, arrived_at: datetime) -> bool | None:
    """Whether an arrival keeps the window, else the planned time. None: nothing was planned."""
    earliest_at, latest_at = plan.earliest_at, plan.latest_at
    if earliest_at is None and latest_at is None:
        return None
    return not (
        (earliest_at and arrived_at < earliest_at) or (latest_at and arrived_at > latest_at)
    )


def beside_plan_s(plan: Plan, arrived_at: datetime) -> int:
    """Seconds after the last moment that is on time; negative before the first; else 0."""
    if plan.latest_at is not None and arrived_at > plan.latest_at:
        return whole_seconds(plan.latest_at, arrived_at)
    if plan.earliest_at is not None and arrived_at < plan.earliest_at:
        return whole_seconds(plan.earliest_at, arrived_at)
    return 0


def detention_s(dwell_s: int | None, free_time_s: int | None) -> int | None:
    """The billable part of a dwell. None without an end, or when no free time was agreed."""
    if dwell_s is None or free_time_s is None:
        return None
    return max(0, dwell_s - free_time_s)


def is_otif(on_time: bool | None, result: str) -> bool | None:
    """On time in full. None while one of the two is unknown and the other is good."""
    parts = (on_time, None if not result else result == "succeeded")
    if False in parts:
        return False
    return None if None in parts else True


def is_at_risk(plan: Plan, now: datetime, distance_m: float | None) -> bool:
    """Whether a stop not reached yet will be late even if nothing goes wrong from here.

    `distance_m` is from the driver's newest position to the site, as the crow flies; None:
    nobody knows, and it is at risk when its time has passed. Callers ask only for stops
    without an arrival and without a result.
    """
    if plan.latest_at is None:
        return False
    return now + timedelta(seconds=(distance_m or 0.0) / APPROACH_MPS) > plan.latest_at


def split(
    arrived_at: datetime | None, departed_at: datetime | None, stages: Sequence[Done]
) -> Split:
    """Waiting, loading, unloading and paperwork within one visit.

    With one action in a visit of which both ends are known, they add up to the dwell.
    """
    inside = [done for done in stages if _is_within(done.at, arrived_at, departed_at)]
    first_start_at = next((done.at for done in inside if done.stage in STARTS), None)
    spans = {start: _span(start, inside, departed_at) for start in STARTS}
    ends = [ended_at for _, ended_at, _ in spans.values() if ended_at is not None]
    return Split(
        waiting_s=_between(arrived_at, first_start_at),
        loading_s=_between(*spans[Stage.LOADING_STARTED][:2]),
        unloading_s=_between(*spans[Stage.UNLOADING_STARTED][:2]),
        paperwork_s=_between(max(ends), departed_at) if ends else None,
        end_inferred=any(inferred for _, _, inferred in spans.values()),
    )


def _span(
    start: Stage, inside: Sequence[Done], departed_at: datetime | None
) -> tuple[datetime | None, datetime | None, bool]:
    """When an action began and ended, and whether the end is inferred.

    From its first start to its last end: pauses are part of it. Of an end without a start
    nothing is known but the end.
    """
    started_at = next((done.at for done in inside if done.stage == start), None)
    ends = [done.at for done in inside if done.stage == STARTS[start]]
    if started_at is None:
        return None, ends[-1] if ends else None, False
    ends = [at for at in ends if at >= started_at]
    if ends:
        return started_at, ends[-1], False
    signed = (done.at for done in inside if done.stage == Stage.SIGNATURE and done.at >= started_at)
    ended_at = next(signed, departed_at)
    return started_at, ended_at, ended_at is not None


def _presences(stages: Sequence[Done]) -> list[_Presence]:
    """Visits of one stop: from an arrival to the next departure; the first or last half open.

    One more arrival before the departure is one more press. What was pressed before any
    arrival is a visit whose arrival was forgotten; what was pressed after the departure
    belongs to none, so it makes no time negative.
    """
    found: list[_Presence] = []
    inside: list[Done] = []
    arrived_at: datetime | None = None
    for done in stages:
        if done.stage == Stage.ARRIVAL and arrived_at is None:
            arrived_at, inside = done.at, []
        elif done.stage == Stage.DEPARTURE:
            if arrived_at is not None or not found:
                found.append(_Presence(arrived_at, done.at, tuple(inside)))
            arrived_at, inside = None, []
        elif arrived_at is not None or not found:
            inside.append(done)
    if arrived_at is not None or inside:
        found.append(_Presence(arrived_at, None, tuple(inside)))
    return found


def _is_within(at: datetime, begin_at: datetime | None, end_at: datetime | None) -> bool:
    return (begin_at is None or begin_at <= at) and (end_at is None or at <= end_at)


def _between(started_at: datetime | None, ended_at: datetime | None) -> int | None:
    if started_at is None or ended_at is None:
        return None
    return whole_seconds(started_at, ended_at)
