"""What a day's page shows of a driver or a truck: its bar, its sums, its missions, its rows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Driver, Truck
from missions.tables import MEDIA_TYPES
from tracking.day_bars import Bar, Kind, bars, passed_s, sums_of
from tracking.day_missions import DayMission, missions_of
from tracking.day_rows import Clock, Row, day_rows, duration_text, track, whole_distance
from tracking.day_strip import Stretch, said_times, strip
from tracking.days import whole_day
from tracking.days_with_data import neighbours_of_driver, neighbours_of_truck
from tracking.entries import Shift
from tracking.fleet_rows import SILENT_AFTER, driver_name
from tracking.floor_map import track_map
from tracking.kept import kept_since
from tracking.mission_words import distinct
from tracking.timeline import Timeline, timeline_of_driver, timeline_of_truck
from tracking.tracked import Period

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
# Files of a day's positions, by the API; the page adds the day's stages.
FILES: Final = ("gpx", "geojson", "csv")
FORMATS: Final = {"gpx": "GPX", "geojson": "GeoJSON", "csv": "CSV", "xlsx": "XLSX"}


def day_asked(text: str, today: date) -> date | None:
    """The asked day; today when none is asked; None when it is no date a calendar has."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def driver_day_context(driver: Driver, day: date, now: datetime, language: str) -> dict[str, Any]:
    """All that the template names. At most eleven queries."""
    timeline = timeline_of_driver(driver, day, now)
    nearest = neighbours_of_driver(driver, day, now)
    trucks = {e.truck.uuid: e.truck.plate for e in timeline.entries if e.truck is not None}
    context = _day_context(driver, timeline, day, now, language)
    return context | {
        "driver": driver,
        "driver_name": driver_name(driver.name, driver.number),
        "before": nearest.before,
        "after": nearest.after,
        "trucks": list(trucks.items()),
    }


def truck_day_context(truck: Truck, day: date, now: datetime, language: str) -> dict[str, Any]:
    """All that the template names. At most 20 queries: more only for more than 16 hand-overs."""
    timeline = timeline_of_truck(truck, day, now)
    nearest = neighbours_of_truck(truck, day, now)
    return _day_context(truck, timeline, day, now, language) | {
        "truck": truck,
        "before": nearest.before,
        "after": nearest.after,
        "drivers": distinct(_who(shift) for shift in timeline.shifts),
    }


def _day_context(
    subject: Driver | Truck, timeline: Timeline, day: date, now: datetime, language: str
) -> dict[str, Any]:
    employer = subject.employer
    zone = ZoneInfo(employer.timezone)
    bounds = whole_day(day, zone)
    clock = Clock.of_day(zone, *bounds)
    is_past = bounds[1] < kept_since(employer, now) and timeline.last_fix_at is None
    missions = missions_of(timeline, clock, bounds)
    numbers: dict[int | None, int] = {mission.pk: mission.number for mission in missions}
    rows, places = _rows(subject, timeline, clock, language)
    # Without missions the line has the usual colour.
    line = track(timeline, timeline.fixes, numbers or None)
    segments = [entry.segment for entry in timeline.entries]
    parts = _parts(timeline, bounds, now, is_past=is_past)
    last_at = timeline.last_fix_at
    return {
        "employer": employer,
        "day": day,
        "today": now.astimezone(zone).date(),
        "zone": zone,
        "rows": rows,
        "track": line,
        "floor_map": track_map(_("Map of the day; the table says the same"), line, rows, language),
        "is_past_its_period": bounds[1] < kept_since(employer, now),
        "has_no_positions": not timeline.fixes,
        "strip": strip(
            parts,
            sums_of(parts, segments),
            bounds,
            clock=clock,
            rows=places,
            stretches=_stretches(subject, timeline, missions, clock),
            now=now,
        ),
        "missions": missions,
        "distance": whole_distance(timeline),
        "on_duty": duration_text(passed_s(timeline.on_duty, now)),
        "last_fix": clock.text(last_at) if last_at else "",
        "is_running": last_at is not None and now - last_at < SILENT_AFTER,
        "exports": _exports(subject, bounds, day),
    }


