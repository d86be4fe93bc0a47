"""A sketch of a site: its circle, and how far from its middle each stage was marked. (pure)

It shows distances and no directions: every mark lies on one line from the middle to the
right, wherever the phone was. The PDF and the page draw the same shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

# What is farther than this many radii is shown at the edge, with an arrow.
FARTHEST_RADII: Final = 4.0
MARGIN: Final = 4.0
# Marks nearer to each other than this have their letters on different lines.
LETTER_WIDTH: Final = 4.0
LETTER_LINE: Final = 3.6
LETTER_ROWS: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A stage: its letter in the table, and its distance and accuracy in metres."""

    letter: str
    distance_m: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark as drawn: where on the line, from where to where it may be, its letter's height."""

    letter: str
    x: float
    low_x: float
    high_x: float
    letter_y: float
    is_beyond: bool


@dataclass(frozen=True, slots=True)
class Sketch:
    """Shapes in the units of the box: the circle, the line from its middle, the ticks on it."""

    width: float
    height: float
    x: float
    y: float
    radius: float
    end_x: float
    ticks: tuple[Tick, ...]


def site_sketch(
    radius_m: float, marks: Sequence[Mark], *, width: float = 62.0, height: float = 44.0
) -> Sketch:
    """Fit circle and marks into a box; to scale, but for what is beyond."""
    reach = max((mark.distance_m + (mark.accuracy_m or 0) for mark in marks), default=0.0)
    shown_m = max(1.15 * radius_m, min(reach, FARTHEST_RADII * radius_m))
    scale = min((width - 2 * MARGIN) / (radius_m + shown_m), (height - 2 * MARGIN) / (2 * radius_m))
    radius = radius_m * scale
    x, y = MARGIN + radius, height / 2
    end_x = min(width - MARGIN, x + shown_m * scale)
    return Sketch(width, height, x, y, radius, end_x, _ticks(marks, x, y, end_x, scale))


def _ticks(
    marks: Sequence[Mark], x: float, y: float, end_x: float, scale: float
) -> tuple[Tick, ...]:
    ticks: list[Tick] = []
    # The last letter's place on each line of letters below the line of marks.
    taken = [float("-inf")] * LETTER_ROWS
    for mark in sorted(marks, key=lambda mark: mark.distance_m):
        at = x + mark.distance_m * scale
        spread = (mark.accuracy_m or 0) * scale
        drawn = min(at, end_x)
        row = next((row for row in range(LETTER_ROWS) if drawn - taken[row] >= LETTER_WIDTH), None)
        if row is None:
            row = min(range(LETTER_ROWS), key=taken.__getitem__)
        taken[row] = drawn
        ticks.append(
            Tick(
                mark.letter,
                x=drawn,
                low_x=max(x, min(at - spread, end_x)),
                high_x=min(at + spread, end_x),
                letter_y=y + LETTER_LINE * (row + 1.2),
                is_beyond=at > end_x + 0.01,
            )
        )
    return tuple(ticks)


def svg(sketch: Sketch, title: str) -> str:
    """The sketch as an SVG element; colours come from the page's style sheet."""
    parts = [
        f'<svg class="site-sketch" role="img" viewBox="0 0 {sketch.width:g} {sketch.height:g}">',
        f"<title>{escape(title)}</title>",
        f'<circle class="site" cx="{sketch.x:.2f}" cy="{sketch.y:.2f}" r="{sketch.radius:.2f}"/>',
        f'<circle class="middle" cx="{sketch.x:.2f}" cy="{sketch.y:.2f}" r="0.6"/>',
        f'<path class="line" d="M{sketch.x:.2f} {sketch.y:.2f}H{sketch.end_x:.2f}"/>',
    ]
    parts += [
        (
            f'<path class="spread" d="M{tick.low_x:.2f} {sketch.y:.2f}H{tick.high_x:.2f}"/>'
            f'<path class="tick" d="M{tick.x:.2f} {sketch.y - 2:.2f}V{sketch.y + 2:.2f}"/>'
            f'<text x="{tick.x:.2f}" y="{tick.letter_y + 1:.2f}">{escape(tick.letter)}'
            f"{'→' if tick.is_beyond else ''}</text>"
        )
        for tick in sketch.ticks
    ]
    return "".join([*parts, "</svg>"])
