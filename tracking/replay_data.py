"""What the replay page shows and plays: a driver's day, a truck's day or a mission.

Read by the same functions as the pages of a day and of a mission, so that all say the same.
(The command `replay`, which says a recorded track again as a phone would: tracking/replaying.py.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Driver, Truck
from missions.models import Mission
from tracking.day_rows import SEGMENT_NAMES, Clock, Row, day_rows, duration_text
from tracking.days import whole_day
from tracking.entries import Entry
from tracking.evidence import named
from tracking.fleet_rows import driver_name
from tracking.histories import StoredFix, Subject
from tracking.mission_words import mission_name
from tracking.models import E7
from tracking.replay_line import (
    PART_KINDS,
    Part,
    leg_kinds,
    offsets_between,
    parts_between,
    told_fixes,
)
from tracking.timeline import (
    Timeline,
    timeline_of_driver,
    timeline_of_mission,
    timeline_of_truck,
)

# How long the page shows what is compressed, however long it lasted.
IDLE_SHOWN_S: Final = 2
# About a metre: enough to draw, and half the bytes of what is stored.
E5: Final = 100_000
STANDING: Final = frozenset({"dwell", "standstill"})
MARKS: Final = {"dwell": "stop", "standstill": "standstill", "stage": "stage"}


@dataclass(frozen=True, slots=True)
class Totals:
    """Of a timeline's entries; the metres are worth what `distance_method` says."""

    distance_m: float
    distance_method: str
    moving_s: int
    standing_s: int
    gap_s: int

    @classmethod
    def of(cls, timeline: Timeline) -> "Totals":
        lasted_s = {"move": 0, "standing": 0, "gap": 0}
        for entry in timeline.entries:
            kind = "standing" if entry.segment.type in STANDING else entry.segment.type
            if kind in lasted_s:
                lasted_s[kind] += entry.segment.duration_s
        return cls(
            timeline.distance_m,
            timeline.distance_method,
            lasted_s["move"],
            lasted_s["standing"],
            lasted_s["gap"],
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """One timeline with its fixes, and its rows as every page words them."""

    subject: Subject
    timeline: Timeline
    rows: list[Row]
    clock: Clock
    totals: Totals

    @property
    def fixes(self) -> Sequence[StoredFix]:
        """What the timeline was cut from: read once, by histories.py."""
        return self.timeline.fixes


def replay_of_mission(mission: Mission, now: datetime, language: str) -> Replay:
    """From its first moment to its last, or until now."""
    timeline = timeline_of_mission(mission, now)
    begin_at = timeline.started_at or mission.planned_start_at or mission.created_at
    zone = ZoneInfo(mission.employer.timezone)
    clock = Clock.of_period(zone, begin_at, timeline.ended_at or now)
    return _replay(mission, timeline, clock, language)


def replay_of_day(subject: Driver | Truck, day: date, now: datetime, language: str) -> Replay:
    """A day in the employer's zone."""
    zone = ZoneInfo(subject.employer.timezone)
    begin_at, end_at = whole_day(day, zone)
    if isinstance(subject, Driver):
        timeline = timeline_of_driver(subject, day, now)
    else:
        timeline = timeline_of_truck(subject, day, now)
    return _replay(subject, timeline, Clock.of_day(zone, begin_at, end_at), language)


def table_of(replay: Replay) -> list[tuple[int, Row]]:
    """What lasted, by its number in the timeline; 0: time in which nobody was tracked."""
    rows = [(n, row) for n, row in enumerate(replay.rows, start=1) if row.lasts]
    rows += [(0, _untracked(part, replay.clock)) for part in parts_of(replay) if part.row is None]
    return sorted(rows, key=lambda numbered: numbered[1].started_at)


def parts_of(replay: Replay) -> list[Part]:
    """From the first fix to the last one; none without fixes."""
    if not replay.fixes:
        return []
    timeline = replay.timeline
    segments = [entry.segment for entry in timeline.entries]
    begin_at, end_at = replay.fixes[0].recorded_at, replay.fixes[-1].recorded_at
    return parts_between(segments, timeline.tracked, begin_at, end_at)


def _untracked(part: Part, clock: Clock) -> Row:
    return Row(
        type=part.kind,
        what=_("Not tracked") if part.kind == "off" else str(SEGMENT_NAMES["gap"]),
        started_at=part.started_at,
        started=clock.text(part.started_at),
        ended_at=part.ended_at,
        ended=clock.text(part.ended_at),
        duration=duration_text(_lasted_s(part)),
    )


def _lasted_s(part: Part) -> int:
    return int((part.ended_at - part.started_at).total_seconds())


def played(replay: Replay) -> dict[str, Any]:
    """The page's data. Times are whole seconds after `started_s`, itself seconds since 1970.

    started_s, ended_s   the first fix and the last one
    fixes      t, latitude, longitude (1e-5 degrees), each as the difference to the one before
    legs       [kind, how many] in a row, kinds as in `kinds`; one fewer than fixes
    parts      what the time consists of, without overlap: from, to, kind, and what to say
    stages     t, what, where: what the driver marked
    marks      where it stood, for how long, and where a stage was marked
    who        [t, driver, truck, mission] from t on, as numbers of the three lists; -1: none
    clocks     [t, seconds ahead of UTC, name] from t on; days: [t, label] from midnight on
    totals     as the page of the day or the mission has them

    Without fixes there is nothing to play: `fixes` is empty. Three queries.
    """
    segments = [entry.segment for entry in replay.timeline.entries]
    fixes = told_fixes(replay.fixes, segments)
    if not fixes:
        return {"fixes": {"t": []}, "totals": _totals(replay)}
    begin_at, end_at = fixes[0].recorded_at, fixes[-1].recorded_at
    scale = _Scale(begin_at)
    parts = parts_between(segments, replay.timeline.tracked, begin_at, end_at)
    kinds = leg_kinds(fixes, parts)
    zone = replay.clock.zone
    return {
        "started_s": scale.started_s,
        "ended_s": scale.t(end_at),
        "kinds": PART_KINDS,
        "idle_shown_s": IDLE_SHOWN_S,
        "fixes": _line(fixes, scale),
        "legs": [[PART_KINDS.index(k), len(list(run))] for k, run in groupby(kinds)],
        "parts": [
            part for one in parts if (part := _part(one, replay, scale))["to"] > part["from"]
        ],
        "stages": list(_stages(replay, scale)),
        "marks": list(_marks(replay, scale)),
        **_who(replay, fixes, scale),
        "clocks": [
            [scale.t(at), ahead_s, name]
            for at, ahead_s, name in offsets_between(zone, begin_at, end_at)
        ],
        "says_offset": replay.clock.says_offset,
        "days": list(_days(replay.clock, begin_at, end_at, scale)),
        "totals": _totals(replay),
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """Seconds after the first fix; what lies before it is negative."""

    begin_at: datetime

    @property
    def started_s(self) -> int:
        return int(self.begin_at.timestamp())

    def t(self, at: datetime) -> int:
        return int(at.timestamp()) - self.started_s


def _replay(subject: Subject, timeline: Timeline, clock: Clock, language: str) -> Replay:
    rows = day_rows(timeline, clock, language)
    return Replay(subject, timeline, rows, clock, Totals.of(timeline))


def _totals(replay: Replay) -> dict[str, Any]:
    totals = replay.totals
    return {
        "distance_m": round(totals.distance_m, 1),
        "distance_method": totals.distance_method,
        "moving_s": totals.moving_s,
        "standing_s": totals.standing_s,
        "gap_s": totals.gap_s,
    }


def _line(fixes: Sequence[StoredFix], scale: _Scale) -> dict[str, list[int]]:
    return {
        "t": _steps([scale.t(fix.recorded_at) for fix in fixes]),
        "latitude": _steps([round(fix.latitude_e7 * E5 / E7) for fix in fixes]),
        "longitude": _steps([round(fix.longitude_e7 * E5 / E7) for fix in fixes]),
    }


def _steps(values: list[int]) -> list[int]:
    """The first value, and of each other one how much more it is: small numbers, few bytes."""
    return values[:1] + [after - before for before, after in pairwise(values)]


def _part(part: Part, replay: Replay, scale: _Scale) -> dict[str, Any]:
    """`said` is read out when it begins; `shown` says how a compressed one is shown."""
    found: dict[str, Any] = {
        "from": scale.t(part.started_at),
        "to": scale.t(part.ended_at),
        "kind": part.kind,
    }
    lasted = duration_text(_lasted_s(part))
    row = replay.rows[part.row] if part.row is not None else None
    words = {"duration": row.duration if row and row.duration else lasted, "seconds": IDLE_SHOWN_S}
    if part.kind == "off":
        found["said"] = _("Not tracked for %(duration)s: skipped") % words
    elif part.kind == "gap":
        found["said"] = _("No positions for %(duration)s: the marker jumps") % words
    if row is None or part.row is None:
        return found
    found |= {"what": row.what, "where": row.where, "duration": row.duration, "row": part.row + 1}
    if part.kind == "standing":
        found["shown"] = _("%(duration)s standing, shown in %(seconds)s s") % words
        found["said"] = ", ".join(text for text in (row.what, row.where, row.duration) if text)
    return found


def _stages(replay: Replay, scale: _Scale) -> Iterator[dict[str, Any]]:
    for row in replay.rows:
        if row.type == "stage" and not row.is_superseded:
            yield {"t": scale.t(row.started_at), "what": row.what, "where": row.where}


def _marks(replay: Replay, scale: _Scale) -> Iterator[dict[str, Any]]:
    """A visit whose arrival came without a position is shown at its site."""
    for entry, row in zip(replay.timeline.entries, replay.rows, strict=True):
        kind = MARKS.get(row.type, "")
        place = None if row.is_superseded or not kind else _stood_at(entry)
        if place is not None:
            name = f"{row.started} {row.what}" if kind == "stage" else row.where or row.what
            yield {
                "t": scale.t(row.started_at),
                "kind": kind,
                "latitude": round(place[0], 5),
                "longitude": round(place[1], 5),
                "name": name,
                "duration": row.duration,
            }


def _stood_at(entry: Entry) -> tuple[float, float] | None:
    """Its own place; of a visit without one, its site's."""
    is_visit = entry.segment.type == "dwell" and entry.stop is not None
    for place in (entry.segment, entry.stop.site if is_visit and entry.stop else None):
        if place is not None and place.latitude is not None and place.longitude is not None:
            return place.latitude, place.longitude
    return None


def _who(replay: Replay, fixes: Sequence[StoredFix], scale: _Scale) -> dict[str, Any]:
    """Driver, truck and mission of each fix, told where one of them changes."""
    of_one = replay.subject.pk if isinstance(replay.subject, Mission) else None
    ids = [(fix.driver_id, fix.truck_id or 0, of_one or fix.mission_id or 0) for fix in fixes]
    drivers, trucks, missions = named(
        {one[0] for one in ids}, {one[1] for one in ids} - {0}, {one[2] for one in ids} - {0}
    )
    names = (
        {key: driver_name(one.name, one.number) for key, one in drivers.items()},
        {key: truck.plate for key, truck in trucks.items()},
        {key: mission_name(mission) for key, mission in missions.items()},
    )
    places = [{key: n for n, key in enumerate(found)} for found in names]
    who: list[list[int]] = []
    for fix, one in zip(fixes, ids, strict=True):
        now = [found.get(key, -1) for found, key in zip(places, one, strict=True)]
        if not who or who[-1][1:] != now:
            who.append([scale.t(fix.recorded_at), *now])
    return {
        "who": who,
        "drivers": list(names[0].values()),
        "trucks": list(names[1].values()),
        "missions": list(names[2].values()),
    }


def _days(
    clock: Clock, begin_at: datetime, end_at: datetime, scale: _Scale
) -> Iterator[tuple[int, str]]:
    """Midnights, with the date as `Clock` writes it before a time; none where it writes none."""
    if clock.day is None:
        return
    day = begin_at.astimezone(clock.zone).date()
    while (midnight_at := whole_day(day, clock.zone)[0]) <= end_at:
        label = "" if day == clock.day else date_format(day, _("j M"))
        yield scale.t(midnight_at), label
        day += timedelta(days=1)
