"""`make run`: everything under one process, which stops it all cleanly.

    python -m config.run

1. Refuse early what cannot work: a taken port, metrics open to the network.
2. Start the embedded PostgreSQL and Redis where no URL names others.
3. Refuse a database that may lose what it has acknowledged.
4. Migrations, months and the demo fleet, then the web process. When the last start here had
   the same code the web process comes first: it is what a person waits for.
5. Celery worker and beat, the demo phones.
6. Watch: what ends by itself is started again, and said.

It loads no Django of its own, so it is small and soon up.
"""

import contextlib
import hashlib
import http.client
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from config import settings
from config.database import DURABLE, SHOW_DURABLE, connection_arguments, not_durable
from config.embedded import (
    AlreadyRunning,
    EmbeddedPostgres,
    EmbeddedRedis,
    EmbeddedServerFailed,
    only_one_here,
    socket_directory,
)
from config.listening import LOOPBACK, PortTaken, check_port
from config.processes import Child, spawn, stop_all
from config.schedule import QUEUES

EXTERNAL_DATABASE_PATIENCE_S = 30.0
READY_PATIENCE_S = 60.0
STOP_TIMEOUT_S = 4.0  # web, workers and phones together
STOP_SERVERS_TIMEOUT_S = 4.0
TICK_S = 0.05

logger = logging.getLogger("milepost")


class CannotStart(Exception):
    """One line for the person who typed `make run`."""


class Stopped(Exception):
    """Asked to stop while still starting."""


