"""Names as they are searched and sorted: without accents and capitals. (pure)

The database of a fresh machine has no ICU and no unaccent, so the folded form is a column.
"""

import unicodedata
from typing import Final

# Letters that have no accent to take off, and that people type without.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
    }
)


def folded(text: str) -> str:
    """For example `Özdemir, Łukasz` as `ozdemir, lukasz`; white space becomes one blank."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(part for part in parts if not unicodedata.combining(part)).casefold()
    return " ".join(plain.translate(_LETTERS).replace("\0", "").split())
