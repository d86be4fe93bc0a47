"""Drive every off-the-shelf client against a server that fails, and count what came of it.

The short form is a test, the full form a step of the benchmarks. All that is left to chance
comes from one seed, which the report names. Troubles are planned ahead; what exactly they
meet depends on the machine as well.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from math import nan
from random import Random
from typing import Any, Final

from tests.flows.phone_queues import DAY_S, RULES, Item, QueuedPhone, may_have_dropped, phone_of
from tests.flows.phone_requests import PhoneFix
from tests.flows.shaky_server import Failure, ShakyServer, Trouble, shaky_server
from tests.real_system import RealSystem

CLIENTS: Final = [*RULES]
UNREADABLE_SHARE: Final = 0.1
LOSS: Final = 0.08
SPACING_S: Final = (30.0, 900.0)
CALM_FIXES: Final = 3  # of the next morning, when nothing fails any more
PUT_OFF_S: Final = 60.0
CALM_S: Final = 4 * 3600.0
BEGAN: Final = timedelta(days=20)
FUTURE_MS: Final = 2_208_988_800_000  # the year 2040
MARK_E7: Final = 10  # of the longitude that marks each item


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: fixes of each phone, and troubles of each kind."""

    fixes: int
    kills: int
    database_kills: int
    freezes: int


SHORT: Final = Size(fixes=25, kills=1, database_kills=1, freezes=0)
FULL: Final = Size(fixes=400, kills=12, database_kills=8, freezes=6)


@dataclass(slots=True)
class ClientReport:
    """One client's end. All lists but `dropped` are empty when every promise is kept."""

    client: str
    recorded: int = 0
    delivered: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    still_waiting: int = 0
    against_its_rules: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unreadable: int = 0
    quarantined: int = 0
    not_in_quarantine: list[str] = field(default_factory=list)
    wrongly_in_quarantine: list[str] = field(default_factory=list)
    longest_wait_s: float = 0.0
    heard: Counter[str] = field(default_factory=Counter)

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        wrong = {
            "against_its_rules": self.against_its_rules, "missing": self.missing,
            "twice": self.twice, "unknown": self.unknown,
            "not_in_quarantine": self.not_in_quarantine,
            "wrongly_in_quarantine": self.wrongly_in_quarantine,
            "still_waiting": [""] * self.still_waiting,
        }  # fmt: skip
        return [f"{self.client}: {len(found)} {name} {found[:3]}"
                for name, found in wrong.items() if found]  # fmt: skip


@dataclass(slots=True)
class Report:
    """What came of a whole run."""

    seed: int
    troubles: Counter[str]
    answers: Counter[str]
    clients: list[ClientReport]

    @property
    def broken(self) -> list[str]:
        return [line for client in self.clients for line in client.broken]


def endure(
    system: RealSystem, size: Size, *, seed: int, stepped: Callable[[], object] = lambda: None
) -> Report:
    """PostgreSQL must be up; the web process is started here."""
    # What is planned must not depend on how many requests there are: two sources of chance.
    planned, lost = Random(seed), Random(seed + 1)  # noqa: S311 - not secrets
    with shaky_server(system, len(CLIENTS), chance=lost, loss=LOSS) as server:
        phones = [
            phone_of(client, phone.token)
            for client, phone in zip(CLIENTS, server.phones, strict=True)
        ]
        run = _Run(server, phones, size, planned, stepped)
        run.drive()
        return Report(seed, server.met, server.answers, _counted(system, server, phones))


