"""Which of an employer's sites a point lies in, for hundreds of points at once. (pure)

Sites lie in cells of a few kilometres, so a point looks at a handful and never at all of them.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import cos, floor, radians
from typing import Final, NamedTuple

from tracking.geometry import distance_m

CELL_DEG: Final = 0.05
DEGREE_M: Final = 111_195.0  # of latitude
# A site that covers more cells than this is asked about for every point.
CELLS_AT_MOST: Final = 64
# East and west come together here as cells too small to be of use.
STEEPEST_DEG: Final = 85.0


class Area(NamedTuple):
    """A site as a circle."""

    name: str
    latitude: float
    longitude: float
    radius_m: int


class SiteGrid:
    """`name_at` a point; the nearest centre wins where circles overlap."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._cells: defaultdict[tuple[int, int], list[Area]] = defaultdict(list)
        self._wide: list[Area] = []
        for area in areas:
            cells = _cells_of(area)
            if cells is None:
                self._wide.append(area)
            else:
                for cell in cells:
                    self._cells[cell].append(area)

    def name_at(self, latitude: float, longitude: float) -> str:
        """The site's name; empty outside of all."""
        near = self._cells.get((floor(latitude / CELL_DEG), floor(longitude / CELL_DEG)), ())
        inside = [
            (away_m, area.name)
            for area in (*near, *self._wide)
            if (away_m := distance_m(latitude, longitude, area.latitude, area.longitude))
            <= area.radius_m
        ]
        return min(inside)[1] if inside else ""


def _cells_of(area: Area) -> list[tuple[int, int]] | None:
    """The cells that the circle may touch; None for too many."""
    if abs(area.latitude) > STEEPEST_DEG:
        return None
    high = area.radius_m / DEGREE_M
    wide = high / cos(radians(min(abs(area.latitude) + high, STEEPEST_DEG)))
    rows = _span(area.latitude - high, area.latitude + high)
    columns = _span(area.longitude - wide, area.longitude + wide)
    if len(rows) * len(columns) > CELLS_AT_MOST:
        return None
    return [(row, column) for row in rows for column in columns]


def _span(low: float, high: float) -> range:
    return range(floor(low / CELL_DEG), floor(high / CELL_DEG) + 1)
