"""Distances on the globe. (pure)

Plain floats in, metres out: a day of fixes is thousands of legs, so nothing here makes
an object.
"""

from math import asin, cos, radians, sin, sqrt
from typing import Final

# The mean radius of the IUGG. The equatorial one would add 0.11 % to every kilometre.
EARTH_RADIUS_M: Final = 6_371_008.8

KMH_IN_MPS: Final = 1 / 3.6

_DIAMETER_M: Final = 2 * EARTH_RADIUS_M


def distance_m(
    a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float
) -> float:
    """Metres along the great circle between two places in degrees (WGS 84, haversine)."""
    north = sin(radians(b_latitude - a_latitude) / 2)
    east = sin(radians(b_longitude - a_longitude) / 2)
    h = north * north + cos(radians(a_latitude)) * cos(radians(b_latitude)) * east * east
    # Rounding can lift h a hair above 1 for two places opposite each other.
    return _DIAMETER_M * asin(sqrt(h)) if h < 1 else _DIAMETER_M * asin(1)


def mean_speed_mps(chord_m: float, elapsed_s: float) -> float:
    """Metres per second over a leg; infinite for two places in one instant, 0 for one."""
    if elapsed_s > 0:
        return chord_m / elapsed_s
    return float("inf") if chord_m > 0 else 0.0
