"""The pictures of a proof, small enough to print. (pure)"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from PIL import Image

from missions.strokes import Strokes

# Photos are printed at up to this many pixels a side: 150 dpi and more at their size.
PHOTO_PX: Final = 560
JPEG_QUALITY: Final = 75


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a finger drew: its strokes, else a picture of them."""

    strokes: Strokes = ()
    png: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pictures:
    """By the ids in the words. A photo that could not be read is not in it."""

    photos: Mapping[str, bytes] = field(default_factory=dict)
    signatures: Mapping[str, Drawn] = field(default_factory=dict)


def scaled_photo(content: bytes) -> bytes:
    """A photo small enough to print many of: a JPEG. OSError or ValueError if it is none."""
    with Image.open(BytesIO(content)) as image:
        image.draft("RGB", (PHOTO_PX, PHOTO_PX))
        small = image.convert("RGB")
    small.thumbnail((PHOTO_PX, PHOTO_PX), Image.Resampling.LANCZOS)
    stream = BytesIO()
    small.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return stream.getvalue()
