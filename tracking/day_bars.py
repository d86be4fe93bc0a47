"""A day as a bar of parts that follow each other without a hole, and their sums. (pure)

Where several things were true at once (a load within a visit, two visits of one yard) the most
telling one is painted. The parts cover the day to the second, so their sums do too: 23, 24 or
25 hours, or until now.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal, get_args

from tracking.moments import INSTANTS, Segment
from tracking.tracked import Period, clipped

Kind = Literal[
    "move",
    "standing",
    "loading",
    "gap",
    "silent",
    "untracked",
    "expired",
    "not_available",
    "erased",
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# Of what overlaps the later one of these is painted. A standstill lies outside all visits.
_ABOVE: Final[tuple[str, ...]] = (
    "untracked", "silent", "expired", "not_available", "erased",
    "gap", "move", "standstill", "dwell", "loading",
)  # fmt: skip
_KIND_OF: Final[dict[str, Kind]] = {"standstill": "standing", "dwell": "standing"}
_STARTS: Final = {"loading_started": "loading_ended", "unloading_started": "unloading_ended"}


# What lasts less belongs to what was before it.
SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the day. `index` is its segment's place among those given, None without one."""

    kind: Kind
    started_at: datetime
    ended_at: datetime
    index: int | None = None

    @property
    def lasted_s(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Sums:
    """Seconds of each kind; together they are the part of the day that has passed.

    The driving on the leg of a standstill is taken off there and counted as moving, as the
    standstill's own duration says.
    """

    lasted_s: dict[Kind, int]

    @property
    def moving_s(self) -> int:
        return self.lasted_s.get("move", 0)

    @property
    def standing_s(self) -> int:
        return self.lasted_s.get("standing", 0)

    @property
    def loading_s(self) -> int:
        return self.lasted_s.get("loading", 0)

    @property
    def gap_s(self) -> int:
        return self.lasted_s.get("gap", 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """Something that was true for a while: a kind of part, or a type of segment."""

    what: str
    period: Period
    index: int | None = None


def bars(
    segments: Sequence[Segment],
    bounds: Period,
    *,
    until: datetime,
    tracked: Iterable[Period] = (),
    loadings: Iterable[Period] = (),
    withheld: Iterable[tuple[Kind, Period]] = (),
) -> list[Bar]:
    """The parts of `bounds`, oldest first, up to `until` (which is now) or the last segment.

    `tracked` is when somebody was tracked: in it nothing known is `silent`, outside it
    `untracked`. `withheld` are the periods of drivers of whom nothing may be shown.
    """
    layers = [
        Layer(one.type, (one.started_at, one.ended_at), index)
        for index, one in enumerate(segments)
        if one.type not in INSTANTS
    ]
    last_at = max([until, *(layer.period[1] for layer in layers)])
    shown = bounds[0], min(bounds[1], last_at)
    layers += [Layer("loading", *part) for part in _at_standing(loadings, layers)]
    layers += [Layer("silent", period) for period in tracked]
    layers += [Layer(kind, period) for kind, period in withheld]
    return _painted([Layer("untracked", shown), *layers], shown)


def _at_standing(
    loadings: Iterable[Period], layers: Sequence[Layer]
) -> Iterator[tuple[Period, int | None]]:
    """Whoever drives does not load: the parts of loadings in which the truck stood."""
    standing = [layer for layer in layers if layer.what in _KIND_OF]
    for begin_at, end_at in loadings:
        for layer in standing:
            for part in clipped([layer.period], begin_at, end_at):
                yield part, layer.index


def _painted(layers: Sequence[Layer], shown: Period) -> list[Bar]:
    edges = sorted({_clamped(at, shown) for layer in layers for at in layer.period})
    painted: list[Bar] = []
    for begin_at, end_at in pairwise(edges):
        top = max(
            (one for one in layers if one.period[0] <= begin_at and end_at <= one.period[1]),
            key=lambda one: _ABOVE.index(one.what),
        )
        kind = _KIND_OF.get(top.what) or _named(top.what)
        before = painted[-1] if painted else None
        is_sliver = before is not None and end_at - begin_at < SHORTEST
        if before and (is_sliver or (before.kind, before.index) == (kind, top.index)):
            painted[-1] = replace(before, ended_at=end_at)
        else:
            painted.append(Bar(kind, begin_at, end_at, top.index))
    return painted


def _named(what: str) -> Kind:
    return next(kind for kind in KINDS if kind == what)


def _clamped(at: datetime, shown: Period) -> datetime:
    return min(max(at, shown[0]), shown[1])


def sums_of(parts: Iterable[Bar], segments: Sequence[Segment]) -> Sums:
    """How long the day's parts lasted, in whole seconds."""
    lasted_s: defaultdict[Kind, float] = defaultdict(float)
    for part in parts:
        stood = _standing_share(part, segments)
        lasted_s[part.kind] += part.lasted_s * stood
        if stood < 1.0:
            lasted_s["move"] += part.lasted_s * (1 - stood)
    return Sums({kind: round(seconds) for kind, seconds in lasted_s.items()})


def passed_s(periods: Iterable[Period], now: datetime) -> int:
    """How long periods lasted until now, in whole seconds."""
    passed = [(begin_at, min(end_at, now)) for begin_at, end_at in periods if begin_at < now]
    return round(sum((end_at - begin_at).total_seconds() for begin_at, end_at in passed))


def _standing_share(part: Bar, segments: Sequence[Segment]) -> float:
    """How much of a part was what it is called: a standstill covers the way to it, too."""
    if part.kind != "standing" or part.index is None:
        return 1.0
    segment = segments[part.index]
    covered_s = (segment.ended_at - segment.started_at).total_seconds()
    return min(1.0, segment.duration_s / covered_s) if covered_s else 1.0


def loadings(segments: Sequence[Segment], bounds: Period) -> list[Period]:
    """When something was loaded or unloaded within `bounds`, from the stages among segments.

    In a visit from the first start to the last end, pauses included; without an end until the
    signature, else until the departure. Outside of all visits only between a start and its end.
    """
    stages = [one for one in segments if one.type == "stage"]
    visits = [one for one in segments if one.type == "dwell"]
    found: list[Period] = []
    taken: set[int] = set()
    for visit in visits:
        inside = [one for one in stages if _is_in(one, visit)]
        taken.update(map(id, inside))
        found += _loadings_in(inside, visit.ended_at)
    found += _pairs([one for one in stages if id(one) not in taken])
    return sorted(clipped(found, *bounds))


def _is_in(stage: Segment, visit: Segment) -> bool:
    return stage.stop == visit.stop and visit.started_at <= stage.started_at <= visit.ended_at


def _loadings_in(stages: Sequence[Segment], ended_at: datetime) -> Iterator[Period]:
    for start, end in _STARTS.items():
        began_at = next((one.started_at for one in stages if one.kind == start), None)
        if began_at is None:
            continue
        after = [one for one in stages if one.started_at >= began_at]
        ends = [one.started_at for one in after if one.kind == end]
        signed = [one.started_at for one in after if one.kind == "signature"]
        yield began_at, ends[-1] if ends else next(iter(signed), ended_at)


def _pairs(stages: Sequence[Segment]) -> Iterator[Period]:
    begun: dict[tuple[object, str], datetime] = {}
    for one in stages:
        kind = one.kind or ""
        if kind in _STARTS:
            begun.setdefault((one.stop, _STARTS[kind]), one.started_at)
        began_at = begun.pop((one.stop, kind), None)
        if began_at is not None:
            yield began_at, one.started_at


@dataclass(frozen=True, slots=True)
class Tick:
    """A full hour of the clock on the wall; `is_again` when the clocks went back to it."""

    at: datetime
    hour: int
    is_again: bool


def hour_ticks(bounds: Period, zone: tzinfo) -> list[Tick]:
    """Every full hour within a day as the clock shows it: 23 to 25 of them."""
    found: list[Tick] = []
    at = bounds[0].astimezone(UTC)
    while at < bounds[1]:
        local = at.astimezone(zone)
        if local.minute == 0:
            found.append(Tick(at, local.hour, any(tick.hour == local.hour for tick in found)))
        at += timedelta(minutes=30)
    return found
