"""A timeline and its fixes as what a replay runs along: parts of time, and legs.

The replay is a page. The command `replay`, which says a recorded track again as a phone
would, is tracking/replaying.py and has nothing to do with it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal

from tracking.histories import StoredFix
from tracking.moments import INSTANTS, Segment

PartKind = Literal["move", "standing", "gap", "off"]

# In the order of the numbers that the page's data has for them.
PART_KINDS: Final[tuple[PartKind, ...]] = ("move", "standing", "gap", "off")
_KIND_OF: Final[dict[str, PartKind]] = {
    "move": "move",
    "dwell": "standing",
    "standstill": "standing",
    "gap": "gap",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the time that is played. `row`: the timeline's entry; None where nobody was
    tracked (`off`), or where another phone takes over (a `gap` between the two)."""

    kind: PartKind
    started_at: datetime
    ended_at: datetime
    row: int | None = None


def parts_between(
    segments: Sequence[Segment],
    tracked: Sequence[tuple[datetime, datetime]],
    begin_at: datetime,
    end_at: datetime,
) -> list[Part]:
    """What lasted, in order and without overlap, and the time between that nothing covers.

    Of two that overlap (two stops in one yard) the one that began first is played.
    """
    parts: list[Part] = []
    reached_at = begin_at
    for row, segment in _lasting(segments):
        started_at, ended_at = max(segment.started_at, reached_at), min(segment.ended_at, end_at)
        if started_at >= ended_at:
            continue
        if started_at > reached_at:
            parts.append(_uncovered(reached_at, started_at, tracked))
        parts.append(Part(_KIND_OF[segment.type], started_at, ended_at, row))
        reached_at = ended_at
    if reached_at < end_at:
        parts.append(_uncovered(reached_at, end_at, tracked))
    return parts


def told_fixes(fixes: Sequence[StoredFix], segments: Sequence[Segment]) -> list[StoredFix]:
    """The fixes of the phone that the timeline believes at each moment.

    Of two phones of one driver the timeline follows one; the other's places in between would
    make the marker jump to and fro.
    """
    lasting = [segment for _, segment in _lasting(segments)]
    starts = [segment.started_at for segment in lasting]
    return [fix for fix in fixes if _is_told(fix, lasting, starts)]


def leg_kinds(fixes: Sequence[StoredFix], parts: Sequence[Part]) -> list[PartKind]:
    """What lies between each two fixes; `gap` or `off` as soon as any part of it is one."""
    starts = [part.started_at for part in parts]
    return [_leg_kind(before, after, parts, starts) for before, after in pairwise(fixes)]


def offsets_between(
    zone: tzinfo, begin_at: datetime, end_at: datetime
) -> list[tuple[datetime, int, str]]:
    """From when on a zone's clocks show how many seconds more than UTC, and their name."""
    found = [(begin_at, *_shown(zone, begin_at))]
    at = begin_at
    while at < end_at:
        following = min(at + timedelta(hours=1), end_at)
        if _shown(zone, following) != found[-1][1:]:
            changed_at = _changed_at(zone, at, following)
            found.append((changed_at, *_shown(zone, changed_at)))
        at = following
    return found


def _uncovered(
    begin_at: datetime, end_at: datetime, tracked: Sequence[tuple[datetime, datetime]]
) -> Part:
    is_tracked = any(first <= begin_at and end_at <= last for first, last in tracked)
    return Part("gap" if is_tracked else "off", begin_at, end_at)


def _lasting(segments: Iterable[Segment]) -> list[tuple[int, Segment]]:
    found = [(n, one) for n, one in enumerate(segments) if one.type not in INSTANTS]
    found.sort(key=lambda pair: (pair[1].started_at, pair[1].ended_at))
    return found


def _is_told(fix: StoredFix, lasting: Sequence[Segment], starts: Sequence[datetime]) -> bool:
    """Whether a part that it lies in is its own phone's, or that of no phone in particular."""
    last = bisect_right(starts, fix.recorded_at)
    around = [
        segment
        for segment in lasting[max(0, last - 3) : last]
        if fix.recorded_at <= segment.ended_at
    ]
    phones = [segment.device for segment in around if isinstance(segment.device, tuple)]
    return not phones or (fix.driver_id, fix.device_id) in phones


def _leg_kind(
    before: StoredFix, after: StoredFix, parts: Sequence[Part], starts: Sequence[datetime]
) -> PartKind:
    first = max(0, bisect_right(starts, before.recorded_at) - 1)
    last = bisect_left(starts, after.recorded_at)
    kinds = {part.kind for part in parts[first:last] if part.ended_at > before.recorded_at}
    if "off" in kinds or (before.driver_id, before.device_id) != (after.driver_id, after.device_id):
        return "off"
    if "gap" in kinds:
        return "gap"
    return "standing" if kinds == {"standing"} else "move"


def _shown(zone: tzinfo, at: datetime) -> tuple[int, str]:
    local = at.astimezone(zone)
    offset = local.utcoffset() or timedelta(0)
    return int(offset.total_seconds()), local.tzname() or ""


def _changed_at(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second from which on the clocks show what they show at `after`."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if _shown(zone, middle) == _shown(zone, before):
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