class _Run:
    """One queue of moments: fixes, troubles, and phones that want to be woken."""

    def __init__(
        self, server: ShakyServer, phones: list[QueuedPhone], size: Size, chance: Random,
        stepped: Callable[[], object],
    ) -> None:  # fmt: skip
        self._server = server
        self._phones = phones
        self._chance = chance
        self._stepped = stepped
        self._began_ms = int((datetime.now(UTC) - BEGAN).timestamp() * 1000)
        self._number = count(1)
        self._order = count()
        self._moments: list[tuple[float, int, Callable[[float], None]]] = []
        self._ends_s = 0.0
        self._is_down = False
        for phone in phones:
            self._plan_fixes(phone, size.fixes)
        for trouble in self._troubles(size):
            self._at(trouble.begin_s, partial(self._begin, trouble))
            self._ends_s = max(self._ends_s, trouble.end_s + PUT_OFF_S)
        self._at(self._ends_s, lambda _: self._calm())
        for phone in phones:
            for n in range(CALM_FIXES):
                self._plan_fix(phone, self._ends_s + 3600.0 * (1 + n), is_readable=True)

    def drive(self) -> None:
        """Until nothing is planned any more, or the queues had their time to drain."""
        while self._moments and self._moments[0][0] <= self._ends_s + CALM_S + DAY_S:
            now_s, _, act = heapq.heappop(self._moments)
            act(now_s)

    def _at(self, moment_s: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._moments, (moment_s, next(self._order), act))

    def _plan_fixes(self, phone: QueuedPhone, fixes: int) -> None:
        at_s = 0.0
        for _ in range(fixes):
            at_s += self._chance.uniform(*SPACING_S)
            is_readable = self._chance.random() >= UNREADABLE_SHARE
            self._plan_fix(phone, at_s, is_readable=is_readable)
        self._ends_s = max(self._ends_s, at_s)

    def _plan_fix(self, phone: QueuedPhone, at_s: float, *, is_readable: bool) -> None:
        def record(now_s: float) -> None:
            self._stepped()
            item = Item(self._fix(now_s, is_readable=is_readable), now_s, is_readable)
            phone.record(item, now_s)
            self._wake(phone, now_s)

        self._at(at_s, record)

    def _fix(self, now_s: float, *, is_readable: bool) -> PhoneFix:
        """A place that no other fix has: its longitude says which item it is."""
        number = next(self._number)
        longitude = round(4.1 + (number * MARK_E7 + 1) / 1e6, 6)
        fix = PhoneFix(
            at_ms=self._began_ms + int(now_s * 1000), latitude=50.0 + number % 1000 / 1e3,
            longitude=longitude, accuracy_m=5, altitude_m=20, speed_mps=20, heading_deg=90,
            battery=0.5,
        )  # fmt: skip
        if is_readable:
            return fix
        return self._chance.choice([
            fix._replace(latitude=95.0), fix._replace(latitude=nan), fix._replace(at_ms=None),
            fix._replace(at_ms=FUTURE_MS + number * 1000),
        ])  # fmt: skip

    def _wake(self, phone: QueuedPhone, now_s: float) -> None:
        due_s = phone.due_s()
        if due_s is not None and due_s <= now_s:
            phone.wake(now_s, self._server.send)
            due_s = phone.due_s()
        if due_s is not None:
            self._at(due_s, lambda at_s: self._wake(phone, at_s))

    def _troubles(self, size: Size) -> Iterator[Trouble]:
        """Of the whole server one behind the other; of each phone one when it likes."""
        kinds = [
            *[Failure.SERVER_KILLED] * size.kills,
            *[Failure.DATABASE_KILLED] * size.database_kills,
            *[Failure.DATABASE_FROZEN] * size.freezes,
        ]
        self._chance.shuffle(kinds)
        slot_s = self._ends_s / len(kinds)
        for n, failure in enumerate(kinds):
            begin_s = n * slot_s + self._chance.uniform(0.0, slot_s / 4)
            lasts_s = self._chance.choice((30.0, slot_s / 4, slot_s / 2))
            yield Trouble(failure, begin_s, begin_s + min(lasts_s, slot_s / 2))
        for number, phone in enumerate(self._phones):
            begin_s = self._chance.uniform(0.2, 0.4) * self._ends_s
            lasts_s = self._chance.uniform(0.1, 0.3) * self._ends_s
            if phone.account.client == "transistorsoft_single":
                lasts_s += 1.2 * DAY_S  # longer than it keeps a record
            yield Trouble(Failure.TOKEN_REFUSED, begin_s, begin_s + lasts_s, number)
            yield Trouble(Failure.TOKEN_ROTATED, begin_s, begin_s + lasts_s + 1, number)

    def _begin(self, trouble: Trouble, now_s: float) -> None:
        if self._is_put_off(trouble, partial(self._begin, trouble), now_s):
            return
        self._server.begin(trouble)
        self._is_down = trouble.phone is None
        self._at(max(trouble.end_s, now_s + 1), partial(self._end, trouble))

    def _end(self, trouble: Trouble, now_s: float) -> None:
        if self._is_put_off(trouble, partial(self._end, trouble), now_s):
            return
        token = self._server.end(trouble)
        if trouble.phone is None:
            self._is_down = False
        elif token is not None:
            self._phones[trouble.phone].account.token = token

    def _is_put_off(self, trouble: Trouble, act: Callable[[float], None], now_s: float) -> bool:
        """What happens to one token needs a database: it waits until that is back."""
        is_put_off = trouble.phone is not None and self._is_down
        if is_put_off:
            self._at(now_s + PUT_OFF_S, act)
        return is_put_off

    def _calm(self) -> None:
        self._server.loss = 0.0


