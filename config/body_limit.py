"""Bound what a request to Django may send, before any of it lies on disk.

Django writes a whole body to a temporary file before it looks at who is asking. So too much
is refused by its Content-Length at once, and without one as soon as it is too much.
"""

from typing import Final

from missions.photos import MAX_BYTES
from tracking.ingest.http import (
    Answer,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    announced_length,
    problem,
)

# The largest there is: a photo, with room for the fields of its form.
MAX_BODY_BYTES: Final = MAX_BYTES + 1024 * 1024


async def bounded(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the application answer, or refuse with 413."""
    if (announced_length(scope) or 0) > MAX_BODY_BYTES:
        await _too_large().send(send)
        return
    body = _Counted(receive)
    await application(scope, body.receive, send)
    if body.is_too_large:
        await _too_large().send(send)


class _Counted:
    """A body that ends as if the client had left, once it is too large.

    Django then answers nothing, so that the refusal is the only answer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._taken_bytes = 0
        self.is_too_large = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._taken_bytes += len(message.get("body", b""))
        if self._taken_bytes > MAX_BODY_BYTES:
            self.is_too_large = True
            return {"type": "http.disconnect"}
        return message


def _too_large() -> Answer:
    detail = f"A request has at most {MAX_BODY_BYTES // 1024**2} MB."
    # What the client still sends is nobody's request.
    headers = [(b"connection", b"close")]
    return problem(413, "body_too_large", "The body is too large", detail, headers)
