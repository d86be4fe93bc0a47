"""What the steps of one run share: the system, the phones, the rates found so far."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tqdm import tqdm

from tests.drives import Drives
from tests.real_system import Fleet, RealSystem

Bar: TypeAlias = "tqdm[Any]"

PHONES: Final = 300
EMPTIED: Final = b"TRUNCATE tracking_fix, tracking_unstoredcount"


@dataclass(slots=True)
class Bench:
    """One run."""

    system: RealSystem
    fleet: Fleet
    drives: Drives
    is_quick: bool
    # Single fixes a second over HTTP, once that step has run.
    single_rate: float = 0.0

    def choose(self, full: float, quick: float) -> float:
        """How long, or how many: of the full run and of the quick one."""
        return quick if self.is_quick else full

    def empty(self) -> None:
        """Throw the fixes away and write everything out, so that each measurement starts alike."""
        with self.system.connect() as connection:
            connection.execute(EMPTIED)
            connection.execute("VACUUM (ANALYZE) accounts_device, accounts_driver")
            connection.execute("CHECKPOINT")


def progress(what: str, total: int, unit: str) -> Bar:
    """A bar for a person; silent where nobody watches."""
    return tqdm(
        total=total, desc=what, unit=unit, unit_scale=True, leave=False,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command that talks to a person


def counted(requests: Iterator[bytes], bar: Bar) -> Iterator[bytes]:
    for request in requests:
        bar.update()
        yield request
