"""Pair arrivals with departures: when the driver was at a stop, exactly. (pure)"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tracking.geometry import distance_m
from tracking.legs import WORST_ACCURACY_M, Window, continuous
from tracking.moments import ARRIVAL, AT_A_STOP, DEPARTURE, Moment

# The radius a site has unless somebody says otherwise: farther from the arrival is gone.
STILL_THERE_M: Final = 150.0
# An arrival this far away is at another site, not at another dock of the same one.
ANOTHER_SITE_M: Final = 1_000.0


@dataclass(frozen=True, slots=True)
class Visit:
    """From an arrival to the departure from the same stop.

    Without `departure` the visit is open, and `ended_at` is the last moment known there.
    """

    arrival: Moment
    departure: Moment | None
    stop: Hashable | None
    started_at: datetime
    ended_at: datetime


def visits(moments: Iterable[Moment], windows: Sequence[Window] | None = None) -> list[Visit]:
    """The visits among moments in order, by their start.

    1. An arrival begins a visit, unless it repeats one that still goes on.
    2. A departure from the same stop ends it, however late the driver pressed it; but not
       when the driver meanwhile arrived at another site, or at this one again.
    3. Where one of the two names no stop, the next departure ends it if the driver was there
       all the time, or if nothing contradicts: one mission, and for a known stop no other
       stage between. So a departure from the depot ends no visit of a customer.
    4. Two visits may overlap: two stops behind one gate, each with its own departure.

    An open visit claims nothing beyond the window in which it began.
    """
    register = _Register([] if windows is None else continuous(windows))
    for moment in moments:
        if moment.kind == ARRIVAL:
            register.arrive(moment)
        elif moment.kind == DEPARTURE:
            register.depart(moment)
        elif register.present:
            register.look(moment)
    return register.closed_at_last()


class _Presence:
    """A visit whose departure has not been met yet."""

    def __init__(self, arrival: Moment, until: datetime | None) -> None:
        self.arrival = arrival
        self.stop = arrival.stop
        self.place = _place(arrival)
        self.last_there_at = arrival.recorded_at
        self.until = until
        self.has_left = False
        self.stages_since = 0

    def look(self, moment: Moment) -> None:
        """Learn from a moment that is neither arrival nor departure."""
        names_this = moment.is_stage and self.stop is not None and moment.stop == self.stop
        if names_this and not self._is_beyond(moment):
            # The driver says so, and a dock can be far from the gate.
            self.place = _place(moment) or self.place
            self.last_there_at = moment.recorded_at
            self.has_left = False
        else:
            self.look_around(moment)
        self.stages_since += moment.is_stage

    def look_around(self, moment: Moment) -> None:
        """Learn from the place of a moment whether the driver is still there."""
        self.has_left = self.has_left or self._is_beyond(moment)
        if self.has_left or not self.is_same_hand(moment):
            return
        place = _place(moment)
        if place is not None:
            self._compare(moment, place)
        elif moment.kind in AT_A_STOP and moment.stop in (None, self.stop):
            self.last_there_at = moment.recorded_at

    def _is_beyond(self, moment: Moment) -> bool:
        return self.until is not None and moment.recorded_at > self.until

    def _compare(self, moment: Moment, place: tuple[float, float]) -> None:
        if self.place is None:
            # Nobody knows where the stop is, but a distance fix says that the truck drove.
            self.has_left = moment.kind == "distance"
            self.place = place
        else:
            self.has_left = distance_m(*self.place, *place) > STILL_THERE_M
        if not self.has_left:
            self.last_there_at = moment.recorded_at

    def is_repeated_by(self, arrival: Moment) -> bool:
        """Whether an arrival is one more press for this visit."""
        if self.has_left:
            return False
        names_no_other = self.stop is None or arrival.stop is None
        return self.stop == arrival.stop or (names_no_other and self.is_same_hand(arrival))

    def is_over_with(self, arrival: Moment) -> bool:
        """Whether an arrival shows that this visit ended without a departure."""
        if not self.has_left:
            return False
        place = _place(arrival)
        return (
            self.stop is None
            or self.stop == arrival.stop
            or (place is not None and self.is_far_from(place))
        )

    def is_far_from(self, place: tuple[float, float]) -> bool:
        return self.place is not None and distance_m(*self.place, *place) > ANOTHER_SITE_M

    def may_end_with(self, departure: Moment) -> bool:
        """Whether a departure can be from here although one of the two names no stop."""
        if self.stop is not None and departure.stop is not None:
            return False
        if not self.is_same_hand(departure):
            return False
        if not self.has_left:
            return True
        missions = {self.arrival.mission, departure.mission} - {None}
        return len(missions) < 2 and (self.stop is None or self.stages_since == 0)

    def is_same_hand(self, moment: Moment) -> bool:
        """Whether both come from one phone, as far as they say."""
        return len({self.arrival.device, moment.device} - {None}) < 2

    def visit(self, departure: Moment | None = None) -> Visit:
        if departure is None:
            return Visit(
                self.arrival, None, self.stop, self.arrival.recorded_at, self.last_there_at
            )
        stop = departure.stop if self.stop is None else self.stop
        return Visit(self.arrival, departure, stop, self.arrival.recorded_at, departure.recorded_at)


class _Register:
    """Who is present at a moment, and the visits that are over."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.windows = windows
        self.present: list[_Presence] = []
        self.closed: list[Visit] = []

    def look(self, moment: Moment) -> None:
        for presence in self.present:
            presence.look(moment)

    def arrive(self, arrival: Moment) -> None:
        for presence in self.present:
            presence.look_around(arrival)
            presence.stages_since += 1
        self._close([p for p in self.present if p.is_over_with(arrival)])
        repeated = next((p for p in self.present if p.is_repeated_by(arrival)), None)
        if repeated is None:
            self.present.append(_Presence(arrival, self._window_end(arrival.recorded_at)))
        elif repeated.stop is None:
            repeated.stop = arrival.stop

    def depart(self, departure: Moment) -> None:
        for presence in self.present:
            presence.look_around(departure)
        ended = self._ended_by(departure)
        if ended is not None:
            self.present.remove(ended)
            self.closed.append(ended.visit(departure))
        # What the next departure does not end is over where the driver was last seen there.
        self._close([p for p in self.present if p.has_left and p.stop is None])
        for presence in self.present:
            presence.stages_since += 1

    def closed_at_last(self) -> list[Visit]:
        self._close(list(self.present))
        return sorted(self.closed, key=lambda visit: (visit.started_at, visit.ended_at))

    def _ended_by(self, departure: Moment) -> _Presence | None:
        for presence in self.present:
            if departure.stop is not None and presence.stop == departure.stop:
                return presence
        return next((p for p in reversed(self.present) if p.may_end_with(departure)), None)

    def _close(self, left: list[_Presence]) -> None:
        for presence in left:
            self.present.remove(presence)
            self.closed.append(presence.visit())

    def _window_end(self, at: datetime) -> datetime | None:
        if not self.windows:
            return None
        return next((end for start, end in self.windows if start <= at <= end), at)


def _place(moment: Moment) -> tuple[float, float] | None:
    if moment.latitude is None or moment.longitude is None:
        return None
    if moment.accuracy_m is not None and moment.accuracy_m > WORST_ACCURACY_M:
        return None
    return moment.latitude, moment.longitude
