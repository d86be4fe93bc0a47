"""From positions near a place to visits of it: who was there, when, how surely. (pure)

A phone reports every 500 m, so a truck may pass a place between two positions, and one that
stands sends nothing at all. So each position is looked at together with the leg to the next
one of the same phone:

* a position inside is a presence of that moment;
* a leg whose two ends are inside, and which is no gap, is a presence all the while;
* a standing leg (1.5 spacings at most) that touches the area may be one, all the while;
* a short driving leg that runs through the area is one where it does;
* a last position inside, and nothing since, may be one.

A gap is no presence, and nothing is one while a driver was not tracked.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, Literal

from tracking.geometry import distance_m
from tracking.legs import (
    FASTEST_MPS,
    LONGEST_DRIVING_S,
    WIDEST_STANDSTILL,
    WORST_ACCURACY_M,
    Window,
)
from tracking.where_area import Area, Point, along

# A straight line between two positions says where a truck drove only while both are near.
LONGEST_PASSING_S: Final = 600.0
WIDEST_PASSING_M: Final = 2_000.0
# Out and in again within this time is one visit.
ONE_VISIT: Final = timedelta(minutes=5)

How = Literal["position", "stage", "around", "between", "last_seen"]
# The best evidence first: the one that a visit names.
HOWS: Final[tuple[How, ...]] = ("position", "stage", "around", "between", "last_seen")


@dataclass(frozen=True, slots=True)
class Place:
    """One position of a phone."""

    recorded_at: datetime
    latitude: float
    longitude: float
    accuracy_m: float | None = None

    @property
    def point(self) -> Point:
        return self.latitude, self.longitude


@dataclass(frozen=True, slots=True)
class Step:
    """A position near the area and the next one of the same phone, None when there is none yet.

    `is_contradicted`: another phone of the driver reported in between.
    """

    driver_id: int
    truck_id: int | None
    mission_id: int | None
    start: Place
    end: Place | None
    is_contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """A stretch of time in which a driver was inside, or may have been.

    `apart_m`: how far the two positions are between which it lies; `is_standing`: it took
    longer than driving that far does.
    """

    driver_id: int
    truck_id: int | None
    mission_id: int | None
    began_at: datetime
    ended_at: datetime
    how: How
    nearest_at: datetime
    point: Point
    away_m: float | None
    apart_m: float | None = None
    accuracy_m: float | None = None
    is_standing: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """Presences of one driver with one truck, one after the other, within the asked time.

    `is_there_before` and `is_there_after`: it goes on beyond the asked time. `is_last`: nothing
    has come from the phone since; with other evidence, `ended_at` is the last of it.
    """

    driver_id: int
    truck_id: int | None
    mission_ids: tuple[int, ...]
    began_at: datetime
    ended_at: datetime
    is_there_before: bool
    is_there_after: bool
    is_last: bool
    best: Presence
    nearest: Presence
    positions: tuple[Presence, ...] = field(default=())

    @property
    def how(self) -> How:
        return self.best.how


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched: an area, half-open in time; `spacing_m` is that of the employer's fixes."""

    area: Area
    begin_at: datetime
    end_at: datetime
    spacing_m: float


def presences(asked: Asked, step: Step, windows: Sequence[Window]) -> Iterator[Presence]:
    """What a step says. `windows`: when the driver was tracked, in order, not overlapping."""
    start, end = step.start, step.end
    is_start_inside = asked.area.holds(start.point)
    if is_start_inside and start.recorded_at >= asked.begin_at:
        seen_at = start.recorded_at
        seen = _presence(asked.area, step, "position", (seen_at, seen_at), seen_at, start.point)
        yield replace(seen, accuracy_m=start.accuracy_m)
    if end is None:
        if is_start_inside and not step.is_contradicted:
            yield from _last_seen(asked, step, windows)
    elif _is_believed(step, end, windows):
        yield from _on_the_leg(asked, step, end, is_start_inside)


def _last_seen(asked: Asked, step: Step, windows: Sequence[Window]) -> Iterator[Presence]:
    """From the last position on, while the driver was still tracked and until the asked end."""
    seen_at = step.start.recorded_at
    place = bisect_right(windows, seen_at, key=_begin_of) - 1
    if place < 0:
        return
    until = min(asked.end_at, windows[place][1])
    if until > max(seen_at, asked.begin_at):
        yield _presence(asked.area, step, "last_seen", (seen_at, until), seen_at, step.start.point)


def _is_believed(step: Step, end: Place, windows: Sequence[Window]) -> bool:
    """Whether something is known between two positions at all."""
    began_at, ended_at = step.start.recorded_at, end.recorded_at
    elapsed_s = (ended_at - began_at).total_seconds()
    if elapsed_s > LONGEST_DRIVING_S and step.is_contradicted:
        return False
    place = bisect_right(windows, began_at, key=_begin_of) - 1
    if place >= 0 and began_at < windows[place][1]:
        return ended_at <= windows[place][1]
    # Stored outside of all windows: the employer changed them since, or a mark was lost.
    is_free = place + 1 == len(windows) or ended_at <= windows[place + 1][0]
    return is_free and elapsed_s <= LONGEST_DRIVING_S


