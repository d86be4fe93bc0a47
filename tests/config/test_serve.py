"""How many phones the web process holds, and how soon it lets go of those that say nothing."""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from config.serve import SILENT_CONNECTION_MS, raise_file_limit

# More than a shell lets a process open, and than were let in when the bound was 1,024.
SILENT_PHONES = 1_500
USUAL_FILE_LIMIT = 1_024
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF_REQUEST = REQUEST[:-10]


@pytest.fixture
def file_limits() -> Iterator[tuple[int, int]]:
    """The limits of this process, put back after the test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def port() -> Iterator[int]:
    """A web process with one worker, started with a usual limit of files."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    limited = f"ulimit -Sn {USUAL_FILE_LIMIT} && exec {sys.executable} -m config.serve"
    server = subprocess.Popen(
        ["/bin/sh", "-c", limited],
        cwd=Path(settings.BASE_DIR),
        env=os.environ | {"HOST": "127.0.0.1", "PORT": str(port), "WEB_WORKERS": "1"},
    )
    try:
        deadline_s = time.monotonic() + 30
        while not is_up(port):
            assert server.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(15)


def is_up(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=5)
        return answer.status_code == httpx.codes.OK
    return False


@pytest.mark.slow
def test_phones_that_say_nothing_leave_room_for_the_next_and_are_let_go(
    port: int, file_limits: tuple[int, int]
) -> None:
    raise_file_limit(SILENT_PHONES + 512)
    with contextlib.ExitStack() as open_until_end:
        phones = [
            open_until_end.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            for _ in range(SILENT_PHONES)
        ]
        posted, halfway = phones[0::2], phones[1::2]
        for phone in posted:
            phone.sendall(REQUEST)
            assert phone.recv(4096).startswith(b"HTTP/1.1 200")
        for phone in halfway:
            phone.sendall(HALF_REQUEST)
        assert is_up(port)
        silent_since_s = time.monotonic()
        for phone in (posted[-1], halfway[-1]):
            phone.settimeout(SILENT_CONNECTION_MS / 1000 + 3)
            while phone.recv(4096):  # a half request may be told why
                pass
        assert time.monotonic() - silent_since_s < SILENT_CONNECTION_MS / 1000 + 3


def test_the_limit_of_files_is_raised_as_far_as_asked_and_never_lowered(
    file_limits: tuple[int, int],
) -> None:
    _, hard = file_limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, hard))
    assert raise_file_limit(900) == 900
    assert raise_file_limit(800) == 900
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (900, hard)


def test_the_limit_of_files_is_not_raised_past_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits: list[tuple[int, int]] = [(256, 400)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, asked: limits.append(asked))
    assert raise_file_limit(10_000) == 400
    assert limits[-1] == (400, 400)
