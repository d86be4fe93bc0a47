"""Write tables as CSV or XLSX, row by row: rows in, bytes out. (pure)

A table is a head, any number of batches of rows, and a tail, each as bytes. Nothing is kept
between two batches, so memory does not grow with the table.

A CSV cell that a spreadsheet would take for a formula gets a leading apostrophe, and so does
text that begins with apostrophes before such a mark, in XLSX too: an import takes one away,
and finds what was there. Numbers are never touched.
"""

import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Final, Protocol
from xml.sax.saxutils import escape

from accounts.moments import rfc3339
from missions.import_cells import FORMULA_LIKE

Cell = str | int | float | Decimal | bool | datetime | None
Row = Sequence[Cell]

# A spreadsheet of more is no longer one that people open; a CSV has no such bound.
MOST_XLSX_ROWS: Final = 100_000
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Written(Protocol):
    """How a table is written."""

    def head(self, names: Sequence[str]) -> bytes: ...
    def rows(self, batch: Iterable[Row]) -> bytes: ...
    def tail(self) -> bytes: ...


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return cell if isinstance(cell, str) else ""


def _number(cell: int | float | Decimal) -> str:
    """Exact, and never with an exponent; empty for what is no number."""
    if not isfinite(cell):
        return ""
    text = f"{Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Csv:
    """RFC 4180, with code names in the header."""

    def head(self, names: Sequence[str]) -> bytes:
        return f"{','.join(names)}\r\n".encode()

    def rows(self, batch: Iterable[Row]) -> bytes:
        return "".join(f"{','.join(map(_csv_cell, row))}\r\n" for row in batch).encode()

    def tail(self) -> bytes:
        return b""


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return _number(cell)
    text = _text(cell)
    if FORMULA_LIKE.match(text):
        text = f"'{text}"
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class _Sink:
    """Takes what the ZIP writes, until it is fetched. It cannot seek, so nothing is kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """What was written is still to be fetched."""

    def fetch(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# XML has no way to write a control character, not even escaped.
_NOT_IN_XML: Final = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


class Xlsx:
    """A workbook with one sheet. Text is text and there are no formulas.

    Written here since the libraries write a file first and send it afterwards.
    """

    def __init__(self, sheet: str) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._title = sheet

    def head(self, names: Sequence[str]) -> bytes:
        for path, content in _parts(self._title).items():
            self._archive.writestr(path, _XML + content)
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w")
        self._sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        return self.rows([names])

    def rows(self, batch: Iterable[Row]) -> bytes:
        self._sheet.write("".join(map(_sheet_row, batch)).encode())
        return self._sink.fetch()

    def tail(self) -> bytes:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()
        return self._sink.fetch()


def _parts(sheet: str) -> dict[str, str]:
    """The files around the sheet, that say which one it is."""
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
            '<Override PartName="/xl/worksheets/sheet1.xml"'
            f' ContentType="{_SHEET_TYPE}.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
    }


def _sheet_row(row: Row) -> str:
    return f"<row>{''.join(map(_sheet_cell, row))}</row>"


def _sheet_cell(cell: Cell) -> str:
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return f"<c><v>{_number(cell)}</v></c>"
    text = _text(cell).translate(_NOT_IN_XML)
    if not text:
        return "<c/>"
    if text.startswith("'") and FORMULA_LIKE.match(text):
        text = f"'{text}"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{_xml_text(text)}</t></is></c>'


def _xml_text(text: str) -> str:
    """A carriage return is written as a reference: a reader takes a bare one for a line feed."""
    return escape(text, {"\r": "&#13;"})


def writer_for(ending: str, sheet: str) -> Written:
    """The writer of `.csv` or `.xlsx`."""
    return Xlsx(sheet) if ending == "xlsx" else Csv()
