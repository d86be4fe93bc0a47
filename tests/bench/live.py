"""(l) The live page: 500 trucks, 30 who watch them, and how soon a fix is with all of them.

One worker answers everything: phones, pages and streams.
"""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from config.processes import processes_in
from tests.bench.bench import Bench
from tests.bench.figures import Figure, Target
from tests.bench.memory import memory_of, workers_of
from tests.drives import RESOLVED
from tests.phones import percentile
from tests.real_system import PROJECT, Fleet
from tracking.ingest.sent import DISTANCE

TRUCKS: Final = 500
VIEWERS: Final = 30
WARM_UP: Final = 5
# A truck sends a fix every 20 to 36 s.
FIXES_A_SECOND: Final = 20.0
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")

# A hundred fixes of each truck, the newest a minute old.
HISTORY: Final = f"""
    INSERT INTO tracking_fix (
        recorded_at, received_at, fix_id, driver_id, employer_id, device_id, latitude_e7,
        longitude_e7, kind, link_source, truck_id, mission_id, heading_ddeg)
    SELECT x.at, x.at, k.n, p.driver, %(employer)s, p.device, 508000000 + p.nr * 4000,
           43500000 + k.n * 10000, {DISTANCE}, {RESOLVED}, p.truck, p.mission, 900
      FROM generate_series(0, 99) k(n)
     CROSS JOIN unnest(%(drivers)s::int[], %(devices)s::int[], %(trucks)s::int[],
                       %(missions)s::int[]) WITH ORDINALITY p(driver, device, truck, mission, nr)
     CROSS JOIN LATERAL (
        SELECT %(now)s::timestamptz - interval '1 minute' - k.n * interval '36 s') x(at)
"""  # noqa: S608 - numbers of our own
ANALYZED: Final = b"VACUUM (ANALYZE) tracking_fix"


