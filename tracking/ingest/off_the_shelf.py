"""Answer off-the-shelf clients: read, judge, record, and say what each takes for done.

None of them reads a refusal, and a 4xx for one bad fix would block its queue or lose the
fix. So a phone with a good token always gets its own kind of success once the request is
committed: stored, in quarantine, or counted where privacy forbids to keep it. 401 is only
for a token that opens nothing, 503 for what could not be committed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from accounts.secrets import secret_hash
from tracking.ingest.arrays import Request
from tracking.ingest.credentials import COOKIE, Credentials, credentials
from tracking.ingest.dialects import (
    background_geolocation,
    gpslogger,
    osmand,
    overland,
    owntracks,
    phonetrack,
    ulogger,
)
from tracking.ingest.foreign import Dialect, ForeignRequest, Readings
from tracking.ingest.http import (
    Answer,
    BodyLimits,
    BodyRefused,
    Receive,
    Scope,
    announced_length,
    header,
    problem,
    read_sent_body,
    unpacked,
)
from tracking.ingest.judge import accepted_span, judged
from tracking.ingest.outcomes import ROUTE_PERIOD, Recorded, Sender
from tracking.ingest.phone_health import HealthReports
from tracking.ingest.quarantine import Refused, unusable
from tracking.ingest.sent import EPOCH, MICROSECOND, JudgedFix, Refusal, SentFix

DIALECTS: Final[dict[str, Dialect]] = {
    "background_geolocation": background_geolocation,
    "gpslogger": gpslogger,
    "osmand": osmand,
    "overland": overland,
    "owntracks": owntracks,
    "phonetrack": phonetrack,
    "ulogger": ulogger,
}
# A limit that is hit never clears, so it lies far above what any client sends, and takes
# longer than any of them waits: none sends less after a 408.
LIMITS: Final = BodyLimits(sent=16_000_000, plain=16_000_000, seconds=120.0)
# A longer body is only read for a phone that we know; a sign-in is a few words.
UNCHECKED_BODY: Final = 1_000_000
SIGN_IN_LIMITS: Final = BodyLimits(sent=10_000, plain=10_000)
FIXES_AT_ONCE: Final = 2_000
READ_AT_ONCE: Final = 65_536  # bytes; what is longer is read beside the server's loop

UNAUTHORIZED: Final = problem(
    401, "token_unknown", "Unknown or revoked token", "set this phone up again",
    [(b"www-authenticate", b"Bearer")],
)  # fmt: skip

_TOO_OLD: Final = Refusal("recorded_at_too_old", "older than the employer keeps routes")

Record = Callable[[Request], Awaitable[Recorded]]
PassphraseOf = Callable[[bytes], Awaitable[str | None]]


class OffTheShelf:
    """Everything under /ingest/<dialect>/."""

    def __init__(self, record: Record, passphrase_of: PassphraseOf, max_fix_age_days: int) -> None:
        self._record = record
        self._passphrase_of = passphrase_of
        self._max_fix_age_days = max_fix_age_days
        self._health = HealthReports()

    async def answer(self, name: str, scope: Scope, receive: Receive) -> Answer:
        """What the client gets; raises BodyRefused, ClientLeft, DatabaseAway and QueueFull."""
        dialect = DIALECTS[name]
        if scope["method"] not in dialect.METHODS:
            allowed = ", ".join(sorted(dialect.METHODS)).encode()
            return problem(405, "method_not_allowed", "This client does not send that",
                           headers=[(b"allow", allowed)])  # fmt: skip
        found = credentials(scope, [part for part in scope["path"].split("/")[3:] if part])
        if found.token is None and name != "ulogger":
            return UNAUTHORIZED
        if found.token and _is_long(scope) and not await self._is_known(found.token, name):
            return UNAUTHORIZED
        request = await _request(scope, receive, found)
        token = found.token or (ulogger.password_of(request) if name == "ulogger" else None)
        if token is None or not await self._take(name, secret_hash(token), request):
            return UNAUTHORIZED
        answer = dialect.success(request)
        return _with_cookie(answer, token) if found.token is None else answer

    async def _is_known(self, token: str, name: str) -> bool:
        asked = await self._record(Request(secret_hash(token), [], dialect=name))
        return asked.sender is not Sender.UNKNOWN

    async def _take(self, name: str, token_hash: bytes, request: ForeignRequest) -> bool:
        """Commit what the request holds; whether its token opens anything."""
        run = _run_of(is_long=len(request.body) > READ_AT_ONCE)
        readings = await run(DIALECTS[name].read, request)
        if readings.is_sealed:
            passphrase = await self._passphrase_of(token_hash)
            if passphrase is not None:
                request.open_sealed = partial(owntracks.opened, key=owntracks.key_of(passphrase))
                readings = await run(DIALECTS[name].read, request)
        health = self._health.news(token_hash, readings.health, request.user_agent)
        is_taken = False
        try:
            is_taken = await self._record_all(name, token_hash, readings, health)
        finally:
            if not is_taken:
                # The phone sends it again: then it must be news once more.
                self._health.forget(token_hash)
        return is_taken

    async def _record_all(
        self, name: str, token_hash: bytes, readings: Readings, health: str | None
    ) -> bool:
        run = _run_of(is_long=len(readings.readings) > FIXES_AT_ONCE)
        fixes, refused = await run(self._judged, readings)
        rest = await run(unusable, refused)
        too_old: list[Refused] = []
        for piece in _pieces(fixes):
            recorded = await self._record(
                Request(token_hash, [fix for fix, _ in piece], {}, name, rest, health)
            )
            if recorded.sender is Sender.UNKNOWN:
                return False
            rest, health = [], None
            too_old += [
                Refused(_TOO_OLD, source, fix.recorded_at_us)
                for (fix, source), letter in zip(piece, recorded.letters, strict=True)
                if letter == ROUTE_PERIOD
            ]
        if too_old:
            # Known only now; the counts already have them.
            await self._record(Request(token_hash, [], {}, name, unusable(too_old)))
        return True

    def _judged(self, readings: Readings) -> tuple[list[tuple[JudgedFix, object]], list[Refused]]:
        span = accepted_span(datetime.now(UTC), self._max_fix_age_days)
        fixes: list[tuple[JudgedFix, object]] = []
        refused: list[Refused] = []
        for sent, source in readings.readings:
            fix = judged(sent, span) if isinstance(sent, SentFix) else sent
            if isinstance(fix, JudgedFix):
                fixes.append((fix, source))
            else:
                at_us = (
                    (sent.recorded_at - EPOCH) // MICROSECOND if isinstance(sent, SentFix) else None
                )
                refused.append(Refused(fix, source, at_us))
        return fixes, refused


def _run_of(*, is_long: bool) -> Callable[..., Awaitable[Any]]:
    """How it is read: a long body may take seconds, in which every other phone would wait."""
    return asyncio.to_thread if is_long else _at_once


async def _at_once(read: Callable[..., Any], *values: Any) -> Any:
    return read(*values)


def _pieces(
    fixes: list[tuple[JudgedFix, object]],
) -> Iterator[list[tuple[JudgedFix, object]]]:
    """The fixes cut for the queue; one empty piece for a request without any."""
    for begin in range(0, max(len(fixes), 1), FIXES_AT_ONCE):
        yield fixes[begin : begin + FIXES_AT_ONCE]


def _is_long(scope: Scope) -> bool:
    if scope["method"] in ("GET", "HEAD"):
        return False
    length = announced_length(scope)
    return length is None or length > UNCHECKED_BODY


async def _request(scope: Scope, receive: Receive, found: Credentials) -> ForeignRequest:
    limits = LIMITS if found.token else SIGN_IN_LIMITS
    body = await read_sent_body(scope, receive, limits)
    if header(scope, b"content-encoding").strip().lower() == "gzip":
        try:
            body = unpacked(body, limits.plain)
        except BodyRefused as refused:
            if refused.answer.status == 413:
                raise
            # It will never unpack: kept as what it is, not sent again for ever.
    return ForeignRequest(
        method=scope["method"],
        rest=found.rest,
        query=scope["query_string"],
        content_type=header(scope, b"content-type"),
        body=body,
        user_agent=header(scope, b"user-agent"),
        is_basic_unencoded=found.is_basic_unencoded,
    )


def _with_cookie(answer: Answer, token: str) -> Answer:
    """What ulogger's sign-in gives the app for its next requests."""
    cookie = f"{COOKIE}={token}; Path=/ingest/ulogger; HttpOnly; SameSite=Strict"
    return Answer(
        answer.status,
        answer.body,
        answer.content_type,
        (*answer.headers, (b"set-cookie", cookie.encode("latin-1", "replace"))),
    )
