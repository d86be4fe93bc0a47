"""Link the fixes of a driver again after an assignment was corrected, explicitly and logged.

The rules are those of the recording statement (ingest/record.sql); one table of cases,
tests/tracking/linking_cases.py, holds the two together:

1. Mission: what the phone named stays, as long as that mission is this driver's at that
   moment; else the one mission that was open for the driver then; none or several: none.
2. Truck: that of the mission assignment; else the one assigned to the driver then.
3. What this changes says so: `corrected`. A word of the phone's that still holds stays
   `client`, whatever became of the truck, or a second correction would not believe it.

What a phone named and was refused is not kept anywhere, so it cannot be linked here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Driver
from accounts.refusals import Invalid
from tracking.ingest.sent import FLAG_TRUCK_DISAGREES
from tracking.models import LinkSource

# One transaction: a busy driver's week is 10,000 fixes.
BATCH: Final = timedelta(days=7)

_RELINK: Final = """
WITH asked AS MATERIALIZED (
    SELECT int8range(%(driver)s, %(driver)s, '[]') AS driver,
           tstzrange(%(begin)s, %(end)s) AS during
),
mission AS MATERIALIZED (
    SELECT a.id, a.mission_id, a.truck_id, a.period, a.open_period
      FROM missions_missionassignment a, asked
     WHERE a.driver_id = %(driver)s AND a.period && asked.during
),
truck AS MATERIALIZED (
    SELECT a.truck_id, a.period
      FROM accounts_truckassignment a, asked
     WHERE int8range(a.driver_id, a.driver_id, '[]') && asked.driver AND a.period && asked.during
),
resolved AS MATERIALIZED (
    SELECT f.recorded_at, f.fix_id, f.link_source, f.truck_id, f.mission_id, f.flags,
           c.id AS kept_assignment_id,
           c.open_period @> f.recorded_at IS NOT TRUE AS is_named_while_closed,
           coalesce(c.mission_id, o.mission_id) AS to_mission_id,
           CASE WHEN c.id IS NOT NULL THEN c.truck_id ELSE o.truck_id END AS of_mission_truck_id,
           k.truck_id AS assigned_truck_id
      FROM tracking_fix f
      LEFT JOIN mission c ON f.link_source = %(client)s AND c.mission_id = f.mission_id
                         AND c.period @> f.recorded_at
      LEFT JOIN LATERAL (
        SELECT min(m.mission_id) AS mission_id, min(m.truck_id) AS truck_id
          FROM mission m WHERE m.open_period @> f.recorded_at
        HAVING count(*) = 1) o ON true
      LEFT JOIN truck k ON k.period @> f.recorded_at
     WHERE f.driver_id = %(driver)s AND f.recorded_at >= %(begin)s AND f.recorded_at < %(end)s
),
linked AS MATERIALIZED (
    SELECT r.*, coalesce(of_mission_truck_id, assigned_truck_id) AS to_truck_id,
           nullif(coalesce(flags, 0) & ~ %(disagrees)s::int
               | CASE WHEN assigned_truck_id <> of_mission_truck_id
                      THEN %(disagrees)s::int ELSE 0 END, 0) AS to_flags
      FROM resolved r
),
changed AS (
    UPDATE tracking_fix f
       SET mission_id = l.to_mission_id, truck_id = l.to_truck_id, flags = l.to_flags,
           link_source = CASE
               WHEN l.kept_assignment_id IS NOT NULL THEN f.link_source
               WHEN f.mission_id IS DISTINCT FROM l.to_mission_id
                    OR f.truck_id IS DISTINCT FROM l.to_truck_id THEN %(corrected)s
               ELSE f.link_source END
      FROM linked l
     WHERE f.driver_id = %(driver)s AND f.recorded_at >= %(begin)s AND f.recorded_at < %(end)s
       AND f.recorded_at = l.recorded_at AND f.fix_id = l.fix_id
       AND (f.mission_id, f.truck_id, f.flags)
           IS DISTINCT FROM (l.to_mission_id, l.to_truck_id, l.to_flags)
    RETURNING f.fix_id
),
-- A mission's history must find the fixes that name it while it was not open.
widened AS (
    UPDATE missions_missionassignment a
       SET linked_period = range_merge(coalesce(a.linked_period, x.period), x.period)
      FROM (SELECT kept_assignment_id, tstzrange(min(recorded_at), max(recorded_at), '[]') AS period
              FROM linked
             WHERE kept_assignment_id IS NOT NULL AND is_named_while_closed
             GROUP BY kept_assignment_id) x
     WHERE a.id = x.kept_assignment_id
       AND (a.linked_period IS NULL OR NOT a.linked_period @> x.period)
    RETURNING a.id
)
SELECT (SELECT count(*) FROM linked), (SELECT count(*) FROM changed)
"""


@dataclass(frozen=True, slots=True)
class Relinked:
    """How many fixes were looked at, and how many got another mission, truck or doubt."""

    checked: int = 0
    changed: int = 0

    def __add__(self, other: "Relinked") -> "Relinked":
        return Relinked(self.checked + other.checked, self.changed + other.changed)


def relink(
    driver: Driver, begin_at: datetime, end_at: datetime, *, actor: Actor | None
) -> Relinked:
    """Link a driver's fixes in `[begin_at, end_at)` by the assignments as they are now.

    Week by week, each in a transaction with its entry in the audit trail; run again after an
    interruption it does what is left. Weeks without fixes leave no entry.
    """
    total = Relinked()
    for began_at, ended_at in _batches(driver, begin_at, end_at):
        total += _relink_batch(driver, began_at, ended_at, actor)
    return total


def _batches(
    driver: Driver, begin_at: datetime, end_at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Slices of the range, beginning where the driver has fixes."""
    while begin_at < end_at:
        first_at = _first_fix_at(driver, begin_at, end_at)
        if first_at is None:
            return
        # The very end of the calendar has no week after it.
        until = end_at if end_at - first_at <= BATCH else first_at + BATCH
        yield first_at, until
        begin_at = until


def _first_fix_at(driver: Driver, begin_at: datetime, end_at: datetime) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT recorded_at FROM tracking_fix WHERE driver_id = %s "
            "AND recorded_at >= %s AND recorded_at < %s ORDER BY recorded_at LIMIT 1",
            [driver.pk, begin_at, end_at],
        )
        row = cursor.fetchone()
    return row[0] if row else None


@transaction.atomic
def _relink_batch(
    driver: Driver, begin_at: datetime, end_at: datetime, actor: Actor | None
) -> Relinked:
    # Two corrections of one driver come one after the other; phones go on writing.
    locked = Driver.objects.select_for_update(no_key=True).get(pk=driver.pk)
    if locked.frozen_at is not None:
        raise Invalid("This driver is not available.", field="driver", code="not_available")
    with connection.cursor() as cursor:
        cursor.execute(
            _RELINK,
            {
                "driver": driver.pk,
                "begin": begin_at,
                "end": end_at,
                "client": LinkSource.CLIENT.value,
                "corrected": LinkSource.CORRECTED.value,
                "disagrees": FLAG_TRUCK_DISAGREES,
            },
        )
        relinked = Relinked(*cursor.fetchone())
    detail: dict[str, object] = {
        "from": begin_at.isoformat(),
        "to": end_at.isoformat(),
        "checked": relinked.checked,
        "changed": relinked.changed,
    }
    record(actor, "fixes.relinked", driver, detail)
    return relinked