def _parts(timeline: Timeline, bounds: Period, now: datetime, *, is_past: bool) -> list[Bar]:
    withheld: list[tuple[Kind, Period]] = [
        (shift.availability, (shift.started_at, shift.ended_at))
        for shift in timeline.shifts
        if shift.availability != "available"
    ]
    if is_past:
        withheld.append(("expired", bounds))
    return bars(
        [entry.segment for entry in timeline.entries],
        bounds,
        until=now,
        tracked=timeline.tracked,
        loadings=timeline.loadings,
        withheld=withheld,
    )


def _rows(
    subject: Driver | Truck, timeline: Timeline, clock: Clock, language: str
) -> tuple[list[Row], list[int]]:
    """The rows, and the number of each entry's row. A truck's have those of its drivers, too."""
    rows = day_rows(timeline, clock, language)
    if isinstance(subject, Driver):
        return rows, [*range(1, len(rows) + 1)]
    if _overlap(timeline.shifts):
        told = zip(rows, timeline.entries, strict=True)
        rows = [_with_driver(row, entry.driver) for row, entry in told]
    changes = [_change(shift, clock) for shift in timeline.shifts]
    merged = sorted([*changes, *rows], key=lambda row: (row.started_at, row.type != "driver"))
    places = {id(row): number for number, row in enumerate(merged, start=1)}
    return merged, [places[id(row)] for row in rows]


def _overlap(shifts: Sequence[Shift]) -> bool:
    ordered = sorted(shifts, key=lambda shift: shift.started_at)
    return any(
        later.started_at < one.ended_at
        for place, one in enumerate(ordered)
        for later in ordered[place + 1 :]
    )


def _with_driver(row: Row, driver: Driver | None) -> Row:
    if driver is None:
        return row
    return replace(row, notes=[driver_name(driver.name, driver.number), *row.notes])


def _change(shift: Shift, clock: Clock) -> Row:
    """Who has the truck from here on."""
    is_available = shift.driver is not None and shift.availability == "available"
    return Row(
        type="driver",
        what=_who(shift),
        started_at=shift.started_at,
        started=clock.text(shift.started_at),
        ended_at=shift.ended_at,
        ended=clock.text(shift.ended_at),
        duration=duration_text(round((shift.ended_at - shift.started_at).total_seconds())),
        driver=shift.driver.uuid if shift.driver is not None and is_available else None,
    )


def _who(shift: Shift) -> str:
    """Never why somebody is not available; an erased driver had the truck all the same."""
    if shift.availability == "erased":
        return _("Driver and positions erased")
    if shift.driver is None:
        return _("Not available")
    return driver_name(shift.driver.name, shift.driver.number)


def _stretches(
    subject: Driver | Truck, timeline: Timeline, missions: Sequence[DayMission], clock: Clock
) -> list[Stretch]:
    """A truck's lanes are its drivers, then its missions; a driver's are missions alone."""
    found: list[Stretch] = []
    if isinstance(subject, Truck):
        for shift in timeline.shifts:
            period = shift.started_at, shift.ended_at
            who = _who(shift)
            found.append(Stretch(period, who, f"{said_times(period, clock)}: {who}", "driver"))
    for mission in missions:
        title = f"{mission.number}. {mission.name}, {said_times(mission.period, clock)}"
        label = f"{mission.number} {mission.name}"
        found.append(Stretch(mission.period, label, title, f"mission-{mission.colour}", 1))
    return found


def _exports(subject: Driver | Truck, bounds: Period, day: date) -> list[tuple[str, str]]:
    """The day's positions and stages as files. Times in an address are UTC, as in the API."""
    kind = "driver" if isinstance(subject, Driver) else "truck"
    asked = urlencode(
        {"from": f"{bounds[0].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
         "to": f"{bounds[1].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    )  # fmt: skip
    positions = [
        (ending, f"{reverse(f'{kind}-fixes-{ending}', args=[subject.uuid])}?{asked}")
        for ending in FILES
    ]
    stages = [
        (ending, f"{reverse(f'{kind}_day_file', args=[subject.uuid, ending])}?date={day}")
        for ending in MEDIA_TYPES
    ]
    said = {"positions": _("Positions as %(format)s"), "stages": _("Stages as %(format)s")}
    return [
        *((said["positions"] % {"format": FORMATS[ending]}, url) for ending, url in positions),
        *((said["stages"] % {"format": FORMATS[ending]}, url) for ending, url in stages),
    ]
