"""Draw our own basemap: land, borders and place names, from files that set-up leaves here.

A tile from somebody else's server would tell its host where an employee was. So the map
is two GeoJSON files of our own: countries from the npm package `world-atlas` (Natural
Earth, public domain), cut to a box around the Benelux, and the table in places.py.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from tracking.places import PLACES

ATTRIBUTION: Final = "Natural Earth"
DECIMALS: Final = 4  # eleven metres: finer than the source
RUN: Final = 48  # points of an outline that are drawn, or left out, together
# A ring smaller than this in both directions is an island nobody would see.
MIN_RING_DEGREES: Final = 0.02

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in degrees: west, south, east, north."""

    west: float
    south: float
    east: float
    north: float


WESTERN_EUROPE: Final = Box(-11.0, 41.0, 20.0, 59.0)


class NoWorldAtlas(Exception):
    """The npm package with the borders is not installed."""


def basemap_folder() -> Path:
    """Where the files lie; the pages answer with no borders while there are none."""
    folder: Path = settings.VAR_DIR / "basemap"
    return folder


def build_basemap(world_atlas: Path, target: Path, box: Box = WESTERN_EUROPE) -> list[Path]:
    """Write `land.json.gz` and `places.json.gz`; returns their paths.

    Raises NoWorldAtlas when `countries-10m.json` is not in the package's folder.
    """
    source = world_atlas / "countries-10m.json"
    if not source.is_file():
        raise NoWorldAtlas(source)
    topology = json.loads(source.read_text(encoding="utf-8"))
    target.mkdir(parents=True, exist_ok=True)
    written = {
        target / "land.json.gz": _collection(countries(topology, box)),
        target / "places.json.gz": _collection(place_features()),
    }
    for path, text in written.items():
        # Renamed into place, so that a page never reads half a file.
        half = path.with_suffix(".part")
        half.write_bytes(gzip.compress(text.encode(), mtime=0))
        half.replace(path)
    return list(written)


def borders(box: Box) -> list[Ring]:
    """The runs of the built land's outlines that may reach into a box, latitude first.

    None where nothing was built. A map of a city needs some tens of 34,000 points.
    """
    path = basemap_folder() / "land.json.gz"
    runs = _outlines(path, path.stat().st_mtime_ns) if path.is_file() else []
    return [run for run, around in runs if _touch(around, box)]


@lru_cache(maxsize=1)
def _outlines(path: Path, made_ns: int) -> list[tuple[Ring, Box]]:
    """Read once for each time the file was made: 0.6 MB of JSON."""
    land = json.loads(gzip.decompress(path.read_bytes()))
    rings = (
        [(latitude, longitude) for longitude, latitude in ring]
        for feature in land["features"]
        for polygon in feature["geometry"]["coordinates"]
        for ring in polygon
    )
    return [(run, _around(run)) for ring in rings for run in _runs(ring)]


def _runs(ring: Ring) -> Iterator[Ring]:
    """Pieces that end where the next begins."""
    for begin in range(0, len(ring) - 1, RUN):
        yield ring[begin : begin + RUN + 1]


def _around(run: Ring) -> Box:
    latitudes, longitudes = [y for y, _ in run], [x for _, x in run]
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _touch(one: Box, other: Box) -> bool:
    return (
        one.west <= other.east
        and other.west <= one.east
        and one.south <= other.north
        and other.south <= one.north
    )


def place_features() -> Iterator[dict[str, Any]]:
    """Each place as a GeoJSON point with its names and the zoom from which it is drawn."""
    for place in PLACES:
        yield {
            "type": "Feature",
            "properties": {"names": place.names, "min_zoom": place.min_zoom},
            "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        }


def countries(topology: dict[str, Any], box: Box) -> Iterator[dict[str, Any]]:
    """Each country that reaches into the box, as a GeoJSON multipolygon cut to it."""
    arcs = decoded_arcs(topology)
    for geometry in topology["objects"]["countries"]["geometries"]:
        polygons = [
            polygon
            for rings in _polygons(geometry)
            if (polygon := _clipped_polygon([joined(ring, arcs) for ring in rings], box))
        ]
        if polygons:
            yield {
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "MultiPolygon", "coordinates": polygons},
            }


def decoded_arcs(topology: dict[str, Any]) -> list[Ring]:
    """TopoJSON's arcs as degrees: each is a run of differences on a grid of integers."""
    scale_x, scale_y = topology["transform"]["scale"]
    move_x, move_y = topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x += step_x
            y += step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(points)
    return arcs


def joined(indexes: Iterable[int], arcs: list[Ring]) -> Ring:
    """One ring out of its arcs; `~index` is the arc backwards, shared ends are kept once."""
    ring: Ring = []
    for index in indexes:
        points = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(points[1:] if ring else points)
    return ring


def clipped(ring: Ring, box: Box) -> Ring:
    """The part of a closed ring inside the box (Sutherland-Hodgman, one edge at a time)."""
    for axis, bound, keeps_above in (
        (0, box.west, True),
        (0, box.east, False),
        (1, box.south, True),
        (1, box.north, False),
    ):
        ring = list(_cut(ring, axis, bound, keeps_above=keeps_above))
        if not ring:
            return []
    return ring


def _cut(ring: Ring, axis: int, bound: float, *, keeps_above: bool) -> Iterator[Point]:
    before = ring[-1]
    for point in ring:
        was_inside = (before[axis] >= bound) == keeps_above
        is_inside = (point[axis] >= bound) == keeps_above
        if was_inside != is_inside:
            share = (bound - before[axis]) / (point[axis] - before[axis])
            other = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
            yield (bound, other) if axis == 0 else (other, bound)
        if is_inside:
            yield point
        before = point


def _clipped_polygon(rings: list[Ring], box: Box) -> list[Ring]:
    outer = clipped(rings[0], box)
    if not _is_visible(outer):
        return []
    holes = [hole for ring in rings[1:] if _is_visible(hole := clipped(ring, box))]
    return [_rounded(ring) for ring in (outer, *holes)]


def _is_visible(ring: Ring) -> bool:
    if not ring:
        return False
    xs = [x for x, _ in ring]
    ys = [y for _, y in ring]
    return max(max(xs) - min(xs), max(ys) - min(ys)) > MIN_RING_DEGREES


def _rounded(ring: Ring) -> Ring:
    """Fewer digits, no point twice in a row, and closed as GeoJSON wants it."""
    points: Ring = []
    for x, y in ring:
        point = (round(x, DECIMALS), round(y, DECIMALS))
        if not points or points[-1] != point:
            points.append(point)
    if points[0] != points[-1]:
        points.append(points[0])
    return points


def _polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    if geometry["type"] == "Polygon":
        return [geometry["arcs"]]
    if geometry["type"] == "MultiPolygon":
        return list(geometry["arcs"])
    return []


def _collection(features: Iterable[dict[str, Any]]) -> str:
    return json.dumps(
        {"type": "FeatureCollection", "features": list(features)},
        ensure_ascii=False,
        separators=(",", ":"),
    )
