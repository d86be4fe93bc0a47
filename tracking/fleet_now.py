"""What is known of an employer's drivers at one moment, for the flags of missions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Employer
from tracking.fleet import NewestFix, newest_fixes
from tracking.fleet_rows import state_of, tracked_now
from tracking.geometry import distance_m
from tracking.models import E7
from tracking.nearness import FRESH


@dataclass(frozen=True, slots=True)
class FleetNow:
    """`newest`: each driver's newest fix. `tracked`: those whose phone should report now.

    A frozen driver is in neither.
    """

    at: datetime
    newest: Mapping[int, NewestFix]
    tracked: frozenset[int]

    def is_silent(self, driver_id: int | None) -> bool:
        """Tracked now, and no fix or heartbeat for 30 minutes, or none ever."""
        if driver_id is None or driver_id not in self.tracked:
            return False
        newest = self.newest.get(driver_id)
        return newest is None or state_of(newest, self.tracked) == "silent"

    def distance_m(
        self, driver_id: int | None, latitude: float | None, longitude: float | None
    ) -> float | None:
        """As the crow flies to a place; None without a fresh fix or without the place."""
        newest = self.newest.get(driver_id) if driver_id is not None else None
        if newest is None or latitude is None or longitude is None:
            return None
        if newest.age_s > FRESH.total_seconds():
            return None
        return distance_m(newest.fix.latitude_e7 / E7, newest.fix.longitude_e7 / E7,
                          latitude, longitude)  # fmt: skip


def fleet_now(employer: Employer, drivers: Collection[int], now: datetime) -> FleetNow:
    """Of all drivers the newest fix, of `drivers` whether they are tracked. Three queries."""
    newest = {one.driver_id: one for one in newest_fixes(employer, now)}
    wanted = [*{*drivers, *newest}]
    return FleetNow(now, newest, frozenset(tracked_now(employer, wanted, now)))
