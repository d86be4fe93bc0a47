"""What the live page's stream tells, to whom, at what cost, and what it holds meanwhile."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Membership, Role, Truck, User
from accounts.open_sessions import OpenSession, still_dispatching
from tests.cast import Phone, make_driver, make_phone, put_fixes
from tests.pages.test_pages import client_of
from tracking import live_stream
from tracking.live_stream import Viewer, events, may_join, watches
from tracking.live_watch import Sight, next_sight

pytestmark = pytest.mark.django_db(transaction=True)
GHENT = (51.05, 3.72)
MECHELEN = (51.03, 4.48)
T = TypeVar("T")
Event = tuple[str, str, Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Looks come every 20 ms, so that a test does not wait for them."""
    monkeypatch.setattr(live_stream, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(live_stream, "LINGERS_S", 0.1)
    watches.clear()
    yield
    watches.clear()


@pytest.fixture
def seen(ada_phone: Phone, truck12: Truck) -> Driver:
    put_fixes(ada_phone, [(timezone.now() - timedelta(minutes=5), *GHENT)], truck=truck12)
    return ada_phone.driver


def session_of(user: User, employer: Employer) -> OpenSession:
    store = SessionStore(client_of(user).cookies["sessionid"].value)
    key = store.session_key
    assert key is not None
    return OpenSession(key, user.pk, employer.pk, store[HASH_SESSION_KEY])


@pytest.fixture
def viewer(dee: User, acme: Employer) -> Viewer:
    return Viewer(session_of(dee, acme), "en")


def put_on_own_connection(phone: Phone, *points: Any, truck: Truck | None = None) -> None:
    try:
        put_fixes(phone, points, truck=truck)
    finally:
        connection.close()


def parsed(block: bytes) -> Event:
    """Id, kind and data of one event."""
    lines = dict(line.split(": ", 1) for line in block.decode().strip().splitlines())
    return lines.get("id", ""), lines.get("event", ""), json.loads(lines.get("data", "null"))


async def next_event(stream: AsyncGenerator[bytes]) -> Event:
    async with asyncio.timeout(10):
        return parsed(await anext(stream))


async def told(viewer: Viewer, then: Callable[[], object] | None = None) -> list[Event]:
    """The stream's first words; after `then` the next one, too."""
    found = []
    async with aclosing(events(viewer)) as stream:
        assert await anext(stream) == b"retry: 2000\n\n"
        found.append(await next_event(stream))
        if then is not None:
            await asyncio.to_thread(then)
            found.append(await next_event(stream))
    return found


def run(steps: Callable[[], Awaitable[T]]) -> T:
    async def whole() -> T:
        try:
            return await steps()
        finally:
            # The watch ends by itself, a moment after its last viewer.
            for watch in list(watches.values()):
                if watch.task is not None:
                    await watch.task

    return asyncio.run(whole())


def test_the_stream_begins_with_what_the_page_shows(
    seen: Driver, viewer: Viewer, dee: User
) -> None:
    ((_, kind, data),) = run(lambda: told(viewer))
    assert (kind, list(data)) == ("versions", [str(seen.uuid)])
    page = client_of(dee).get("/fleet/table").content.decode()
    assert f'data-version="{data[str(seen.uuid)]}"' in page


def test_a_new_fix_is_told_as_its_row(
    seen: Driver, ada_phone: Phone, truck12: Truck, viewer: Viewer
) -> None:
    _, (_, kind, data) = run(
        lambda: told(
            viewer,
            lambda: put_on_own_connection(ada_phone, (timezone.now(), *MECHELEN), truck=truck12),
        )
    )
    assert kind == "rows"
    assert data["gone"] == []
    (row,) = data["rows"]
    assert f'data-driver="{seen.uuid}"' in row
    assert "near Mechelen" in row
    assert "truck 12" in row


def test_rows_come_in_the_language_of_their_reader(
    seen: Driver, ada_phone: Phone, viewer: Viewer
) -> None:
    viewer.language = "fr"
    _, (_, _, data) = run(
        lambda: told(viewer, lambda: put_on_own_connection(ada_phone, (timezone.now(), *MECHELEN)))
    )
    assert "Malines" in data["rows"][0]


def test_a_late_batch_is_not_told(seen: Driver, ada_phone: Phone, viewer: Viewer) -> None:
    def late_then_new() -> None:
        early = timezone.now() - timedelta(hours=1)
        put_on_own_connection(ada_phone, (early, 50.0, 5.72))
        looks = watches[viewer.session.employer_id].sight.looked_at
        while watches[viewer.session.employer_id].sight.looked_at == looks:
            pass
        assert watches[viewer.session.employer_id].sight.seq == 1
        put_on_own_connection(ada_phone, (timezone.now(), *MECHELEN))

    _, (_, _, data) = run(lambda: told(viewer, late_then_new))
    assert len(data["rows"]) == 1
    assert "near Mechelen" in data["rows"][0]


def test_a_frozen_driver_leaves(seen: Driver, viewer: Viewer) -> None:
    def freeze() -> None:
        try:
            freeze_driver(seen)
        finally:
            connection.close()

    _, (_, kind, data) = run(lambda: told(viewer, freeze))
    assert (kind, data) == ("rows", {"rows": [], "gone": [str(seen.uuid)]})


def test_a_search_is_told_only_what_matches_and_what_no_longer_does(
    seen: Driver, ada_phone: Phone, ben_phone: Phone, viewer: Viewer
) -> None:
    put_fixes(ben_phone, [(timezone.now(), *MECHELEN)])
    viewer.words = ("ghent",)
    (_, _, first), (_, _, second) = run(
        lambda: told(viewer, lambda: put_on_own_connection(ada_phone, (timezone.now(), *MECHELEN)))
    )
    assert list(first) == [str(seen.uuid)]
    assert second == {"rows": [], "gone": [str(seen.uuid)]}


def test_another_employers_fix_is_not_told(
    seen: Driver, ada_phone: Phone, cy_phone: Phone, viewer: Viewer
) -> None:
    def theirs_then_ours() -> None:
        put_on_own_connection(cy_phone, (timezone.now(), *GHENT))
        put_on_own_connection(ada_phone, (timezone.now(), *MECHELEN))

    (_, _, first), (_, _, second) = run(lambda: told(viewer, theirs_then_ours))
    assert list(first) == [str(seen.uuid)]
    assert [str(seen.uuid) in row for row in second["rows"]] == [True]


def test_who_comes_back_is_told_what_they_missed_and_no_more(
    seen: Driver, ada_phone: Phone, ben_phone: Phone, viewer: Viewer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(live_stream, "LINGERS_S", 2.0)
    put_fixes(ben_phone, [(timezone.now(), *GHENT)])

    async def steps() -> tuple[Event, Event]:
        ((first_id, kind, _),) = await told(viewer)
        assert kind == "versions"
        await asyncio.to_thread(put_on_own_connection, ada_phone, (timezone.now(), *MECHELEN))
        await asyncio.sleep(0.3)
        again = Viewer(viewer.session, "en", last_event_id=first_id)
        (back,) = await told(again)
        (other,) = await told(Viewer(viewer.session, "en", last_event_id="00000000-1"))
        return back, other

    back, other = run(steps)
    assert back[1] == "rows"
    assert [str(seen.uuid) in row for row in back[2]["rows"]] == [True]
    assert other[1] == "versions"


@pytest.mark.parametrize("last", ["", "x", "-", "٣-٣", "1-" + "9" * 400, "watch-²"])
def test_an_id_of_nobodys_begins_anew(seen: Driver, viewer: Viewer, last: str) -> None:
    viewer.last_event_id = last
    ((_, kind, _),) = run(lambda: told(viewer))
    assert kind == "versions"


@pytest.mark.parametrize(
    "ends", ["signed out", "inactive", "role taken", "password changed", "second factor wanted"]
)
def test_who_may_not_read_any_more_is_told_nothing_else(
    seen: Driver, ada_phone: Phone, viewer: Viewer, dee: User, ends: str
) -> None:
    def end() -> None:
        try:
            if ends == "signed out":
                SessionStore(viewer.session.key).delete()
            elif ends == "inactive":
                User.objects.filter(pk=dee.pk).update(is_active=False)
            elif ends == "role taken":
                Membership.objects.filter(user=dee).update(role=Role.DPO)
            elif ends == "second factor wanted":
                Employer.objects.update(is_two_factor_required=True)
            else:
                dee.set_password("another long one")
                dee.save()
            put_fixes(ada_phone, [(timezone.now(), *MECHELEN)])
        finally:
            connection.close()

    (_, first, _), (_, second, data) = run(lambda: told(viewer, end))
    assert first == "versions"
    assert (second, data) == ("over", None)


def test_a_role_in_one_employer_opens_no_other(
    dee: User, acme: Employer, elsewhere: Employer
) -> None:
    own, others = session_of(dee, acme), session_of(dee, elsewhere)
    assert still_dispatching([own, others]) == {own}
    Membership.objects.create(user=dee, employer=elsewhere, role=Role.DISPATCHER)
    assert still_dispatching([own, others]) == {own, others}


def test_who_has_the_wanted_second_factor_watches_on(dee: User, max: User, acme: Employer) -> None:
    dees, maxs = session_of(dee, acme), session_of(max, acme)
    Authenticator.objects.create(user=max, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.create(user=dee, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert still_dispatching([dees, maxs]) == {dees, maxs}
    Employer.objects.update(is_two_factor_required=True)
    assert still_dispatching([dees, maxs]) == {maxs}


def test_without_the_database_the_stream_says_so_and_goes_on(
    seen: Driver, ada_phone: Phone, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_away = False

    def still(sessions: Any) -> Any:
        if is_away:
            raise OperationalError
        return still_dispatching(sessions)

    monkeypatch.setattr("tracking.live_watch.still_dispatching", still)

    async def steps() -> list[str]:
        nonlocal is_away
        async with aclosing(events(viewer)) as stream:
            await anext(stream)
            kinds = [(await next_event(stream))[1]]
            is_away = True
            await asyncio.to_thread(put_on_own_connection, ada_phone, (timezone.now(), *MECHELEN))
            kinds.append((await next_event(stream))[1])
            is_away = False
            kinds += [(await next_event(stream))[1] for _ in range(2)]
        return kinds

    kinds = run(steps)
    assert kinds[0] == "versions"
    assert kinds[-2:] == ["here", "rows"]
    assert kinds[1] in ("away", "rows")


def test_an_idle_stream_says_that_it_is_there(
    seen: Driver, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "LOOK_EVERY_S", 0.5)
    monkeypatch.setattr(live_stream, "HEARTBEAT_S", 0.05)
    _, (_, kind, _) = run(lambda: told(viewer, lambda: None))
    assert kind == "beat"


def test_a_stream_ends_by_itself(
    seen: Driver, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "LASTS_S", 0.2)

    async def steps() -> int:
        async with asyncio.timeout(10):
            return len([event async for event in events(viewer)])

    assert run(steps) == 2


def test_streams_are_bounded_for_a_user_and_for_the_process(
    seen: Driver, viewer: Viewer, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps() -> list[int]:
        streams = [events(Viewer(viewer.session, "en")) for _ in range(4)]
        for stream in streams[:3]:
            await anext(stream)
        statuses = [(await asyncio.to_thread(asked, dee)).status_code]
        await anext(streams[3])
        assert not may_join(viewer)
        statuses.append((await asyncio.to_thread(asked, dee)).status_code)
        for stream in streams:
            await stream.aclose()
        assert may_join(viewer)
        monkeypatch.setattr(live_stream, "STREAMS_AT_ONCE", 0)
        statuses.append((await asyncio.to_thread(asked, dee)).status_code)
        return statuses

    assert run(steps) == [200, 429, 429]


def asked(user: User) -> Any:
    try:
        return client_of(user).get("/live/stream")
    finally:
        connection.close()


def test_the_watch_ends_when_nobody_watches(seen: Driver, viewer: Viewer) -> None:
    async def steps() -> tuple[int, int]:
        await told(viewer)
        during = len(watches)
        await asyncio.sleep(1)
        return during, len(watches)

    assert run(steps) == (1, 0)


def test_a_look_costs_the_same_queries_for_one_and_for_thirty(
    acme: Employer, seen: Driver, ada_phone: Phone, viewer: Viewer
) -> None:
    def look(sight: Sight) -> tuple[Sight, int]:
        with CaptureQueriesContext(connection) as queries:
            found = next_sight(acme.pk, sight, [viewer.session], ["en"])
        return found, len([one for one in queries if "SET " not in one["sql"][:4]])

    def costs(phones: list[Phone]) -> tuple[int, int, int]:
        sight, whole = look(Sight())
        sight, idle = look(sight)
        for phone in phones:
            put_fixes(phone, [(timezone.now(), *MECHELEN)])
        moved, some = look(sight)
        assert moved.seq == sight.seq + 1
        return whole, idle, some

    one = costs([ada_phone])
    phones = [make_phone(make_driver(acme, f"Driver {n}", f"N-{n}")) for n in range(30)]
    put = [[(timezone.now(), *GHENT)] for _ in phones]
    for phone, points in zip(phones, put, strict=True):
        put_fixes(phone, points)
    assert costs(phones) == one == (8, 4, 7)


def test_a_look_leaves_no_connection_behind(acme: Employer, seen: Driver, viewer: Viewer) -> None:
    def look() -> bool:
        next_sight(acme.pk, Sight(), [viewer.session], ["en"])
        return connection.connection is None

    assert asyncio.run(asyncio.to_thread(look))
