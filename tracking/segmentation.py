"""Cut a track into moves, dwells, standstills and gaps. (pure)

What decides, in this order:

1. Between an arrival and the departure of the same stop: `dwell`, exact, from the stages.
2. A stay, fixes within 50 m of the first for more than 300 s: `standstill` (tracking.stays).
3. A leg of at most 50 m that starts or ends with a heartbeat: `standstill`, however short.
4. A leg of at most 300 s: `move`.
5. At most 1.5 D apart, D = the larger of 500 m and the employer's spacing: `standstill`.
6. Everything else is a `gap`: fixes are missing.

Then a leg of at most 50 m next to a standstill joins it (a stay has taken in what is near),
and what is alike and adjacent becomes one segment. Arrivals, departures and the bounds of
windows always cut. After the last moment nothing is claimed. A stay is as far as its last fix
is from its first: the wandering of a parked phone adds no kilometres.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from operator import itemgetter
from typing import Final, Literal

from tracking.days import whole_seconds
from tracking.geometry import KMH_IN_MPS, mean_speed_mps
from tracking.legs import (
    LONGEST_DRIVING_S,
    WIDEST_STANDSTILL,
    Leg,
    Window,
    chord_m,
    distance_of,
    legs,
    spacing_or_least_m,
)
from tracking.moments import (
    ARRIVAL,
    DEPARTURE,
    DistanceMethod,
    Moment,
    Segment,
    Segmentation,
    in_order,
)
from tracking.stays import SAME_YARD_M, settled
from tracking.visits import Visit, visits

__all__ = ["Moment", "Segment", "Segmentation", "Window", "segmentation", "segments"]

# What a truck drives in town; the driving on a standstill's leg is taken off at this speed.
APPROACH_MPS: Final = 8.33
# A gap slower than this on average may hide a standstill.
SLOW_GAP_MPS: Final = 10 * KMH_IN_MPS

_Kind = Literal["move", "standstill", "gap"]


class _Piece:
    """A leg, or the part of one that lies outside all visits and between two bounds."""

    __slots__ = ("ended_at", "is_cut_before", "kind", "leg", "outside_s", "share", "started_at")

    def __init__(self, leg: Leg, span: Window, outside_s: float, share: float = 1.0) -> None:
        self.leg = leg
        self.started_at, self.ended_at = span
        self.outside_s = outside_s  # of the leg, outside all visits
        self.share = share  # of the leg's metres and of those seconds that this piece has
        self.kind: _Kind = "move"
        self.is_cut_before = True


def segments(
    moments: Iterable[Moment],
    *,
    windows: Sequence[Window] | None = None,
    min_spacing_m: float = 0.0,
) -> list[Segment]:
    """The entries of a timeline, oldest first: see `segmentation`."""
    return segmentation(moments, windows=windows, min_spacing_m=min_spacing_m).segments


def segmentation(
    moments: Iterable[Moment],
    *,
    windows: Sequence[Window] | None = None,
    min_spacing_m: float = 0.0,
) -> Segmentation:
    """Moments in any order, cut into segments, with the distance of all of them.

    `windows` are the half-open periods of duty and mission to show: a leg across two of them
    is not shown, and each of their bounds cuts. Windows that overlap show as one; None shows
    everything. `min_spacing_m` is the employer's.
    """
    ordered = in_order(moments)
    visited = visits(ordered, windows)
    spacing_m = spacing_or_least_m(min_spacing_m)
    at_stops = _bounds_of_visits(ordered, visited)
    line = settled(legs(ordered, windows), sorted(at_stops))
    at_windows = {bound.astimezone(UTC) for window in windows or () for bound in window}
    cutter = _Cutter(visited, sorted(at_stops | at_windows))
    pieces = cutter.pieces(line)
    for piece in pieces:
        piece.kind = _kind(piece.leg, piece.outside_s, spacing_m)
    _join_taps(pieces)
    found = [_stage(moment) for moment in ordered if moment.is_stage]
    found += map(_dwell, visited, cutter.inside)
    found += [_segment(run, spacing_m) for run in _runs(pieces) if _lasts(run)]
    found.sort(key=lambda entry: (entry.started_at, entry.type != "stage", entry.ended_at))
    driven_m, method = distance_of(line)
    return Segmentation(found, driven_m, method, sum(leg.is_flagged for leg in line))


def _bounds_of_visits(ordered: list[Moment], visited: list[Visit]) -> set[datetime]:
    at = {m.recorded_at for m in ordered if m.kind in (ARRIVAL, DEPARTURE)}
    return at | {visit.ended_at for visit in visited}


class _Cutter:
    """Cuts legs at bounds and takes out what lies inside a visit."""

    def __init__(self, visited: list[Visit], bounds: list[datetime]) -> None:
        self.bounds = bounds
        self.inside: list[list[Leg]] = [[] for _ in visited]
        # Periods inside any visit, with the first visit of each: a span between two bounds
        # lies in one of them or outside all.
        self.periods: list[tuple[datetime, datetime, int]] = []
        for n, visit in enumerate(visited):
            if self.periods and visit.started_at < self.periods[-1][1]:
                start, end, first = self.periods[-1]
                self.periods[-1] = (start, max(end, visit.ended_at), first)
            else:
                self.periods.append((visit.started_at, visit.ended_at, n))

    def pieces(self, line: list[Leg]) -> list[_Piece]:
        """The pieces of legs in order; fills `inside` with the legs within each visit."""
        found: list[_Piece] = []
        first = 0
        for leg in line:
            first = bisect_right(self.bounds, leg.start.recorded_at, first)
            last = bisect_left(self.bounds, leg.end.recorded_at, first)
            parts = self._parts(leg, self.bounds[first:last])
            if parts and found:
                is_cut_at_start = first > 0 and self.bounds[first - 1] == parts[0].started_at
                is_adjacent = found[-1].ended_at == parts[0].started_at
                is_one_device = found[-1].leg.end is leg.start
                parts[0].is_cut_before = not (is_adjacent and is_one_device) or is_cut_at_start
            found += parts
        return found

    def _parts(self, leg: Leg, cuts: list[datetime]) -> list[_Piece]:
        whole = (leg.start.recorded_at, leg.end.recorded_at)
        spans = list(pairwise([whole[0], *cuts, whole[1]])) if cuts else [whole]
        outside = [span for span in spans if self._visit_around(span) is None]
        if not outside:
            self.inside[self._visit_around(spans[0]) or 0].append(leg)
            return []
        if len(spans) == 1:
            return [_Piece(leg, whole, leg.elapsed_s)]
        lengths_s = [(end - start).total_seconds() for start, end in outside]
        outside_s = sum(lengths_s)
        return [
            _Piece(leg, span, outside_s, share=length_s / outside_s)
            for span, length_s in zip(outside, lengths_s, strict=True)
        ]

    def _visit_around(self, span: Window) -> int | None:
        place = bisect_right(self.periods, span[0], key=itemgetter(0)) - 1
        if place < 0 or self.periods[place][1] < span[1]:
            return None
        return self.periods[place][2]


def _kind(leg: Leg, outside_s: float, spacing_m: float) -> _Kind:
    if leg.stay_m is not None:
        return "standstill"
    is_near = leg.chord_m <= SAME_YARD_M
    is_on_leg = leg.chord_m <= WIDEST_STANDSTILL * spacing_m
    if is_near and "heartbeat" in (leg.start.kind, leg.end.kind) and _standing_s(leg, outside_s):
        return "standstill"
    # With a spacing of kilometres a truck can be silent for minutes and not have stood at all.
    if outside_s <= LONGEST_DRIVING_S or (is_on_leg and not _standing_s(leg, outside_s)):
        return "move"
    return "standstill" if is_on_leg else "gap"


def _standing_s(leg: Leg, outside_s: float) -> float:
    driven_m = leg.chord_m if leg.stay_m is None else leg.stay_m
    return max(0.0, outside_s - driven_m / APPROACH_MPS)


def _join_taps(pieces: list[_Piece]) -> None:
    """Make short moves beside a standstill part of it: several presses in one yard.

    Only within 50 m of where the standstill's own leg ends: with a fix every second all legs
    are short, and the whole drive would join.
    """
    anchor: Moment | None = None
    for piece in pieces:
        anchor = _anchor_after(piece, None if piece.is_cut_before else anchor, piece.leg.end)
    is_cut_after = True
    for piece in reversed(pieces):
        anchor = _anchor_after(piece, None if is_cut_after else anchor, piece.leg.start)
        is_cut_after = piece.is_cut_before


def _anchor_after(piece: _Piece, anchor: Moment | None, far: Moment) -> Moment | None:
    """Join a piece to the standstill at `anchor` if it can; the anchor for the next piece."""
    if piece.kind == "standstill":
        return far if piece.leg.stay_m is None else None
    if anchor is None or piece.leg.chord_m > SAME_YARD_M:
        return None
    if chord_m(anchor, far) > SAME_YARD_M:
        return None
    piece.kind = "standstill"
    return anchor


def _runs(pieces: list[_Piece]) -> list[list[_Piece]]:
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if runs and _continues(runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _continues(before: _Piece, piece: _Piece) -> bool:
    if piece.is_cut_before or piece.kind != before.kind or piece.kind == "gap":
        return False
    if piece.kind == "move":
        return True
    # Two long standing legs are one standstill only if the place between them is known.
    return _is_in_one_yard(before) or _is_in_one_yard(piece) or piece.leg.start.is_stage


def _is_in_one_yard(piece: _Piece) -> bool:
    return piece.leg.stay_m is not None or piece.leg.chord_m <= SAME_YARD_M


def _lasts(run: list[_Piece]) -> bool:
    return run[0].started_at < run[-1].ended_at


def _segment(run: list[_Piece], spacing_m: float) -> Segment:
    line = [piece.leg for piece in run]
    driven_m, method = _run_distance(run, line)
    entry = Segment(
        type=run[0].kind,
        started_at=run[0].started_at,
        ended_at=run[-1].ended_at,
        duration_s=whole_seconds(run[0].started_at, run[-1].ended_at),
        distance_m=driven_m,
        distance_method=method,
        mission=_shared_mission(line),
        device=line[0].start.device,
        flagged_legs=sum(leg.is_flagged for leg in line),
    )
    if entry.type == "standstill":
        return _standstill(entry, run, spacing_m)
    return _gap(entry, run[0]) if entry.type == "gap" else entry


def _run_distance(run: list[_Piece], line: list[Leg]) -> tuple[float, DistanceMethod]:
    if run[0].share == run[-1].share == 1.0:
        return distance_of(line)
    # An odometer says nothing about a part of a leg.
    return sum(p.leg.counted_m * p.share for p in run), "fixes"


def _shared_mission(line: list[Leg]) -> Hashable | None:
    """The mission of all legs that lie in one, whatever the moments at both ends belong to."""
    named = {leg.start.mission for leg in line if leg.start.mission == leg.end.mission}
    return named.pop() if len(named) == 1 else None


def _standstill(entry: Segment, run: list[_Piece], spacing_m: float) -> Segment:
    place, uncertainty_m, has_stage = _standing_place(run, spacing_m)
    return replace(
        entry,
        duration_s=round(sum(_standing_s(p.leg, p.outside_s) * p.share for p in run)),
        latitude=place.latitude,
        longitude=place.longitude,
        uncertainty_m=uncertainty_m,
        is_crawling=not has_stage and not all(map(_is_in_one_yard, run)),
    )


def _standing_place(run: list[_Piece], spacing_m: float) -> tuple[Moment, float | None, bool]:
    """Where it stood: at the end with a stage, else in the yard, else on the leg."""
    met = [run[0].leg.start, *(piece.leg.end for piece in run)]
    stages = [moment for moment in met if moment.is_stage]
    if stages:
        is_one_place = all(chord_m(stages[0], other) <= SAME_YARD_M for other in stages)
        return stages[0], stages[0].accuracy_m if is_one_place else spacing_m, True
    for piece in run:
        if _is_in_one_yard(piece):
            return piece.leg.start, SAME_YARD_M, False
    return met[0], spacing_m, False


def _gap(entry: Segment, piece: _Piece) -> Segment:
    speed_mps = mean_speed_mps(piece.leg.chord_m, piece.outside_s)
    return replace(entry, mean_speed_mps=speed_mps, standstill_possible=speed_mps < SLOW_GAP_MPS)


def _stage(moment: Moment) -> Segment:
    return Segment(
        type="stage",
        started_at=moment.recorded_at,
        ended_at=moment.recorded_at,
        duration_s=0,
        source=moment.source,
        kind=moment.kind,
        stop=moment.stop,
        mission=moment.mission,
        device=moment.device,
        received_at=moment.received_at,
        latitude=moment.latitude,
        longitude=moment.longitude,
        uncertainty_m=moment.accuracy_m,
    )


def _dwell(visit: Visit, inside: list[Leg]) -> Segment:
    arrival, departure = visit.arrival, visit.departure or visit.arrival
    driven_m, method = distance_of(inside)
    # Of two sources the one that was not there decides how much the dwell is worth.
    source = arrival.source if departure.source == "driver" else departure.source
    return Segment(
        type="dwell",
        started_at=visit.started_at,
        ended_at=visit.ended_at,
        duration_s=whole_seconds(visit.started_at, visit.ended_at),
        distance_m=driven_m,
        distance_method=method,
        source=source,
        stop=visit.stop,
        mission=departure.mission if arrival.mission is None else arrival.mission,
        device=arrival.device,
        latitude=arrival.latitude,
        longitude=arrival.longitude,
        uncertainty_m=arrival.accuracy_m,
        flagged_legs=sum(leg.is_flagged for leg in inside),
        is_open=visit.departure is None,
    )
