"""How far from its site a stage was marked, and whether that can be called at the site. (pure)"""

from typing import Final, Literal

from geopy.distance import great_circle

EARTH_RADIUS_KM: Final = 6371.0088
# A position less accurate than this says nothing about a yard of 150 m.
WORST_ACCURACY_M: Final = 200.0

SiteCheckResult = Literal["inside", "outside", "unknown"]
Point = tuple[float, float]


def as_point(latitude: float | None, longitude: float | None) -> Point | None:
    """Both or None."""
    return None if latitude is None or longitude is None else (latitude, longitude)


def site_distance_m(position: Point | None, site: Point | None) -> float | None:
    """Great circle in metres between two (latitude, longitude) in degrees; None without both."""
    if position is None or site is None:
        return None
    return float(great_circle(position, site, radius=EARTH_RADIUS_KM).m)


def site_check(
    distance_m: float | None, *, accuracy_m: float | None, radius_m: float
) -> SiteCheckResult:
    """Whether a position lies within a site's radius, in favour of the driver within accuracy.

    A phone that does not tell its accuracy is taken at its word.
    """
    if distance_m is None or (accuracy_m is not None and accuracy_m > WORST_ACCURACY_M):
        return "unknown"
    return "inside" if distance_m - (accuracy_m or 0.0) <= radius_m else "outside"
