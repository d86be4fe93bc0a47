"""(g) Resident memory of each process after ten minutes of load, and how to read it (Linux)."""

import contextlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.processes import Child, processes_in
from tests.bench.bench import Bench, counted, progress
from tests.bench.figures import Figure
from tests.phones import Schedule, open_loop

FORGET_PEAK: Final = "5"
EARLY_S: Final = 60.0
# Singles a second when step (a) has not run.
DEFAULT_RATE: Final = 1_000.0
CONNECTIONS: Final = 256
KB_A_MB: Final = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident now, at its peak, and the fair share of what is shared with others; in MB."""

    resident_mb: float
    peak_mb: float
    share_mb: float


def memory_of(pid: int) -> Memory:
    status = Path(f"/proc/{pid}/status").read_text()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return Memory(_mb(status, "VmRSS"), _mb(status, "VmHWM"), _mb(rollup, "Pss"))


def forget_peak(pid: int) -> None:
    """Let the peak begin anew from what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text(FORGET_PEAK)


def _mb(text: str, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / KB_A_MB if found else 0.0


def children_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]
    return []


def descendants_of(pid: int) -> Iterator[int]:
    for child in children_of(pid):
        yield child
        yield from descendants_of(child)


def workers_of(web: Child) -> list[int]:
    """The processes that answer: those below the main one that serve, not its helpers."""
    if web.process is None:
        return []
    return [pid for pid in children_of(web.process.pid) if "resource_tracker" not in _command(pid)]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def measure(bench: Bench) -> list[Figure]:
    """The whole of `make run` under half of (a)'s rate; its PostgreSQL is that of the bench."""
    bench.empty()
    seconds = bench.choose(600, 10)
    rate = bench.single_rate / 2 or DEFAULT_RATE
    whole = bench.system.child("run", "config.run")
    # With a Redis of its own.
    whole.environment = {
        name: value for name, value in whole.environment.items() if name != "REDIS_URL"
    }
    whole.start()
    try:
        bench.system.wait_until_ready(whole)
        early_s = min(EARLY_S, seconds / 3)
        driven(bench, Schedule(rate, early_s))
        early = by_name(bench, whole)
        driven(bench, Schedule(rate, seconds - early_s, seed=2))
        late = by_name(bench, whole)
    finally:
        whole.ask_to_stop()
        whole.wait_or_kill(20)
    return [
        Figure(
            "g", name, sum(one.resident_mb for one in found), "MB",
            detail={
                "processes": len(found),
                "share_mb": round(sum(one.share_mb for one in found), 1),
                "resident_mb_early": round(sum(one.resident_mb for one in early.get(name, [])), 1),
                "after_s": seconds, "fixes_per_s": round(rate),
            },
        )
        for name, found in late.items()
    ]  # fmt: skip


def driven(bench: Bench, schedule: Schedule) -> None:
    with progress("(g) under load", int(schedule.rate * schedule.seconds), "fix") as bar:
        requests = counted(bench.drives.requests(bench.fleet.tokens, 1), bar)
        open_loop(bench.system.port, requests, schedule, connections=CONNECTIONS)
    time.sleep(1)


def by_name(bench: Bench, whole: Child) -> dict[str, list[Memory]]:
    """The memory of every process, those of one kind together."""
    found: dict[str, list[Memory]] = defaultdict(list)
    if whole.process is None:
        return found
    own = [whole.process.pid, *descendants_of(whole.process.pid)]
    for pid in own:
        with contextlib.suppress(OSError):
            found[named(pid)].append(memory_of(pid))
    for pid in processes_in(bench.system.postgres.data):
        with contextlib.suppress(OSError):
            found["PostgreSQL, all its processes"].append(memory_of(pid))
    return dict(found)


def named(pid: int) -> str:
    command = _command(pid)
    for part, name in (
        ("config.run", "supervisor"),
        ("config.serve", "web, main and workers"),
        ("celery", "Celery beat" if " beat" in command else "Celery worker"),
        ("redis-server", "Redis"),
    ):
        if part in command:
            return name
    return command.split(" ")[0]
