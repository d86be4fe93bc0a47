"""From moments to legs: two consecutive places of one device, and how far they are. (pure)"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, NamedTuple

from tracking.geometry import KMH_IN_MPS, distance_m
from tracking.moments import DistanceMethod, Moment

# At 15 km/h a phone that reports every 500 m is silent for 120 s; 300 s is not driving.
LONGEST_DRIVING_S: Final = 300.0
# A phone that stands on a leg has its ends at most 1.5 D apart, D the spacing of its fixes;
# a phone that reports more often than every 500 m is judged as if it did not.
LEAST_SPACING_M: Final = 500.0
WIDEST_STANDSTILL: Final = 1.5
# Beyond either of these a leg is doubtful: it stays in the history, its metres do not count.
WORST_ACCURACY_M: Final = 200.0
FASTEST_MPS: Final = 150 * KMH_IN_MPS

Window = tuple[datetime, datetime]


class Leg(NamedTuple):
    """Two consecutive moments with a place, of one device. Seconds and metres.

    `stay_m` is its share of how far a stay went, None outside of all stays (tracking.stays).
    """

    start: Moment
    end: Moment
    elapsed_s: float
    chord_m: float
    is_flagged: bool
    stay_m: float | None = None

    @property
    def started_at(self) -> datetime:
        return self.start.recorded_at

    @property
    def ended_at(self) -> datetime:
        return self.end.recorded_at

    @property
    def counted_m(self) -> float:
        """What it adds to the distance from fixes."""
        if self.stay_m is not None:
            return self.stay_m
        return 0.0 if self.is_flagged else self.chord_m


def legs(moments: Iterable[Moment], windows: Sequence[Window] | None = None) -> list[Leg]:
    """The legs of moments in order, as one line of time without overlap.

    A leg across two windows, or with an end outside them, is left out (None: no windows).
    What a dispatcher entered afterwards is a bound but no place where a phone has been.
    """
    newest: dict[Hashable | None, Moment] = {}
    found: list[Leg] = []
    for moment in moments:
        if moment.latitude is None or moment.source == "dispatcher":
            continue
        previous = newest.get(moment.device)
        if previous is not None:
            found.append(_leg(previous, moment))
        newest[moment.device] = moment
    if windows is not None:
        found = _inside(found, continuous(windows))
    return found if len(newest) < 2 else _one_line(found)


def spacing_or_least_m(min_spacing_m: float) -> float:
    """D, from the spacing that the employer asks for."""
    return max(min_spacing_m, LEAST_SPACING_M)


def continuous(windows: Sequence[Window]) -> list[Window]:
    """Windows in order and UTC, those that overlap made one; two that only touch stay two."""
    merged: list[Window] = []
    for start, end in sorted((s.astimezone(UTC), e.astimezone(UTC)) for s, e in windows):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def counted_m(chain: Iterable[Leg]) -> float:
    """The chords of all legs that are believable, a stay as one: a lower bound in metres."""
    return sum(leg.counted_m for leg in chain)


def distance_of(line: Sequence[Leg]) -> tuple[float, DistanceMethod]:
    """Metres along legs in order, and the method that gave them.

    By odometer only if every unbroken chain of legs has it at both ends: what a truck drove
    between two duties, or another truck's counter, is then never in the difference.
    """
    if not line or line[0].start.odometer_m is None:
        return counted_m(line), "fixes"
    driven_m = 0.0
    for chain in _chains(line):
        chain_m = _odometer_m(chain)
        if chain_m is None:
            return counted_m(line), "fixes"
        driven_m += chain_m
    return driven_m, "odometer"


def chord_m(a: Moment, b: Moment) -> float:
    """Metres along the great circle between two moments that both have a place."""
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        raise ValueError("A moment without a place has no distance to another.")
    return distance_m(a.latitude, a.longitude, b.latitude, b.longitude)


def _leg(start: Moment, end: Moment) -> Leg:
    elapsed_s = (end.recorded_at - start.recorded_at).total_seconds()
    apart_m = chord_m(start, end)
    is_flagged = (
        apart_m > FASTEST_MPS * elapsed_s
        or (start.accuracy_m is not None and start.accuracy_m > WORST_ACCURACY_M)
        or (end.accuracy_m is not None and end.accuracy_m > WORST_ACCURACY_M)
    )
    return Leg(start, end, elapsed_s, apart_m, is_flagged)


def _inside(found: list[Leg], windows: list[Window]) -> list[Leg]:
    starts = [start for start, _ in windows]
    kept: list[Leg] = []
    for leg in found:
        place = bisect_right(starts, leg.start.recorded_at) - 1
        # The last stage of a mission is the instant its window ends: that leg is inside.
        if place >= 0 and leg.end.recorded_at <= windows[place][1] > leg.start.recorded_at:
            kept.append(leg)
    return kept


def _one_line(found: list[Leg]) -> list[Leg]:
    """Of legs that overlap, because several devices report, those that tell most.

    1. Legs of a phone that reports: whoever has the floor keeps it.
    2. A silent leg only where no other device says anything, the shortest first: what a
       phone left at the depot says must not hide what the other one saw meanwhile.
    """
    line: list[Leg] = []
    for leg in sorted(found, key=_SPAN):
        if leg.elapsed_s <= LONGEST_DRIVING_S and (not line or leg.started_at >= line[-1].ended_at):
            line.append(leg)
    silent = [leg for leg in found if leg.elapsed_s > LONGEST_DRIVING_S]
    for leg in sorted(silent, key=lambda leg: (leg.elapsed_s, leg.started_at)):
        place = bisect_left(line, leg.started_at, key=_STARTED_AT)
        is_free_before = place == 0 or line[place - 1].ended_at <= leg.started_at
        if is_free_before and (place == len(line) or line[place].started_at >= leg.ended_at):
            insort(line, leg, key=_STARTED_AT)
    return line


_STARTED_AT = attrgetter("started_at")
_SPAN = attrgetter("started_at", "ended_at")


def _chains(line: Sequence[Leg]) -> Iterable[list[Leg]]:
    chain: list[Leg] = []
    for leg in line:
        if chain and chain[-1].end is not leg.start:
            yield chain
            chain = []
        chain.append(leg)
    if chain:
        yield chain


def _odometer_m(chain: Sequence[Leg]) -> float | None:
    """Last less first odometer; None without both, or when the counter was changed between."""
    first_m, last_m = chain[0].start.odometer_m, chain[-1].end.odometer_m
    if first_m is None or last_m is None:
        return None
    reached_m = first_m
    for leg in chain:
        now_m = leg.end.odometer_m
        if now_m is not None:
            if now_m < reached_m:
                return None
            reached_m = now_m
    elapsed_s = (chain[-1].ended_at - chain[0].started_at).total_seconds()
    return last_m - first_m if last_m - first_m <= FASTEST_MPS * elapsed_s else None
