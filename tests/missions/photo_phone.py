"""A phone that sends photos, for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rest_framework.test import APIClient

from tests.missions.pictures import form, jpeg

MINE = "/api/v1/me/attachments"


class Sender:
    """Stands for the queue: keeps what was sent, or is away."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def delay(self, attachment_id: int) -> None:
        self.sent.append(attachment_id)


def stored_on_disk(files: Path) -> list[Path]:
    return [found for found in files.rglob("*") if found.is_file()]


def ago(**since: float) -> datetime:
    return (datetime.now(UTC) - timedelta(**since)).replace(microsecond=0)


def send(phone: APIClient, content: bytes | None = None, **fields: Any) -> Any:
    return phone.post(
        MINE,
        form(jpeg() if content is None else content, **{"mission": "M-1", **fields}),
        format="multipart",
    )
