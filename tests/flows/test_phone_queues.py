"""Each off-the-shelf client's queue drains, whatever the server does; nothing is lost by us.

`python -m tests.bench --only j` is the full run, with more of everything and a seed of its own.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.flows.phone_queues import (
    RULES,
    Heard,
    HttpAnswer,
    Item,
    Looped,
    QueuedPhone,
    may_have_dropped,
    phone_of,
)
from tests.flows.phone_requests import PhoneFix, Wire
from tests.flows.queue_run import SHORT, Report, endure
from tests.real_system import RealSystem, real_system

SEED = 20261125
DAY_S = 86_400.0
TAKEN = HttpAnswer(200, b'{"result":"ok","done":1,"error":false}', "application/json", "c=1")
# Which clients lose a fix to which constant answer, and which send nothing behind it.
LOSE_ON = {
    400: {"traccar_ios_8", "owntracks_ios", "gpslogger"},
    401: {"traccar_ios_8", "owntracks_ios", "gpslogger"},
    413: {"traccar_ios_8", "owntracks_ios", "gpslogger"},
    503: {"traccar_ios_8", "gpslogger"},
    None: {"gpslogger"},
}


def fix(number: int) -> PhoneFix:
    return PhoneFix(number * 60_000, 51.0, 4.0 + number / 1e6, 5, 10, 20, 90, 0.5)


def driven(client: str, answers: dict[int, HttpAnswer | None], *, fixes: int = 3) -> QueuedPhone:
    """A phone with so many fixes, a minute apart, and then four hours: `answers` by the minute."""
    phone = phone_of(client, "mpd_x")

    for minute in range(240):
        now_s = minute * 60.0
        if minute < fixes:
            phone.record(Item(fix(minute), now_s), now_s)
        current = answers[max(begin for begin in answers if begin <= minute)]

        def send(wire: Wire, current: HttpAnswer | None = current) -> HttpAnswer | None:
            return current

        while (due_s := phone.due_s()) is not None and due_s < now_s + 60:
            phone.wake(max(due_s, now_s), send)
    return phone


@pytest.mark.parametrize("client", sorted(RULES))
def test_what_is_taken_leaves_the_queue(client: str) -> None:
    phone = driven(client, {0: TAKEN})
    assert phone.waiting == 0
    assert [item.heard[-1] for item in phone.items] == [Heard.DONE] * 3
    assert not any(item.lost_by for item in phone.items)


@pytest.mark.parametrize("status", LOSE_ON)
@pytest.mark.parametrize("client", sorted(RULES))
def test_a_constant_refusal_is_lost_by_some_and_blocks_the_others(
    client: str, status: int | None
) -> None:
    phone = driven(client, {0: None if status is None else HttpAnswer(status, b"")})
    lost = [item for item in phone.items if item.lost_by]
    assert len(lost) == (3 if client in LOSE_ON[status] else 0)
    assert phone.waiting == 3 - len(lost)
    assert all(may_have_dropped(client, item) == bool(item.lost_by) for item in phone.items)


@pytest.mark.parametrize(
    ("client", "body"),
    [("overland", b"{}"), ("phonetrack", b'{"done":0}'), ("ulogger", b'{"error":true}')],
)
def test_three_clients_look_at_the_body(client: str, body: bytes) -> None:
    phone = driven(client, {0: HttpAnswer(200, body, "application/json")})
    assert phone.waiting == 3
    assert phone.items[0].heard[-1] is Heard.WRONG_BODY
    overland = driven("overland", {0: HttpAnswer(200, TAKEN.body, "text/plain")})
    assert overland.waiting == 3


@pytest.mark.parametrize("client", sorted(RULES.keys() - {"gpslogger", "traccar_ios_8"}))
def test_after_half_an_hour_of_503_the_queue_drains(client: str) -> None:
    # Some only try again at the next fix: the last comes when the server is back.
    phone = driven(client, {0: HttpAnswer(503, b""), 30: TAKEN}, fixes=32)
    assert phone.waiting == 0
    assert not any(item.lost_by for item in phone.items)
    assert Counter(item.heard[-1] for item in phone.items) == {Heard.DONE: 32}


def test_a_record_that_is_older_than_the_library_keeps_it_is_dropped_unsent() -> None:
    phone = phone_of("transistorsoft_single", "mpd_x")
    phone.record(Item(fix(0), 0.0), 0.0)
    phone.wake(0.0, lambda wire: None)
    phone.record(Item(fix(1), 1.1 * DAY_S), 1.1 * DAY_S)
    phone.wake(1.1 * DAY_S, lambda wire: TAKEN)
    old, new = phone.items
    assert old.lost_by == "older than 1 days"
    assert may_have_dropped("transistorsoft_single", old)
    assert new.heard == [Heard.DONE]


def test_a_401_for_each_fix_after_a_good_sign_in_would_be_a_loop() -> None:
    def send(wire: Wire) -> HttpAnswer | None:
        return HttpAnswer(401, b"") if b"addpos" in wire.body else TAKEN._replace(body=NEW_TRACK)

    phone = phone_of("ulogger", "mpd_x")
    phone.record(Item(fix(0), 0.0), 0.0)
    with pytest.raises(Looped):
        phone.wake(0.0, send)


NEW_TRACK = b'{"error":false,"trackid":1}'


@pytest.fixture(scope="module")
def system() -> Iterator[RealSystem]:
    var = Path(tempfile.mkdtemp(prefix="queues-", dir=settings.VAR_DIR))
    with real_system(var) as system:
        yield system


@pytest.mark.slow
def test_every_queue_drains_and_every_fix_is_stored_once_or_in_quarantine(
    system: RealSystem,
) -> None:
    report: Report = endure(system, SHORT, seed=SEED)
    print(report)  # noqa: T201 - the seed and what was met, shown by pytest when this fails
    assert report.broken == []
    assert report.answers.keys() <= {"200", "401", "503", "none"}
    assert min(report.answers[status] for status in ("401", "503", "none")) > 5
    dropped = {client.client for client in report.clients if client.dropped}
    assert dropped == {"traccar_ios_8", "owntracks_ios", "gpslogger", "transistorsoft_single"}
    assert min(client.delivered for client in report.clients) > 0
    assert sum(client.quarantined for client in report.clients) > len(RULES)
