"""Duties and private times, read off the marks. (pure)

Only the newest mark at or before a moment says what was on then, so the order in which
marks were stored, and a mark that came twice, make no difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from accounts.duty_marks import DUTY_KINDS, PRIVATE_KINDS

DutyKind = Literal["duty", "private"]
KINDS: Final[dict[DutyKind, tuple[int, int]]] = {
    "duty": (DUTY_KINDS[0], DUTY_KINDS[1]),
    "private": (PRIVATE_KINDS[0], PRIVATE_KINDS[1]),
}


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One press. Ordered by time; of two at the same instant the ending one is the newer."""

    recorded_at: datetime
    kind: int
    source: str = "driver"


@dataclass(frozen=True, slots=True)
class DutyPeriod:
    """From a start to the next end, half-open; `ended` is None while it goes on."""

    kind: DutyKind
    started: Mark
    ended: Mark | None


def duty_periods(marks: Iterable[Mark], kind: DutyKind) -> Iterator[DutyPeriod]:
    """The periods of one kind, oldest first. A second start, or an end of nothing, is passed."""
    start_kind, end_kind = KINDS[kind]
    open_since: Mark | None = None
    for mark in sorted(mark for mark in marks if mark.kind in (start_kind, end_kind)):
        if mark.kind == start_kind:
            open_since = open_since or mark
        elif open_since is not None:
            if open_since.recorded_at < mark.recorded_at:
                yield DutyPeriod(kind, open_since, mark)
            open_since = None
    if open_since is not None:
        yield DutyPeriod(kind, open_since, None)
