"""On what a result was measured: machine, versions, commit, and the database's promises."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg

from config.database import DURABLE, SHOW_DURABLE, not_durable

LIBRARIES: Final = ("django", "granian", "psycopg", "msgspec", "uvloop")


class NotDurable(Exception):
    """The database may lose what it acknowledged: nothing measured on it would count."""


def machine() -> dict[str, Any]:
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 1e6, 1) if memory else None,
        "kernel": platform.release(),
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def commit() -> str:
    """The commit that was measured; `+` when files differ from it."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip()


def promises(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str]:
    """What SHOW says of durability, and the server's version; raises NotDurable."""
    found = dict(connection.execute(SHOW_DURABLE, {"names": list(DURABLE)}).fetchall())
    if lacking := not_durable(found):
        raise NotDurable(", ".join(lacking))
    more = ("server_version", "shared_buffers", "max_wal_size", "wal_sync_method")
    for name in more:
        row = connection.execute(f"SHOW {name}".encode()).fetchone()
        found[name] = str(row[0]) if row else ""
    return found
