"""Find where a phone that goes on reporting stood. (pure)

A stay is a run of consecutive fixes of one phone that stay within 50 m of the run's first
for more than 300 s, first to last: a phone that reports every minute while it is parked says
so with legs that are all short. GPS wanders while a truck stands, so a fix is near when it
may be: each of the two counts with its own accuracy, at most 50 m of it. A place worse than
200 m tells nothing and ends no stay.

A stay is as far as its last fix is from its first, as if there were none between: the
wandering of a parked phone would otherwise be kilometres a night. No stay goes across an
arrival or a departure: the last metres before a gate are driven.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tracking.legs import LONGEST_DRIVING_S, WORST_ACCURACY_M, Leg, chord_m
from tracking.moments import Moment

# Two places this near are one yard: the phone's own error and a few steps.
SAME_YARD_M: Final = 50.0


def settled(line: Sequence[Leg], cuts: Sequence[datetime]) -> list[Leg]:
    """The same legs; those of a stay have their share of its metres, by time, in `stay_m`.

    `cuts`, in order, are the moments that no stay goes across.
    """
    found = list(line)
    for begin, moments in _chains(line, cuts):
        for first, last in _stays(moments):
            apart_m = chord_m(moments[first], moments[last])
            lasted_s = _seconds(moments[first], moments[last])
            for n in range(begin + first, begin + last):
                share = line[n].elapsed_s / lasted_s
                found[n] = line[n]._replace(stay_m=apart_m * share)
    return found


def _chains(line: Sequence[Leg], cuts: Sequence[datetime]) -> Iterable[tuple[int, list[Moment]]]:
    """Runs of legs that hang together with no cut between: the first one's index, the ends."""
    begin, moments = 0, list[Moment]()
    cut = 0
    for n, leg in enumerate(line):
        while cut < len(cuts) and cuts[cut] < leg.started_at:
            cut += 1
        is_cut_before = cut < len(cuts) and cuts[cut] == leg.started_at
        if not moments or is_cut_before or moments[-1] is not leg.start:
            if moments:
                yield begin, moments
            begin, moments = n, [leg.start]
        while cut < len(cuts) and cuts[cut] == leg.started_at:
            cut += 1
        if cut < len(cuts) and cuts[cut] < leg.ended_at:
            # Cut inside: this leg is in no stay.
            yield begin, moments
            moments = []
        else:
            moments.append(leg.end)
    if moments:
        yield begin, moments


def _stays(moments: list[Moment]) -> Iterable[tuple[int, int]]:
    """First and last place of each stay. The next may begin with the last fix of this one."""
    sure = [n for n, moment in enumerate(moments) if not _is_vague(moment)]
    first = late = 0
    away: int | None = None
    while first < len(sure):
        start = moments[sure[first]]
        while late < len(sure) and _seconds(start, moments[sure[late]]) <= LONGEST_DRIVING_S:
            late += 1
        if late == len(sure):
            return
        # What was too far from the fix before is nearly always too far from this one.
        if away is None or away <= first or _is_near(start, moments[sure[away]]):
            away = _first_away(start, moments, sure[first + 1 : late + 1])
            away = None if away is None else first + 1 + away
        if away is not None:
            first += 1
            continue
        last = late
        while last + 1 < len(sure) and _is_near(start, moments[sure[last + 1]]):
            last += 1
        yield sure[first], sure[last]
        first = last


def _first_away(start: Moment, moments: list[Moment], places: list[int]) -> int | None:
    """A place that is not near the start, looked for from the end; its position in the list."""
    for position in range(len(places) - 1, -1, -1):
        if not _is_near(start, moments[places[position]]):
            return position
    return None


def _is_near(a: Moment, b: Moment) -> bool:
    return chord_m(a, b) <= SAME_YARD_M + _own_error_m(a) + _own_error_m(b)


def _own_error_m(moment: Moment) -> float:
    return min(moment.accuracy_m or 0.0, SAME_YARD_M)


def _is_vague(moment: Moment) -> bool:
    return moment.accuracy_m is not None and moment.accuracy_m > WORST_ACCURACY_M


def _seconds(start: Moment, end: Moment) -> float:
    return (end.recorded_at - start.recorded_at).total_seconds()
