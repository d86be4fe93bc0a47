"""Each driver's newest fix by `recorded_at`, for the live view.

A late batch does not move a truck back: what counts is when a fix was recorded.
"""

from collections.abc import Collection
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
SELECT d.id, d.uuid, d.name, d.number, t.uuid, t.plate, t.name, m.uuid,
       COALESCE(NULLIF(m.reference, ''), m.external_id), {_FOUND}
  FROM (SELECT id, uuid, name, number FROM accounts_driver
         WHERE employer_id = %(employer)s AND frozen_at IS NULL AND id > %(after)s
           AND (%(drivers)s::int[] IS NULL OR id = ANY(%(drivers)s))
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

# The same scans for their keys alone: all that tells whether a truck has moved.
_NEWEST_KEYS: Final = """
SELECT d.id, f.recorded_at, f.fix_id
  FROM (SELECT id FROM accounts_driver
         WHERE employer_id = %(employer)s AND frozen_at IS NULL ORDER BY id) d
 CROSS JOIN LATERAL (
    SELECT f.recorded_at, f.fix_id FROM tracking_fix f
     WHERE f.driver_id = d.id AND f.recorded_at >= %(begin)s AND f.recorded_at < %(end)s
     ORDER BY f.recorded_at DESC, f.fix_id DESC LIMIT 1) f
 ORDER BY d.id
 LIMIT %(limit)s
"""

# By the internal id of each driver: when the newest fix was recorded, and its `fix_id`.
NewestKeys = dict[int, tuple[datetime, int]]


class NewestFix(NamedTuple):
    """Where a driver was last, how long ago, and with which truck on which mission then."""

    driver_id: int
    driver: UUID
    driver_name: str
    driver_number: str | None
    truck: UUID | None
    truck_plate: str | None
    truck_name: str | None
    mission: UUID | None
    mission_reference: str | None
    fix: StoredFix
    age_s: int


def newest_fixes(
    employer: Employer,
    now: datetime,
    *,
    limit: int | None = None,
    after: int = 0,
    drivers: Collection[int] | None = None,
) -> list[NewestFix]:
    """One for each driver who has any and is not frozen, in order of the drivers. One query.

    `after` is the internal id of the last driver seen, `drivers` the only ones asked for.
    Looks back as far as fixes are kept.
    """
    asked = {
        **_asked(employer, now, limit),
        "after": after,
        "drivers": None if drivers is None else list(drivers),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, asked)
        return [_newest(row, now) for row in cursor.fetchall()]


def newest_keys(employer: Employer, now: datetime, *, limit: int | None = None) -> NewestKeys:
    """Of the same drivers, in the same order. One query, for asking often."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_KEYS, _asked(employer, now, limit))
        return {driver: (recorded_at, fix) for driver, recorded_at, fix in cursor.fetchall()}


def _asked(employer: Employer, now: datetime, limit: int | None) -> dict[str, Any]:
    return {
        "employer": employer.pk,
        "begin": now - timedelta(days=settings.MAX_FIX_AGE_DAYS),
        "end": now + CLOCK_AHEAD,
        "limit": limit,
    }


def _newest(row: tuple[Any, ...], now: datetime) -> NewestFix:
    fix = StoredFix._make(row[9:])
    # A phone whose clock is a little ahead is here now, not in the future.
    age_s = max(0, int((now - fix.recorded_at).total_seconds()))
    return NewestFix._make((*row[:9], fix, age_s))
