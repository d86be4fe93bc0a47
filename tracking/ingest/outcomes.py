"""What became of the fixes of one request, for its dialect to put into words. (pure)"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

# One letter for each fix, as the recording statements return them.
STORED: Final = "S"
DUPLICATE: Final = "D"
THINNED: Final = "T"
OUTSIDE_WINDOW: Final = "O"
NO_DRIVER: Final = "N"
DRIVER_FROZEN: Final = "F"
ROUTE_PERIOD: Final = "P"

# The same in words: for answers, counts and monitors.
WORDS: Final = {
    STORED: "stored",
    DUPLICATE: "duplicate",
    THINNED: "thinned",
    OUTSIDE_WINDOW: "outside_window",
    NO_DRIVER: "no_driver",
    DRIVER_FROZEN: "driver_frozen",
    ROUTE_PERIOD: "recorded_at_too_old",
}

# Bits of a fix's warnings, as the recording statements return them.
WARN_MISSION_UNKNOWN: Final = 1
WARN_STOP_UNKNOWN: Final = 2


class Sender(Enum):
    """What the token of a request opens."""

    KNOWN = "K"
    UNKNOWN = "U"  # no such token, expired, or its phone is revoked
    FROZEN = "F"  # the driver who holds the phone now is frozen


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome of one request: its sender, and a letter and warning bits for each fix."""

    sender: Sender
    letters: str
    warnings: str


class DatabaseAway(Exception):
    """The database cannot be reached or did not commit: nothing was acknowledged."""


class QueueFull(Exception):
    """More fixes wait than the database can take in a reasonable time."""
