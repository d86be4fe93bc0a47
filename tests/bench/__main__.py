"""Measure everything, print one table, keep one JSON file.

    python -m tests.bench [--only a,b,c] [--quick] [--out FILE]

Exit code 1 when a target is missed. A partial or quick run does not touch last_result.json.
"""

import argparse
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from config.embedded import AlreadyRunning, only_one_here
from tests.bench import (
    clients,
    desk,
    disk,
    durability,
    ingest,
    live,
    memory,
    mutated,
    queues,
    reading,
    streams,
)
from tests.bench.bench import PHONES, Bench, say
from tests.bench.figures import Figure, failed, table
from tests.bench.machine import commit, machine, promises, versions
from tests.drives import drives_until_now
from tests.real_system import PROJECT, real_system

RUNS: Final = PROJECT / "var" / "bench"
LAST_RESULT: Final = Path(__file__).with_name("last_result.json")

# Each step, and the minutes after which it is given up.
STEPS: Final[dict[str, tuple[Callable[[Bench], list[Figure]], int]]] = {
    "a": (ingest.measure_singles, 8),
    "b": (ingest.measure_batches, 8),
    "c": (ingest.measure_waiting, 4),
    "d": (disk.measure, 10),
    "e": (reading.measure, 40),
    "f": (streams.measure, 15),
    "g": (memory.measure, 15),
    "h": (durability.measure, 15),
    "i": (clients.measure, 15),
    "j": (queues.measure, 30),
    "k": (mutated.measure, 60),
    "l": (live.measure, 10),
    "m": (desk.measure, 15),
}


class TooSlow(Exception):
    """A step did not end within its time."""


@contextlib.contextmanager
def limited(minutes: int) -> Iterator[None]:
    """Raise TooSlow in the block when it takes longer."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"given up after {minutes} minutes")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(minutes * 60)
    try:
        yield
    finally:
        signal.alarm(0)


def measured(bench: Bench, names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        step, minutes = STEPS[name]
        began_s = time.monotonic()
        try:
            with limited(minutes):
                figures = step(bench)
        except Exception as error:  # one step that fails must not cost the others
            bench.system.stop_web()
            figures = [failed(name, f"{type(error).__name__}: {error}")]
        for figure in figures:
            say("  ".join(part for part in figure.row if part))
        say(f"   ({name}) took {time.monotonic() - began_s:.0f} s\n")
        yield from figures


def run(names: Sequence[str], *, is_quick: bool) -> dict[str, Any]:
    RUNS.mkdir(parents=True, exist_ok=True)
    remove_leftovers()
    with run_folder() as folder, real_system(folder / "system") as system:
        with system.connect() as connection:
            promised = promises(connection)
        say("PostgreSQL: " + ", ".join(f"{name} {value}" for name, value in promised.items()))
        fleet = system.make_fleet(PHONES)
        bench = Bench(system, fleet, drives_until_now(PHONES), is_quick)
        figures = [*measured(bench, names)]
    say(table(figures))
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m tests.bench", *sys.argv[1:]]),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "postgresql": promised,
        "figures": [figure.as_json for figure in figures],
    }


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """A folder of this run alone, held by its lock, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=RUNS))
    try:
        with only_one_here(folder / "lock"):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """What a killed run left: nobody holds its lock any more."""
    for folder in RUNS.glob("run-*"):
        with contextlib.suppress(AlreadyRunning), only_one_here(folder / "lock"):
            shutil.rmtree(folder, ignore_errors=True)


def stop(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(130)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default=",".join(STEPS), help="steps, for example a,b,c")
    parser.add_argument("--quick", action="store_true", help="short and small: is it alive?")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    names = [name for name in arguments.only.split(",") if name]
    if unknown := set(names) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, stop)
    result = run(names, is_quick=arguments.quick)
    is_whole = names == [*STEPS] and not arguments.quick
    out = arguments.out or (LAST_RESULT if is_whole else RUNS / "last_result.json")
    out.write_text(json.dumps(result, indent=1) + "\n")
    say(f"\nkept in {out.relative_to(PROJECT) if out.is_relative_to(PROJECT) else out}")
    return 0 if all(figure["passed"] is not False for figure in result["figures"]) else 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
