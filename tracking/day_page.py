"""What a driver's day page shows: where it lies among the other days, its sums, its rows."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import Driver, Employer
from tracking.day_rows import Clock, day_rows, track, whole_distance
from tracking.days import whole_day
from tracking.days_with_data import neighbours
from tracking.fleet_rows import SILENT_AFTER, driver_name
from tracking.floor_map import track_map
from tracking.histories import history_of_driver
from tracking.mission_words import distinct, mission_name
from tracking.timeline import Timeline, timeline_of_driver

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200


def day_asked(text: str, today: date) -> date | None:
    """The asked day; today when none is asked; None when it is no date a calendar has."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def day_context(driver: Driver, day: date, now: datetime, language: str) -> dict[str, Any]:
    """All that the template names. At most nine queries."""
    zone = ZoneInfo(driver.employer.timezone)
    begin_at, end_at = whole_day(day, zone)
    clock = Clock.of_day(zone, begin_at, end_at)
    timeline = timeline_of_driver(driver, day, now)
    rows = day_rows(timeline, clock, language)
    line = track(timeline, history_of_driver(driver, begin_at, end_at).fixes())
    nearest = neighbours(driver, day, now)
    return {
        "employer": driver.employer,
        "driver_name": driver_name(driver.name, driver.number),
        "day": day,
        "today": now.astimezone(zone).date(),
        "before": nearest.before,
        "after": nearest.after,
        "zone": zone,
        "rows": rows,
        "track": line,
        "floor_map": track_map(_("Map of the day; the table says the same"), line, rows, language),
        "is_past_its_period": end_at < _kept_since(driver.employer, now),
        **_sums(timeline, clock, now),
    }


def _sums(timeline: Timeline, clock: Clock, now: datetime) -> dict[str, Any]:
    last_at = timeline.last_fix_at
    entries = timeline.entries
    missions = [entry.mission for entry in entries if entry.mission is not None]
    return {
        "distance": whole_distance(timeline),
        "trucks": distinct(entry.truck.plate for entry in entries if entry.truck is not None),
        "missions": list({one.uuid: mission_name(one) for one in missions}.items()),
        "last_fix": clock.text(last_at) if last_at else "",
        "is_running": last_at is not None and now - last_at < SILENT_AFTER,
    }


def _kept_since(employer: Employer, now: datetime) -> datetime:
    # Inexact on purpose: it chooses between two sentences on an empty page.
    return now - timedelta(days=31 * employer.route_months)
