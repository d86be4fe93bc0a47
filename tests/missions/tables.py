"""Tables of missions as dispatchers make them: CSV and XLSX files for the tests of imports."""

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import AsyncClient
from rest_framework.test import APIClient

from accounts.models import User

IMPORTS = "/api/v1/mission-imports"


def csv_file(*lines: str, delimiter: str = ",") -> bytes:
    """Lines written with commas, as they would be with another delimiter."""
    return "\r\n".join(line.replace(",", delimiter) for line in lines).encode()


def xlsx_file(rows: Iterable[Sequence[Any]], title: str = "missions") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def send(client: APIClient, data: bytes, name: str = "missions.csv") -> Any:
    """Send a table to be checked."""
    return client.post(IMPORTS, {"file": SimpleUploadedFile(name, data)}, format="multipart")


def confirm(client: APIClient, import_id: str) -> Any:
    return client.post(f"{IMPORTS}/{import_id}/confirm")


def imported(client: APIClient, data: bytes) -> dict[str, Any]:
    """Check and confirm a table that must have no problem."""
    checked = send(client, data)
    assert checked.status_code == 201, checked.json()
    assert checked.json()["problems"] == []
    done = confirm(client, checked.json()["id"])
    assert done.status_code == 200, done.json()
    outcome: dict[str, Any] = done.json()
    return outcome


def problems_of(answer: Any) -> list[tuple[int | None, str | None, str]]:
    """Row, column and code of each problem of a check."""
    assert answer.status_code == 201, answer.json()
    return [(one["row"], one["column"], one["code"]) for one in answer.json()["problems"]]


def read_file(user: User, url: str, query: dict[str, Any] | None = None) -> tuple[Any, bytes]:
    """The response and its whole body, read as the server does: on an event loop."""

    async def read() -> tuple[Any, bytes]:
        client = AsyncClient()
        await client.aforce_login(user)
        response: Any = await client.get(url, query or {})
        body = b""
        if response.streaming:
            assert response.is_async
            body = b"".join([chunk async for chunk in response])
        # The view ran in a thread of its own, whose connection nobody else would close.
        await sync_to_async(connections.close_all)()
        return response, body

    return asyncio.run(read())


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def xlsx_rows(body: bytes) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    head, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]
