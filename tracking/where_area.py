"""The place that somebody asks about: a circle or a box, and how a leg runs through it. (pure)

Distances here are of a few tens of kilometres at most, so the ground is taken as flat around
the middle of the area: at 25 km from it that costs less than a metre in ten thousand.
"""

from dataclasses import dataclass
from math import cos, hypot, pi, radians, sin, sqrt
from typing import Final, NamedTuple, Protocol

from tracking.geometry import EARTH_RADIUS_M

E7: Final = 10_000_000
_DEGREE_M: Final = radians(1) * EARTH_RADIUS_M
# Nearer to a pole than this, a degree of longitude is no width to divide by.
_MOST_NORTHERN: Final = 89.0
# Of a circle as it is drawn.
_CORNERS: Final = 60

Point = tuple[float, float]  # latitude, longitude in degrees


class Bounds(NamedTuple):
    """A rectangle in whole 1e-7 degrees, as fixes are stored; all four are inside."""

    south_e7: int
    north_e7: int
    west_e7: int
    east_e7: int


class Crossing(NamedTuple):
    """The part of a leg inside an area, as shares of its length from its start; `nearest` too."""

    enters: float
    leaves: float
    nearest: float


class Area(Protocol):
    """Where somebody may have been."""

    def holds(self, point: Point) -> bool:
        """Whether a point lies inside or on the edge."""

    def away_m(self, point: Point) -> float | None:
        """How far a point is from what was asked for; None where that is not a point."""

    def crossing(self, start: Point, end: Point) -> Crossing | None:
        """Where the straight line between two points is inside; None when it is nowhere."""

    def bounds(self, margin_m: float = 0.0) -> Bounds:
        """The rectangle around it, so much wider on every side."""

    def outline(self) -> list[Point]:
        """Its edge as a closed ring, for drawing."""


@dataclass(frozen=True, slots=True)
class Circle:
    """All that is at most so many metres from a point."""

    latitude: float
    longitude: float
    radius_m: float

    @property
    def middle(self) -> Point:
        return self.latitude, self.longitude

    def outline(self) -> list[Point]:
        high, wide = self.radius_m / _DEGREE_M, self.radius_m / _width_of_a_degree_m(self.latitude)
        turns = (2 * pi * step / _CORNERS for step in range(_CORNERS + 1))
        return [
            (self.latitude + high * cos(turn), self.longitude + wide * sin(turn)) for turn in turns
        ]

    def holds(self, point: Point) -> bool:
        return self.away_m(point) <= self.radius_m

    def away_m(self, point: Point) -> float:
        return hypot(*_metres(self.middle, point))

    def crossing(self, start: Point, end: Point) -> Crossing | None:
        x, y = _metres(self.middle, start)
        end_x, end_y = _metres(self.middle, end)
        step_x, step_y = end_x - x, end_y - y
        length2 = step_x * step_x + step_y * step_y
        if length2 == 0:
            return Crossing(0, 1, 0) if self.holds(start) else None
        nearest = -(x * step_x + y * step_y) / length2
        off2 = (x + nearest * step_x) ** 2 + (y + nearest * step_y) ** 2
        if off2 > self.radius_m**2:
            return None
        half = sqrt((self.radius_m**2 - off2) / length2)
        enters, leaves = max(0.0, nearest - half), min(1.0, nearest + half)
        return (
            Crossing(enters, leaves, _between(nearest, enters, leaves))
            if enters <= leaves
            else None
        )

    def bounds(self, margin_m: float = 0.0) -> Bounds:
        return _bounds(self.latitude, self.latitude, self.longitude, self.longitude,
                       self.radius_m + margin_m)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """All between two latitudes and two longitudes. West is less than east, south than north."""

    west: float
    south: float
    east: float
    north: float

    def outline(self) -> list[Point]:
        west, south, east, north = self.west, self.south, self.east, self.north
        return [(south, west), (south, east), (north, east), (north, west), (south, west)]

    @property
    def width_m(self) -> float:
        return _metres((self.south, self.west), (self.south, self.east))[0]

    @property
    def height_m(self) -> float:
        return (self.north - self.south) * _DEGREE_M

    def holds(self, point: Point) -> bool:
        return self.south <= point[0] <= self.north and self.west <= point[1] <= self.east

    def away_m(self, point: Point) -> None:
        """A box is no point that one could be near to."""

    def crossing(self, start: Point, end: Point) -> Crossing | None:
        """The four edges cut off what lies beyond each, one after the other (Liang-Barsky)."""
        enters, leaves = 0.0, 1.0
        for low, high, begin, stop in (
            (self.south, self.north, start[0], end[0]),
            (self.west, self.east, start[1], end[1]),
        ):
            step = stop - begin
            if step == 0:
                if not low <= begin <= high:
                    return None
                continue
            first, last = sorted(((low - begin) / step, (high - begin) / step))
            enters, leaves = max(enters, first), min(leaves, last)
        if enters > leaves:
            return None
        return Crossing(enters, leaves, (enters + leaves) / 2)

    def bounds(self, margin_m: float = 0.0) -> Bounds:
        return _bounds(self.south, self.north, self.west, self.east, margin_m)


def along(start: Point, end: Point, share: float) -> Point:
    """The point at a share of the way."""
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _width_of_a_degree_m(latitude: float) -> float:
    return cos(radians(min(abs(latitude), _MOST_NORTHERN))) * _DEGREE_M


def _metres(origin: Point, point: Point) -> tuple[float, float]:
    """East and north of an origin."""
    east = (point[1] - origin[1]) * _width_of_a_degree_m(origin[0])
    return east, (point[0] - origin[0]) * _DEGREE_M


def _bounds(south: float, north: float, west: float, east: float, margin_m: float) -> Bounds:
    high = margin_m / _DEGREE_M
    # The narrower of the two ends, so that nothing is left out.
    wide = margin_m / _width_of_a_degree_m(max(abs(south - high), abs(north + high)))
    return Bounds(
        _e7(max(-90.0, south - high)), _e7(min(90.0, north + high)),
        _e7(max(-180.0, west - wide)), _e7(min(180.0, east + wide)),
    )  # fmt: skip


def _e7(degrees: float) -> int:
    return round(degrees * E7)
