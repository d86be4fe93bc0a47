"""The stages of a mission: one name each, from the phone to the page to the column. (pure)

Here because the lowest app that needs them is this one: a phone learns them when it pairs.

Source of the names: the glossary in the README. The number is what the database holds.
"""

from enum import IntEnum
from typing import Final


class Stage(IntEnum):
    """A moment of a mission that the driver marks."""

    DEPARTURE = 10
    ARRIVAL = 11
    WAITING_STARTED = 12
    LOADING_STARTED = 13
    LOADING_ENDED = 14
    UNLOADING_STARTED = 15
    UNLOADING_ENDED = 16
    SIGNATURE = 17
    BREAK_STARTED = 18
    BREAK_ENDED = 19
    EXCEPTION = 20

    @property
    def label(self) -> str:
        """The name on the wire, for example `loading_started`."""
        return self.name.lower()


STAGE_BY_LABEL: Final = {stage.label: stage for stage in Stage}

# How a driver may say that a stop ended; `cancelled` is a dispatcher's word.
SAID_BY_DRIVERS: Final = ("succeeded", "partially_succeeded", "failed")
# Those that leave the customer without what was asked for, and so need their reason.
UNDELIVERED: Final = frozenset({"partially_succeeded", "failed"})

# OpenTripModel's words for why a delivery did not go as asked, in snake_case.
EXCEPTION_REASONS: Final = (
    "damage",
    "delivered_elsewhere",
    "delivered_to_wrong_receiver",
    "inaccessible_address",
    "incomplete",
    "invalid_address",
    "invalid_shipping_label",
    "receiver_absent",
    "rejected_by_receiver",
    "other",
)
