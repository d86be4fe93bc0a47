"""Moments as RFC 3339 text with a zone, read and written. (pure)"""

import re
from datetime import UTC, datetime
from typing import Final

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
# Wide enough for every drive, and far enough from Python's ends that sums do not overflow.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def moment(text: str) -> datetime:
    """An aware moment in UTC. ValueError says what is missing, a zone above all."""
    matched = _RFC3339.fullmatch(text.strip())
    if matched is None:
        raise ValueError(f"{text!r} is not a time like 2026-11-22T08:15:30Z")
    if matched["zone"] is None:
        raise ValueError(f"{text!r} has no zone: add Z for UTC, or an offset like +01:00")
    try:
        found = datetime.fromisoformat(matched[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time that exists") from None
    if not EARLIEST <= found < LATEST:
        raise ValueError(f"{text!r} is too far away to be meant")
    return found


def rfc3339(at: datetime) -> str:
    """An aware time in UTC, with as many decimals as it has: none, 3 or 6."""
    text = at.isoformat()
    if text[-6:] != "+00:00":
        return rfc3339(at.astimezone(UTC))
    return f"{text[:-9] if text[-9:-6] == '000' else text[:-6]}Z"
