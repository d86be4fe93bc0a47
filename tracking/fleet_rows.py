"""The fleet as the live page shows it: who reports, who is silent, who is off, and where.

Silent: tracked now, and no fix for 30 minutes. A parked truck sends a heartbeat or a stage;
half an hour without any is worth a call.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zlib import crc32

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.folding import folded
from accounts.models import Employer, TrackingWindow
from missions.models import Site
from tracking.day_rows import duration_text
from tracking.evidence import marks_of, open_missions_of
from tracking.fleet import NewestFix, newest_fixes
from tracking.nearby import nearby
from tracking.places import Place
from tracking.site_grid import Area, SiteGrid
from tracking.tracked import periods_on

SILENT_AFTER: Final = timedelta(minutes=30)
SITES_AT_MOST: Final = 20_000

NUMBER: Final = re.compile(r"[0-9]+")
DIGITS: Final = 6

State = Literal["silent", "moving", "resting"]

TITLES: Final[dict[State, Promise]] = {
    "silent": gettext_lazy("Silent: on duty, nothing for 30 minutes or more"),
    "moving": gettext_lazy("On duty"),
    "resting": gettext_lazy("Off duty"),
}


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A driver's newest fix. Places are named in the language of whoever reads them.

    `site`: the name of the site whose circle it lies in. `now_with`: name and number of the
    driver whose fixes the truck has sent since; None while it is this driver's.
    """

    driver_id: int
    driver: UUID
    person: tuple[str, str | None]
    truck_id: int | None
    truck: UUID | None
    plate: str
    truck_name: str
    mission: UUID | None
    mission_reference: str
    recorded_at: datetime
    is_today: bool
    latitude: float
    longitude: float
    heading_deg: float | None
    place: Place | None
    site: str
    state: State
    now_with: tuple[str, str | None] | None = None

    @property
    def name(self) -> str:
        return driver_name(*self.person)

    @property
    def label(self) -> str:
        """What the map calls it: the truck as people call it, else its plate, else the driver."""
        return self.name if self.now_with else self.truck_name or self.plate or self.name

    @property
    def where(self) -> str:
        """For example `at Depot Mechelen` or `near Mechelen`; far from all places the point."""
        if self.site:
            return _("at %(site)s") % {"site": self.site}
        if self.place:
            return _("near %(place)s") % {"place": self.place_name(get_language())}
        return f"{self.latitude:.3f}, {self.longitude:.3f}"

    @property
    def now_with_name(self) -> str:
        return driver_name(*self.now_with) if self.now_with else ""

    @property
    def is_silent(self) -> bool:
        return self.state == "silent"

    @property
    def recorded_ms(self) -> int:
        return int(self.recorded_at.timestamp() * 1000)

    @property
    def order(self) -> str:
        """What rows are sorted by, also in the browser: truck 9 before truck 10."""
        text = folded(f"{self.label} {self.name}")
        return NUMBER.sub(lambda found: found[0].zfill(DIGITS), text)

    @property
    def version(self) -> str:
        """Changes with everything that a row says but its age."""
        return f"{crc32(repr(self).encode()):08x}"

    def place_name(self, language: str | None) -> str:
        if self.place is None:
            return ""
        return self.place.names.get(language or "", self.place.english)

    def age(self, now: datetime) -> str:
        return age_text(now - self.recorded_at, is_silent=self.is_silent)

    def has_words(self, words: Sequence[str], language: str | None) -> bool:
        """Whether each of some folded words is in what the row says."""
        if not words:
            return True
        said = (
            *(part for part in self.person if part), self.plate, self.truck_name,
            self.mission_reference, self.site, self.place_name(language),
        )  # fmt: skip
        text = folded(" ".join(said))
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one state, in order of their labels; the title says the state in words."""

    state: State
    title: str
    rows: list[FleetRow]


def fleet_rows(
    employer: Employer,
    now: datetime,
    today_at: datetime,
    *,
    sites: SiteGrid,
    drivers: Collection[int] | None = None,
    known: Mapping[int, FleetRow] | None = None,
    limit: int | None = None,
) -> list[FleetRow]:
    """A row for each driver with a fix, or for those of `drivers`. Three queries.

    `today_at`: the local midnight. `known` saves naming the place of who has not moved.
    """
    newest = newest_fixes(employer, now, limit=limit, drivers=drivers)
    tracked = tracked_now(employer, [one.driver_id for one in newest], now)
    known = known or {}
    return [
        _row(one, state_of(one, tracked), today_at, sites, known.get(one.driver_id))
        for one in newest
    ]


def site_grid_of(employer: Employer) -> SiteGrid:
    """Where the employer's sites are. One query."""
    sites = Site.objects.filter(employer=employer, latitude__isnull=False).order_by("-id")
    rows = sites.values_list("name", "latitude", "longitude", "radius_m")
    return SiteGrid(Area._make(row) for row in rows[:SITES_AT_MOST])


