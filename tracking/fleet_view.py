"""The whole of the live page's table at one moment, narrowed to what somebody looks for."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from accounts.folding import folded
from accounts.models import Driver, Employer
from tracking.days import whole_day
from tracking.fleet_rows import (
    FleetRow,
    Group,
    fleet_rows,
    grouped,
    site_grid_of,
    told_who_has_the_truck,
)

SHOWS_AT_MOST: Final = 2_000
NAMES_AT_MOST: Final = 200
# What somebody looks for: more is cut.
LONGEST_SEARCH: Final = 100


@dataclass(frozen=True, slots=True)
class FleetView:
    """An employer's drivers: those with a fix in groups, the others by name.

    `unseen_more`: how many more have none. `beyond`: how many drivers were not looked at.
    `total`: how many have a fix, also those that the search leaves out.
    """

    at: datetime
    zone: ZoneInfo
    groups: list[Group]
    unseen: list[Driver]
    unseen_more: int = 0
    beyond: int = 0
    total: int = 0

    @property
    def rows(self) -> list[FleetRow]:
        return [row for group in self.groups for row in group.rows]

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def etag(self) -> str:
        """Of everything that the table says but the ages, which count on in the browser."""
        said = [get_language(), self.unseen_more, self.beyond, self.total, str(self.zone)]
        said += [row.version for row in self.rows]
        said += [(driver.pk, driver.name, driver.number) for driver in self.unseen]
        return f'"{sha256(repr(said).encode()).hexdigest()[:32]}"'


def words_of(search: str) -> tuple[str, ...]:
    """A search as folded words; each of them has to be in a row."""
    return tuple(folded(search[:LONGEST_SEARCH]).split())


def today_at(zone: ZoneInfo, now: datetime) -> datetime:
    """The last local midnight."""
    return whole_day(now.astimezone(zone).date(), zone)[0]


def fleet_view(employer: Employer, now: datetime, words: tuple[str, ...] = ()) -> FleetView:
    """The fleet now. Five queries, two more for a large one."""
    zone = ZoneInfo(employer.timezone)
    rows = fleet_rows(
        employer, now, today_at(zone, now), sites=site_grid_of(employer), limit=SHOWS_AT_MOST
    )
    language = get_language()
    told = [row for row in told_who_has_the_truck(rows) if row.has_words(words, language)]
    drivers = Driver.objects.filter(employer=employer, frozen_at=None)
    unseen = drivers.exclude(pk__in=[row.driver_id for row in rows])
    beyond = 0
    if len(rows) >= SHOWS_AT_MOST:
        # They come in order of their ids: of later drivers nothing is known here.
        unseen = unseen.filter(pk__lt=rows[-1].driver_id)
        beyond = drivers.filter(pk__gt=rows[-1].driver_id).count()
    for word in words:
        unseen = unseen.filter(name_folded__contains=word)
    named = list(unseen.order_by("name_folded", "id")[: NAMES_AT_MOST + 1])
    more = unseen.count() - NAMES_AT_MOST if len(named) > NAMES_AT_MOST else 0
    return FleetView(now, zone, grouped(told), named[:NAMES_AT_MOST], more, beyond, len(rows))
