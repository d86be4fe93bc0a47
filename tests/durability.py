"""Kill -9 the server and PostgreSQL under load, and prove that nothing acknowledged is lost.

Phones post without a pause; each sends a batch again until it is answered 200, as the app
does. Before each kill at least 1,000 fixes are acknowledged, and at the kill requests are
under way. At the end every phone has its answers, and the table must hold each fix once.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from psycopg import Connection

from tests.drives import DrivenFix, Drives, drives_until_now, request_bytes
from tests.phones import NO_ANSWER, Line
from tests.real_system import Fleet, RealSystem

Victim = Literal["server", "PostgreSQL"]

ACKNOWLEDGED_A_KILL: Final = 1_000
MOST_FIXES: Final = 20
# One batch in so many ends with a stage, which is recorded by a statement of its own.
STAGE_EVERY: Final = 10
LONGEST_WAIT_S: Final = 0.4  # between the 1,000th fix and the kill
ANSWER_TIMEOUT_S: Final = 20.0
RETRY_PAUSE_S: Final = 0.05
RECOVERY_TIMEOUT_S: Final = 120.0

# A stage has its fix and its event, both with the same key.
STORED: Final = """
    SELECT driver_id, (extract(epoch FROM recorded_at) * 1000000)::int8
      FROM {table} WHERE employer_id = %s
