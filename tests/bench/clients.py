"""(i) single fixes of each off-the-shelf client, against those of our own app in the same run."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.bench.ingest import SINGLE_LIMIT_RATE, WORKERS, made, rate, rounded, warm_up
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
    seconds = bench.choose(4, 1)
    bench.empty()
    fleet = ingest_fleet(bench, len(bench.fleet.phones))
    rates: dict[str, dict[int, float]] = {name: {} for name in (NATIVE, *CLIENTS)}
    with bench.system.web(workers=WORKERS):
        warm_up(bench)
        for connections in CONNECTIONS:
            # Ours before and after: a machine that changes its mind must not favour anybody.
            for name in (NATIVE, *CLIENTS, NATIVE):
                bench.empty()
                requests = made_of(bench, fleet, name, int(SINGLE_LIMIT_RATE * seconds))
                found = rate(bench, requests, connections, seconds)
                rates[name][connections] = max(found, rates[name].get(connections, 0.0))
    native = max(rates[NATIVE].values())
    figures = [Figure("i", "single fixes of our own app", native, "/s", None,
                      {"http_by_connections": rounded(rates[NATIVE])})]  # fmt: skip
    for name in CLIENTS:
        best = max(rates[name].values())
        detail = {"per_s": round(best), "http_by_connections": rounded(rates[name])}
        figures.append(
            Figure("i", f"  {name}, over it", best / native, "", Target("at least", ENOUGH), detail)
        )
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
