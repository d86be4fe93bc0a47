"""What the demo remembers between two starts, in two files under var/ that only we may read.

`demo.json` is written by the seeding alone: passwords and tokens, which the database holds
only as hashes. `demo_sent.json` is written by the simulated phones alone: how far each got.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody of the demo who can sign in."""

    email: str
    role: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoState:
    """Made once, at the first start."""

    employer: str
    began_at: datetime
    logins: list[Login]
    tokens: dict[str, str]  # driver's number -> the token of the driver's phone


def read_state() -> DemoState | None:
    """None before the first start, or when the file is gone."""
    found = _read("demo.json")
    if found is None:
        return None
    return DemoState(
        employer=found["employer"],
        began_at=datetime.fromisoformat(found["began_at"]),
        logins=[Login(**login) for login in found["logins"]],
        tokens=found["tokens"],
    )


def write_state(state: DemoState) -> None:
    """Keep it for the next start."""
    _write("demo.json", {**asdict(state), "began_at": state.began_at.isoformat()})


def read_sent(state: DemoState) -> dict[str, datetime]:
    """Driver's number -> `recorded_at` of the newest fix that the server has answered for.

    Empty for a demo that was made anew since: its phones have told nothing yet.
    """
    found = _read("demo_sent.json") or {}
    if found.get("began_at") != state.began_at.isoformat():
        return {}
    return {number: datetime.fromisoformat(at) for number, at in found["reached"].items()}


def write_sent(state: DemoState, reached: Mapping[str, datetime]) -> None:
    """Keep how far each phone got. Losing it is harmless: the same fixes are sent again."""
    moments = {number: moment.isoformat() for number, moment in reached.items()}
    _write("demo_sent.json", {"began_at": state.began_at.isoformat(), "reached": moments})


def _read(name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(_path(name).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found


def _write(name: str, content: dict[str, Any]) -> None:
    half = _path(f"{name}.part")
    half.parent.mkdir(parents=True, exist_ok=True)
    # Never readable by others, not even for the moment between making and restricting it.
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    half.replace(_path(name))


def _path(name: str) -> Path:
    folder: Path = settings.VAR_DIR
    return folder / name
