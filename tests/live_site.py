"""A web process of our own on the test database, for tests that need a browser or HTTP.

It is the product's own `config.serve`, with the files that set-up makes (statics, basemap)
in a folder of its own. One for the whole session; the tests' rows come and go under it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import pytest
from django.conf import settings
from django.db import connection

from config.schedule import QUEUES

PROJECT: Final = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S: Final = 60.0


@pytest.fixture(scope="session")
def live_site_environment(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of each process on the test database, with statics and basemap made."""
    var = tmp_path_factory.mktemp("live-site")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": _database_url(connection.settings_dict),
        "VAR_DIR": str(var),
        # A session that a test begins is one here, too.
        "SECRET_KEY": settings.SECRET_KEY,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "DEMO": "0",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("metrics")),
        # The systems that webhooks are sent to run here, too.
        "OUTBOUND_ALLOW_LOOPBACK": "1",
    }
    for command in (["basemap"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *command],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return environment


@pytest.fixture(scope="session")
def live_site(live_site_environment: dict[str, str]) -> Iterator[str]:
    """The URL of a running server on the test database. Tests also need `transactional_db`."""
    url = f"http://127.0.0.1:{live_site_environment['PORT']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "config.serve"], env=live_site_environment, cwd=PROJECT
    )
    try:
        wait_until_up(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def live_worker(live_site_environment: dict[str, str]) -> Iterator[None]:
    """A real Celery worker with its clock, on the same database, Redis and files."""
    var = live_site_environment["VAR_DIR"]
    command = [
        sys.executable, "-m", "celery", "-A", "config.celery", "-q", "worker", "--beat",
        f"--schedule={var}/beat", "--concurrency=1", f"--queues={','.join(QUEUES)}",
        "--without-gossip", "--without-mingle", "--loglevel=WARNING",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=live_site_environment, cwd=PROJECT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _database_url(database: dict[str, Any]) -> str:
    host, port = database.get("HOST", ""), database.get("PORT", "")
    where = {"host": host, "port": port, "user": database.get("USER", "")}
    if database.get("PASSWORD"):
        where["password"] = database["PASSWORD"]
    query = urlencode({name: value for name, value in where.items() if value}, quote_via=quote)
    return f"postgres:///{database['NAME']}?{query}"


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until a web process answers; the test fails when it ends or takes a minute."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            pytest.fail("the web process ended at once; see its output above")
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail("the web process did not answer within a minute")
