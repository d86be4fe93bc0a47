"""Duty and private-mode marks: what a driver presses at the start and end of work. (pure)

A duty is not a stored period. Marks are append-only, and what was on at a moment follows
from the newest mark of its class at or before that moment. So a mark that arrives late,
twice or out of order cannot make two periods overlap or leave one half-open.
"""

from enum import IntEnum
from typing import Final


class DutyMarkKind(IntEnum):
    """A press of the duty or private-mode button. The number is what the database holds."""

    DUTY_STARTED = 30
    DUTY_ENDED = 31
    PRIVATE_STARTED = 32
    PRIVATE_ENDED = 33

    @property
    def label(self) -> str:
        """The name on the wire, for example `duty_started`."""
        return self.name.lower()


DUTY_KINDS: Final = (DutyMarkKind.DUTY_STARTED, DutyMarkKind.DUTY_ENDED)
PRIVATE_KINDS: Final = (DutyMarkKind.PRIVATE_STARTED, DutyMarkKind.PRIVATE_ENDED)
MARK_BY_LABEL: Final = {kind.label: kind for kind in DutyMarkKind}
