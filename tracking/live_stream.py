"""Server-sent events of the live page: who watches, and what each of them is told.

`versions` comes first: what the server shows, for the page to find out whether it shows the
same. `rows` says what has changed since, `away` and `here` whether the database answers, and
`over` that this person may not read any more, `beat` that the stream is still there. The id
of an event is the watch and the number of the change; with it a page that comes back is told
only what it has missed.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from django.db import Error as DatabaseError

from accounts.open_sessions import OpenSession
from tracking.live_watch import Shown, Sight, next_sight

LOOK_EVERY_S: Final = 2.0
HEARTBEAT_S: Final = 15.0
# A browser comes back by itself, and so to a process that has been started meanwhile.
LASTS_S: Final = 600.0
LINGERS_S: Final = 10.0
RETRY_MS: Final = 2_000
# Of one web process. A browser has six connections to one host, and needs some besides.
STREAMS_AT_ONCE: Final = 100
STREAMS_PER_USER: Final = 4

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Viewer:
    """Somebody's open page: their sign-in, language and search. `seq`: what they know."""

    session: OpenSession
    language: str
    words: tuple[str, ...] = ()
    last_event_id: str = ""
    seq: int | None = None


@dataclass(eq=False, slots=True)
class Watch:
    """Looks for one employer while somebody watches; `news` is set, and new, after each look."""

    employer_id: int
    name: str = field(default_factory=lambda: secrets.token_hex(4))
    sight: Sight = field(default_factory=Sight)
    viewers: set[Viewer] = field(default_factory=set)
    is_away: bool = False
    is_over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def look_on(self) -> None:
        """Until nobody has watched for a while."""
        last_watched_s = monotonic()
        try:
            while self.viewers or monotonic() - last_watched_s < LINGERS_S:
                began_s = monotonic()
                await self._look()
                await asyncio.sleep(max(0.0, LOOK_EVERY_S - (monotonic() - began_s)))
                if self.viewers:
                    last_watched_s = monotonic()
        finally:
            self.is_over = True
            if watches.get(self.employer_id) is self:
                del watches[self.employer_id]
            self._stir()

    async def _look(self) -> None:
        viewers = list(self.viewers)
        sessions = {viewer.session for viewer in viewers}
        languages = {viewer.language for viewer in viewers}
        try:
            self.sight = await asyncio.to_thread(
                next_sight, self.employer_id, self.sight, sessions, languages
            )
            self.is_away = False
        except DatabaseError as error:
            # Who may read cannot be asked: until then nobody is told anything.
            logger.warning("the live page cannot look: %s", type(error).__name__)
            self.is_away = True
            self._stir()
            return
        for viewer in viewers:
            if viewer.session not in self.sight.allowed:
                self.viewers.discard(viewer)
        self._stir()

    def _stir(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()

    def told(self, viewer: Viewer) -> bytes:
        """What this viewer does not know yet, as an event; empty when that is nothing."""
        sight = self.sight
        if viewer.seq is None:
            viewer.seq = self._resumed(viewer.last_event_id)
        if viewer.seq is None:
            viewer.seq = sight.seq
            versions = {
                str(one.row.driver): one.row.version
                for one in sight.shown.values()
                if _is_sought(one, viewer)
            }
            return self._event("versions", versions)
        if viewer.seq == sight.seq:
            return b""
        changed = [one for one in sight.shown.values() if one.since > viewer.seq]
        gone = [str(driver) for driver, since in sight.left.items() if since > viewer.seq]
        gone += [str(one.row.driver) for one in changed if not _is_sought(one, viewer)]
        rows = [one.html_in(viewer.language) for one in changed if _is_sought(one, viewer)]
        viewer.seq = sight.seq
        return self._event("rows", {"rows": rows, "gone": gone})

    def _resumed(self, event_id: str) -> int | None:
        """The number that an earlier event of this watch bore; None for any other."""
        name, _, number = event_id.partition("-")
        if name != self.name or not number.isascii() or not number.isdigit():
            return None
        return min(int(number[:18]), self.sight.seq)

    def _event(self, kind: str, data: object) -> bytes:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self.name}-{self.sight.seq}\nevent: {kind}\ndata: {text}\n\n".encode()


watches: dict[int, Watch] = {}


def may_join(viewer: Viewer) -> bool:
    """Whether this process has room for one more, and this user for one more page."""
    everybody = [one for watch in watches.values() for one in watch.viewers]
    own = [one for one in everybody if one.session.user_id == viewer.session.user_id]
    return len(everybody) < STREAMS_AT_ONCE and len(own) < STREAMS_PER_USER


async def events(viewer: Viewer) -> AsyncGenerator[bytes]:
    """The stream of one viewer. It ends by itself, with the sign-in, or with the watch."""
    watch = _joined(viewer)
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        ends_s = monotonic() + LASTS_S
        was_away = False
        while monotonic() < ends_s and not watch.is_over:
            news = watch.news
            if viewer not in watch.viewers:
                break
            if watch.is_away != was_away:
                was_away = watch.is_away
                yield _event("away" if was_away else "here")
            if not watch.is_away and watch.sight.looked_at and (event := watch.told(viewer)):
                yield event
            if not await _set_within(news, HEARTBEAT_S):
                yield _event("beat")
        # Also when the watch has ended meanwhile, since this viewer was its last.
        if viewer not in watch.viewers:
            yield _event("over")
    finally:
        watch.viewers.discard(viewer)


def _joined(viewer: Viewer) -> Watch:
    watch = watches.get(viewer.session.employer_id)
    if watch is None or watch.is_over:
        watch = watches[viewer.session.employer_id] = Watch(viewer.session.employer_id)
        watch.task = asyncio.create_task(watch.look_on())
    watch.viewers.add(viewer)
    return watch


def _event(kind: str) -> bytes:
    # One that bears no data would be dropped by the browser; a comment, too.
    return f"event: {kind}\ndata: null\n\n".encode()


def _is_sought(one: Shown, viewer: Viewer) -> bool:
    return one.row.has_words(viewer.words, viewer.language)


async def _set_within(news: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
    return news.is_set()
