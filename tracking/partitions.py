"""Make the months of the table of fixes that phones may write to, and drop what is empty.

A month is made apart and then attached: `CREATE TABLE … PARTITION OF` waits behind every
open insert and makes all later ones wait behind itself. Attaching takes a weaker lock, and
gives up after a short time to try again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection, transaction

MONTHS_AHEAD: Final = 2
LOCK_TIMEOUT: Final = timedelta(seconds=2)
ATTACH_TRIES: Final = 10


def month_start(moment: datetime) -> datetime:
    """The first instant of the UTC month that holds a moment."""
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def next_month(month: datetime) -> datetime:
    """The first instant of the following UTC month."""
    return month_start(month + timedelta(days=32))


def partition_name(month: datetime) -> str:
    """For example `tracking_fix_2026_11`."""
    return f"tracking_fix_{month:%Y_%m}"


def months_needed(now: datetime, max_fix_age_days: int) -> Iterator[datetime]:
    """Every month that an acceptable fix can fall into, and two ahead."""
    month = month_start(now - timedelta(days=max_fix_age_days))
    last = month_start(now)
    for _ in range(MONTHS_AHEAD):
        last = next_month(last)
    while month <= last:
        yield month
        month = next_month(month)


def partitions_present() -> set[str]:
    """The names of the months that are attached."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'tracking_fix'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def make_partitions(now: datetime | None = None) -> list[str]:
    """Make the missing months; returns their names. Safe to run from several places at once."""
    present = partitions_present()
    needed = months_needed(now or datetime.now(UTC), settings.MAX_FIX_AGE_DAYS)
    missing = [month for month in needed if partition_name(month) not in present]
    for month in missing:
        _make_partition(month)
    return [partition_name(month) for month in missing]


def _make_partition(month: datetime) -> None:
    for attempt in range(ATTACH_TRIES):
        try:
            _attach(month)
        except OperationalError:
            # An insert held its lock for longer than we are willing to make others wait.
            if attempt == ATTACH_TRIES - 1:
                raise
        else:
            return


def _attach(month: datetime) -> None:
    name = partition_name(month)
    begin, end = month.isoformat(), next_month(month).isoformat()
    with transaction.atomic(), connection.cursor() as cursor:
        # One maker at a time, or two would both find the month missing.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tracking_fix partitions'))")
        if name in partitions_present():
            return
        cursor.execute(f"SET LOCAL lock_timeout = '{int(LOCK_TIMEOUT.total_seconds() * 1000)}ms'")
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{name}" (LIKE tracking_fix INCLUDING ALL, '
            f"CONSTRAINT in_its_month CHECK (recorded_at >= '{begin}' AND recorded_at < '{end}'))"
        )
        cursor.execute(
            f'ALTER TABLE tracking_fix ATTACH PARTITION "{name}" '
            f"FOR VALUES FROM ('{begin}') TO ('{end}')"
        )
        cursor.execute(f'ALTER TABLE "{name}" DROP CONSTRAINT in_its_month')
