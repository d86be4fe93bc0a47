"""Each driver's newest fix by `recorded_at`, for the live view.

A late batch does not move a truck back: what counts is when a fix was recorded.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.models import Employer
from tracking.histories import CLOCK_AHEAD, COLUMNS, StoredFix

_FOUND: Final = ", ".join(f"f.{name}" for name in StoredFix._fields)

# One backward scan of the key for each driver, which stops at its first row; months without
# any fix of that driver cost one look each.
_NEWEST: Final = f"""
SELECT d.id, d.uuid, d.name, d.number, t.uuid, t.plate, m.uuid, {_FOUND}
  FROM (SELECT id, uuid, name, number FROM accounts_driver
         WHERE employer_id = %(employer)s AND frozen_at IS NULL AND id > %(after)s
         ORDER BY id) d
 CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM tracking_fix f
     WHERE f.driver_id = d.id AND f.recorded_at >= %(begin)s AND f.recorded_at < %(end)s
     ORDER BY f.recorded_at DESC, f.fix_id DESC LIMIT 1) f
  LEFT JOIN accounts_truck t ON t.id = f.truck_id
  LEFT JOIN missions_mission m ON m.id = f.mission_id
 ORDER BY d.id
 LIMIT %(limit)s
"""  # noqa: S608 (names of our own columns)


class NewestFix(NamedTuple):
    """Where a driver was last, how long ago, and with which truck on which mission then."""

    driver_id: int
    driver: UUID
    driver_name: str
    driver_number: str | None
    truck: UUID | None
    truck_plate: str | None
    mission: UUID | None
    fix: StoredFix
    age_s: int


def newest_fixes(
    employer: Employer, now: datetime, *, limit: int | None = None, after: int = 0
) -> list[NewestFix]:
    """One for each driver who has any and is not frozen, in order of the drivers. One query.

    `after` is the internal id of the last driver seen. Looks back as far as fixes are kept.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST,
            {
                "employer": employer.pk,
                "after": after,
                "begin": now - timedelta(days=settings.MAX_FIX_AGE_DAYS),
                "end": now + CLOCK_AHEAD,
                "limit": limit,
            },
        )
        return [_newest(row, now) for row in cursor.fetchall()]


def _newest(row: tuple[Any, ...], now: datetime) -> NewestFix:
    fix = StoredFix._make(row[7:])
    # A phone whose clock is a little ahead is here now, not in the future.
    age_s = max(0, int((now - fix.recorded_at).total_seconds()))
    return NewestFix._make((*row[:7], fix, age_s))
