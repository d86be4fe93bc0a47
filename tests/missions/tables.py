"""Tables of missions as dispatchers make them: CSV and XLSX files for the tests of imports."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

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
