"""What the same PostgreSQL can do without us, on the same table: pgbench and COPY."""

import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from tests.bench.bench import PHONES, Bench
from tests.drives import E7, RESOLVED, DrivenFix
from tests.real_system import Fleet, PhoneOf
from tracking.ingest.sent import DISTANCE, fix_id_at

BLOCK_ROWS: Final = 1_000
BATCH: Final = 100
COPY_LIMIT_RATE: Final = 250_000  # rows/s that blocks are made for
# Beyond the ids of real drivers, so that no key of ours meets one of pgbench's.
FIRST_DRIVER: Final = 1_000_000
PGBENCH_START: Final = timedelta(days=50)

COLUMNS: Final = (
    "recorded_at, received_at, fix_id, driver_id, employer_id, device_id, latitude_e7, "
    "longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm, speed_cmps, "
    "heading_ddeg, battery_e4"
)
# The sums are pgbench's own, in 64 bits: in the statement they would be 32-bit and overflow.
# Each driver's times ascend, as a phone's do; no key comes twice.
PGBENCH_SCRIPT: Final = f"""
\\set n :n + 1
\\set driver {FIRST_DRIVER} + random(1, {PHONES})
\\set after_ms :start_ms + :n * 64 + :client_id
\\set fix_id :n * 1000003 * 1000003 + :client_id
\\set latitude 490000000 + :n % 1000 * 45000
INSERT INTO tracking_fix ({COLUMNS})
VALUES (statement_timestamp() - interval '{PGBENCH_START.days} days'
            + :after_ms * interval '1 millisecond',
        statement_timestamp(), :fix_id, :driver, 1, :driver, :latitude, 43500000,
        {DISTANCE}, {RESOLVED}, :driver, :driver, 80, 1390, 1810, 8100);
"""  # noqa: S608 - numbers of our own


def transactions_per_second(bench: Bench, clients: int, seconds: float) -> float:
    """pgbench -M prepared -j 2: one full row a transaction."""
    script = bench.system.var / "pgbench.sql"
    script.write_text(PGBENCH_SCRIPT)
    postgres = bench.system.postgres
    done = subprocess.run(
        [
            postgres.binary("pgbench"), "--no-vacuum", "-M", "prepared", "-j", "2",
            "-c", str(clients), "-T", str(max(1, round(seconds))), "-f", str(script),
            "-D", "n=0", "-D", "start_ms=0", postgres.conninfo(),
        ],
        capture_output=True, text=True, timeout=seconds + 60, check=True,
    )  # fmt: skip
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if found is None or "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(f"pgbench: {done.stdout[-500:]} {done.stderr[-500:]}")
    return float(found[1])


def copied_rows_per_second(bench: Bench, connections: int, seconds: float) -> float:
    """COPY in blocks of 1,000 rows, a transaction each, in the order in which batches come."""
    count = int(COPY_LIMIT_RATE * seconds) // BLOCK_ROWS
    blocks = _blocks(bench, count)
    lock = threading.Lock()
    deadline_s = 0.0

    def copy() -> int:
        rows = 0
        with bench.system.connect() as connection, connection.cursor() as cursor:
            while time.perf_counter() < deadline_s:
                with lock:
                    block = blocks.pop() if blocks else None
                if block is None:
                    break
                with cursor.copy(f"COPY tracking_fix ({COLUMNS}) FROM STDIN".encode()) as out:
                    out.write(block)
                rows += BLOCK_ROWS
        return rows

    started_s = time.perf_counter()
    deadline_s = started_s + seconds
    with ThreadPoolExecutor(connections) as threads:
        rows = sum(threads.map(lambda _: copy(), range(connections)))
    return rows / (time.perf_counter() - started_s)


def _blocks(bench: Bench, count: int) -> list[bytes]:
    """Oldest last, so that `pop` hands them out in order."""
    batches = bench.drives.batches(BATCH)
    blocks = []
    for _ in range(count):
        lines = []
        for _ in range(BLOCK_ROWS // BATCH):
            number, fixes = next(batches)
            lines += [_copy_line(bench.fleet, number, fix) for fix in fixes]
        blocks.append("".join(lines).encode())
    return blocks[::-1]


def _copy_line(fleet: Fleet, number: int, fix: DrivenFix) -> str:
    phone: PhoneOf = fleet.phones[number]
    latitude_e7, longitude_e7 = round(fix.latitude * E7), round(fix.longitude * E7)
    at = fix.recorded_at.isoformat()
    return (
        f"{at}\t{at}\t{fix_id_at(DISTANCE, latitude_e7, longitude_e7)}\t{phone.driver_id}\t"
        f"{fleet.employer_id}\t{phone.device_id}\t{latitude_e7}\t{longitude_e7}\t{DISTANCE}\t"
        f"{RESOLVED}\t{phone.truck_id}\t{phone.mission_id}\t{fix.accuracy_m * 10}\t"
        f"{round(fix.speed_mps * 100)}\t{fix.heading_deg * 10}\t{round(fix.battery * 10_000)}\n"
    )
