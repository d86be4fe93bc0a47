"""Say where something is without saying it exactly: a cell of a fixed grid. (pure)

The grid is fixed, so that many looks at one place tell no more than one look does.
"""

from math import cos, floor, pi, radians, sqrt
from typing import Final, NamedTuple

from missions.site_check import EARTH_RADIUS_KM

CELL_M: Final = 5_000.0
METRES_IN_A_DEGREE: Final = EARTH_RADIUS_KM * 1000 * pi / 180
CORNERS: Final = 48  # of a circle, enough to look round


class Area(NamedTuple):
    """A circle: its middle in degrees, its radius in metres."""

    latitude: float
    longitude: float
    radius_m: float


def coarse(latitude: float, longitude: float) -> Area:
    """The smallest circle around the cell of 5 by 5 km that a place lies in."""
    step = CELL_M / METRES_IN_A_DEGREE
    middle = (floor(latitude / step) + 0.5) * step
    # A cell of the polar row would have no width.
    across = step / max(cos(radians(middle)), 0.01)
    return Area(middle, (floor(longitude / across) + 0.5) * across, CELL_M / sqrt(2))


def outline(area: Area) -> list[tuple[float, float]]:
    """The circle as a closed ring of points, latitude first."""
    high = area.radius_m / METRES_IN_A_DEGREE
    wide = high / max(cos(radians(area.latitude)), 0.01)
    angles = [2 * pi * n / CORNERS for n in range(CORNERS + 1)]
    return [
        (area.latitude + high * cos(angle), area.longitude + wide * cos(angle - pi / 2))
        for angle in angles
    ]
