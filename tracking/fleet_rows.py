"""The fleet as the first page shows it: who reports, who is silent, who is off.

Silent: tracked now, and no fix for 30 minutes. A parked truck sends a heartbeat or a stage;
half an hour without any is worth a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Driver, Employer, TrackingWindow
from missions.models import Mission
from tracking.day_rows import duration_text
from tracking.evidence import marks_of, open_missions_of
from tracking.fleet import NewestFix, newest_fixes
from tracking.nearby import nearby
from tracking.tracked import periods_on

SILENT_AFTER: Final = timedelta(minutes=30)
SHOWS_AT_MOST: Final = 2_000
NAMES_AT_MOST: Final = 200

State = Literal["silent", "moving", "resting"]

TITLES: Final[dict[State, Promise]] = {
    "silent": gettext_lazy("Silent: on duty, nothing for 30 minutes or more"),
    "moving": gettext_lazy("On duty"),
    "resting": gettext_lazy("Off duty"),
}


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A driver's newest fix in words. `age` is how long ago it was recorded."""

    driver: UUID
    name: str
    truck: str
    mission: str
    recorded_at: datetime
    is_today: bool
    age: str
    where: str
    latitude: float
    longitude: float
    state: State


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one state, in order of name; the title says the state in words."""

    state: State
    title: str
    rows: list[FleetRow]


@dataclass(frozen=True, slots=True)
class FleetView:
    """An employer's drivers: those with a fix in groups, the others by name.

    `unseen_more`: how many more have none. `beyond`: how many drivers were not looked at.
    """

    groups: list[Group]
    unseen: list[Driver]
    unseen_more: int = 0
    beyond: int = 0

    @property
    def count(self) -> int:
        return sum(len(group.rows) for group in self.groups)


def fleet_view(employer: Employer, now: datetime, today_at: datetime, language: str) -> FleetView:
    """The fleet now. Five queries, two more for a large one. `today_at`: the local midnight."""
    newest = newest_fixes(employer, now, limit=SHOWS_AT_MOST)
    ids = [one.driver_id for one in newest]
    tracked = tracked_now(employer, ids, now)
    missions = Mission.objects.in_bulk(
        {one.fix.mission_id for one in newest if one.fix.mission_id is not None}
    )
    rows = [
        _row(one, _state(one, tracked), missions.get(one.fix.mission_id or 0), today_at, language)
        for one in newest
    ]
    groups = list(_groups(rows))
    drivers = Driver.objects.filter(employer=employer, frozen_at=None)
    unseen = drivers.exclude(pk__in=ids)
    beyond = 0
    if len(ids) >= SHOWS_AT_MOST:
        # They come in order of their ids: of later drivers nothing is known here.
        unseen = unseen.filter(pk__lt=ids[-1])
        beyond = drivers.filter(pk__gt=ids[-1]).count()
    named = list(unseen.order_by("name_folded", "id")[: NAMES_AT_MOST + 1])
    more = unseen.count() - NAMES_AT_MOST if len(named) > NAMES_AT_MOST else 0
    return FleetView(groups, named[:NAMES_AT_MOST], more, beyond)


def age_text(age: timedelta) -> str:
    """How long ago, inexact on purpose: the page shows minutes."""
    minutes = int(age.total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 48 * 60:
        return _("%(duration)s ago") % {"duration": duration_text(minutes * 60)}
    days = minutes // (24 * 60)
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}


def tracked_now(employer: Employer, driver_ids: list[int], now: datetime) -> set[int]:
    """Those whose phone should report: on duty or with a mission open, and not in private mode.

    Where the employer's window is always, all of them. Two queries.
    """
    found = set(driver_ids) if employer.tracking_window == TrackingWindow.ALWAYS else set()
    return found | _on_duty(driver_ids, now)


def _on_duty(driver_ids: list[int], now: datetime) -> set[int]:
    moment = now + timedelta(microseconds=1)
    marks = marks_of(driver_ids, now, moment)
    missions = open_missions_of(driver_ids, now, moment)
    return {
        driver_id
        for driver_id in driver_ids
        if (periods_on(marks.get(driver_id, ()), "duty", now, moment) or missions.get(driver_id))
        and not periods_on(marks.get(driver_id, ()), "private", now, moment)
    }


def _state(one: NewestFix, tracked: set[int]) -> State:
    if one.driver_id not in tracked:
        return "resting"
    return "silent" if one.age_s >= SILENT_AFTER.total_seconds() else "moving"


def _row(
    one: NewestFix, state: State, mission: Mission | None, today_at: datetime, language: str
) -> FleetRow:
    latitude, longitude = one.fix.latitude_e7 / 1e7, one.fix.longitude_e7 / 1e7
    found = nearby(latitude, longitude)
    return FleetRow(
        driver=one.driver,
        name=driver_name(one.driver_name, one.driver_number),
        truck=one.truck_plate or "",
        mission=(mission.reference or mission.external_id or "") if mission else "",
        recorded_at=one.fix.recorded_at,
        is_today=one.fix.recorded_at >= today_at,
        age=age_text(timedelta(seconds=one.age_s)),
        where=found.place.names.get(language, found.place.english) if found else "",
        latitude=latitude,
        longitude=longitude,
        state=state,
    )


def driver_name(name: str, number: str | None) -> str:
    """A driver may be nameless, then the number stands for the name."""
    if name:
        return name
    return _("driver %(number)s") % {"number": number} if number else _("driver without a name")


def _groups(rows: Iterable[FleetRow]) -> Iterable[Group]:
    found: dict[State, list[FleetRow]] = {state: [] for state in TITLES}
    for row in rows:
        found[row.state].append(row)
    for state, members in found.items():
        if members:
            members.sort(key=lambda row: row.name.casefold())
            yield Group(state, str(TITLES[state]), members)
