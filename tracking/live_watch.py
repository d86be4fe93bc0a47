"""One watch for each employer whose live page is open: what has changed, for all its viewers.

Every two seconds it asks for the newest fixes' keys and who may still read: four queries,
however many people watch. Rows are read only of the drivers whose key has changed, and of all
every 15 s, since duty, silence and names change without a fix. Between two looks it holds no
connection, and it ends soon after the last viewer has gone.

What it knows of a truck is what the page shows; it is gone with the watch. A late batch moves
nothing: the key is that of the newest fix by `recorded_at`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone, translation

from accounts.models import Employer
from accounts.open_sessions import OpenSession, still_dispatching
from tracking.fleet import NewestKeys, newest_keys
from tracking.fleet_html import row_html
from tracking.fleet_rows import FleetRow, fleet_rows, site_grid_of, told_who_has_the_truck
from tracking.fleet_view import SHOWS_AT_MOST, today_at
from tracking.site_grid import SiteGrid

WHOLE_EVERY: Final = timedelta(seconds=15)


@dataclass(slots=True)
class Shown:
    """A row as viewers have it; `since` is the number of the change that made it so."""

    row: FleetRow
    since: int
    zone: ZoneInfo
    at: datetime
    html: dict[str, str] = field(default_factory=dict)

    def html_in(self, language: str) -> str:
        """Rendered once for all who read this language."""
        if language not in self.html:
            with translation.override(language):
                self.html[language] = row_html(self.row, self.zone, self.at)
        return self.html[language]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a watch knows after one look. `left`: since which change a driver is not shown."""

    seq: int = 0
    looked_at: datetime | None = None
    whole_at: datetime | None = None
    allowed: frozenset[OpenSession] = frozenset()
    keys: NewestKeys = field(default_factory=dict)
    rows: Mapping[int, FleetRow] = field(default_factory=dict)
    shown: Mapping[int, Shown] = field(default_factory=dict)
    left: Mapping[UUID, int] = field(default_factory=dict)
    sites: SiteGrid = field(default_factory=lambda: SiteGrid(()))


def next_sight(
    employer_id: int, sight: Sight, sessions: Collection[OpenSession], languages: Collection[str]
) -> Sight:
    """Look once more. Runs in a thread of its own; gives its connection back at once.

    Four queries when nothing has moved, three more when something has, and four every 15 s.
    """
    try:
        now = timezone.now()
        employer = Employer.objects.get(pk=employer_id)
        keys = newest_keys(employer, now, limit=SHOWS_AT_MOST)
        is_whole = sight.whole_at is None or now - sight.whole_at >= WHOLE_EVERY
        sites = site_grid_of(employer) if is_whole else sight.sites
        rows = _rows(employer, now, sight, keys, sites=sites, is_whole=is_whole)
        # After the reading: whoever loses the right meanwhile is not told what was read.
        allowed = frozenset(still_dispatching(sessions))
    finally:
        # In the pool again, or closed, until the next look.
        connection.close()
    shown, left, seq = _compared(sight, rows, ZoneInfo(employer.timezone), now)
    for one in shown.values():
        if one.since == seq > sight.seq > 0:
            for language in languages:
                one.html_in(language)
    return Sight(
        seq=seq, looked_at=now, whole_at=now if is_whole else sight.whole_at, allowed=allowed,
        keys=keys, rows=rows, shown=shown, left=left, sites=sites,
    )  # fmt: skip


def _rows(
    employer: Employer,
    now: datetime,
    sight: Sight,
    keys: NewestKeys,
    *,
    sites: SiteGrid,
    is_whole: bool,
) -> dict[int, FleetRow]:
    """All rows, read anew where they may have changed."""
    wanted = None
    stay: dict[int, FleetRow] = {}
    if not is_whole:
        wanted = [driver for driver, key in keys.items() if sight.keys.get(driver) != key]
        stay = {driver: row for driver, row in sight.rows.items() if driver in keys}
    if wanted is not None and not wanted:
        return stay
    zone = ZoneInfo(employer.timezone)
    found = fleet_rows(
        employer, now, today_at(zone, now), sites=sites, drivers=wanted, known=sight.rows,
        limit=SHOWS_AT_MOST,
    )  # fmt: skip
    return stay | {row.driver_id: row for row in found}


def _compared(
    sight: Sight, rows: Mapping[int, FleetRow], zone: ZoneInfo, now: datetime
) -> tuple[dict[int, Shown], dict[UUID, int], int]:
    """The rows as shown, who has left, and the number of the last change."""
    seq = sight.seq + 1
    told = told_who_has_the_truck(rows.values())
    shown: dict[int, Shown] = {}
    for row in told:
        before = sight.shown.get(row.driver_id)
        is_same = before is not None and before.row == row and before.zone == zone
        shown[row.driver_id] = before if before and is_same else Shown(row, seq, zone, now)
    gone = {one.row.driver: seq for driver, one in sight.shown.items() if driver not in shown}
    here = {one.row.driver for one in shown.values()}
    left = {driver: since for driver, since in sight.left.items() if driver not in here} | gone
    has_changed = gone or any(one.since == seq for one in shown.values())
    return shown, left, seq if has_changed or not sight.seq else sight.seq
