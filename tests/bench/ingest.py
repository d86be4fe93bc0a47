"""(a) single fixes, (b) batches, (c) how long a phone waits: over HTTP, stored and linked."""

from itertools import islice
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.bench.yardsticks import BATCH, copied_rows_per_second, transactions_per_second
from tests.phones import Load, Schedule, closed_loop, open_loop

WORKERS: Final = 2
PGBENCH_CLIENTS: Final = (8, 16, 32)
SINGLE_CONNECTIONS: Final = (8, 16, 32, 64, 128, 256)
BATCH_CONNECTIONS: Final = (8, 16, 32, 64, 128)
OPEN_CONNECTIONS: Final = 256
# How many requests are made before the clock runs; beyond it the load ends early, and the
# rate is that of the time it lasted.
SINGLE_LIMIT_RATE: Final = 12_000
BATCH_LIMIT_RATE: Final = 1_200


class Unanswered(Exception):
    """Requests were refused or lost: the rate would not be one of acknowledged fixes."""


def measure_singles(bench: Bench) -> list[Figure]:
    seconds = bench.choose(8, 2)
    plain, ours = {}, {}
    for clients in PGBENCH_CLIENTS:
        bench.empty()
        plain[clients] = transactions_per_second(bench, clients, seconds)
    with bench.system.web(workers=WORKERS):
        warm_up(bench)
        for connections in SINGLE_CONNECTIONS:
            bench.empty()
            requests = made(bench, 1, SINGLE_LIMIT_RATE * seconds)
            ours[connections] = rate(bench, requests, connections, seconds)
    bench.single_rate = max(ours.values())
    best = max(plain.values())
    detail = {"pgbench_tps_by_clients": rounded(plain), "http_by_connections": rounded(ours)}
    return [
        Figure("a", "pgbench, one row a transaction", best, "/s"),
        Figure("a", "single fixes over HTTP", bench.single_rate, "/s"),
        Figure("a", "their ratio", bench.single_rate / best, "", Target("at least", 0.5), detail),
    ]


def measure_batches(bench: Bench) -> list[Figure]:
    seconds = bench.choose(6, 2)
    bench.empty()
    plain = copied_rows_per_second(bench, WORKERS, seconds)
    ours = {}
    with bench.system.web(workers=WORKERS):
        warm_up(bench)
        for connections in BATCH_CONNECTIONS:
            bench.empty()
            requests = made(bench, BATCH, BATCH_LIMIT_RATE * seconds)
            ours[connections] = rate(bench, requests, connections, seconds) * BATCH
    best = max(ours.values())
    detail = {"connections_to_database": WORKERS, "http_by_connections": rounded(ours)}
    return [
        Figure("b", "COPY in blocks of 1,000", plain, "rows/s"),
        Figure("b", "fixes over HTTP in batches of 100", best, "/s"),
        Figure("b", "their ratio", best / plain, "", Target("at least", 0.5), detail),
    ]


def measure_waiting(bench: Bench) -> list[Figure]:
    seconds = bench.choose(30, 4)
    with bench.system.web(workers=WORKERS):
        warm_up(bench)
        if not bench.single_rate:
            requests = made(bench, 1, SINGLE_LIMIT_RATE * 3)
            bench.single_rate = rate(bench, requests, 64, 3)
        bench.empty()
        schedule = Schedule(bench.single_rate / 2, seconds)
        ahead = iter(made(bench, 1, schedule.rate * seconds * 1.1))
        load = open_loop(bench.system.port, ahead, schedule, connections=OPEN_CONNECTIONS)
    checked(load)
    detail = {"rate": round(schedule.rate), "answers": load.answers[200], "arrivals": "Poisson"}
    return [
        Figure("c", f"answer at {schedule.rate:,.0f} fixes/s, half", load.percentile_ms(50), "ms"),
        Figure("c", "  95 % within", load.percentile_ms(95), "ms"),
        Figure("c", "  99 % within", load.percentile_ms(99), "ms", Target("below", 100), detail),
    ]


def warm_up(bench: Bench) -> None:
    """Let each worker plan its statements before the clock runs."""
    requests = bench.drives.requests(bench.fleet.tokens, 1)
    closed_loop(bench.system.port, requests, connections=16, seconds=1)


def made(bench: Bench, size: int, count: float) -> list[bytes]:
    with progress("making requests", int(count), "request") as bar:
        requests = []
        for request in islice(bench.drives.requests(bench.fleet.tokens, size), int(count)):
            requests.append(request)
            if not len(requests) % 100:
                bar.update(100)
    return requests


def rate(bench: Bench, requests: list[bytes], connections: int, seconds: float) -> float:
    port = bench.system.port
    load = closed_loop(port, iter(requests), connections=connections, seconds=seconds)
    return checked(load).rate


def checked(load: Load) -> Load:
    if load.refused or not load.answers[200]:
        raise Unanswered(f"answers by status: {dict(load.answers)}")
    return load


def rounded(rates: dict[int, float]) -> dict[int, int]:
    return {count: round(value) for count, value in rates.items()}
