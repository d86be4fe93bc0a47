"""Say where something is without saying it exactly: a cell of a fixed grid. (pure)

The grid is fixed, so that many looks at one place tell no more than one look does.
"""

from math import cos, floor, pi, radians, sqrt
from typing import Final

from missions.site_check import EARTH_RADIUS_KM
from tracking.where_area import Circle

CELL_M: Final = 5_000.0
METRES_IN_A_DEGREE: Final = EARTH_RADIUS_KM * 1000 * pi / 180


def coarse(latitude: float, longitude: float) -> Circle:
    """The smallest circle around the cell of 5 by 5 km that a place lies in."""
    step = CELL_M / METRES_IN_A_DEGREE
    middle = (floor(latitude / step) + 0.5) * step
    # A cell of the polar row would have no width.
    across = step / max(cos(radians(middle)), 0.01)
    return Circle(middle, (floor(longitude / across) + 0.5) * across, CELL_M / sqrt(2))
