"""What arrives while a transaction runs goes together into the next one.

Each request waits for the commit of its own group. There is no timer: under no load a
request goes at once, under load groups grow by themselves. The queue is bounded; past the
bound a request is refused, and the phone keeps its fixes.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from tracking.ingest.arrays import Request
from tracking.ingest.metrics import GROUP_SECONDS, count_group
from tracking.ingest.outcomes import DatabaseAway, QueueFull, Recorded
from tracking.ingest.recording import SESSION_OPTIONS, Recorder

log = logging.getLogger(__name__)

MAX_GROUP_FIXES: Final = 2_000  # about 20 ms of database time
MAX_GROUP_REQUESTS: Final = 400
# Under load, and only then, a small group takes one breath before the next: a group costs a
# millisecond however small it is, and without the pause tiny ones would eat the machine.
BREATH_S: Final = 0.004
ENOUGH_REQUESTS: Final = 32
MAX_WAITING_FIXES: Final = 50_000  # about a second's worth
MAX_WAITING_REQUESTS: Final = 5_000
CONNECT_TIMEOUT_S: Final = 2
RECONNECT_PAUSE_S: Final = 0.2
# A group takes milliseconds. When every connection has been busy with one for a second the
# database is as good as away, and who comes next is told so at once; after five the
# connection is given up (beyond the server's own statement timeout, which says more).
SLOW_AFTER_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 5.0
# One request can cause these: the others of its group must not fail with it.
ONE_REQUEST_CAN_CAUSE: Final = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.InternalError,
    psycopg.ProgrammingError,
    psycopg.NotSupportedError,
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
)
# These take seconds each. After a few of them in one group it is the database, not one phone.
SLOW_FAILURES: Final = (LockNotAvailable, QueryCanceled)
MAX_SLOW_FAILURES: Final = 2


@dataclass(slots=True)
class Waiting:
    """A request in the queue, and where its outcome will appear."""

    request: Request
    outcome: "asyncio.Future[Recorded]"


def size_of(request: Request) -> int:
    """How much of the queue a request takes: what cannot be used waits like a fix."""
    return len(request.fixes) + len(request.unusable)


class GroupCommit:
    """Gathers requests and records them, group by group, over a few connections."""

    def __init__(self, conninfo: str, *, has_route_period: bool, connections: int = 1) -> None:
        self._conninfo = conninfo
        self._has_route_period = has_route_period
        self._waiting: deque[Waiting] = deque()
        self._waiting_fixes = 0
        self._arrived = asyncio.Event()
        # Connections that can take a group now; none: the database is away. Starts as all, so
        # that who comes before the first connection waits for it.
        self._able = connections
        self._is_closing = False
        self._workers = [asyncio.create_task(self._work()) for _ in range(connections)]

    async def record(self, request: Request) -> Recorded:
        """The outcome of a request, after its COMMIT.

        Raises QueueFull when too much waits and DatabaseAway when it was not committed.
        """
        if self._able == 0 or self._is_closing:
            raise DatabaseAway
        fixes = size_of(request)
        if (
            self._waiting_fixes + fixes > MAX_WAITING_FIXES
            or len(self._waiting) >= MAX_WAITING_REQUESTS
        ):
            raise QueueFull
        waiting = Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_fixes += fixes
        self._arrived.set()
        return await waiting.outcome

    async def close(self) -> None:
        """Let the running groups commit, refuse what still waits."""
        self._is_closing = True
        self._refuse_waiting()
        self._arrived.set()
        _, stuck = await asyncio.wait(self._workers, timeout=ANSWER_TIMEOUT_S)
        for worker in stuck:
            worker.cancel()

    async def _work(self) -> None:
        """One connection's life: connect, record groups, and after a failure connect again."""
        link = _Link(self)
        while not self._is_closing:
            try:
                async with await self._connect() as connection:
                    link.gain()
                    try:
                        await self._record_groups(Recorder(connection, self._has_route_period))
                    except Exception:
                        # Before the connection is closed: on a dead one that takes long.
                        link.lose()
                        raise
            except Exception as error:  # a worker that ended would hang its phones
                link.lose()
                log.warning("database away: %s", type(error).__name__)
                await asyncio.sleep(RECONNECT_PAUSE_S)

    def lose_one(self) -> None:
        """One connection less can take a group; with none left nobody waits in vain."""
        self._able -= 1
        if self._able == 0:
            self._refuse_waiting()

    def gain_one(self) -> None:
        """It can again."""
        self._able += 1

    async def _connect(self) -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=SESSION_OPTIONS,
            application_name="milepost ingest",
        )

    async def _record_groups(self, recorder: Recorder) -> None:
        while not self._is_closing:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            group = self._next_group()
            try:
                await self._record(recorder, group)
            finally:
                _refuse(group)  # whoever has no outcome by now
            if len(group) > 1 and len(self._waiting) < ENOUGH_REQUESTS:
                await asyncio.sleep(BREATH_S)

    def _next_group(self) -> list[Waiting]:
        group: list[Waiting] = []
        fixes = 0
        while self._waiting and len(group) < MAX_GROUP_REQUESTS:
            fixes += size_of(self._waiting[0].request)
            if group and fixes > MAX_GROUP_FIXES:
                break
            waiting = self._waiting.popleft()
            self._waiting_fixes -= size_of(waiting.request)
            if not waiting.outcome.done():  # else its client has left: it will send again
                group.append(waiting)
        return group

    async def _record(self, recorder: Recorder, group: list[Waiting]) -> None:
        try:
            await self._record_together(recorder, group)
        except ONE_REQUEST_CAN_CAUSE as error:
            if recorder.connection.closed:
                raise
            # The class only: a message of the database may quote a row.
            log.warning("group of %d failed: %s", len(group), type(error).__name__)
            await self._record_one_by_one(recorder, group)

    async def _record_one_by_one(self, recorder: Recorder, group: list[Waiting]) -> None:
        slow_failures = 0
        for waiting in group:
            if slow_failures >= MAX_SLOW_FAILURES:
                break
            try:
                await self._record_together(recorder, [waiting])
            except ONE_REQUEST_CAN_CAUSE as error:
                if recorder.connection.closed:
                    raise
                log.warning("a request failed alone: %s", type(error).__name__)
                slow_failures += isinstance(error, SLOW_FAILURES)
                _refuse([waiting])

    async def _record_together(self, recorder: Recorder, group: list[Waiting]) -> None:
        if not group:
            return
        loop = asyncio.get_running_loop()
        patience = _Link(self)
        timer = loop.call_later(SLOW_AFTER_S, patience.lose)
        # Giving up a dead connection takes psycopg another 10 s: phones do not wait for that.
        late = loop.call_later(ANSWER_TIMEOUT_S, _refuse, group)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                with GROUP_SECONDS.time():
                    outcomes = await recorder.record_group([w.request for w in group])
        finally:
            timer.cancel()
            late.cancel()
            patience.gain()
        count_group(outcomes)
        for waiting, outcome in zip(group, outcomes, strict=True):
            if not waiting.outcome.done():
                waiting.outcome.set_result(outcome)

    def _refuse_waiting(self) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._waiting_fixes = 0
        _refuse(waiting)


class _Link:
    """Whether one connection can take a group; tells the whole of each change, once."""

    def __init__(self, groups: GroupCommit) -> None:
        self._groups = groups
        self._is_able = True

    def gain(self) -> None:
        if not self._is_able:
            self._is_able = True
            self._groups.gain_one()

    def lose(self) -> None:
        if self._is_able:
            self._is_able = False
            self._groups.lose_one()


def _refuse(group: list[Waiting]) -> None:
    for waiting in group:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(DatabaseAway())
