"""What a timeline is cut from, and what it is cut into. (pure)"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Literal

from missions.stages import STAGE_BY_LABEL

SegmentType = Literal[
    "move", "dwell", "standstill", "gap", "stage", "attachment", "signature", "result"
]
DistanceMethod = Literal["fixes", "odometer"]

# What happened at an instant; everything else lasted.
INSTANTS: frozenset[SegmentType] = frozenset({"stage", "attachment", "signature", "result"})
# Stages that decide where a move ends and a visit begins; all others happen inside one.
ARRIVAL = "arrival"
DEPARTURE = "departure"
# What only happens at a stop; a break or an exception can be anywhere.
AT_A_STOP = frozenset(
    {
        "waiting_started",
        "loading_started",
        "loading_ended",
        "unloading_started",
        "unloading_ended",
        "signature",
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A fix or a stage event, as far as a timeline needs it.

    A stage that has a position is one moment, not a stage and a fix. Latitude and
    longitude are both there or both None; without them a stage is only a bound. `stop`,
    `mission` and `device` are whatever identifies them to the caller. Legs join moments
    of one `device`, so a caller that must not join two drivers puts both into it.
    """

    recorded_at: datetime
    kind: str
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    odometer_m: float | None = None
    stop: Hashable | None = None
    mission: Hashable | None = None
    received_at: datetime | None = None
    device: Hashable | None = None
    source: str = "driver"

    @property
    def is_stage(self) -> bool:
        """Whether the driver marked something, in contrast to a distance fix or heartbeat."""
        return self.kind in STAGE_BY_LABEL


@dataclass(frozen=True, slots=True)
class Segment:
    """One entry of a timeline.

    `started_at` to `ended_at` is what the entry covers; `duration_s` is how long it
    lasted, which for a standstill is less: it stood somewhere on that leg, and the driving
    on it is taken off. `distance_m` belongs to the entry, so all entries together give the
    distance of the timeline; legs in doubt (`flagged_legs`) are counted there, not here.

    stage       an instant: `kind` says which; latitude and longitude where it had them
    attachment, signature, result   instants too, beside the track: `kind` says which
    dwell       exact, from stages; `is_open` while the departure is not known
    standstill  detected; stood within `uncertainty_m` of latitude and longitude (None: as
                exact as the phone); `is_crawling`: "standing or crawling", cannot tell
    gap         fixes are missing; `standstill_possible` when the mean speed is that low
    """

    type: SegmentType
    started_at: datetime
    ended_at: datetime
    duration_s: int
    distance_m: float = 0.0
    distance_method: DistanceMethod = "fixes"
    source: str = "fixes"
    kind: str | None = None
    stop: Hashable | None = None
    mission: Hashable | None = None
    device: Hashable | None = None
    received_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    uncertainty_m: float | None = None
    mean_speed_mps: float | None = None
    flagged_legs: int = 0
    is_open: bool = False
    is_crawling: bool = False
    standstill_possible: bool = False


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A track cut into segments, and how far it went in all.

    `distance_m` is a lower bound when `distance_method` is `fixes`: the road bends between
    two fixes. `flagged_legs` are the legs it leaves out as not believable.
    """

    segments: list[Segment]
    distance_m: float
    distance_method: DistanceMethod
    flagged_legs: int


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """Moments by `recorded_at`, the same list whatever order they came in, doubles dropped.

    Two places in one second are real (several phones, or one phone with a doubtful
    clock): they stay, in an order that depends on nothing but themselves.
    """
    ordered = sorted(_in_utc(list(moments)), key=_recorded_at)
    if all(a.recorded_at < b.recorded_at for a, b in pairwise(ordered)):
        return ordered
    single: list[Moment] = []
    for _, simultaneous in groupby(ordered, key=_recorded_at):
        single += _without_doubles(list(simultaneous))
    return single


_recorded_at = attrgetter("recorded_at")


def _in_utc(moments: list[Moment]) -> list[Moment]:
    # Python compares and subtracts two times of one zone by the clock on the wall, which is
    # an hour wrong across a change.
    if all(str(zone) == "UTC" for zone in {moment.recorded_at.tzinfo for moment in moments}):
        return moments
    return [replace(m, recorded_at=m.recorded_at.astimezone(UTC)) for m in moments]


def _without_doubles(simultaneous: list[Moment]) -> list[Moment]:
    if len(simultaneous) == 1:
        return simultaneous
    kept: list[Moment] = []
    for moment in sorted(simultaneous, key=_rank):
        if kept and _is_double(kept[-1], moment):
            # The rank puts the one without a stop first, and it knows less.
            if kept[-1].stop is None:
                kept[-1] = moment
        else:
            kept.append(moment)
    return kept


def _rank(moment: Moment) -> tuple[object, ...]:
    # An arrival opens and a departure closes what else happened in that same instant.
    turn = {ARRIVAL: 0, DEPARTURE: 2}.get(moment.kind, 1)
    return (
        turn,
        moment.kind,
        str(moment.device),
        -91.0 if moment.latitude is None else moment.latitude,
        -181.0 if moment.longitude is None else moment.longitude,
        "" if moment.stop is None else str(moment.stop),
        str(moment.mission),
        str(moment.received_at),
        str(moment.accuracy_m),
        str(moment.odometer_m),
        moment.source,
    )


def _is_double(kept: Moment, moment: Moment) -> bool:
    return (
        kept.kind == moment.kind
        and kept.latitude == moment.latitude
        and kept.longitude == moment.longitude
        and kept.device == moment.device
        and (kept.stop is None or moment.stop is None or kept.stop == moment.stop)
    )
