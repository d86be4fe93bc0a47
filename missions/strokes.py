"""What a finger drew as a signature: its strokes as a path, and as a picture. (pure)

A stroke is a list of points {"x", "y", "t_ms"} in the units of the phone's pad, y down. What
is drawn is scaled to a box, so the units do not matter.
"""

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Final, TypeAlias

from PIL import Image, ImageDraw

Strokes: TypeAlias = Sequence[Sequence[Mapping[str, float]]]
Line: TypeAlias = list[tuple[float, float]]

MOST_STROKES: Final = 200
MOST_POINTS: Final = 10_000
# Far beyond any pad in any unit; a float beyond it is a defect of the sender.
LARGEST: Final = 1_000_000.0
LONGEST_MS: Final = 24 * 3600 * 1000

MOST_PIXELS: Final = 4_000_000
WIDTH_PX: Final = 800
HEIGHT_PX: Final = 300
# Drawn this much larger and shrunk: Pillow draws lines with hard edges.
OVERSAMPLED: Final = 3


class NotDrawn(ValueError):
    """The strokes or the picture are not what a signature can be; the text says why."""


def read_strokes(sent: object) -> list[list[dict[str, float]]]:
    """Strokes as sent, without what we do not know. NotDrawn when they are out of bounds."""
    if not isinstance(sent, list) or not all(isinstance(stroke, list) for stroke in sent):
        raise NotDrawn("Strokes are a list of lists of points.")
    if len(sent) > MOST_STROKES:
        raise NotDrawn(f"More than {MOST_STROKES} strokes.")
    if sum(map(len, sent)) > MOST_POINTS:
        raise NotDrawn(f"More than {MOST_POINTS} points.")
    return [[_point(point) for point in stroke] for stroke in sent if stroke]


def _point(sent: object) -> dict[str, float]:
    if not isinstance(sent, dict):
        raise NotDrawn('A point is {"x", "y", "t_ms"}.')
    point = {name: _number(sent.get(name), name, LARGEST) for name in ("x", "y")}
    if sent.get("t_ms") is not None:
        point["t_ms"] = _number(sent["t_ms"], "t_ms", LONGEST_MS)
    return point


def _number(sent: object, name: str, largest: float) -> float:
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        raise NotDrawn(f"{name} of a point is a number.")
    # In this order: an integer may be too large for a float.
    if abs(sent) > largest or not isfinite(sent):
        raise NotDrawn(f"{name} of a point is out of bounds.")
    return sent


def lines(strokes: Strokes, *, width: float, height: float, margin: float = 0) -> list[Line]:
    """The strokes, moved and scaled evenly to fill a box and to lie in its middle."""
    points = [point for stroke in strokes for point in stroke]
    if not points:
        return []
    left, top = (min(point[axis] for point in points) for axis in ("x", "y"))
    wide = max(point["x"] for point in points) - left
    high = max(point["y"] for point in points) - top
    inner_width, inner_height = width - 2 * margin, height - 2 * margin
    scale = min(
        inner_width / wide if wide > 0 else inner_height,
        inner_height / high if high > 0 else inner_width,
    )
    if wide <= 0 and high <= 0:
        scale = 1.0
    at_x = margin + (inner_width - wide * scale) / 2
    at_y = margin + (inner_height - high * scale) / 2
    return [
        [(at_x + (point["x"] - left) * scale, at_y + (point["y"] - top) * scale) for point in drawn]
        for drawn in strokes
    ]


def svg_path(strokes: Strokes, *, width: float, height: float, margin: float = 0) -> str:
    """The `d` of an SVG path in a box of that size. A stroke of one point is a dot."""
    parts = []
    for line in lines(strokes, width=width, height=height, margin=margin):
        first, *rest = line
        parts.append(f"M{first[0]:.1f} {first[1]:.1f}")
        # A line of no length is drawn as a dot by a round cap.
        parts += [f"L{x:.1f} {y:.1f}" for x, y in rest or [first]]
    return "".join(parts)


def png(strokes: Strokes) -> bytes:
    """The strokes in black on white."""
    size = (WIDTH_PX * OVERSAMPLED, HEIGHT_PX * OVERSAMPLED)
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    pen = 4 * OVERSAMPLED
    for line in lines(strokes, width=size[0], height=size[1], margin=8 * pen):
        for x, y in line:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
        for begin, end in pairwise(line):
            draw.line([begin, end], fill=0, width=pen)
    return _encoded(image.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS))


def clean_png(sent: bytes) -> bytes:
    """A PNG drawn anew from its pixels, on white. NotDrawn when it is none, or too large."""
    try:
        with Image.open(io.BytesIO(sent), formats=["PNG"]) as image:
            _refuse_too_many_pixels(image)
            image.load()
            drawn = image.convert("RGBA")
    except (NotDrawn, MemoryError):
        raise
    # Decoders raise whatever they trip over: all of it says that this is no PNG.
    except Exception as wrong:
        raise NotDrawn("This is not a whole PNG image.") from wrong
    paper = Image.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn)
    return _encoded(paper.convert("L"))


def _refuse_too_many_pixels(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise NotDrawn(f"The image has more than {MOST_PIXELS} pixels.")


def _encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
