"""(f) Histories as GPX and CSV: how fast, and whether memory grows with their length."""

import http.client
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from tests.bench.bench import Bench
from tests.bench.days import load
from tests.bench.figures import Figure, Target
from tests.bench.memory import forget_peak, memory_of, workers_of
from tests.drives import RESOLVED
from tests.real_system import Fleet
from tracking.ingest.sent import DISTANCE

SHORT: Final = 100_000
LONG: Final = 1_000_000
QUICK_SHORT: Final = 10_000
QUICK_LONG: Final = 50_000
SPAN: Final = timedelta(days=50)
PARTS: Final = 20
PIECE: Final = 65_536
# What marks one fix in each format; a CSV has its heading besides.
MARKS: Final = {"gpx": b"<trkpt", "csv": b"\n"}
MAX_GROWTH_MB: Final = 20

ROWS: Final = f"""
    INSERT INTO tracking_fix (
        recorded_at, received_at, fix_id, driver_id, employer_id, device_id, latitude_e7,
        longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm, speed_cmps,
        heading_ddeg, battery_e4)
    SELECT %(first)s + k.n * %(step)s::interval, %(first)s + k.n * %(step)s::interval, k.n,
           %(driver)s, %(employer)s, %(device)s, 490000000 + k.n %% 1000 * 45000, 43500000,
           {DISTANCE}, {RESOLVED}, %(truck)s, %(mission)s, 80, 1390, 1810, 8100
      FROM generate_series(%(from)s::int, %(to)s::int) k(n)
"""  # noqa: S608 - numbers of our own


@dataclass(frozen=True, slots=True)
class Streamed:
    """One history: rows a second, and by how much the process grew at its peak."""

    rows: int
    rate: float
    growth_mb: float


class WrongAnswer(Exception):
    """A history that is not the one that was stored."""


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    fleet = bench.system.make_fleet(2)
    lengths = (int(bench.choose(SHORT, QUICK_SHORT)), int(bench.choose(LONG, QUICK_LONG)))
    for driver, rows in enumerate(lengths):
        put_history(bench, fleet, driver, rows)
    with bench.system.connect() as connection:
        connection.execute("VACUUM (ANALYZE) tracking_fix")
    figures = []
    for ending in MARKS:
        short, long = (streamed(bench, fleet, n, rows, ending) for n, rows in enumerate(lengths))
        detail = {
            "rows": [short.rows, long.rows],
            "rows_per_s": [round(short.rate), round(long.rate)],
            "peak_above_start_mb": [round(short.growth_mb, 1), round(long.growth_mb, 1)],
        }
        figures += [
            Figure("f", f"{ending.upper()} of {long.rows:,} fixes", long.rate, "rows/s"),
            Figure("f", "  peak memory above the start", long.growth_mb, "MB"),
            Figure(
                "f", f"  more than that of {short.rows:,}", long.growth_mb - short.growth_mb, "MB",
                Target("at most", MAX_GROWTH_MB), detail,
            ),
        ]  # fmt: skip
    return figures


def put_history(bench: Bench, fleet: Fleet, number: int, rows: int) -> None:
    phone = fleet.phones[number]
    bound = {
        "first": datetime.now(UTC) - SPAN, "step": SPAN / rows, "employer": fleet.employer_id,
        "driver": phone.driver_id, "device": phone.device_id, "truck": phone.truck_id,
        "mission": phone.mission_id,
    }  # fmt: skip
    part = rows // PARTS
    chunks = [{**bound, "from": n * part, "to": (n + 1) * part - 1} for n in range(PARTS)]
    load(bench, f"(f) loading {rows:,} fixes", ROWS, chunks)


def streamed(bench: Bench, fleet: Fleet, number: int, rows: int, ending: str) -> Streamed:
    """By one worker with a fresh memory, after a short history has loaded all code."""
    now = datetime.now(UTC)
    with bench.system.web(workers=1):
        fetch(bench, fleet, number, ending, now - timedelta(minutes=30))
        (worker,) = workers_of(bench.system.web_child)
        before = memory_of(worker)
        forget_peak(worker)
        began_s = time.perf_counter()
        found = fetch(bench, fleet, number, ending, now - SPAN - timedelta(hours=1))
        took_s = time.perf_counter() - began_s
        peak = memory_of(worker)
    if found != rows:
        raise WrongAnswer(f"{found} rows of {rows} as {ending}")
    return Streamed(found, found / took_s, peak.peak_mb - before.resident_mb)


def fetch(bench: Bench, fleet: Fleet, number: int, ending: str, begin_at: datetime) -> int:
    """How many fixes the answer holds; it is read and thrown away piece by piece."""
    asked = urlencode({"from": begin_at.isoformat(), "to": datetime.now(UTC).isoformat()})
    connection = http.client.HTTPConnection("127.0.0.1", bench.system.port, timeout=120)
    try:
        connection.request(
            "GET", f"/api/v1/drivers/{fleet.phones[number].driver}/fixes.{ending}?{asked}",
            headers={"Authorization": f"Bearer {fleet.api_key}"},
        )  # fmt: skip
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise WrongAnswer(f"{answer.status}: {answer.read(300)!r}")
        return counted(answer, MARKS[ending]) - (ending == "csv")
    finally:
        connection.close()


def counted(answer: http.client.HTTPResponse, mark: bytes) -> int:
    """How often the mark comes, also where two pieces cut it."""
    found, tail = 0, b""
    while piece := answer.read1(PIECE):
        text = tail + piece
        found += text.count(mark)
        tail = text[len(text) - len(mark) + 1 :] if len(mark) > 1 else b""
    return found
