"""What somebody wrote, as a font can draw it. (pure)"""

import re
from collections.abc import Callable, Container
from typing import Final
from unicodedata import category

# Stands for a character that the font has not: one sees that something stood there.
NO_GLYPH: Final = "\u25a1"
_BREAKS: Final = re.compile(r"[\t-\r\x1c-\x1f \x85\u2028\u2029]+")


def drawable(text: str, glyphs: Container[int]) -> str:
    """One line, however many were written, without what has no shape; `glyphs` by code point."""
    shown = (char for char in _BREAKS.sub(" ", text) if category(char) not in ("Cc", "Cf"))
    return "".join(char if ord(char) in glyphs else NO_GLYPH for char in shown)


def shortened(text: str, room: float, width_of: Callable[[str], float]) -> str:
    """As much of a text as there is room for, with an ellipsis for the rest."""
    if width_of(text) <= room:
        return text
    while text and width_of(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…"
