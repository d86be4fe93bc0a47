"""The maps of the pages as SVG, under what Leaflet draws where scripts run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tracking.basemap import Box, borders
from tracking.day_rows import Row
from tracking.fleet_view import FleetView
from tracking.places import PLACES
from tracking.svg_map import AROUND, Dot, Line, View, svg_map, view_of, within

# Names of towns on one map: the larger ones first, and no more than can be read.
MOST_PLACES = 14
MOST_TRUCKS = 60
# About what a name takes on the paper, in its units.
NAME_WIDE, NAME_HIGH = 90, 30
# How many missions of a day have a colour of their own; then the colours come again.
COLOURS = 6


def fleet_map(fleet: FleetView, language: str) -> SafeString:
    """Each truck's newest position by name; empty without any."""
    dots = [Dot(row.state, (row.latitude, row.longitude), row.label) for row in fleet.rows]
    return _drawn(_("Map of the fleet; the table says the same"), [], dots, language)


def trucks_map(trucks: Sequence[Mapping[str, Any]], language: str) -> SafeString:
    """Trucks as today_rows.trucks_of has them; empty for more than can be told apart."""
    if len(trucks) > MOST_TRUCKS:
        return SafeString("")
    dots = [Dot(one["state"], (one["latitude"], one["longitude"]), one["label"]) for one in trucks]
    return _drawn(_("Map of the trucks; the table says the same"), [], dots, language)


def track_map(
    title: str, track: Iterable[dict[str, Any]], rows: Sequence[Row], language: str
) -> SafeString:
    """A day's or a mission's track and where something happened; empty without positions."""
    parts = list(track)
    lines = [Line(_class_of(part), part["points"]) for part in parts]
    dots = [
        Dot("stop", (row.latitude, row.longitude))
        for row in rows
        if row.latitude is not None and row.longitude is not None
    ]
    return _drawn(title, lines, [*dots, *_numbers(parts)], language)


def _class_of(part: dict[str, Any]) -> str:
    """What a stretch is, and the colour of its mission where the page has several."""
    if "mission" not in part:
        return str(part["kind"])
    return f"{part['kind']} mission-{colour_of(part['mission'])}"


def colour_of(number: int) -> int:
    """The colour of the mission with this number of the day; 0: of none."""
    return (number - 1) % COLOURS + 1 if number else 0


def _numbers(parts: Sequence[dict[str, Any]]) -> list[Dot]:
    """Each mission's number in the middle of its longest stretch: colour alone says nothing."""
    longest: dict[int, Sequence[Any]] = {}
    for part in parts:
        if part.get("mission") and len(part["points"]) > len(longest.get(part["mission"], ())):
            longest[part["mission"]] = part["points"]
    return [
        Dot(f"label mission-{colour_of(number)}", points[len(points) // 2], str(number))
        for number, points in longest.items()
    ]


def area_map(title: str, lines: Iterable[Line], dots: Iterable[Dot], language: str) -> SafeString:
    """Circles that something is in, and points beside them."""
    return _drawn(title, list(lines), list(dots), language)


def _drawn(title: str, lines: list[Line], dots: list[Dot], language: str) -> SafeString:
    points = [point for line in lines for point in line.points] + [dot.point for dot in dots]
    view = view_of(points)
    if view is None:
        return SafeString("")
    land = [Line("border", run) for run in borders(Box(*view.bounds(AROUND)))]
    drawn = svg_map(
        title, view, [*within(view, land), *lines], [*_places(view, language, dots), *dots]
    )
    return mark_safe(drawn)  # noqa: S308 (svg_map escapes every name)


def _places(view: View, language: str, dots: Sequence[Dot]) -> list[Dot]:
    """Towns whose names do not lie under the name of a point."""
    named = [view.place(dot.point) for dot in dots if dot.name]
    shown = [
        place
        for place in PLACES
        if view.shows(point := (place.latitude, place.longitude))
        and not any(_touch(view.place(point), name) for name in named)
    ]
    shown.sort(key=lambda place: place.min_zoom)
    return [
        Dot("place", (place.latitude, place.longitude), place.names.get(language, place.english))
        for place in shown[:MOST_PLACES]
    ]


def _touch(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < NAME_WIDE and abs(one[1] - other[1]) < NAME_HIGH