@dataclass(slots=True)
class Viewing:
    """One open stream; `heard` is when each row of a driver last came, by its UUID."""

    cookie: str
    heard: dict[str, float] = field(default_factory=dict)
    bytes_heard: int = 0

    async def watch(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        try:
            writer.write(
                f"GET /live/stream HTTP/1.1\r\nHost: localhost\r\n"
                f"Cookie: sessionid={self.cookie}\r\n\r\n".encode()
            )
            async for line in reader:
                self.bytes_heard += len(line)
                if line.startswith(b"data: {"):
                    now_s = time.monotonic()
                    for part in line.split(b'data-driver=\\"')[1:]:
                        self.heard[part[:36].decode()] = now_s
        finally:
            writer.close()


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    fleet = bench.system.make_fleet(TRUCKS)
    put_history(bench, fleet)
    cookies = signed_in(bench, fleet, VIEWERS)
    for made in (["basemap"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        command = [sys.executable, "manage.py", *made]
        subprocess.run(command, env=os.environ | bench.system.environment, cwd=PROJECT, check=True)
    with bench.system.web(workers=1):
        pages = [timed(bench, cookies[0], "/live") for _ in range(WARM_UP)]
        pages = [timed(bench, cookies[0], "/live") for _ in range(int(bench.choose(100, 20)))]
        found = asyncio.run(watched(bench, fleet, cookies))
    return [
        Figure(
            "l", f"/live with {TRUCKS} trucks, 95 % within", percentile(pages, 95) * 1000, "ms",
            Target("below", 500), {"p50_ms": round(percentile(pages, 50) * 1000)},
        ),
        *found,
    ]  # fmt: skip


def put_history(bench: Bench, fleet: Fleet) -> None:
    phones = fleet.phones
    bound = {
        "now": datetime.now(UTC), "employer": fleet.employer_id,
        "drivers": [one.driver_id for one in phones], "devices": [one.device_id for one in phones],
        "trucks": [one.truck_id for one in phones], "missions": [one.mission_id for one in phones],
    }  # fmt: skip
    with bench.system.connect() as connection:
        connection.execute(HISTORY.encode(), bound)
        connection.execute(ANALYZED)


def signed_in(bench: Bench, fleet: Fleet, count: int) -> list[str]:
    command = [sys.executable, "-m", "tests.make_dispatchers", str(fleet.employer_id), str(count)]
    done = subprocess.run(
        command, env=os.environ | bench.system.environment, stdout=subprocess.PIPE, check=True
    )
    keys: list[str] = json.loads(done.stdout)
    return keys


def timed(bench: Bench, cookie: str, path: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", bench.system.port, timeout=20)
    began_s = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
    answer = connection.getresponse()
    body = answer.read()
    took_s = time.perf_counter() - began_s
    connection.close()
    if answer.status != http.client.OK or body.count(b"data-driver=") != TRUCKS:
        raise AssertionError(f"{path} answered {answer.status}")
    return took_s


async def watched(bench: Bench, fleet: Fleet, cookies: list[str]) -> list[Figure]:
    seconds = bench.choose(60, 10)
    (worker,) = workers_of(bench.system.web_child)
    before = memory_of(worker)
    async with watching(bench, cookies[:1]):
        one = await cost_of(bench, worker, seconds)
    async with watching(bench, cookies) as viewers:
        idle = await cost_of(bench, worker, seconds)
        posting = asyncio.create_task(post_all(bench, fleet, viewers, seconds))
        busy = await cost_of(bench, worker, seconds)
        delays = await posting
        after = memory_of(worker)
    detail = {"viewers": len(cookies), "trucks": TRUCKS, "seconds": seconds}
    return [
        Figure("l", "  fix posted to row with all viewers, 95 % within",
               percentile(delays, 95), "s", Target("below", 5),
               {"p50_s": round(percentile(delays, 50), 2), "max_s": round(max(delays), 2),
                "fixes": len(delays), **detail}),
        Figure("l", "  of a core, web, one viewer, nothing moves", one[0] * 100, "%"),
        Figure("l", f"  of a core, web, {len(cookies)} viewers, nothing moves", idle[0] * 100, "%",
               None, {"postgresql_percent": round(idle[1] * 100, 1), **detail}),
        Figure("l", f"  of a core, web, {FIXES_A_SECOND:.0f} fixes/s", busy[0] * 100, "%",
               None, {"postgresql_percent": round(busy[1] * 100, 1), **detail}),
        Figure("l", f"  memory of {len(cookies)} streams",
               after.resident_mb - before.resident_mb, "MB"),
    ]  # fmt: skip


@asynccontextmanager
async def watching(bench: Bench, cookies: list[str]) -> AsyncIterator[list[Viewing]]:
    viewers = [Viewing(cookie) for cookie in cookies]
    tasks = [asyncio.create_task(viewer.watch(bench.system.port)) for viewer in viewers]
    try:
        async with asyncio.timeout(30):
            while not all(viewer.bytes_heard > TRUCKS * 40 for viewer in viewers):
                await asyncio.sleep(0.1)
        yield viewers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def cost_of(bench: Bench, worker: int, seconds: float) -> tuple[float, float]:
    """The share of a core that the worker and PostgreSQL take."""
    servers = processes_in(bench.system.postgres.data)
    web_s, database_s = cpu_s([worker]), cpu_s(servers)
    await asyncio.sleep(seconds)
    return (cpu_s([worker]) - web_s) / seconds, (cpu_s(servers) - database_s) / seconds


def cpu_s(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            user, system = stat.read_text().rpartition(")")[2].split()[11:13]
            total += (int(user) + int(system)) / TICKS_A_SECOND
    return total


async def post_all(
    bench: Bench, fleet: Fleet, viewers: list[Viewing], seconds: float
) -> list[float]:
    """Trucks report one after the other; the seconds until the last viewer had each row."""
    posted: dict[str, float] = {}
    count = min(TRUCKS, int(seconds * FIXES_A_SECOND * 0.8))
    for number, phone in enumerate(fleet.phones[:count]):
        await asyncio.to_thread(post, bench, phone.token, 50.9 + number * 0.0004)
        posted[phone.driver] = time.monotonic()
        await asyncio.sleep(1 / FIXES_A_SECOND)
    async with asyncio.timeout(20):
        while any(viewer.heard.keys() < posted.keys() for viewer in viewers):
            await asyncio.sleep(0.1)
    return [max(viewer.heard[driver] for viewer in viewers) - at for driver, at in posted.items()]


def post(bench: Bench, token: str, latitude: float) -> None:
    recorded_at = (datetime.now(UTC) - timedelta(milliseconds=1)).isoformat()
    fix = {"recorded_at": recorded_at, "latitude": latitude, "longitude": 4.4, "heading_deg": 10}
    connection = http.client.HTTPConnection("127.0.0.1", bench.system.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/ingest/v1/fixes", json.dumps({"fixes": [fix]}), headers)
    answer = connection.getresponse()
    if b'"stored"' not in answer.read():
        raise AssertionError("a fix was not stored")
    connection.close()
