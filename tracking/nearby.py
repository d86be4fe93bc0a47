"""Say where a point is in words: the nearest place of our own table. (pure)"""

from math import cos, radians
from typing import NamedTuple

from tracking.geometry import distance_m
from tracking.places import PLACES, Place

# Farther than this a name would mislead more than help.
FARTHEST_M = 40_000.0


class Nearby(NamedTuple):
    """A place of the table and how far its centre is."""

    place: Place
    distance_m: float


def nearby(latitude: float, longitude: float) -> Nearby | None:
    """The nearest place within 40 km; None when there is none."""
    # On a plane, which is enough to tell which is nearest: hundreds of trucks ask at once.
    shrunk = cos(radians(latitude))

    def away(place: Place) -> float:
        north, east = place.latitude - latitude, (place.longitude - longitude) * shrunk
        return north * north + east * east

    place = min(PLACES, key=away)
    found = Nearby(place, distance_m(latitude, longitude, place.latitude, place.longitude))
    return found if found.distance_m <= FARTHEST_M else None