def told_who_has_the_truck(rows: Iterable[FleetRow]) -> list[FleetRow]:
    """The same rows; who left a truck to another driver says so, and no longer stands for it.

    Two drivers on board at once both stand for it: they send within half an hour.
    """
    rows = list(rows)
    last: dict[int, FleetRow] = {}
    for row in rows:
        if row.truck_id is not None:
            newest = last.get(row.truck_id)
            if newest is None or newest.recorded_at < row.recorded_at:
                last[row.truck_id] = row
    return [_told(row, last.get(row.truck_id or 0)) for row in rows]


def grouped(rows: Iterable[FleetRow]) -> list[Group]:
    """By state, the silent first; without the empty groups."""
    found: defaultdict[State, list[FleetRow]] = defaultdict(list)
    for row in rows:
        found[row.state].append(row)
    return [
        Group(state, str(title), sorted(found[state], key=_order))
        for state, title in TITLES.items()
        if state in found
    ]


def age_text(age: timedelta, *, is_silent: bool = False) -> str:
    """How long ago, inexact on purpose: the page shows minutes."""
    minutes = int(age.total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 48 * 60:
        duration = duration_text(minutes * 60)
        if is_silent:
            return _("silent %(duration)s") % {"duration": duration}
        return _("%(duration)s ago") % {"duration": duration}
    days = minutes // (24 * 60)
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}


def tracked_now(employer: Employer, driver_ids: list[int], now: datetime) -> set[int]:
    """Those whose phone should report: on duty or with a mission open, and not in private mode.

    Where the employer's window is always, all of them. Two queries.
    """
    found = set(driver_ids) if employer.tracking_window == TrackingWindow.ALWAYS else set()
    return found | _on_duty(driver_ids, now)


def driver_name(name: str, number: str | None) -> str:
    """A driver may be nameless, then the number stands for the name."""
    if name:
        return name
    return _("driver %(number)s") % {"number": number} if number else _("driver without a name")


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


def state_of(one: NewestFix, tracked: Collection[int]) -> State:
    """`tracked`: the drivers whose phones should report now."""
    if one.driver_id not in tracked:
        return "resting"
    return "silent" if one.age_s >= SILENT_AFTER.total_seconds() else "moving"


def _row(
    one: NewestFix, state: State, today_at: datetime, sites: SiteGrid, known: FleetRow | None
) -> FleetRow:
    latitude, longitude = one.fix.latitude_e7 / 1e7, one.fix.longitude_e7 / 1e7
    if known and (known.latitude, known.longitude) == (latitude, longitude):
        place = known.place
    else:
        found = nearby(latitude, longitude)
        place = found.place if found else None
    return FleetRow(
        driver_id=one.driver_id,
        driver=one.driver,
        person=(one.driver_name, one.driver_number),
        truck_id=one.fix.truck_id,
        truck=one.truck,
        plate=one.truck_plate or "",
        truck_name=one.truck_name or "",
        mission=one.mission,
        mission_reference=one.mission_reference or "",
        recorded_at=one.fix.recorded_at,
        is_today=one.fix.recorded_at >= today_at,
        latitude=latitude,
        longitude=longitude,
        heading_deg=one.fix.heading_deg,
        place=place,
        site=sites.name_at(latitude, longitude),
        state=state,
    )


def _told(row: FleetRow, last: FleetRow | None) -> FleetRow:
    if last is None or last.driver_id == row.driver_id:
        return row
    if last.recorded_at - row.recorded_at < SILENT_AFTER:
        return row
    return replace(row, now_with=last.person)


def _order(row: FleetRow) -> str:
    return row.order
