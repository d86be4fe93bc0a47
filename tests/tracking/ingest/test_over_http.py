"""What only a real server on a real socket can show: half requests, odd bytes, who leaves."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings
from django.db import connection

from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix
from tracking.models import Fix

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HALF = 50


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """Where this test's database is, for another process."""
    database = connection.settings_dict
    user, host, port = database["USER"], quote(str(database["HOST"]), safe=""), database["PORT"]
    place = f"?host={host}" if host.startswith("%2F") else ""
    server = "" if place else f"{host}:{port or 5432}"
    return f"postgres://{user}@{server}/{database['NAME']}{place}"


@pytest.fixture
def port(ingest: AsgiPhone) -> Iterator[int]:
    """A web process as in production, on this test's database."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "config.serve"], cwd=Path(settings.BASE_DIR), env=environment
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                    break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(15)


def head(phone: Phone, length: int) -> bytes:
    return (
        "POST /ingest/v1/fixes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {phone.token}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def answer_of(port: int, request: bytes, *, timeout_s: float = 10) -> bytes:
    """The first bytes that come back for raw bytes sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as raw:
        raw.sendall(request)
        return raw.recv(65536)


def test_odd_requests_are_answered_and_the_server_lives_on(
    port: int, ada_phone: Phone, now: datetime
) -> None:
    body = json.dumps({"fixes": [fix(now)]}).encode()
    base = f"http://127.0.0.1:{port}"
    bearer = {"Authorization": f"Bearer {ada_phone.token}"}

    def in_pieces() -> Iterator[bytes]:
        yield from (body[:7], body[7:20], body[20:])

    json_type = bearer | {"Content-Type": "application/json"}
    chunked = httpx.post(f"{base}/ingest/v1/fixes", content=in_pieces(), headers=json_type)
    assert (chunked.status_code, chunked.json()["stored"]) == (200, 1)
    # Bytes outside ASCII in the target, as a careless client sends them.
    raw = answer_of(port, b"GET /ingest/v1/fixes?q=\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert raw.split(b"\r\n")[0] in (
        b"HTTP/1.1 405 Method Not Allowed",
        b"HTTP/1.1 400 Bad Request",
    )
    assert httpx.get(f"{base}/ingest/v1/fixes?q=é").status_code == 405
    deep = b'{"fixes":[' + b"[" * 900_000
    assert httpx.post(f"{base}/ingest/v1/fixes", content=deep, headers=json_type).status_code == 400
    wide = b'{"fixes":[' + b"[" * 10_000_000
    assert httpx.post(f"{base}/ingest/v1/fixes", content=wide, headers=json_type).status_code == 413
    again = httpx.post(f"{base}/ingest/v1/fixes", content=body, headers=json_type)
    assert again.json()["duplicates"] == 1


def test_fifty_half_sent_bodies_hold_nobody_up(port: int, ada_phone: Phone, now: datetime) -> None:
    body = json.dumps({"fixes": [fix(now)]}).encode()
    with contextlib.ExitStack() as open_sockets:
        halves = []
        for _ in range(HALF):
            half = socket.create_connection(("127.0.0.1", port), timeout=10)
            open_sockets.enter_context(half)
            half.sendall(head(ada_phone, len(body)) + body[: len(body) // 2])
            halves.append(half)

        began = time.monotonic()
        page = httpx.get(f"http://127.0.0.1:{port}/accounts/login/", timeout=10)
        sent = answer_of(port, head(ada_phone, len(body)) + body)
        took_s = time.monotonic() - began

        assert page.status_code == 200
        assert sent.startswith(b"HTTP/1.1 200")
        assert took_s < 2
        assert Fix.objects.filter(driver_id=ada_phone.driver.pk).count() == 1
        halves[0].sendall(body[len(body) // 2 :])
        assert b'"duplicates":1' in halves[0].recv(65536)


def test_a_client_that_leaves_before_the_answer_costs_nothing(
    port: int, ada_phone: Phone, now: datetime
) -> None:
    for number in range(20):
        body = json.dumps({"fixes": [fix(now, 50 + number / 100)]}).encode()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(head(ada_phone, len(body)) + body[: len(body) - number % 2])
    body = json.dumps({"fixes": [fix(now, 51)]}).encode()
    assert answer_of(port, head(ada_phone, len(body)) + body).startswith(b"HTTP/1.1 200")
    latitudes = Fix.objects.filter(driver_id=ada_phone.driver.pk).values_list(
        "latitude_e7", flat=True
    )
    # Whole requests may be stored or not: nobody was told. Half ones never are.
    assert not {round((50 + number / 100) * 1e7) for number in range(1, 20, 2)} & set(latitudes)
    assert 510_000_000 in latitudes
