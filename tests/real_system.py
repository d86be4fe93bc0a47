"""Milepost as real processes, to be loaded, killed, frozen and started again.

One folder, one free port, one PostgreSQL of the wheel with its durable settings: nothing is
shared with a Milepost that runs beside it. Redis is away from the start. Everything ends
with the process that started it.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from config.embedded import DATABASE, POSTGRES_USER, EmbeddedPostgres, socket_directory
from config.processes import Child, processes_in

PROJECT: Final = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0
FLEET_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class PhoneOf:
    """A phone, who carries it, in which truck; ids inside are numbers, those outside UUIDs."""

    token: str
    device_id: int
    driver_id: int
    driver: str
    truck_id: int
    truck: str
    mission_id: int
    mission: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """What `tests.make_fleet` made."""

    employer_id: int
    api_key: str
    phones: list[PhoneOf]

    @property
    def tokens(self) -> list[str]:
        return [phone.token for phone in self.phones]


class NotReady(Exception):
    """The web process did not become ready; the message is its last answer."""


class RealSystem:
    """A PostgreSQL and a web process of its own in `var`."""

    def __init__(self, var: Path, *, web_workers: int = 2) -> None:
        var.mkdir(parents=True, exist_ok=True)
        self.var = var
        self.port = free_port()
        self.postgres = EmbeddedPostgres(var=var)
        self.postgres_child = self.postgres.child()
        self.web_workers = web_workers
        self.web_child = self.child("web", "config.serve")

    @property
    def conninfo(self) -> str:
        return self.postgres.conninfo()

    @property
    def environment(self) -> dict[str, str]:
        """For every process of this system: its folder, its database, its port."""
        return {
            "PYTHONPATH": str(PROJECT),
            "VAR_DIR": str(self.var),
            "DATABASE_URL": f"postgres:///{DATABASE}"
            f"?host={socket_directory(self.var)}&user={POSTGRES_USER}",
            "REDIS_URL": f"unix://{self.var / 'no-redis-here.sock'}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_WORKERS": str(self.web_workers),
            "MAX_FIX_AGE_DAYS": "59",
            "DEMO": "0",
            "LOG_LEVEL": "ERROR",
        }

    def child(self, name: str, module: str) -> Child:
        """A process of ours, not started yet, in a group of its own so that it dies whole."""
        return Child(
            name=name,
            command=[sys.executable, "-m", module],
            environment=self.environment,
            log=self.var / f"{name}.log",
            own_group=True,
        )

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.conninfo, autocommit=True)

    def start_postgres(self) -> None:
        self.postgres_child.start()
        self.postgres.wait_until_up(self.postgres_child)
        self.postgres.create_database()

    def make_fleet(self, phones: int, *, has_missions: bool = True) -> Fleet:
        """Migrate if need be, then an employer with so many drivers, each ready to post."""
        command = [sys.executable, "-m", "tests.make_fleet", str(phones)]
        done = subprocess.run(
            [*command, *([] if has_missions else ["--no-missions"])],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE, timeout=FLEET_TIMEOUT_S, check=True,
        )  # fmt: skip
        made = json.loads(done.stdout)
        return Fleet(
            made["employer_id"], made["api_key"], [PhoneOf(**phone) for phone in made["phones"]]
        )

    def start_web(self) -> None:
        self.web_child = self.child("web", "config.serve")
        self.web_child.start()
        self.wait_until_ready(self.web_child)

    def wait_until_ready(self, child: Child) -> None:
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while True:
            status, body = self.get("/readyz")
            if status == http.client.OK:
                return
            if time.monotonic() > deadline_s or not child.is_running():
                raise NotReady(body or f"no answer; see {child.log}")
            time.sleep(0.05)

    @contextlib.contextmanager
    def web(self, *, workers: int = 2) -> Iterator[None]:
        """The web process for as long as the block runs, with a fresh memory."""
        self.web_workers = workers
        self.start_web()
        try:
            yield
        finally:
            self.stop_web()

    def stop_web(self) -> None:
        self.web_child.ask_to_stop()
        self.web_child.wait_or_kill(STOP_TIMEOUT_S)

    def stop_postgres(self) -> None:
        self.postgres_child.ask_to_stop()
        self.postgres_child.wait_or_kill(STOP_TIMEOUT_S)

    def kill_web(self) -> None:
        """kill -9: the main process and its workers at once."""
        process = self.web_child.process
        if process is not None and self.web_child.is_running():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_postgres(self) -> None:
        """kill -9: the server and each of its processes, which have a group each."""
        self._signal_postgres(signal.SIGKILL)
        if self.postgres_child.process is not None:
            self.postgres_child.process.wait()

    def freeze_postgres(self) -> None:
        self._signal_postgres(signal.SIGSTOP)

    def thaw_postgres(self) -> None:
        self._signal_postgres(signal.SIGCONT)

    def _signal_postgres(self, sig: signal.Signals) -> None:
        for pid in processes_in(self.postgres.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def get(self, path: str, *, api_key: str | None = None) -> tuple[int, str]:
        """Status and body of a GET; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def close(self) -> None:
        """Stop both; the folder stays its maker's to remove."""
        self.thaw_postgres()
        self.stop_web()
        self.stop_postgres()
        shutil.rmtree(socket_directory(self.var), ignore_errors=True)


@contextlib.contextmanager
def real_system(var: Path) -> Iterator[RealSystem]:
    """A system whose PostgreSQL is up; stopped and its folder removed afterwards."""
    system = RealSystem(var)
    try:
        system.start_postgres()
        yield system
    finally:
        system.close()
        shutil.rmtree(var, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