def _counted(
    system: RealSystem, server: ShakyServer, phones: list[QueuedPhone]
) -> list[ClientReport]:
    reports = []
    with system.connect() as connection:
        for phone, of in zip(phones, server.phones, strict=True):
            stored = connection.execute(
                "SELECT longitude_e7 FROM tracking_fix WHERE driver_id = %s", [of.driver_id]
            ).fetchall()
            kept = connection.execute(
                "SELECT payload FROM tracking_quarantinedfix WHERE device_id = %s", [of.device_id]
            ).fetchall()
            places = Counter(int(row[0]) for row in stored)
            reports.append(_compared(phone, places, [bytes(row[0]) for row in kept]))
    return reports


def _compared(phone: QueuedPhone, places: Counter[int], payloads: list[bytes]) -> ClientReport:
    client = phone.account.client
    report = ClientReport(client, len(phone.items), still_waiting=phone.waiting)
    seen: set[int] = set()
    quarantined = dict.fromkeys(map(_mark, phone.items), 0)
    for payload in payloads:
        marks = [mark for mark in quarantined if mark.encode() in payload]
        if len(marks) != 1:
            report.wrongly_in_quarantine.append(repr(payload[:200]))
        for mark in marks:
            quarantined[mark] += 1
    for item in phone.items:
        mark, e7 = _mark(item), round(item.fix.longitude * 1e7)
        seen.add(e7)
        _judge(report, item, mark, places[e7], quarantined[mark])
    report.unknown += [str(e7) for e7 in places.keys() - seen]
    return report


def _mark(item: Item) -> str:
    return f"{item.fix.longitude:.6f}"


def _judge(report: ClientReport, item: Item, mark: str, stored: int, quarantined: int) -> None:
    for heard in item.heard:
        report.heard[heard.value] += 1
    is_delivered = item.done_s is not None and item.lost_by is None
    report.delivered += is_delivered
    if item.done_s is not None:
        report.longest_wait_s = max(report.longest_wait_s, item.done_s - item.recorded_s)
    if item.lost_by is not None:
        report.dropped[item.lost_by] += 1
    if (item.lost_by is not None) != may_have_dropped(report.client, item):
        report.against_its_rules.append(f"{mark} {item.lost_by} {item.heard[-4:]}")
    here, there = (stored, quarantined) if item.is_readable else (quarantined, stored)
    report.unreadable += not item.is_readable
    report.quarantined += quarantined
    if is_delivered and not here:
        (report.missing if item.is_readable else report.not_in_quarantine).append(mark)
    if here > 1:
        report.twice.append(mark)
    if there:
        (report.wrongly_in_quarantine if item.is_readable else report.unknown).append(mark)


def as_json(report: Report) -> dict[str, Any]:
    """For the file of results."""
    return {
        "seed": report.seed,
        "troubles": dict(report.troubles),
        "answers": dict(report.answers),
        "clients": [
            {
                "client": client.client, "recorded": client.recorded,
                "delivered": client.delivered, "dropped_by_its_own_rules": dict(client.dropped),
                "still_waiting": client.still_waiting, "unreadable": client.unreadable,
                "quarantined": client.quarantined,
                "longest_wait_h": round(client.longest_wait_s / 3600, 1),
                "heard": dict(client.heard), "broken": client.broken,
            }
            for client in report.clients
        ],
    }  # fmt: skip
