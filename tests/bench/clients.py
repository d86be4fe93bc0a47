"""(i) single fixes of each off-the-shelf client, against those of our own app in the same run."""

from collections.abc import Iterator
from itertools import islice
from statistics import mean, median
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.bench.ingest import SINGLE_LIMIT_RATE, WORKERS, made, rate, warm_up
from tests.drives import STEP_US, DrivenFix
from tests.flows.phone_requests import ENCODERS, PhoneFix
from tests.real_system import Fleet
from tracking.ingest.phone_health import BATTERY_STEP

CONNECTIONS: Final = (64, 128, 256)
NATIVE: Final = "native"
# One client for each dialect; of osmand each of its three generations.
CLIENTS: Final = {
    "osmand, query": "traccar_android_8",
    "osmand, form": "traccar_10",
    "osmand, JSON": "traccar_9",
    "owntracks": "owntracks_android",
    "overland": "overland",
    "background_geolocation": "transistorsoft_single",
    "gpslogger": "gpslogger",
    "phonetrack": "phonetrack",
    "ulogger": "ulogger",
}
ENOUGH: Final = 0.8
# A phone's state is written at a step of its battery and every ten minutes. In the load hours
# pass in a second, so the steps come as often as those ten minutes do, once in so many fixes.
FIXES_A_STEP: Final = 17


def measure(bench: Bench) -> list[Figure]:
    """Each client between two measurements of our own app; the median of a few rounds.

    On a machine that does other things too the rates go up and down by half within a minute.
    """
    seconds = bench.choose(3, 1)
    bench.empty()
    fleet = ingest_fleet(bench, len(bench.fleet.phones))

    def measured(name: str, connections: int) -> float:
        bench.empty()
        requests = made_of(bench, fleet, name, int(SINGLE_LIMIT_RATE * seconds))
        return rate(bench, requests, connections, seconds)

    native: list[float] = []
    rates: dict[str, list[float]] = {name: [] for name in CLIENTS}
    ratios: dict[str, list[float]] = {name: [] for name in CLIENTS}
    with bench.system.web(workers=WORKERS):
        warm_up(bench)
        for connections in CONNECTIONS:
            native.append(measured(NATIVE, connections))
            for name in CLIENTS:
                rates[name].append(measured(name, connections))
                native.append(measured(NATIVE, connections))
                ratios[name].append(rates[name][-1] / mean(native[-2:]))
    ours = {"connections": [*CONNECTIONS], "per_s": [round(found) for found in native]}
    figures = [Figure("i", "single fixes of our own app, median", median(native), "/s", None, ours)]
    for name, found in ratios.items():
        detail = {
            "ratios": [round(ratio, 3) for ratio in found],
            "per_s": [round(per_s) for per_s in rates[name]],
        }
        target = Target("at least", ENOUGH)
        figures.append(Figure("i", f"  {name}, over it", median(found), "", target, detail))
    return figures


def ingest_fleet(bench: Bench, phones: int) -> Fleet:
    """Phones whose tokens open only ingest, as those of these clients do."""
    fleet = bench.system.make_fleet(phones)
    with bench.system.connect() as connection:
        connection.execute(
            "UPDATE accounts_devicetoken SET scope = 'ingest' WHERE employer_id = %s",
            [fleet.employer_id],
        )
    return fleet


def made_of(bench: Bench, fleet: Fleet, name: str, count: int) -> list[bytes]:
    if name == NATIVE:
        return made(bench, 1, count)
    with progress("making requests", count, "request") as bar:
        requests = []
        for request in islice(_requests(bench, fleet, CLIENTS[name]), count):
            requests.append(request)
            if not len(requests) % 100:
                bar.update(100)
    return requests


def _requests(bench: Bench, fleet: Fleet, client: str) -> Iterator[bytes]:
    encode, tokens = ENCODERS[client], fleet.tokens
    for phone, (fix,) in bench.drives.batches(1):
        yield encode([phone_fix(fix)], tokens[phone]).as_bytes()


def phone_fix(fix: DrivenFix) -> PhoneFix:
    """A driven fix as a phone measures it; places as the native ones have them."""
    return PhoneFix(
        at_ms=fix.recorded_at_us // 1000,
        latitude=round(fix.latitude, 6),
        longitude=round(fix.longitude, 6),
        accuracy_m=fix.accuracy_m,
        altitude_m=12.5,
        speed_mps=fix.speed_mps,
        heading_deg=fix.heading_deg,
        battery=1 - fix.recorded_at_us // STEP_US // FIXES_A_STEP % 16 * BATTERY_STEP,
    )
