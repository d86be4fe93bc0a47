"""The live stream from a real web process: leaving, a database that goes away, and the end."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.cast import Phone, put_fixes
from tests.live_site import PROJECT, wait_until_up

pytestmark = pytest.mark.slow
GHENT = (51.05, 3.72)
Listen = Callable[[], socket.socket]


@pytest.fixture
def connected_before(transactional_db: None) -> list[int]:
    """Backends that are not the served process's: the site that all tests share has some too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]


@pytest.fixture
def served(
    live_site_environment: dict[str, str], connected_before: list[int]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A web process of this test alone, with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**live_site_environment, "PORT": str(port), "WEB_WORKERS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "config.serve"], env=environment, cwd=PROJECT)
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def listen(
    served: tuple[subprocess.Popen[bytes], int], dee: User, ada_phone: Phone
) -> Iterator[Listen]:
    """Open a stream; the socket has read its first event."""
    put_fixes(ada_phone, [(timezone.now(), *GHENT)])
    client = Client()
    client.force_login(dee)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    opened: list[socket.socket] = []

    def listening() -> socket.socket:
        line = socket.create_connection(("127.0.0.1", served[1]), 10)
        opened.append(line)
        line.sendall(
            b"GET /live/stream HTTP/1.1\r\nHost: localhost\r\n"
            + f"Cookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
        )
        return line

    yield listening
    for line in opened:
        line.close()


def heard(line: socket.socket, until: bytes) -> bytes:
    """What comes up to some bytes."""
    found = b""
    while until not in found:
        piece = line.recv(65_536)
        assert piece, f"ended after {found!r}"
        found += piece
    return found


def sessions() -> int:
    """Connections to the test's database, but for the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


def test_the_stream_says_how_it_is_to_be_treated(listen: Listen) -> None:
    head = heard(listen(), b"event: versions").lower()
    assert head.startswith(b"http/1.1 200")
    assert b"content-type: text/event-stream" in head
    assert b"x-accel-buffering: no" in head
    assert b"no-store" in head
    assert b"retry: 2000" in head


def test_open_streams_do_not_hold_up_the_end(
    served: tuple[subprocess.Popen[bytes], int], listen: Listen
) -> None:
    lines = [listen() for _ in range(3)]
    for line in lines:
        heard(line, b"event: versions")
    began_s = time.monotonic()
    served[0].terminate()
    served[0].wait(timeout=20)
    assert time.monotonic() - began_s < 8
    for line in lines:
        line.settimeout(5)
        while line.recv(65_536):  # ended, not left hanging
            pass


def test_who_leaves_makes_room(served: tuple[subprocess.Popen[bytes], int], listen: Listen) -> None:
    lines = [listen() for _ in range(4)]
    for line in lines:
        heard(line, b"event: versions")
    assert heard(listen(), b"\r\n\r\n").startswith(b"HTTP/1.1 429")
    for line in lines:
        line.close()
    deadline_s = time.monotonic() + 10
    while not heard(listen(), b"\r\n\r\n").startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def test_idle_streams_hold_no_connection_of_the_pool(
    served: tuple[subprocess.Popen[bytes], int], listen: Listen
) -> None:
    for _ in range(4):
        heard(listen(), b"event: versions")
    with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{served[1]}") as client:
        # More at once than the pool has, were each stream to keep one of its sixteen.
        assert [client.get("/accounts/login/").status_code for _ in range(16)] == [200] * 16
    busy = []
    for _ in range(20):
        busy.append(sessions())
        time.sleep(0.1)
    assert min(busy) == 0


def test_when_postgresql_drops_everybody_the_stream_goes_on(
    listen: Listen, ada_phone: Phone, connected_before: list[int]
) -> None:
    line = listen()
    heard(line, b"event: versions")
    params = connection.get_connection_params()
    keys = ("host", "port", "user", "dbname", "password")
    with psycopg.connect(
        **{key: params[key] for key in keys if key in params}, autocommit=True
    ) as own:
        dropped = own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND pid <> ALL(%s)",
            [connected_before],
        ).fetchall()
    assert (True,) in dropped
    connection.close()
    put_fixes(ada_phone, [(timezone.now(), 51.03, 4.48)])
    line.settimeout(15)
    heard(line, b"near Mechelen")
