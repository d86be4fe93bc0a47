"""(d) Bytes on disk for a fix, table and key, as phones leave it and after REINDEX.

500 drivers post one fix after the other, by the recording statement itself: the order in
which rows arrive decides how full the pages of the key become.
"""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from psycopg import AsyncConnection, Connection

from accounts.secrets import secret_hash
from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.drives import E7, DrivenFix, Drives, drives_until_now
from tests.real_system import Fleet
from tracking.ingest.arrays import Request
from tracking.ingest.outcomes import STORED
from tracking.ingest.recording import SESSION_OPTIONS, Recorder
from tracking.ingest.sent import DISTANCE, JudgedFix, fix_id_at

DRIVERS: Final = 500
GROUP: Final = 400
FULL: Final = 1_000_000
QUICK: Final = 100_000

BYTES: Final = b"""
    SELECT sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)),
           (SELECT count(*) FROM tracking_fix)
      FROM pg_inherits WHERE inhparent = 'tracking_fix'::regclass
"""


class NotStored(Exception):
    """A fix of the load was not stored, so the sizes would be those of something else."""


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    fleet = bench.system.make_fleet(DRIVERS)
    asyncio.run(record(bench, fleet, int(bench.choose(FULL, QUICK))))
    with bench.system.connect() as connection:
        table, key, fixes = sizes(connection)
        connection.execute("REINDEX TABLE tracking_fix")
        table_after, key_after, _ = sizes(connection)
    return [
        Figure(
            "d", f"bytes on disk for each of {fixes:,} fixes", (table + key) / fixes, "bytes",
            Target("at most", 180), {"table": table / fixes, "key": key / fixes},
        ),
        Figure(
            "d", "  after REINDEX", (table_after + key_after) / fixes, "bytes",
            Target("at most", 150), {"table": table_after / fixes, "key": key_after / fixes},
        ),
    ]  # fmt: skip


def sizes(connection: Connection[tuple[Any, ...]]) -> tuple[int, int, int]:
    """Bytes of the table, bytes of its key, number of fixes."""
    row = connection.execute(BYTES).fetchone()
    if row is None or not row[2]:
        raise NotStored("the table is empty")
    return int(row[0]), int(row[1]), int(row[2])


async def record(bench: Bench, fleet: Fleet, count: int) -> None:
    drives = drives_until_now(DRIVERS)
    requests = islice(single_requests(fleet, drives), count)
    async with await AsyncConnection.connect(
        bench.system.conninfo, autocommit=True, options=SESSION_OPTIONS
    ) as connection:
        recorder = Recorder(connection, has_route_period=True)
        with progress("(d) recording one by one", count, "fix") as bar:
            while group := [*islice(requests, GROUP)]:
                outcomes = await recorder.record_group(group)
                if any(outcome.letters != STORED for outcome in outcomes):
                    raise NotStored(str(outcomes[0]))
                bar.update(len(group))


def single_requests(fleet: Fleet, drives: Drives) -> Iterator[Request]:
    hashes = [secret_hash(token) for token in fleet.tokens]
    for phone, fixes in drives.batches(1):
        yield Request(hashes[phone], [judged(fixes[0])])


def judged(fix: DrivenFix) -> JudgedFix:
    latitude_e7, longitude_e7 = round(fix.latitude * E7), round(fix.longitude * E7)
    return JudgedFix(
        fix.recorded_at_us, fix_id_at(DISTANCE, latitude_e7, longitude_e7), DISTANCE,
        latitude_e7, longitude_e7, fix.accuracy_m * 10, round(fix.speed_mps * 100),
        fix.heading_deg * 10, round(fix.battery * 10_000),
        None, None, None, None, None, (),
    )  # fmt: skip
