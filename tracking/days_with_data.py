"""Which days before and after one have something to show for a driver."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Driver
from tracking.days import whole_day

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


def neighbours(driver: Driver, day: date, now: datetime) -> Neighbours:
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
