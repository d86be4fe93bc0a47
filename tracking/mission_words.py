"""The words of the pages about missions: statuses, what is amiss, who drives what."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Driver
from missions.models import Mission, MissionStatus
from missions.proof_words import MISSING, distance, duration
from tracking.amiss import Amiss
from tracking.fleet_rows import driver_name

STATUSES: Final = {
    MissionStatus.DRAFT: pgettext_lazy("status of a mission", "draft"),
    MissionStatus.PLANNED: pgettext_lazy("status of a mission", "planned, no driver yet"),
    MissionStatus.ASSIGNED: pgettext_lazy("status of a mission", "assigned"),
    MissionStatus.STARTED: pgettext_lazy("status of a mission", "under way"),
    MissionStatus.COMPLETED: pgettext_lazy("status of a mission", "completed"),
    MissionStatus.CANCELLED: pgettext_lazy("status of a mission", "cancelled"),
}
NOT_COME: Final = gettext_lazy("late: nobody has arrived, %(duration)s after the last moment")
AMISS: Final = {
    "late": gettext_lazy("late: %(duration)s after the last moment"),
    "early": gettext_lazy("early: %(duration)s before the first moment"),
    "skipped": gettext_lazy("skipped: nobody came"),
    "out_of_sequence": gettext_lazy("out of the planned order"),
    "far_from_site": gettext_lazy("%(distance)s from the site; its address may be wrong"),
    "clock_anomaly": gettext_lazy("the clock of a phone cannot be right (%(count)s times)"),
    "mock_position": gettext_lazy("an app gave made-up positions (%(count)s of them)"),
    "gap": gettext_lazy("no positions for %(duration)s"),
}


def amiss_text(one: Amiss) -> str:
    """One exception as a sentence without its stop and time."""
    if one.type == "missing_evidence":
        return " ".join(str(MISSING[name]) for name in one.missing)
    said = NOT_COME if one.type == "late" and one.started_at is None else AMISS[one.type]
    return said % {
        "duration": duration(_lasted_s(one)),
        "distance": distance(one.distance_m or 0.0),
        "count": number_format(one.count or 0),
    }


def _lasted_s(one: Amiss) -> int:
    if one.delta_s is not None:
        return abs(one.delta_s)
    if one.started_at is None or one.ended_at is None:
        return 0
    return round((one.ended_at - one.started_at).total_seconds())


def mission_name(mission: Mission) -> str:
    """What people call it; its external id stands for a reference that nobody gave."""
    return mission.reference or mission.external_id or _("mission without a reference")


def person(driver: Driver | None) -> str:
    """Who drives, as far as that may be shown: erased is said, and so is not available."""
    if driver is None:
        return _("erased driver")
    if driver.frozen_at is not None:
        return _("not available")
    return driver_name(driver.name, driver.number)


def distinct(names: Iterable[str]) -> list[str]:
    """Each once, in order, without blanks."""
    return list(dict.fromkeys(name for name in names if name))


def day_text(day: date) -> str:
    return date_format(day, _("D j M"))


def span_text(
    begin: datetime | None, end: datetime | None, zone: ZoneInfo, day: date | None
) -> str:
    """From when to when, as the clocks of a zone show it; the date where it is not `day`."""
    if begin is None and end is None:
        return ""
    first = _moment_text(begin, zone, day) if begin else "…"
    started_on = begin.astimezone(zone).date() if begin else day
    return f"{first}\N{EN DASH}{_moment_text(end, zone, started_on) if end else '…'}"


def _moment_text(at: datetime, zone: ZoneInfo, day: date | None) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == day else f"{day_text(local.date())} {local:%H:%M}"
