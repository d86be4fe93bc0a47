"""The few things of HTTP that ingest needs: a bounded body, a token, an answer."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_TIMEOUT_S: Final = 30.0
PROBLEM_TYPE: Final = b"application/problem+json"
JSON_TYPE: Final = b"application/json"
GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its headers."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        """Send it; nothing of it may be cached."""
        await send({
            "type": "http.response.start",
            "status": self.status,
            "headers": [
                (b"content-type", self.content_type),
                (b"content-length", str(len(self.body)).encode()),
                (b"cache-control", b"no-store"),
                *self.headers,
            ],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": self.body})


def problem(
    status: int,
    code: str,
    title: str,
    detail: str = "",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """An RFC 9457 problem; `type` and `code` are both the fixed code of the contract."""
    body = {"type": code, "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    return Answer(status, msgspec.json.encode(body), PROBLEM_TYPE, tuple(headers))


class ClientLeft(Exception):
    """The client closed the connection before its body was complete."""


class BodyRefused(Exception):
    """The body cannot be taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a body may be, in bytes, as sent and unpacked, and how long it may take."""

    sent: int
    plain: int
    seconds: float = BODY_TIMEOUT_S


async def read_body(scope: Scope, receive: Receive, limits: BodyLimits) -> bytes:
    """The plain body of a request; raises BodyRefused (408, 413, 415, 400) or ClientLeft."""
    encoding = header(scope, b"content-encoding").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise BodyRefused(
            problem(415, "content_encoding_unsupported", "Unsupported content encoding",
                    "send the body plain or with Content-Encoding: gzip")
        )  # fmt: skip
    body = await read_sent_body(scope, receive, limits)
    if encoding == "gzip":
        return unpacked(body, limits.plain)
    if len(body) > limits.plain:
        raise BodyRefused(_too_large(limits.plain))
    return body


async def read_sent_body(scope: Scope, receive: Receive, limits: BodyLimits) -> bytes:
    """The body as it was sent; raises BodyRefused (408, 413) or ClientLeft."""
    announced = announced_length(scope)
    if announced is not None and announced > limits.sent:
        raise BodyRefused(_too_large(limits.sent))
    try:
        async with asyncio.timeout(limits.seconds):
            return await _received(receive, limits.sent)
    except TimeoutError:
        raise BodyRefused(
            problem(408, "body_timeout", "The body did not arrive in time",
                    headers=[(b"connection", b"close")])
        ) from None  # fmt: skip


def announced_length(scope: Scope) -> int | None:
    """How long the client says that its body is; None when it does not say."""
    announced = header(scope, b"content-length")
    return int(announced) if announced.isascii() and announced.isdigit() else None


async def _received(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit:
        return body  # nearly every request: one piece
    pieces, length = [body], len(body)
    while message.get("more_body", False):
        if length > limit:
            break
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        pieces.append(message.get("body", b""))
        length += len(pieces[-1])
    if length > limit:
        raise BodyRefused(_too_large(limit))
    return b"".join(pieces)


def _too_large(limit: int) -> Answer:
    return problem(
        413, "body_too_large", "The body is too large",
        f"send at most {limit} bytes: fewer fixes in a request",
        headers=[(b"connection", b"close")],
    )  # fmt: skip


def unpacked(body: bytes, limit: int) -> bytes:
    """The plain bytes of a gzip body; raises BodyRefused (413, 400).

    It stops unpacking at the limit, so a bomb costs no memory.
    """
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise BodyRefused(_broken_gzip()) from None
    if len(plain) > limit:
        raise BodyRefused(_too_large(limit))
    if not unpacker.eof or unpacker.unused_data:
        raise BodyRefused(_broken_gzip())
    return plain


def _broken_gzip() -> Answer:
    return problem(400, "gzip_broken", "The body is not one complete gzip stream")


def bearer_token(scope: Scope) -> str | None:
    """The token of `Authorization: Bearer …`, or None."""
    scheme, _, token = header(scope, b"authorization").partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def header(scope: Scope, name: bytes) -> str:
    """The value of the first header of this name (lower case); empty when there is none."""
    for sent, value in scope["headers"]:
        if sent == name:
            return bytes(value).decode("latin-1")
    return ""
