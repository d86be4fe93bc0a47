"""(j) Every client's queue against a server that fails: all drain, nothing of ours is lost."""

import secrets
from typing import Final

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.flows.queue_run import CLIENTS, FULL, SHORT, as_json, endure

SEEDS: Final = 1_000_000


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    seed = secrets.randbelow(SEEDS)
    size = SHORT if bench.is_quick else FULL
    with progress("(j) driving", len(CLIENTS) * size.fixes, "fix") as bar:
        report = endure(bench.system, size, seed=seed, stepped=bar.update)
    clients = report.clients
    none = Target("at most", 0)
    lost = sum(len(client.missing) for client in clients)
    twice = sum(len(client.twice) for client in clients)
    drops = sum(len(client.against_its_rules) for client in clients)
    waiting = sum(client.still_waiting for client in clients)
    quarantine = sum(
        len(client.not_in_quarantine) + len(client.wrongly_in_quarantine) for client in clients
    )
    unknown = sum(len(client.unknown) for client in clients)
    recorded = sum(client.recorded for client in clients)
    return [
        Figure("j", f"{recorded:,} fixes of {len(clients)} clients: lost by us", lost, "", none,
               as_json(report)),
        Figure("j", "  stored twice", twice, "", none),
        Figure("j", "  stored but never sent, or unreadable", unknown, "", none),
        Figure("j", "  dropped against the client's own rules", drops, "", none),
        Figure("j", "  still waiting in a queue at the end", waiting, "", none),
        Figure("j", "  wrongly in quarantine or not there", quarantine, "", none),
        Figure("j", "  dropped by the clients' own rules",
               sum(client.dropped.total() for client in clients), "fixes"),
    ]  # fmt: skip
