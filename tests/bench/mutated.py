"""(k) Ten thousand mutated requests of each dialect: all answered, at home, in flat memory."""

import http.client
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings

from tests.bench.bench import Bar, Bench, progress
from tests.bench.clients import ingest_fleet
from tests.bench.figures import Figure, Target
from tests.bench.memory import memory_of, workers_of
from tests.real_system import Fleet
from tests.tracking.ingest.dialects.reads import DIALECTS
from tests.tracking.ingest.dialects.test_mutated_payloads import requests
from tracking.ingest.foreign import ForeignRequest

REQUESTS: Final = (10_000, 200)
SETTLED: Final = 1_000  # requests until what a worker makes once has been made
# Making an example takes Hypothesis longer than the server takes to answer it. So each is
# sent with so many more copies that a few bytes of chance have changed again.
COPIES: Final = 4
SEED: Final = 20261125
TIMEOUT_S: Final = 20.0
MAX_GROWTH_MB: Final = 8
MAX_ANSWER_S: Final = 5
IN_A_URL: Final = "%&=+;,:@/?!$'()*-._~"
FOREIGN_ROWS: Final = """
    SELECT (SELECT count(*) FROM tracking_fix WHERE employer_id <> %(own)s)
         + (SELECT count(*) FROM tracking_quarantinedfix WHERE employer_id <> %(own)s)
         + (SELECT count(*) FROM tracking_unstoredcount WHERE employer_id <> %(own)s)
         + (SELECT count(*) FROM tracking_quarantinedfix WHERE device_id <> ALL (%(devices)s))
"""


@dataclass(slots=True)
class Answers:
    """What was answered, and the longest that an answer took."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    resident_mb: list[float] = field(default_factory=list)

    @property
    def growth_mb(self) -> float:
        return self.resident_mb[-1] - self.resident_mb[0]


def measure(bench: Bench) -> list[Figure]:
    bench.empty()
    with bench.system.connect() as connection:
        connection.execute("TRUNCATE tracking_quarantinedfix")
    count = int(bench.choose(*REQUESTS))
    fleet = ingest_fleet(bench, len(DIALECTS))
    found: dict[str, Answers] = {}
    with bench.system.web(workers=1), progress("(k) mutating", count * len(DIALECTS), "") as bar:
        (worker,) = workers_of(bench.system.web_child)
        # Every dialect once before the memory is read: what is made once is made then.
        for name, phone in zip(DIALECTS, fleet.phones, strict=True):
            sent(bench, name, phone.token, min(SETTLED, count), None)
        for name, phone in zip(DIALECTS, fleet.phones, strict=True):
            before_mb = memory_of(worker).resident_mb
            found[name] = sent(bench, name, phone.token, count, bar)
            found[name].resident_mb = [before_mb, memory_of(worker).resident_mb]
    return figures(found, foreign_rows(bench, fleet))


def sent(bench: Bench, name: str, token: str, count: int, bar: "Bar | None") -> Answers:
    """So many mutated requests of a dialect, each over HTTP and answered."""
    answers = Answers()
    chance = Random(SEED)  # noqa: S311 - mutations, not a secret
    connection = http.client.HTTPConnection("127.0.0.1", bench.system.port, timeout=TIMEOUT_S)

    @settings(
        max_examples=count // (1 + COPIES), deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )  # fmt: skip
    @given(requests(name))
    def run(request: ForeignRequest) -> None:
        for copy in (request, *(changed(request, chance) for _ in range(COPIES))):
            began_s = time.monotonic()
            status = answered(connection, f"/ingest/{name}/{token}", copy)
            answers.slowest_s = max(answers.slowest_s, time.monotonic() - began_s)
            answers.statuses[status] += 1
        if bar is not None:
            bar.update(1 + COPIES)

    run()
    connection.close()
    return answers


def changed(request: ForeignRequest, chance: Random) -> ForeignRequest:
    """The same with one to three bytes of its query or body other, more or fewer."""
    raw = bytearray(request.query or request.body)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(raw) + 1)
        raw[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
    query, body = (bytes(raw), request.body) if request.query else (b"", bytes(raw))
    return replace(request, query=query, body=body)


def answered(connection: http.client.HTTPConnection, path: str, request: ForeignRequest) -> int:
    query = quote(request.query, safe=IN_A_URL)
    headers = {"content-type": request.content_type} if request.content_type else {}
    try:
        connection.request(
            request.method, f"{path}?{query}" if query else path, request.body, headers
        )
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return response.status


def foreign_rows(bench: Bench, fleet: Fleet) -> int:
    """Rows of any other employer, and quarantined ones of any phone that did not send."""
    bound: dict[str, Any] = {
        "own": fleet.employer_id, "devices": [phone.device_id for phone in fleet.phones]
    }  # fmt: skip
    with bench.system.connect() as connection:
        row = connection.execute(FOREIGN_ROWS, bound).fetchone()
        kept = connection.execute("SELECT count(*) FROM tracking_quarantinedfix").fetchone()
    if row is None or kept is None or not kept[0]:
        raise RuntimeError("nothing was quarantined: the requests did not arrive")
    return int(row[0])


def figures(found: dict[str, Answers], foreign: int) -> list[Figure]:
    detail = {
        name: {
            "answers": dict(answers.statuses), "slowest_s": round(answers.slowest_s, 3),
            "resident_mb": [round(mb, 1) for mb in answers.resident_mb],
        }
        for name, answers in found.items()
    }  # fmt: skip
    total = sum(answers.statuses.total() for answers in found.values())
    wrong = total - sum(answers.statuses[200] for answers in found.values())
    slowest_s = max(answers.slowest_s for answers in found.values())
    growth_mb = max(answers.growth_mb for answers in found.values())
    return [
        Figure("k", f"{total:,} mutated requests of {len(found)} dialects: not 200", wrong, "",
               Target("at most", 0), detail),
        Figure("k", "  rows written to anybody else", foreign, "", Target("at most", 0)),
        Figure("k", "  longest answer", slowest_s, "s", Target("below", MAX_ANSWER_S)),
        Figure("k", "  memory grown by one dialect, most", growth_mb, "MB",
               Target("at most", MAX_GROWTH_MB)),
    ]  # fmt: skip
