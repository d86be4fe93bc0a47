"""Phones for measurements and kill tests: cheap enough not to be what limits the server.

Requests are bytes; of an answer only status and length are read. Closed loop: each
connection sends as soon as it has its answer, which finds the highest rate. Open loop:
requests come by a schedule whatever the answers do, which finds the true waiting time.
"""

import asyncio
import math
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

import uvloop

NO_ANSWER: Final = 0
ANSWER_TIMEOUT_S: Final = 30.0
LENGTH: Final = b"content-length: "

Answered = Callable[[int, bytes], None]


class Line(asyncio.Protocol):
    """One connection with at most one request under way.

    `answered` gets the status and the body; 0 and nothing when the connection is lost.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._received = b""
        self._answered: Answered | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    @property
    def is_open(self) -> bool:
        return self.transport is not None

    def send(self, request: bytes, answered: Answered) -> None:
        self._answered = answered
        if self.transport is None:
            self._finish(NO_ANSWER, b"")
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            self._received = received
            return
        at = received.find(LENGTH, 0, end) + len(LENGTH)
        length = int(received[at : received.find(b"\r\n", at)])
        if len(received) < end + 4 + length:
            self._received = received
            return
        self._received = b""
        self._finish(int(received[9:12]), received[end + 4 :])

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._received = b""
        self._finish(NO_ANSWER, b"")

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _finish(self, status: int, body: bytes) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status, body)


@dataclass(slots=True)
class Load:
    """What came of it: answers by status, how long each took, over how long."""

    answers: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    elapsed_s: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second that were acknowledged."""
        return self.answers[200] / self.elapsed_s

    @property
    def refused(self) -> int:
        return self.answers.total() - self.answers[200]

    def percentile_ms(self, percent: float) -> float:
        return percentile(self.latencies_s, percent) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed; infinite without any."""
    if not values:
        return math.inf
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def connected(port: int, count: int) -> list[Line]:
    loop = asyncio.get_running_loop()
    lines: list[Line] = []
    for _ in range(count):
        _, line = await loop.create_connection(Line, "127.0.0.1", port)
        lines.append(line)
    return lines


def closed_loop(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    """Send as fast as answers come for `seconds`; what is answered later does not count."""
    return uvloop.run(_closed_loop(port, requests, connections, seconds))


async def _closed_loop(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> Load:
    lines = await connected(port, connections)
    load = Load()
    done = asyncio.Event()
    started_s = time.perf_counter()
    ends_s = started_s + seconds
    running = connections

    def send(line: Line) -> None:
        nonlocal running
        sent_s = time.perf_counter()
        request = next(requests, None) if sent_s < ends_s and line.is_open else None
        if request is None:
            running -= 1
            load.elapsed_s = min(sent_s, ends_s) - started_s
            if not running:
                done.set()
            return
        line.send(request, partial(answered, line, sent_s))

    def answered(line: Line, sent_s: float, status: int, _body: bytes) -> None:
        now_s = time.perf_counter()
        if now_s < ends_s:
            load.answers[status] += 1
            load.latencies_s.append(now_s - sent_s)
        send(line)

    for line in lines:
        send(line)
    async with asyncio.timeout(seconds + ANSWER_TIMEOUT_S):
        await done.wait()
    for line in lines:
        line.close()
    return load


@dataclass(slots=True)
class Schedule:
    """When requests arrive: at random (Poisson), `rate` a second on average."""

    rate: float
    seconds: float
    seed: int = 1

    def arrivals_s(self) -> Iterator[float]:
        """Seconds from the start, ascending."""
        chance = random.Random(self.seed)  # noqa: S311 - a schedule, not a secret
        at_s = chance.expovariate(self.rate)
        while at_s < self.seconds:
            yield at_s
            at_s += chance.expovariate(self.rate)


class OpenLoop:
    """Sends by the schedule. How long an answer took counts from its scheduled moment.

    A request whose connections are all busy waits, and its waiting counts.
    """

    def __init__(self, requests: Iterator[bytes], schedule: Schedule, lines: list[Line]) -> None:
        self.load = Load()
        self._requests = requests
        self._schedule = schedule
        # The longest idle first, as a fleet of phones would: the server drops idle connections.
        self._idle = deque(lines)
        self._late: deque[float] = deque()
        self._under_way = 0

    async def run(self) -> Load:
        started_s = time.perf_counter()
        for at_s in self._schedule.arrivals_s():
            due_s = started_s + at_s
            ahead_s = due_s - time.perf_counter()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            self._under_way += 1
            if self._idle:
                self._send(self._idle.popleft(), due_s)
            else:
                self._late.append(due_s)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while self._under_way:
                await asyncio.sleep(0.01)
        self.load.elapsed_s = time.perf_counter() - started_s
        return self.load

    def _send(self, line: Line, due_s: float) -> None:
        line.send(next(self._requests), partial(self._answered, line, due_s))

    def _answered(self, line: Line, due_s: float, status: int, _body: bytes) -> None:
        self._under_way -= 1
        self.load.answers[status] += 1
        self.load.latencies_s.append(time.perf_counter() - due_s)
        if not line.is_open:
            return
        if self._late:
            self._send(line, self._late.popleft())
        else:
            self._idle.append(line)


def open_loop(
    port: int, requests: Iterator[bytes], schedule: Schedule, *, connections: int
) -> Load:
    """Send by a schedule; the last answer is waited for."""
    return uvloop.run(_open_loop(port, requests, schedule, connections))


async def _open_loop(
    port: int, requests: Iterator[bytes], schedule: Schedule, connections: int
) -> Load:
    lines = await connected(port, connections)
    load = await OpenLoop(requests, schedule, [*lines]).run()
    for line in lines:
        line.close()
    return load
