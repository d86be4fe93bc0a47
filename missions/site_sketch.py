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
# Marks this near to each other are one to the eye: their letters stand together.
SAME_PLACE: Final = 1.5
# Letters as drawn, in the box's units: a wide one's width, the room between two labels, and
# how many lines there are below the line of marks.
LETTER_WIDTH: Final = 2.1
LABEL_GAP: Final = 1.0
LETTER_LINE: Final = 3.6
LETTER_ROWS: Final = 4
# More letters than this would be wider than the sketch: the first and the last stand for them.
LONGEST_LABEL: Final = 14


@dataclass(frozen=True, slots=True)
class Mark:
    """A stage: its letter in the table, and its distance and accuracy in metres."""

    letter: str
    distance_m: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark as drawn: where on the line, and from where to where it may be."""

    letter: str
    x: float
    low_x: float
    high_x: float
    is_beyond: bool


@dataclass(frozen=True, slots=True)
class Label:
    """The letters of one place below its marks; `x` is its middle, `y` its base line."""

    text: str
    x: float
    y: float

    @property
    def width(self) -> float:
        return len(self.text) * LETTER_WIDTH


@dataclass(frozen=True, slots=True)
class Sketch:
    """Shapes in the units of the box: circle, the line from its middle, ticks and labels."""

    width: float
    height: float
    x: float
    y: float
    radius: float
    end_x: float
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]


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
    ticks = _ticks(marks, x, end_x, scale)
    labels = _labels(ticks, y, width)
    return Sketch(width, height, x, y, radius, end_x, ticks, labels)


def _ticks(marks: Sequence[Mark], x: float, end_x: float, scale: float) -> tuple[Tick, ...]:
    ticks: list[Tick] = []
    for mark in sorted(marks, key=lambda mark: mark.distance_m):
        at = x + mark.distance_m * scale
        spread = (mark.accuracy_m or 0) * scale
        ticks.append(
            Tick(
                mark.letter,
                x=min(at, end_x),
                low_x=max(x, min(at - spread, end_x)),
                high_x=min(at + spread, end_x),
                is_beyond=at > end_x + 0.01,
            )
        )
    return tuple(ticks)


def _labels(ticks: Sequence[Tick], y: float, width: float) -> tuple[Label, ...]:
    """One for each place, on the first line where it covers no other."""
    labels: list[Label] = []
    # Where the last label ends, on each line.
    taken = [float("-inf")] * LETTER_ROWS
    for group in _groups(ticks):
        text = _text(group)
        half = len(text) * LETTER_WIDTH / 2
        middle = sum(tick.x for tick in group) / len(group)
        middle = max(half, min(middle, width - half))
        row = next((row for row in range(LETTER_ROWS) if middle - half >= taken[row]), None)
        if row is None:
            row = min(range(LETTER_ROWS), key=taken.__getitem__)
        taken[row] = middle + half + LABEL_GAP
        labels.append(Label(text, middle, y + LETTER_LINE * (row + 1.2)))
    return tuple(labels)


def _groups(ticks: Sequence[Tick]) -> list[list[Tick]]:
    """Ticks that lie together, from the middle outwards; what is beyond is apart."""
    groups: list[list[Tick]] = []
    for tick in ticks:
        first = groups[-1][0] if groups else None
        if first and tick.x - first.x < SAME_PLACE and tick.is_beyond == first.is_beyond:
            groups[-1].append(tick)
        else:
            groups.append([tick])
    return groups


def _text(group: Sequence[Tick]) -> str:
    """Like "A", "A, B", "A\u2013F" or "A\u2013C, F", with an arrow where it lies farther out."""
    letters = sorted((tick.letter for tick in group), key=_place)
    runs: list[list[str]] = []
    for letter in letters:
        if runs and _place(letter) == _place(runs[-1][-1]) + 1:
            runs[-1].append(letter)
        else:
            runs.append([letter])
    text = ", ".join(f"{run[0]}\u2013{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
    if len(text) > LONGEST_LABEL:
        text = f"{letters[0]} \u2026 {letters[-1]}"
    return f"{text}→" if group[0].is_beyond else text


def _place(letter: str) -> int:
    """Of a letter in the table: A, B, … Z, A2, B2, …"""
    return ord(letter[0]) + 26 * int(letter[1:] or 1)


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
        )
        for tick in sketch.ticks
    ]
    parts += [
        f'<text x="{label.x:.2f}" y="{label.y + 1:.2f}">{escape(label.text)}</text>'
        for label in sketch.labels
    ]
    return "".join([*parts, "</svg>"])