def _begin_of(window: Window) -> datetime:
    return window[0]


def _on_the_leg(asked: Asked, step: Step, end: Place, is_start_inside: bool) -> Iterator[Presence]:
    start, area = step.start, asked.area
    elapsed_s = (end.recorded_at - start.recorded_at).total_seconds()
    apart_m = distance_m(*start.point, *end.point)
    is_standing = elapsed_s > LONGEST_DRIVING_S and apart_m <= WIDEST_STANDSTILL * asked.spacing_m
    is_passing = elapsed_s <= LONGEST_PASSING_S and apart_m <= WIDEST_PASSING_M
    if not (is_standing or is_passing) or apart_m > FASTEST_MPS * elapsed_s:
        return
    crossing = area.crossing(start.point, end.point)
    if crossing is None:
        return
    nearest_at = start.recorded_at + (end.recorded_at - start.recorded_at) * crossing.nearest
    nearest = along(start.point, end.point, crossing.nearest)
    both_inside = is_start_inside and area.holds(end.point)
    if both_inside or is_standing:
        began_at, ended_at = start.recorded_at, end.recorded_at
    else:
        began_at, ended_at = (
            start.recorded_at + (end.recorded_at - start.recorded_at) * share
            for share in (crossing.enters, crossing.leaves)
        )
    if both_inside or not (_is_vague(start) or _is_vague(end)):
        how: How = "around" if both_inside else "between"
        found = _presence(area, step, how, (began_at, ended_at), nearest_at, nearest)
        yield replace(found, apart_m=apart_m, is_standing=is_standing)


def _is_vague(place: Place) -> bool:
    return place.accuracy_m is not None and place.accuracy_m > WORST_ACCURACY_M


def _presence(
    area: Area, step: Step, how: How, period: Window, nearest_at: datetime, point: Point
) -> Presence:
    return Presence(
        step.driver_id, step.truck_id, step.mission_id, *period, how, nearest_at, point,
        area.away_m(point),
    )  # fmt: skip


def visits(asked: Asked, found: Iterable[Presence]) -> list[Visit]:
    """Presences joined into visits, within the asked time, in the order of their beginning."""
    ordered = sorted(found, key=attrgetter("driver_id", "began_at", "ended_at"))
    runs: list[list[Presence]] = []
    for _, of_driver in groupby(ordered, key=attrgetter("driver_id")):
        runs += _runs(presence for presence in of_driver if _is_within(asked, presence))
    made = [_visit(asked, run) for run in runs]
    return sorted(made, key=attrgetter("began_at", "driver_id"))


def _is_within(asked: Asked, presence: Presence) -> bool:
    if presence.began_at == presence.ended_at:
        return asked.begin_at <= presence.began_at < asked.end_at
    return presence.began_at < asked.end_at and presence.ended_at > asked.begin_at


def _runs(of_driver: Iterable[Presence]) -> Iterator[list[Presence]]:
    run: list[Presence] = []
    ended_at: datetime | None = None
    truck_id: int | None = None
    for one in of_driver:
        is_other_truck = truck_id is not None and one.truck_id not in (None, truck_id)
        if ended_at is None or one.began_at > ended_at + ONE_VISIT or is_other_truck:
            if run:
                yield run
            run, ended_at, truck_id = [], one.ended_at, None
        run.append(one)
        ended_at = max(ended_at, one.ended_at)
        truck_id = one.truck_id or truck_id
    if run:
        yield run


def _visit(asked: Asked, run: list[Presence]) -> Visit:
    known = [one for one in run if one.how != "last_seen"] or run
    began_at, ended_at = run[0].began_at, max(one.ended_at for one in known)
    best = min(run, key=lambda one: HOWS.index(one.how))
    nearest = min(run, key=lambda one: (one.away_m or 0.0, HOWS.index(one.how)))
    return Visit(
        driver_id=run[0].driver_id,
        truck_id=next((one.truck_id for one in run if one.truck_id is not None), None),
        mission_ids=tuple(dict.fromkeys(one.mission_id for one in run if one.mission_id)),
        began_at=max(began_at, asked.begin_at),
        ended_at=min(ended_at, asked.end_at),
        is_there_before=began_at < asked.begin_at,
        is_there_after=ended_at > asked.end_at,
        is_last=any(one.how == "last_seen" for one in run),
        best=best,
        nearest=_clipped(asked, nearest),
        positions=tuple(one for one in run if one.how in ("position", "stage")),
    )


def _clipped(asked: Asked, presence: Presence) -> Presence:
    """With the moment of its nearest point inside the asked time: nothing is said of another."""
    nearest_at = min(max(presence.nearest_at, asked.begin_at), asked.end_at)
    return replace(presence, nearest_at=nearest_at)


def of_drivers(
    asked: Asked, steps: Iterable[Step], windows: Mapping[int, Sequence[Window]]
) -> Iterator[Presence]:
    """What all steps say."""
    for step in steps:
        yield from presences(asked, step, windows.get(step.driver_id, ()))
