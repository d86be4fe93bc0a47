"""Which days before and after one have something to show for a driver or a truck."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, Min, Q

from accounts.models import Driver, Truck
from missions.models import StageEvent
from tracking.days import whole_day
from tracking.histories import history_of_truck

# Stages outlive the fixes; nothing of a driver's day lives longer than this.
FARTHEST: Final = timedelta(days=400)

_NEIGHBOURS: Final = """
SELECT (SELECT max(at) FROM (
          (SELECT recorded_at AS at FROM tracking_fix
            WHERE driver_id = %(driver)s AND recorded_at >= %(first)s AND recorded_at < %(begin)s
            ORDER BY recorded_at DESC LIMIT 1)
           UNION ALL
          (SELECT recorded_at FROM missions_stageevent
            WHERE driver_id = %(driver)s AND recorded_at >= %(first)s AND recorded_at < %(begin)s
            ORDER BY recorded_at DESC LIMIT 1)) before),
       (SELECT min(at) FROM (
          (SELECT recorded_at AS at FROM tracking_fix
            WHERE driver_id = %(driver)s AND recorded_at >= %(end)s AND recorded_at < %(last)s
            ORDER BY recorded_at LIMIT 1)
           UNION ALL
          (SELECT recorded_at FROM missions_stageevent
            WHERE driver_id = %(driver)s AND recorded_at >= %(end)s AND recorded_at < %(last)s
            ORDER BY recorded_at LIMIT 1)) after)
"""


class Neighbours(NamedTuple):
    """The nearest days with data on both sides; None: there is none."""

    before: date | None
    after: date | None


def neighbours_of_driver(driver: Driver, day: date, now: datetime) -> Neighbours:
    """The days with a fix or a stage next to `day`, in the employer's zone. One query."""
    zone = ZoneInfo(driver.employer.timezone)
    begin_at, end_at = whole_day(day, zone)
    bounds: dict[str, int | datetime] = {
        "driver": driver.pk,
        "first": min(begin_at, now) - FARTHEST,
        "begin": begin_at,
        "end": end_at,
        "last": now + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, bounds)
        before_at, after_at = cursor.fetchone()
    return Neighbours(
        before_at.astimezone(zone).date() if before_at else None,
        after_at.astimezone(zone).date() if after_at else None,
    )


def neighbours_of_truck(truck: Truck, day: date, now: datetime) -> Neighbours:
    """The same of a truck, across its drivers, less the frozen ones.

    One query for its stages, two for who had it, and at least one for its fixes on each side:
    on the earlier side one for each driver until one has a fix.
    """
    zone = ZoneInfo(truck.employer.timezone)
    begin_at, end_at = whole_day(day, zone)
    first_at, last_at = min(begin_at, now) - FARTHEST, now + timedelta(days=1)
    stages = StageEvent.objects.filter(
        Q(driver=None) | Q(driver__frozen_at=None),
        truck=truck,
        recorded_at__gte=first_at,
        recorded_at__lt=last_at,
    ).aggregate(
        before=Max("recorded_at", filter=Q(recorded_at__lt=begin_at)),
        after=Min("recorded_at", filter=Q(recorded_at__gte=end_at)),
    )
    earlier_at = history_of_truck(truck, first_at, begin_at).newest_at()
    later = history_of_truck(truck, end_at, last_at).page(1).fixes
    before = [at for at in (stages["before"], earlier_at) if at is not None]
    after = [at for at in (stages["after"], *(fix.recorded_at for fix in later)) if at is not None]
    return Neighbours(
        max(before).astimezone(zone).date() if before else None,
        min(after).astimezone(zone).date() if after else None,
    )