"""

Key = tuple[int, int]


class Broken(Exception):
    """A promise of the contract was not kept; the message says which."""


class NotRecovered(Exception):
    """After a kill the system did not acknowledge again."""


@dataclass(slots=True)
class Tally:
    """What the phones know: which fixes were acknowledged, and what was not answered 200."""

    acknowledged: list[Key] = field(default_factory=list)
    stages: list[Key] = field(default_factory=list)
    duplicates: int = 0
    unanswered: int = 0  # the connection was lost, or nothing came
    refused: int = 0  # an answer that says: send again

    @property
    def not_acknowledged(self) -> int:
        return self.unanswered + self.refused


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: what was acknowledged since the one before, and what it left unanswered."""

    victim: Victim
    acknowledged: int
    unanswered: int
    recovered_in_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a whole run."""

    seed: int
    kills: list[Kill]
    acknowledged: int
    duplicates: int
    missing: int
    twice: int
    unknown: int  # in the table, but no phone sent it

    @property
    def kept(self) -> bool:
        return not (self.missing or self.twice or self.unknown)


class Answer(msgspec.Struct):
    """What a phone reads of a 200."""

    received: int
    stored: int
    duplicates: int


class RetryingPhone:
    """One phone: batch after batch, each sent again until it is acknowledged."""

    def __init__(
        self, system: RealSystem, fleet: Fleet, drives: Drives, number: int, tally: Tally
    ) -> None:
        self._port = system.port
        self._phone = fleet.phones[number]
        self._drives = drives
        self._number = number
        self._step = 0
        self._tally = tally
        self._chance = random.Random(number)  # noqa: S311 - sizes of batches, not a secret
        self._line = Line()

    async def drive(self, arrived: asyncio.Event) -> None:
        """Until told that it has arrived; the batch under way is still brought home."""
        while not arrived.is_set():
            size = self._chance.randint(1, MOST_FIXES)
            fixes = [self._drives.fix(self._number, self._step + n) for n in range(size)]
            self._step += size
            ends_with_stage = not self._chance.randrange(STAGE_EVERY)
            await self._bring_home(fixes, ends_with_stage=ends_with_stage)
        self._line.close()

    async def _bring_home(self, fixes: list[DrivenFix], *, ends_with_stage: bool) -> None:
        parts = [fix.json for fix in fixes]
        keys = [(self._phone.driver_id, fix.recorded_at_us) for fix in fixes]
        if ends_with_stage:
            mission = self._phone.mission.encode()
            parts[-1] = parts[-1][:-1] + b',"kind":"arrival","mission":"%s"}' % mission
        request = request_bytes(self._phone.token, b",".join(parts))
        while not await self._is_acknowledged(request, len(fixes)):
            await asyncio.sleep(RETRY_PAUSE_S)
        self._tally.acknowledged += keys
        if ends_with_stage:
            self._tally.stages.append(keys[-1])

    async def _is_acknowledged(self, request: bytes, size: int) -> bool:
        status, body = await self._post(request)
        if status == NO_ANSWER:
            self._tally.unanswered += 1
        elif status == 503:
            self._tally.refused += 1
        elif status != 200:
            raise Broken(f"a phone was answered {status}: {body[:200]!r}")
        else:
            answer = msgspec.json.decode(body, type=Answer)
            if answer.stored + answer.duplicates != size:
                raise Broken(f"a batch of {size} was answered {body[:200]!r}")
            self._tally.duplicates += answer.duplicates
            return True
        return False

    async def _post(self, request: bytes) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[tuple[int, bytes]] = loop.create_future()

        def answered(status: int, body: bytes) -> None:
            if not outcome.done():
                outcome.set_result((status, body))

        try:
            if not self._line.is_open:
                _, self._line = await loop.create_connection(Line, "127.0.0.1", self._port)
            self._line.send(request, answered)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await outcome
        except (OSError, TimeoutError):
            self._line.close()
            return NO_ANSWER, b""


def endure(
    system: RealSystem,
    fleet: Fleet,
    victims: Sequence[Victim],
    *,
    seed: int,
    killed: Callable[[Kill], object] = lambda kill: None,
) -> Report:
    """Kill each victim in turn under the load of the whole fleet, then count.

    PostgreSQL and the web process must be up; they are up afterwards.
    """
    tally = Tally()
    kills = asyncio.run(_endure(system, fleet, victims, seed, tally, killed))
    with system.connect() as connection:
        fixes = stored(connection, "tracking_fix", fleet.employer_id)
        stages = stored(connection, "missions_stageevent", fleet.employer_id)
    missing, twice, unknown = 0, 0, 0
    for sent, found in ((tally.acknowledged, fixes), (tally.stages, stages)):
        missing += sum(1 for key in sent if key not in found)
        twice += sum(count - 1 for count in found.values())
        unknown += len(found.keys() - set(sent))
    return Report(seed, kills, len(tally.acknowledged), tally.duplicates, missing, twice, unknown)


async def _endure(
    system: RealSystem,
    fleet: Fleet,
    victims: Sequence[Victim],
    seed: int,
    tally: Tally,
    killed: Callable[[Kill], object],
) -> list[Kill]:
    chance = random.Random(seed)  # noqa: S311 - moments of kills, not a secret
    drives = drives_until_now(len(fleet.phones))
    arrived = asyncio.Event()
    phones = [
        RetryingPhone(system, fleet, drives, number, tally) for number in range(len(fleet.phones))
    ]
    kills = []
    async with asyncio.TaskGroup() as tasks:
        for phone in phones:
            tasks.create_task(phone.drive(arrived))
        await _acknowledged(system, tally, ACKNOWLEDGED_A_KILL)
        for victim in victims:
            kill = await _kill(system, tally, victim, chance.uniform(0, LONGEST_WAIT_S))
            kills.append(kill)
            killed(kill)
        arrived.set()
    return kills


async def _kill(system: RealSystem, tally: Tally, victim: Victim, wait_s: float) -> Kill:
    """Kill, start again, and wait until another 1,000 fixes are acknowledged."""
    before = len(tally.acknowledged)
    await asyncio.sleep(wait_s)
    acknowledged, not_acknowledged = len(tally.acknowledged), tally.not_acknowledged
    if victim == "server":
        system.kill_web()
        system.web_child.start()
    else:
        system.kill_postgres()
        system.postgres_child.start()
    began_s = time.monotonic()
    await _acknowledged(system, tally, 1)
    recovered_in_s = time.monotonic() - began_s
    await _acknowledged(system, tally, ACKNOWLEDGED_A_KILL)
    return Kill(
        victim,
        ACKNOWLEDGED_A_KILL + acknowledged - before,
        tally.not_acknowledged - not_acknowledged,
        recovered_in_s,
    )


async def _acknowledged(system: RealSystem, tally: Tally, more: int) -> None:
    """Until so many more fixes are acknowledged."""
    wanted = len(tally.acknowledged) + more
    deadline_s = time.monotonic() + RECOVERY_TIMEOUT_S
    while len(tally.acknowledged) < wanted:
        await asyncio.sleep(0.01)
        for child in (system.web_child, system.postgres_child):
            if not child.is_running():
                raise NotRecovered(f"{child.name} ended; see {child.log}")
        if time.monotonic() > deadline_s:
            raise NotRecovered(f"{tally.refused} refused, {tally.unanswered} unanswered")


def stored(connection: Connection[tuple[Any, ...]], table: str, employer_id: int) -> Counter[Key]:
    """How often each driver and moment is in the table."""
    rows = connection.execute(STORED.format(table=table).encode(), [employer_id]).fetchall()
    return Counter((driver, at_us) for driver, at_us in rows)