class Supervisor:
    """Owns every child, from the first to the last."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.servers: list[Child] = []
        self.workers: list[Child] = []
        self.web = Child(
            name="The web process",
            command=[sys.executable, "-m", "config.serve"],
            environment={"PROMETHEUS_MULTIPROC_DIR": str(settings.VAR_DIR / "metrics")},
        )

    def run(self) -> None:
        try:
            self.start()
            while not self.stopping.wait(TICK_S):
                for child in (*self.servers, *self.workers):
                    child.tend()
        except Stopped:
            pass
        finally:
            stop_all(self.workers, within_s=STOP_TIMEOUT_S)
            stop_all(self.servers, within_s=STOP_SERVERS_TIMEOUT_S)
            with contextlib.suppress(OSError):  # not there, or another's server still in it
                socket_directory(settings.VAR_DIR).rmdir()

    def start(self) -> None:
        self.start_servers()
        refuse_losing_database(self.still_wanted)
        clean_folder(settings.VAR_DIR / "metrics")
        if settings.EMBEDDED_POSTGRES and was_prepared():
            self.start_worker(self.web)
            self.wait_for("/healthz")
            logins = self.prepare()
        else:
            logins = self.prepare()
            self.start_worker(self.web)
        problem = self.wait_for("/readyz")
        announce(logins, problem)
        for child in background_children():
            self.start_worker(child)

    def start_worker(self, child: Child) -> None:
        self.workers.append(child)
        child.start()

    def start_servers(self) -> None:
        if settings.EMBEDDED_REDIS:
            redis = EmbeddedRedis(var=settings.VAR_DIR).child()
            self.servers.append(redis)
            redis.start()
        if settings.EMBEDDED_POSTGRES:
            postgres = EmbeddedPostgres(var=settings.VAR_DIR, version=settings.PGVERSION)
            child = postgres.child()
            self.servers.append(child)
            child.start()
            postgres.wait_until_up(child, still_wanted=self.still_wanted)
            postgres.create_database()

    def prepare(self) -> str:
        """Run config.prepare; returns what it printed: the logins of a demo fleet."""
        wants_demo = settings.DEMO and settings.EMBEDDED_POSTGRES
        command = [sys.executable, "-m", "config.prepare", *(["--demo"] if wants_demo else [])]
        process = spawn(command, environment={}, output=subprocess.PIPE)
        printed = b""
        while process.returncode is None:
            try:
                printed = process.communicate(timeout=TICK_S)[0]
            except subprocess.TimeoutExpired:
                if self.stopping.is_set():
                    process.terminate()
                    process.wait()
                    raise Stopped from None
        if process.returncode:
            raise CannotStart("the database could not be prepared; the reason is above")
        (settings.VAR_DIR / "prepared").write_text(fingerprint())
        return printed.decode().strip()

    def wait_for(self, path: str) -> str:
        """Until the web process answers 200; else what it answered when patience ended."""
        deadline_s = time.monotonic() + READY_PATIENCE_S
        while True:
            status, body = ask(path)
            if status == 200:
                return ""
            if time.monotonic() > deadline_s:
                return body or "the web process does not answer"
            self.web.tend()
            self.still_wanted()
            time.sleep(TICK_S)

    def still_wanted(self) -> None:
        if self.stopping.is_set():
            raise Stopped


def background_children() -> list[Child]:
    """The Celery worker and its clock, and the phones of the demo fleet."""
    celery = [sys.executable, "-m", "celery", "-A", "config.celery", "-q"]
    beat = settings.VAR_DIR / "beat"
    beat.mkdir(exist_ok=True)
    worker = [
        *celery,
        "worker",
        "--loglevel=WARNING",
        f"--concurrency={settings.TASK_WORKERS}",
        f"--queues={','.join(QUEUES)}",
        "--without-gossip",
        "--without-mingle",
    ]
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(settings.VAR_DIR / "metrics")}
    children = [
        Child(name="The Celery worker", command=worker, environment=metrics),
        Child(
            name="Celery beat",
            command=[
                *celery,
                "beat",
                "--loglevel=WARNING",
                f"--schedule={beat / 'schedule'}",
                "--pidfile=",
            ],
        ),
    ]
    if settings.DEMO and settings.EMBEDDED_POSTGRES and has_command("drive_demo"):
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "drive_demo"]
        children.append(Child(name="The demo phones", command=command))
    return children


def has_command(name: str) -> bool:
    return any(settings.BASE_DIR.glob(f"*/management/commands/{name}.py"))


def refuse_losing_database(still_wanted: Callable[[], None]) -> None:
    """What is answered 2xx must survive a power cut: the database has to promise it."""
    deadline_s = time.monotonic() + EXTERNAL_DATABASE_PATIENCE_S
    arguments = connection_arguments(settings.DATABASES["default"])
    found: dict[str, str] = {}
    while not found:
        try:
            with psycopg.connect(**arguments) as connection:
                found = dict(connection.execute(SHOW_DURABLE, {"names": list(DURABLE)}).fetchall())
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline_s:
                raise CannotStart(f"DATABASE_URL does not answer: {first_line(error)}") from None
            still_wanted()
            time.sleep(TICK_S)
    if lacking := not_durable(found):
        raise CannotStart(
            f"the database may lose what it acknowledged ({', '.join(lacking)}): set it to on"
        )


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def check_settings() -> None:
    if settings.HOST not in LOOPBACK and not settings.METRICS_TOKEN:
        raise CannotStart(
            f"HOST is {settings.HOST}, so others could read /metrics: set METRICS_TOKEN"
        )


def fingerprint() -> str:
    """Names the schema that this code expects: its migrations, its libraries, its months."""
    migrations = sorted(
        str(path.relative_to(settings.BASE_DIR))
        for path in settings.BASE_DIR.glob("*/migrations/*.py")
    )
    libraries = (settings.BASE_DIR / "requirements.txt").read_text()
    parts = [*migrations, libraries, str(settings.MAX_FIX_AGE_DAYS)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def was_prepared() -> bool:
    stamp = settings.VAR_DIR / "prepared"
    return stamp.exists() and stamp.read_text() == fingerprint()


def clean_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def address_to_ask() -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where we listen, not more
    return everywhere.get(settings.HOST, str(settings.HOST))


def ask(path: str) -> tuple[int, str]:
    """Status and body of a GET; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(address_to_ask(), settings.PORT, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def announce(logins: str, problem: str) -> None:
    host = address_to_ask()
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/"
    say(f"Milepost is ready: {url}" if not problem else f"Milepost is up, not ready: {problem}")
    if settings.REPLAY_MODE:
        say(
            f"Replay mode: MAX_FIX_AGE_DAYS is {settings.MAX_FIX_AGE_DAYS}, so route periods are"
            " not kept. Not for real drivers."
        )
    say(logins or "Sign-in: manage.py create_employer and create_user make the first user.")
    say("Ctrl-C stops everything.")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this process talks to a person


def main() -> int:
    logging.basicConfig(format="milepost: %(message)s", level=logging.INFO)
    os.chdir(settings.BASE_DIR)
    supervisor = Supervisor()
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: supervisor.stopping.set())
    try:
        check_settings()
        check_port(settings.HOST, settings.PORT)
        with only_one_here(settings.VAR_DIR):
            supervisor.run()
    except (CannotStart, PortTaken, EmbeddedServerFailed, AlreadyRunning) as refusal:
        say(f"milepost: {refusal}")
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
