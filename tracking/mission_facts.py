"""What a mission's page shows, in words: its head, its stops, its timeline, its changes.

What somebody who is not available did is left out by every read below; the page says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from missions.models import (
    Mission,
    MissionAssignment,
    MissionStatus,
    Site,
    SiteCheck,
    Stop,
)
from missions.proof_words import (
    REASONS,
)
from missions.sites import better_points
from missions.stages import Stage
from tracking.amiss import Amiss
from tracking.day_rows import Clock, track, whole_distance
from tracking.entries import Entry, Timeline
from tracking.floor_map import track_map
from tracking.kept import kept_since
from tracking.mission_stops import stop_views, times_of_stops
from tracking.mission_timeline import SiteClocks, other_zones, timeline_rows
from tracking.mission_words import (
    STATUSES,
    amiss_text,
    distinct,
    mission_name,
    person,
    span_text,
)
from tracking.proofs import has_frozen_driver
from tracking.stop_times import StopTimes
from tracking.timeline import timeline_of_mission

# While it is to come or under way the page asks for what is new.
REFRESHED: Final = frozenset({MissionStatus.ASSIGNED, MissionStatus.STARTED})


@dataclass(frozen=True, slots=True)
class AmissView:
    """An exception: when it showed, at which stop, and what it is."""

    when: str
    place: str
    words: str


def mission_context(mission: Mission, now: datetime, language: str) -> dict[str, Any]:
    """All that the page names. The number of queries does not depend on what there is."""
    zone = ZoneInfo(mission.employer.timezone)
    timeline = timeline_of_mission(mission, now)
    begin_at = timeline.started_at or mission.planned_start_at or mission.created_at
    clocks = SiteClocks.of(mission.employer, begin_at, timeline.ended_at or now)
    rows = timeline_rows(timeline, clocks, language)
    line = track(timeline, timeline.fixes)
    is_hidden = has_frozen_driver(mission)
    times = times_of_stops(mission)
    title = _("Map of the mission; the table says the same")
    return {
        "employer": mission.employer,
        "mission": mission,
        "name": mission_name(mission),
        "zone": zone,
        "other_zones": list(other_zones([row.stop for row in times], zone)),
        "day": begin_at.astimezone(zone).date(),
        "is_hidden": is_hidden,
        "is_refreshed": mission.status in REFRESHED,
        "stops": stop_views(mission, times, clocks, is_hidden=is_hidden),
        "amiss": [] if is_hidden else list(_amiss(timeline, clocks)),
        "moves": [] if is_hidden else better_points(_missed(times)),
        "rows": rows,
        "track": line,
        "people": [] if is_hidden else list(_people(timeline, now)),
        "floor_map": track_map(title, line, [shown.row for shown in rows], language),
        "is_past_its_period": _is_past(mission, now) and not line,
        **_head(mission, timeline, clocks.usual),
    }


def _missed(times: Iterable[StopTimes]) -> list[Site]:
    """The sites that a stage of this mission was marked outside of, each once."""
    rows = [
        row for row in times if any(event.site_check == SiteCheck.OUTSIDE for event in row.stages)
    ]
    return list({row.stop.site.pk: row.stop.site for row in rows if row.stop.site}.values())


def _people(timeline: Timeline, now: datetime) -> Iterator[tuple[int, int | None, str]]:
    """Who drove from when to when, whole seconds since 1970: the map says it of its line.

    Who still drives has no end, so that the page is the same while nothing is new.
    """
    for shift in timeline.shifts:
        if shift.driver is not None:
            ended_s = None if shift.ended_at >= now else int(shift.ended_at.timestamp()) + 1
            yield int(shift.started_at.timestamp()), ended_s, person(shift.driver)


def _is_past(mission: Mission, now: datetime) -> bool:
    return mission.ended_at is not None and mission.ended_at < kept_since(mission.employer, now)


def _head(mission: Mission, timeline: Timeline, clock: Clock) -> dict[str, Any]:
    rows = list(mission.assignments.select_related("driver", "truck").order_by("id"))
    trucks = distinct(row.truck.plate for row in rows if row.truck)
    if not trucks and mission.planned_truck:
        trucks = [mission.planned_truck.plate]
    zone = clock.zone
    return {
        "status": STATUSES[MissionStatus(mission.status)],
        "icon": f"icons/{mission.status}.html",
        "drivers": list(_drivers(rows, clock)),
        "trucks": trucks,
        "planned": span_text(mission.planned_start_at, mission.planned_end_at, zone, None),
        "driven": span_text(mission.opened_at, mission.ended_at, zone, None),
        "distance": whole_distance(timeline) if timeline.distance_m else "",
        "last_fix": clock.text(timeline.last_fix_at) if timeline.last_fix_at else "",
    }


def _drivers(rows: Sequence[MissionAssignment], clock: Clock) -> Iterator[tuple[str, UUID | None]]:
    """Each assignment's driver, with the time of a hand-over where there was one."""
    for row in rows:
        name = person(row.driver)
        lower = row.period.lower if row.period else None
        if lower is not None and len(rows) > 1:
            name = _("%(name)s from %(time)s") % {"name": name, "time": clock.text(lower)}
        is_shown = row.driver is not None and row.driver.frozen_at is None
        yield name, row.driver.uuid if row.driver is not None and is_shown else None


def _amiss(timeline: Timeline, clocks: SiteClocks) -> Iterator[AmissView]:
    """What the driver reported, and what nobody pressed."""
    for entry in timeline.entries:
        if entry.event is not None and entry.event.stage == Stage.EXCEPTION and _stands(entry):
            words = _("the driver reported: %(reason)s") % {
                "reason": REASONS.get(entry.event.reason, entry.event.reason)
            }
            when = clocks.at(entry.stop).text(entry.event.recorded_at)
            yield AmissView(when, _place(entry.stop), words)
    far: set[int] = set()
    for one in timeline.exceptions:
        if one.type == "far_from_site" and one.stop is not None:
            # The timeline has each stage with its distance; here once for a stop will do.
            if one.stop.pk in far:
                continue
            far.add(one.stop.pk)
        yield AmissView(_when(one, clocks.at(one.stop)), _place(one.stop), amiss_text(one))


def _stands(entry: Entry) -> bool:
    return entry.segment.type == "stage" and not entry.is_superseded


def _when(one: Amiss, clock: Clock) -> str:
    return clock.text(one.started_at) if one.started_at else ""


def _place(stop: Stop | None) -> str:
    if stop is None:
        return ""
    return stop.site.name if stop.site else _("stop %(number)s") % {"number": stop.seq}
