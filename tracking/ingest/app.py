"""Answer phones: read, judge, wait for the commit, answer in their dialect.

Every 2xx is sent after COMMIT. What is refused is refused as the contract says (README,
"Write a phone app"); nothing here turns into a 500 that a phone could cause.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from accounts.secrets import secret_hash
from tracking.ingest.arrays import Request
from tracking.ingest.device_keys import DeviceKeys
from tracking.ingest.dialects import native
from tracking.ingest.groups import GroupCommit
from tracking.ingest.http import (
    Answer,
    BodyLimits,
    BodyRefused,
    ClientLeft,
    Receive,
    Scope,
    Send,
    bearer_token,
    problem,
    read_body,
)
from tracking.ingest.judge import accepted_span
from tracking.ingest.metrics import TURNED_AWAY
from tracking.ingest.off_the_shelf import DIALECTS, OffTheShelf
from tracking.ingest.outcomes import DatabaseAway, QueueFull, Recorded, Sender
from tracking.ingest.sent import JudgedFix, Refusal

NATIVE_LIMITS: Final = BodyLimits(sent=1_000_000, plain=8_000_000)
RETRY_AFTER: Final = ((b"retry-after", b"5"),)

UNAUTHORIZED: Final = problem(
    401, "token_unknown", "Unknown or revoked token",
    "pair this phone again", [(b"www-authenticate", b"Bearer")],
)  # fmt: skip
FROZEN: Final = problem(
    403, "driver_frozen", "This driver is not available",
    "keep what is queued and stop recording",
)  # fmt: skip
AWAY: Final = problem(
    503, "database_away", "Nothing was stored: the database is away",
    "keep the fixes and send them again", RETRY_AFTER,
)  # fmt: skip
FULL: Final = problem(
    503, "queue_full", "Nothing was stored: too much is waiting",
    "keep the fixes and send them again", RETRY_AFTER,
)  # fmt: skip
INCOMPLETE: Final = problem(
    400, "body_incomplete", "The body ended early",
    "keep the fixes and send them again", [(b"connection", b"close")],
)  # fmt: skip
NOT_FOUND: Final = problem(404, "not_found", "There is nothing at this address")


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What ingest needs to know of its surroundings."""

    conninfo: str
    max_fix_age_days: int
    is_replay: bool = False  # any age is accepted, the employer's route period is off
    is_https_required: bool = False
    connections: int = 1
    # Opens the sealed passphrase of a phone that encrypts; without it no phone has a key.
    unseal: Callable[[bytes], str | None] = lambda sealed: None


class IngestApplication:
    """The ASGI application for everything under /ingest/."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._groups: GroupCommit | None = None
        self._routes: dict[str, Callable[[Scope, Receive], Awaitable[Answer]]] = {
            "/ingest/v1/fixes": self._native,
        }
        self._keys = DeviceKeys(settings.conninfo, settings.unseal)
        self._off_the_shelf = OffTheShelf(
            self._record, self._keys.passphrase_of, settings.max_fix_age_days
        )

    async def startup(self) -> None:
        """Connect; called by the server's lifespan, or by the first request."""
        if self._groups is None:
            self._groups = GroupCommit(
                self._settings.conninfo,
                has_route_period=not self._settings.is_replay,
                connections=self._settings.connections,
            )

    async def shutdown(self) -> None:
        """Let the running group commit and refuse the rest."""
        if self._groups is not None:
            await self._groups.close()
            self._groups = None
        await self._keys.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        route = self._route(scope["path"])
        try:
            answer = await self._answer(route, scope, receive)
        except ClientLeft:
            # Heard by nobody, or by a client that closed only its own half.
            answer = INCOMPLETE
        await answer.send(send)

    def _route(self, path: str) -> Callable[[Scope, Receive], Awaitable[Answer]] | None:
        """With and without a slash at the end: a redirect would lose fixes."""
        route = self._routes.get(path.rstrip("/"))
        if route is None:
            dialect = path.removeprefix("/ingest/").partition("/")[0]
            if dialect in DIALECTS:
                return partial(self._off_the_shelf.answer, dialect)
        return route

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(
        self,
        route: Callable[[Scope, Receive], Awaitable[Answer]] | None,
        scope: Scope,
        receive: Receive,
    ) -> Answer:
        if route is None:
            return NOT_FOUND
        if self._settings.is_https_required and not _is_https(scope):
            return problem(403, "https_required", "This server answers over HTTPS only")
        try:
            return await route(scope, receive)
        except BodyRefused as refused:
            return refused.answer
        except DatabaseAway:
            TURNED_AWAY.labels("database_away").inc()
            return AWAY
        except QueueFull:
            TURNED_AWAY.labels("queue_full").inc()
            return FULL

    async def _native(self, scope: Scope, receive: Receive) -> Answer:
        """POST /ingest/v1/fixes: 1 to 1,000 fixes of our own app."""
        if scope["method"] != "POST":
            return problem(
                405, "method_not_allowed", "Send fixes with POST", headers=[(b"allow", b"POST")]
            )
        token = bearer_token(scope)
        if token is None:
            return UNAUTHORIZED
        if not _is_json(scope):
            return problem(
                415, "content_type_unsupported", "Unsupported content type",
                "send Content-Type: application/json",
            )  # fmt: skip
        body = await read_body(scope, receive, NATIVE_LIMITS)
        try:
            sent = native.sent_fixes(body)
        except native.NotThisShape as wrong:
            return problem(400, "body_invalid", "The body cannot be read", str(wrong))
        span = accepted_span(datetime.now(UTC), self._settings.max_fix_age_days)
        fixes = native.judged_fixes(sent, span)
        outcome = await self._record(
            Request(
                secret_hash(token),
                [fix for fix in fixes if isinstance(fix, JudgedFix)],
                Counter(fix.reason for fix in fixes if isinstance(fix, Refusal)),
            )
        )
        if outcome.sender is Sender.UNKNOWN:
            return UNAUTHORIZED
        if outcome.sender is Sender.FROZEN:
            return FROZEN
        return Answer(200, native.answer(fixes, outcome.letters, outcome.warnings))

    async def _record(self, request: Request) -> Recorded:
        """What became of a request, after its COMMIT; raises DatabaseAway and QueueFull."""
        await self.startup()
        assert self._groups is not None  # noqa: S101 (startup has just made it)
        return await self._groups.record(request)


def create_application(settings: IngestSettings) -> IngestApplication:
    """The ingest application for these settings; connects when it starts."""
    return IngestApplication(settings)


def _is_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bool(value.split(b";")[0].strip().lower() == b"application/json")
    return True


def _is_https(scope: Scope) -> bool:
    if scope.get("scheme") == "https":
        return True
    return any(
        name == b"x-forwarded-proto" and value == b"https" for name, value in scope["headers"]
    )
