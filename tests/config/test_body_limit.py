"""No request writes more to disk than a photo needs."""

from collections.abc import AsyncIterator

import anyio
import pytest
from httpx import ASGITransport, AsyncClient, Response

from config.asgi import application
from config.body_limit import MAX_BODY_BYTES

MINE = "/api/v1/me/attachments"
CHUNK = bytes(1024 * 1024)


def post(size_bytes: int, *, is_announced: bool) -> tuple[Response, int]:
    """The answer, and how many bytes were taken for it."""
    taken_bytes = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken_bytes
        while taken_bytes < size_bytes:
            taken_bytes += len(CHUNK)
            yield CHUNK

    async def send() -> Response:
        transport = ASGITransport(application)
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        if is_announced:
            headers["Content-Length"] = str(size_bytes)
        async with AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.post(MINE, content=body(), headers=headers)

    return anyio.run(send), taken_bytes


@pytest.mark.parametrize("is_announced", [True, False])
def test_too_much_is_refused_before_it_is_read(is_announced: bool) -> None:
    answer, taken_bytes = post(40 * MAX_BODY_BYTES, is_announced=is_announced)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert taken_bytes <= (0 if is_announced else MAX_BODY_BYTES + 2 * len(CHUNK))


def test_what_a_photo_needs_is_let_through_to_whoever_asks() -> None:
    answer, _ = post(MAX_BODY_BYTES, is_announced=True)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
