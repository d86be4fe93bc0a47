"""The timeline of a mission as its page shows it: planned, actual, delta, where, evidence.

What happened at a stop is written in the time of the clocks at its site; where that is not
the employer's time, the zone stands with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import Employer
from missions.models import Site, SiteCheck, Stop
from missions.proof_words import distance, duration, late
from tracking.day_rows import Clock, Row, notes_of, row_of, sites_of
from tracking.entries import Entry, Timeline
from tracking.mission_words import span_text
from tracking.row_notes import said_of


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line; texts are blank where there is nothing to say. `stage` is the id of a stage."""

    row: Row
    planned: str
    delta: str
    is_late: bool
    from_site: str
    is_far: bool
    came_in: str
    stage: UUID | None


@dataclass(frozen=True, slots=True)
class SiteClocks:
    """The clock for what happened at a stop, and for everything else."""

    usual: Clock
    day: date

    @classmethod
    def of(cls, employer: Employer, begin_at: datetime, end_at: datetime) -> "SiteClocks":
        zone = ZoneInfo(employer.timezone)
        usual = Clock.of_period(zone, begin_at, end_at)
        return cls(usual, begin_at.astimezone(zone).date())

    def at(self, stop: Stop | None) -> Clock:
        site = stop.site if stop is not None else None
        if site is None or not is_elsewhere(site, self.usual.zone):
            return self.usual
        return Clock(ZoneInfo(site.timezone), says_offset=True, day=self.day)


def is_elsewhere(site: Site, zone: ZoneInfo) -> bool:
    """Whether the clocks at a site may show another time than those of a zone."""
    return bool(site.timezone) and site.timezone != zone.key


def timeline_rows(timeline: Timeline, clocks: SiteClocks, language: str) -> list[TimelineRow]:
    """Every entry, in order."""
    odd = {
        one.event.pk
        for one in timeline.exceptions
        if one.type == "out_of_sequence" and one.event is not None
    }
    sites = sites_of(timeline)
    return [_row(entry, clocks.at(entry.stop), sites, odd, language) for entry in timeline.entries]


def _row(
    entry: Entry, clock: Clock, sites: list[Site], odd: set[int], language: str
) -> TimelineRow:
    row = row_of(entry, clock, sites, language)
    seen = entry.compared
    event = entry.event if row.type == "stage" else None
    is_late = seen is not None and seen.on_time is False and (seen.delta_s or 1) > 0
    is_odd = event is not None and event.pk in odd
    return TimelineRow(
        row=replace(
            row,
            notes=[*said_of(entry, clock.text), *notes_of(entry)],
            warnings=[_("out of the planned order")] if is_odd else [],
        ),
        planned=_planned(entry, clock),
        delta=_delta(entry, is_late=is_late),
        is_late=is_late,
        from_site=distance(event.site_distance_m) if event and event.site_distance_m else "",
        is_far=event is not None and event.site_check == SiteCheck.OUTSIDE,
        came_in=_came_in(row, clock),
        stage=event.uuid if event is not None and not row.is_superseded else None,
    )


def _planned(entry: Entry, clock: Clock) -> str:
    """When an arrival or departure was planned; of a visit how long it was to take."""
    seen, stop = entry.compared, entry.stop
    if seen is not None and seen.planned_at is not None:
        return clock.text(seen.planned_at)
    if stop is None:
        return ""
    if entry.segment.type == "dwell":
        return duration(stop.planned_service_s) if stop.planned_service_s else ""
    if seen is None or entry.segment.kind != "arrival":
        return ""
    return with_zone(stop.window_start_at, stop.window_end_at, clock)


def with_zone(begin_at: datetime | None, end_at: datetime | None, clock: Clock) -> str:
    """From when to when; with the zone where the page's own does not hold."""
    text = span_text(begin_at, end_at, clock.zone, clock.day)
    at = begin_at or end_at
    return f"{text} {at.astimezone(clock.zone):%Z}" if clock.says_offset and at else text


def _delta(entry: Entry, *, is_late: bool) -> str:
    seen = entry.compared
    if seen is None:
        return ""
    if seen.delta_s is not None:
        return late(seen.delta_s)
    if seen.on_time is None:
        return ""
    if seen.on_time:
        return _("in its window")
    begins_at = entry.stop.window_start_at if entry.stop else None
    is_early = begins_at is not None and entry.segment.started_at < begins_at
    return _("before its window") if is_early else _("after its window")


def _came_in(row: Row, clock: Clock) -> str:
    if row.received_at is None:
        return ""
    return _("came in at %(time)s") % {"time": clock.text(row.received_at)}


def other_zones(stops: list[Stop], zone: ZoneInfo) -> Iterator[str]:
    """Each zone besides the employer's, and the sites whose clocks show it."""
    names: dict[str, list[str]] = {}
    for stop in stops:
        if stop.site is not None and is_elsewhere(stop.site, zone):
            names.setdefault(stop.site.timezone, []).append(stop.site.name)
    for name, sites in names.items():
        yield _("%(zone)s at %(sites)s") % {
            "zone": name,
            "sites": ", ".join(dict.fromkeys(sites)),
        }
