"""A day's bars as the page draws them: places in per cent of the day, words in its language.

The drawing is one SVG as wide as the page; heights are pixels, so that text keeps its size on a
phone. Kinds differ in height and pattern, not in colour alone, and every part is a row of the
table below it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from tracking.day_bars import KINDS, Bar, Kind, Sums, hour_ticks
from tracking.day_rows import Clock, duration_text
from tracking.tracked import Period

WORDS: Final = {
    "move": pgettext_lazy("a part of the day", "Driving"),
    "standing": gettext_lazy("Standing"),
    "loading": gettext_lazy("Loading or unloading"),
    "gap": pgettext_lazy("a part of the day", "No positions"),
    "silent": gettext_lazy("Nothing received"),
    "untracked": gettext_lazy("Not tracked"),
    "expired": gettext_lazy("Positions no longer kept"),
    "not_available": gettext_lazy("Not available"),
    "erased": gettext_lazy("Driver and positions erased"),
}
# How each kind stands on the line: from the top and how high, in pixels.
SHAPES: Final[dict[Kind, tuple[int, int]]] = {
    "move": (22, 36),
    "standing": (40, 18),
    "loading": (30, 28),
    "gap": (34, 24),
    "silent": (50, 8),
    "untracked": (56, 2),
    "expired": (50, 8),
    "not_available": (34, 24),
    "erased": (34, 24),
}
FIRST_LANE_PX: Final = 66
LANE_PX: Final = 22
# Drivers or missions at the same time that have lanes of their own; more share the last one.
MOST_LANES: Final = 4
# Labels of the hours: each one where there is room, these on a phone.
EVERY_HOURS: Final = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the bar. `row` is the number of its row in the table, 0 without one."""

    kind: Kind
    x: str
    width: str
    y: int
    height: int
    row: int
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A full hour on the scale."""

    x: str
    label: str
    is_major: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a lane shows from one moment to another: a mission, or a driver of a truck.

    Stretches of one `group` have lanes of their own, those of the lowest group at the top.
    """

    period: Period
    label: str
    title: str
    css: str
    group: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch where it is drawn."""

    x: str
    width: str
    y: int
    label: str
    title: str
    css: str


@dataclass(frozen=True, slots=True)
class Total:
    """A kind and how long it lasted in all: the legend of the bar, too."""

    kind: Kind
    words: str
    duration: str


@dataclass(frozen=True, slots=True)
class Strip:
    pieces: list[Piece]
    marks: list[Mark]
    blocks: list[Block]
    height: int
    now: str
    totals: list[Total]
    description: str


class Scale:
    """Where a moment of the day lies, in per cent of its length."""

    def __init__(self, bounds: Period) -> None:
        self._begin_at = bounds[0]
        self._length_s = (bounds[1] - bounds[0]).total_seconds()

    def at(self, moment: datetime) -> str:
        return self._share((moment - self._begin_at).total_seconds())

    def length(self, period: Period) -> str:
        return self._share((period[1] - period[0]).total_seconds())

    def _share(self, seconds: float) -> str:
        return f"{100 * seconds / self._length_s:.3f}%"


def strip(
    parts: Sequence[Bar],
    sums: Sums,
    bounds: Period,
    *,
    clock: Clock,
    rows: Sequence[int],
    stretches: Iterable[Stretch],
    now: datetime,
) -> Strip:
    """`rows[i]` is the number of the row of the segment that a part names with `index` i."""
    scale = Scale(bounds)
    blocks = _blocks([*stretches], scale)
    lowest = max((block.y + LANE_PX for block in blocks), default=FIRST_LANE_PX)
    totals = [
        Total(kind, str(WORDS[kind]), duration_text(sums.lasted_s.get(kind, 0)))
        for kind in KINDS
        if sums.lasted_s.get(kind, 0) or kind in ("move", "standing")
    ]
    return Strip(
        pieces=[_piece(part, scale, clock, rows) for part in parts],
        marks=_marks(bounds, clock.zone, scale),
        blocks=blocks,
        height=lowest,
        now=scale.at(now) if bounds[0] <= now < bounds[1] else "",
        totals=totals,
        description="; ".join(f"{total.words}: {total.duration}" for total in totals),
    )


def _piece(part: Bar, scale: Scale, clock: Clock, rows: Sequence[int]) -> Piece:
    y, height = SHAPES[part.kind]
    times = f"{clock.text(part.started_at)}\N{EN DASH}{clock.text(part.ended_at)}"
    return Piece(
        kind=part.kind,
        x=scale.at(part.started_at),
        width=scale.length((part.started_at, part.ended_at)),
        y=y,
        height=height,
        row=0 if part.index is None else rows[part.index],
        title=f"{times} {WORDS[part.kind]}",
    )


def _marks(bounds: Period, zone: ZoneInfo, scale: Scale) -> list[Mark]:
    return [
        Mark(
            scale.at(tick.at),
            f"{tick.hour:02d}" + ("\N{PRIME}" if tick.is_again else ""),
            tick.hour % EVERY_HOURS == 0 and not tick.is_again,
        )
        for tick in hour_ticks(bounds, zone)
    ]


def _blocks(stretches: Sequence[Stretch], scale: Scale) -> list[Block]:
    """Each in the first lane of its group that is free then."""
    found: list[Block] = []
    y = FIRST_LANE_PX
    for group in sorted({one.group for one in stretches}):
        ends: list[datetime] = []
        for one in sorted((s for s in stretches if s.group == group), key=lambda s: s.period):
            lane = next((n for n, end in enumerate(ends) if end <= one.period[0]), len(ends))
            lane = min(lane, MOST_LANES - 1)
            ends[lane : lane + 1] = [max([one.period[1], *ends[lane : lane + 1]])]
            x, width = scale.at(one.period[0]), scale.length(one.period)
            found.append(Block(x, width, y + lane * LANE_PX, one.label, one.title, one.css))
        y += len(ends) * LANE_PX
    return found


def said_times(period: Period, clock: Clock) -> str:
    """From when to when, as the rows write it."""
    return _("%(from)s to %(to)s") % {
        "from": clock.text(period[0]),
        "to": clock.text(period[1]),
    }
