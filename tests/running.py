"""The whole product as one process group, in a folder and on a port of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings

from config.embedded import EmbeddedPostgres, socket_directory
from config.processes import end_leftovers, processes_in
from tests.real_system import free_port

LEFT_TO_DEFAULTS = ("DATABASE_URL", "REDIS_URL", "HOST", "METRICS_TOKEN", "ALLOWED_HOSTS")


class Product:
    """Starts `python -m config.run` on the folder `var`, as `make run` does on `var/`."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        self.port = free_port()
        self.log = var.with_name(f"{var.name}.log")
        inherited = {name: os.environ[name] for name in os.environ if name not in LEFT_TO_DEFAULTS}
        self.environment = {
            **inherited,
            "VAR_DIR": str(var),
            "PORT": str(self.port),
            "DEMO": "0",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def collect_static_files(self) -> None:
        """What `make` does before the first start."""
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment, check=True)

    def launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.run"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def start(self, patience_s: float = 120.0) -> float:
        """Until /readyz answers 200; returns after how many seconds."""
        began_s = time.monotonic()
        process = self.launch()
        while self.get("/readyz")[0] != 200:
            assert process.poll() is None, self.said()
            assert time.monotonic() - began_s < patience_s, self.said()
            time.sleep(0.05)
        return time.monotonic() - began_s

    def stop(self, sig: signal.Signals = signal.SIGINT, patience_s: float = 15.0) -> float:
        """Signal the whole group, as a terminal does; returns how long the supervisor took."""
        assert self.process is not None
        began_s = time.monotonic()
        os.killpg(self.process.pid, sig)
        self.process.wait(patience_s)
        return time.monotonic() - began_s

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body; status 0 while nobody listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            connection.close()

    def answers(self, path: str, status: int, patience_s: float = 30.0) -> bool:
        """Whether `path` comes to answer with `status`."""
        deadline_s = time.monotonic() + patience_s
        while self.get(path)[0] != status:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.05)
        return True

    def manage(self, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
        """A management command beside the running product; returns its JSON object."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def processes(self) -> dict[int, str]:
        """Every process that was started with this folder, by id, with its command line.

        PostgreSQL and Redis write their titles over what /proc shows of the environment: they
        are known by the folder they work in.
        """
        mark = f"VAR_DIR={self.var}".encode()
        servers = {pid for name in ("postgres", "redis") for pid in processes_in(self.var / name)}
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                pid = int(entry.name)
                if pid in servers or mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:  # empty: it has ended and waits to be collected
                        found[pid] = command
        return found

    def pids_of(self, part: str) -> list[int]:
        return sorted(pid for pid, command in self.processes().items() if part in command)

    def remove(self) -> None:
        """End what is left, whatever a failing test left behind."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        end_leftovers(EmbeddedPostgres(var=self.var).data, signal.SIGQUIT, within_s=5)
        shutil.rmtree(socket_directory(self.var), ignore_errors=True)


@contextlib.contextmanager
def product(folder: Path, **environment: str) -> Iterator[Product]:
    """One that is gone at the end. `folder` must be on a disk."""
    made = Product(folder / "var", **environment)
    try:
        yield made
    finally:
        made.remove()
