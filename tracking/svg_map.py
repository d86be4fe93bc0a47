"""A map as one SVG element, made on the server: for a page without scripts, and for paper. (pure)

Web Mercator, like the map that replaces it where scripts run. Colours and widths are classes
of the style sheet: the page's policy allows no style in the markup.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import asinh, atan, degrees, radians, sinh, tan
from typing import Final

Point = Sequence[float]  # latitude, longitude in degrees

WIDTH: Final = 800
HEIGHT: Final = 600
MARGIN: Final = 60
# A box of another shape shows this much beside the paper.
AROUND: Final = 300.0
# Less than this and a parked truck would fill the map: about 3 km from bottom to top.
LEAST_DEGREES: Final = 0.03
# Points of a line nearer than this to the one before draw the same line.
FINEST: Final = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline of one class: `driven`, `missing` or `border`."""

    kind: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Dot:
    """A named point of one class: `place`, `stop`, or a state of the fleet."""

    kind: str
    point: Point
    name: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The part of the world that is drawn, and where a point of it falls on the paper."""

    west: float
    north: float
    scale: float

    def place(self, point: Point) -> tuple[float, float]:
        """Units from the left and from the top, to a tenth."""
        x = (point[1] - self.west) * self.scale
        y = (self.north - mercator(point[0])) * self.scale
        return round(x, 1), round(y, 1)

    def bounds(self, around: float = 0.0) -> tuple[float, float, float, float]:
        """What falls on the paper or so many units around it, in degrees: west, south, east,
        north."""
        beyond = around / self.scale
        south = self.north - HEIGHT / self.scale - beyond
        west, east = self.west - beyond, self.west + WIDTH / self.scale + beyond
        return west, _latitude(south), east, _latitude(self.north + beyond)

    def shows(self, point: Point, around: float = 0.0) -> bool:
        """Whether a point falls on the paper, or within so many units around it."""
        x, y = self.place(point)
        return -around <= x <= WIDTH + around and -around <= y <= HEIGHT + around


def mercator(latitude: float) -> float:
    """The height of a latitude on the map, in the degrees of its longitudes."""
    return degrees(asinh(tan(radians(latitude))))


def _latitude(height: float) -> float:
    """The latitude at a height on the map."""
    return degrees(atan(sinh(radians(height))))


def view_of(points: Iterable[Point]) -> View | None:
    """The view that shows all points with a margin; None without points."""
    found = [(point[1], mercator(point[0])) for point in points]
    if not found:
        return None
    xs, ys = [x for x, _ in found], [y for _, y in found]
    wide = max(max(xs) - min(xs), LEAST_DEGREES)
    high = max(max(ys) - min(ys), LEAST_DEGREES)
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    return View(
        west=(max(xs) + min(xs)) / 2 - WIDTH / 2 / scale,
        north=(max(ys) + min(ys)) / 2 + HEIGHT / 2 / scale,
        scale=scale,
    )


def within(view: View, lines: Iterable[Line]) -> Iterator[Line]:
    """The runs of lines that the view shows, each with one point beyond its ends."""
    for line in lines:
        run: list[Point] = []
        was_shown = False
        for point in line.points:
            is_shown = view.shows(point, AROUND)
            if is_shown or was_shown:
                run.append(point)
            else:
                run = [point]  # the point before the view is entered
            if was_shown and not is_shown:
                yield Line(line.kind, run)
                run = [point]
            was_shown = is_shown
        if was_shown and len(run) > 1:
            yield Line(line.kind, run)


def svg_map(title: str, view: View, lines: Iterable[Line], dots: Iterable[Dot]) -> str:
    """The element. Lines lie under dots; what comes later lies above."""
    drawn = [*(_polyline(view, line) for line in lines), *(_dot(view, dot) for dot in dots)]
    return (
        f'<svg class="floor" role="img" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(title)}</title>{''.join(drawn)}</svg>"
    )


def _polyline(view: View, line: Line) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in _thinned([*map(view.place, line.points)]))
    return f'<polyline class="{escape(line.kind)}" points="{points}"/>'


def _thinned(places: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Without what lies on the point before it, as far as paper shows; both ends stay."""
    last: tuple[float, float] | None = None
    for place in places[:-1]:
        if last is None or abs(place[0] - last[0]) + abs(place[1] - last[1]) >= FINEST:
            yield place
            last = place
    yield from places[-1:]


def _dot(view: View, dot: Dot) -> str:
    x, y = view.place(dot.point)
    is_text = dot.kind == "place" or dot.kind.startswith("label")
    circle = "" if is_text else f'<circle cx="{x:g}" cy="{y:g}" r="6"/>'
    up = 0 if is_text else 12
    text = f'<text x="{x:g}" y="{y - up:g}">{escape(dot.name)}</text>' if dot.name else ""
    return f'<g class="{escape(dot.kind)}">{circle}{text}</g>'
