"""(e) Does a day take longer to read when the table holds twenty times as much?

The same day's worth of fixes at both sizes, from more drivers; asked for over HTTP with a
dispatcher's key, a different day each time.
"""

import json
import random
import time
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.days import DAYS, FIXES_A_DAY, WorkingDays, work
from tests.bench.figures import Figure, Target
from tests.phones import percentile

SMALL: Final = 1_000_000
LARGE: Final = 20_000_000
QUICK_SMALL: Final = 60_000
QUICK_LARGE: Final = 300_000
WARM_UP: Final = 10
KINDS: Final = ("driver-day", "truck-day", "mission")


class WrongAnswer(Exception):
    """A timeline that is not one of a working day."""


def measure(bench: Bench) -> list[Figure]:
    small = size(bench, int(bench.choose(SMALL, QUICK_SMALL)))
    large = size(bench, int(bench.choose(LARGE, QUICK_LARGE)))
    figures = []
    for kind in KINDS:
        before, after = small[kind], large[kind]
        detail = {
            "p95_ms": [round(percentile(times, 95) * 1000, 1) for times in (before, after)],
            "p50_ms": [round(percentile(times, 50) * 1000, 1) for times in (before, after)],
            "requests": len(after),
            "fixes_a_day": FIXES_A_DAY,
        }
        figures += [
            Figure("e", f"{kind} timeline, 95 % within", percentile(after, 95) * 1000, "ms"),
            Figure(
                "e", "  against a twentieth of the fixes",
                percentile(after, 95) / percentile(before, 95), "", Target("at most", 1.5), detail,
            ),
        ]  # fmt: skip
    return figures


def size(bench: Bench, fixes: int) -> dict[str, list[float]]:
    """How long each answer took, by kind, with so many fixes in the table."""
    bench.empty()
    days = work(bench, fixes)
    count = int(bench.choose(200, 20))
    with bench.system.web():
        ask(bench, days, WARM_UP, seed=0)
        return ask(bench, days, count, seed=1)


def ask(bench: Bench, days: WorkingDays, count: int, *, seed: int) -> dict[str, list[float]]:
    chance = random.Random(seed)  # noqa: S311 - which day is asked for, not a secret
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    missions = missions_of(bench, days)
    with progress(f"(e) reading of {days.fixes:,} fixes", count, "day") as bar:
        for _ in range(count):
            phone = chance.choice(days.fleet.phones)
            day = chance.randrange(DAYS)
            asked = f"timeline?date={days.date(day)}"
            paths = {
                "driver-day": f"drivers/{phone.driver}/{asked}",
                "truck-day": f"trucks/{phone.truck}/{asked}",
                "mission": f"missions/{missions[phone.driver_id, day]}/timeline",
            }
            for kind, path in paths.items():
                times[kind].append(timed(bench, days, f"/api/v1/{path}"))
            bar.update()
    return times


def missions_of(bench: Bench, days: WorkingDays) -> dict[tuple[int, int], str]:
    """A mission's id outside by its driver and day."""
    with bench.system.connect() as connection:
        rows = connection.execute(
            "SELECT split_part(external_id, '-', 2)::int, split_part(external_id, '-', 3)::int,"
            " uuid::text FROM missions_mission WHERE employer_id = %s",
            [days.fleet.employer_id],
        ).fetchall()
    return {(driver, day): uuid for driver, day, uuid in rows}


def timed(bench: Bench, days: WorkingDays, path: str) -> float:
    began_s = time.perf_counter()
    status, body = bench.system.get(path, api_key=days.fleet.api_key)
    took_s = time.perf_counter() - began_s
    kinds = {entry["type"] for entry in json.loads(body)["entries"]} if status == 200 else set()
    if not {"move", "stage"} <= kinds:
        raise WrongAnswer(f"{status} {path}: {body[:200]}")
    return took_s
