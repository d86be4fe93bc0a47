"""(h) Twenty kills of the server and ten of PostgreSQL: every acknowledged fix is there, once."""

import random
import secrets
from dataclasses import asdict
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.durability import ACKNOWLEDGED_A_KILL, Kill, Victim, endure

PHONES: Final = 24
SERVER_KILLS: Final = (20, 2)
POSTGRES_KILLS: Final = (10, 1)


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    seed = secrets.randbelow(1_000_000)
    server_kills, postgres_kills = (
        int(bench.choose(*kills)) for kills in (SERVER_KILLS, POSTGRES_KILLS)
    )
    server: Victim = "server"
    postgres: Victim = "PostgreSQL"
    victims = [server] * server_kills + [postgres] * postgres_kills
    random.Random(seed).shuffle(victims)  # noqa: S311 - an order of kills, not a secret
    fleet = bench.system.make_fleet(PHONES)
    with bench.system.web(), progress("(h) killing", len(victims), "kill") as bar:

        def killed(kill: Kill) -> None:
            bar.update()

        report = endure(bench.system, fleet, victims, seed=seed, killed=killed)
    detail = {
        "seed": seed,
        "acknowledged": report.acknowledged,
        "duplicates_of_retries": report.duplicates,
        "kills": [asdict(kill) for kill in report.kills],
    }
    fewest = min(kill.acknowledged for kill in report.kills)
    unanswered = min(kill.unanswered for kill in report.kills)
    slowest_s = max(kill.recovered_in_s for kill in report.kills)
    killed_text = f"{server_kills} kills of the server, {postgres_kills} of PostgreSQL"
    return [
        Figure("h", f"{killed_text}: fixes lost", report.missing, "", Target("at most", 0), detail),
        Figure("h", "  fixes or stages twice", report.twice, "", Target("at most", 0)),
        Figure("h", "  in the table but never sent", report.unknown, "", Target("at most", 0)),
        Figure("h", "  acknowledged before a kill, fewest", fewest, "fixes",
               Target("at least", ACKNOWLEDGED_A_KILL)),
        Figure("h", "  not acknowledged at a kill, fewest", unanswered, "requests",
               Target("at least", 1)),
        Figure("h", "  first acknowledged after a kill, slowest", slowest_s, "s"),
    ]  # fmt: skip
