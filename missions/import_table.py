"""Read a CSV or XLSX file as rows of missions: bytes in, rows and problems out. (pure)

What is no table at all is refused with an Unreadable; what is wrong inside one becomes a
problem with its row and column, all of them and not the first.
"""

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

import openpyxl

from missions.import_cells import Raw, WrongCell, cell_text
from missions.import_columns import BY_NAME, Header, RowProblem, column_named, header_of

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_ROWS: Final = 10_000
MOST_COLUMNS: Final = 60
# A spreadsheet is a ZIP: what it says it unpacks to is believed, since Python reads no more.
MOST_UNPACKED_BYTES: Final = 60 * 1024 * 1024
MOST_PARTS: Final = 1_000
# Styles, names and the like, which are read as a whole.
MOST_BYTES_OF_A_PART: Final = 2 * 1024 * 1024
# One row of a spreadsheet has 16,384 cells at most, each of some elements.
MOST_ELEMENTS_OF_A_ROW: Final = 100_000
# Empty ones too: a row that names its last column alone has all those before it.
MOST_CELLS: Final = 2_000_000
# What the library never opens; a chart's or a pivot's data may be large.
_NOT_READ: Final = (
    "xl/media/",
    "xl/embeddings/",
    "xl/drawings/",
    "xl/charts/",
    "xl/pivotcache/",
    "xl/externallinks/",
)
LAST_ROW_OF_EXCEL: Final = 1_048_576
SHEET: Final = "missions"
_DELIMITERS: Final = ",;\t"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


class Unreadable(ValueError):
    """The file is no table that we read."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that says something: its number in the file, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[TableRow, ...]
    problems: tuple[RowProblem, ...]


# A cell that is not a value: its place is known, and why it is refused.
_Cell = Raw | WrongCell | None
_Lines = Iterator[Sequence[_Cell]]


def read_table(data: bytes) -> Table:
    """All rows of the file. Unreadable when it is none, or larger than we take."""
    if len(data) > MOST_BYTES:
        raise Unreadable("file_too_large", f"The file is larger than {MOST_BYTES} bytes.")
    if data.startswith(_OLD_EXCEL):
        raise Unreadable("old_spreadsheet", "Save it as .xlsx without a password, or as CSV.")
    if data.startswith(b"PK\x03\x04"):
        return _table(_sheet_lines(data), [], has_decimal_comma=False)
    text, problems = _decoded(data)
    text, delimiter = _delimited(text)
    return _table(_csv_lines(text, delimiter), problems, has_decimal_comma=delimiter == ";")


def _table(lines: _Lines, problems: list[RowProblem], *, has_decimal_comma: bool) -> Table:
    header = _header(next(lines, ()))
    problems += header.problems
    rows: list[TableRow] = []
    nameless: set[int] = set()
    for number, line in enumerate(lines, start=2):
        filled = {place: cell for place, cell in enumerate(line) if cell not in (None, "")}
        # Also among empty rows: a damaged file may have them without end.
        if problem := _out_of_bounds(number, len(rows), filled):
            problems.append(problem)
            break
        if not filled:
            continue
        nameless |= {place for place in filled if place >= len(header.names)}
        cells = _cells(number, filled, header, problems, has_decimal_comma=has_decimal_comma)
        if cells:
            rows.append(TableRow(number, cells))
    problems += [_nameless(place) for place in sorted(nameless)]
    if not rows and not any(problem.row != 1 for problem in problems):
        problems.append(RowProblem(None, None, "no_rows", "The table has no rows."))
    return Table(tuple(rows), tuple(problems))


def _header(line: Sequence[_Cell]) -> Header:
    titles = ["" if cell is None else str(cell) for cell in line]
    while titles and not titles[-1].strip():
        titles.pop()
    if len(titles) > MOST_COLUMNS:
        raise Unreadable("too_many_columns", f"It has more than {MOST_COLUMNS} columns.")
    return header_of(titles)


def _out_of_bounds(number: int, read: int, filled: Mapping[int, _Cell]) -> RowProblem | None:
    """Why reading stops here. A table that was cut silently would lose missions."""
    if number > LAST_ROW_OF_EXCEL or (filled and read >= MOST_ROWS):
        detail = f"The table has more than {MOST_ROWS} rows: import it in parts."
        return RowProblem(number, None, "too_many_rows", detail)
    if max(filled, default=0) >= MOST_COLUMNS:
        detail = f"This row has more than {MOST_COLUMNS} columns."
        return RowProblem(number, None, "too_many_columns", detail)
    return None


def _nameless(place: int) -> RowProblem:
    detail = f"Column {place + 1} has no name, so its cells are not read."
    return RowProblem(1, f"column {place + 1}", "column_unknown", detail, is_warning=True)


def _cells(
    number: int,
    filled: Mapping[int, _Cell],
    header: Header,
    problems: list[RowProblem],
    *,
    has_decimal_comma: bool,
) -> dict[str, str]:
    cells: dict[str, str] = {}
    for place, cell in filled.items():
        name = header.names[place] if place < len(header.names) else None
        if name is None or cell is None:
            continue
        try:
            if isinstance(cell, WrongCell):
                raise cell
            text = cell_text(cell, BY_NAME[name].kind, has_decimal_comma=has_decimal_comma)
        except WrongCell as wrong:
            problems.append(RowProblem(number, name, wrong.code, wrong.detail))
            continue
        if text:
            cells[name] = text
    return cells


# --- CSV --------------------------------------------------------------------------------


def _decoded(data: bytes) -> tuple[str, list[RowProblem]]:
    """The text, and a warning when its encoding had to be guessed."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16"), []
        if b"\0" in data:
            raise Unreadable("not_a_table", "This is neither a CSV nor an XLSX file.")
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        # Every byte means something there, so accents are right and nothing is lost.
        detail = "The file is not UTF-8: it was read as Windows-1252. Look at the accents."
        problem = RowProblem(None, None, "encoding_guessed", detail, is_warning=True)
        return data.decode("cp1252", errors="replace"), [problem]


def _delimited(text: str) -> tuple[str, str]:
    """The text without Excel's line about it, and the mark between its cells.

    The one with which most columns of the first row are known; else with most columns.
    """
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"').lower()
    if said.startswith("sep=") and said[4:5] in _DELIMITERS and len(said) == 5:
        return rest, said[4]
    if first.rstrip("\r") in ("sep=\t", "SEP=\t"):
        return rest, "\t"
    head = text[:20_000]

    def known(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
        return sum(column_named(cell) is not None for cell in cells), len(cells)

    return text, max(_DELIMITERS, key=known)


def _csv_lines(text: str, delimiter: str) -> _Lines:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        detail = f"Line {reader.line_num} is not CSV: {error}."
        raise Unreadable("not_csv", detail) from None


# --- XLSX -------------------------------------------------------------------------------


def _sheet_lines(data: bytes) -> _Lines:
    _refuse_unsafe(data)
    try:
        yield from _sheet_cells(data)
    except Unreadable:
        raise
    except Exception as error:
        # A damaged file may raise anything inside the library.
        detail = "This spreadsheet is damaged, or is none."
        raise Unreadable("damaged_spreadsheet", detail) from error


def _refuse_unsafe(data: bytes) -> None:
    """Look at the ZIP's own list before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Unreadable("damaged_spreadsheet", "This is a damaged .xlsx file.") from None
    names = {part.filename for part in parts}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Unreadable("has_macros", "Files with macros are not read: save it as .xlsx.")
    if "[Content_Types].xml" not in names:
        raise Unreadable("not_a_table", "This is neither a CSV nor an XLSX file.")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise _too_much()
    for part in parts:
        if part.file_size > MOST_BYTES_OF_A_PART and not part.filename.lower().startswith(
            _NOT_READ
        ):
            _refuse_huge_part(data, part)


def _too_much() -> Unreadable:
    return Unreadable("file_too_large", "This spreadsheet unpacks to more than we read.")


def _refuse_huge_part(data: bytes, part: zipfile.ZipInfo) -> None:
    """A part that the library would hold in memory, many times its size, before a row comes."""
    is_in_rows = part.filename.lower().startswith(("xl/worksheets/", "xl/sharedstrings"))
    if not is_in_rows:
        raise _too_much()
    since_row = 0

    def begin(name: str, _: object) -> None:
        nonlocal since_row
        since_row = 0 if name.rpartition(":")[2] in ("row", "si") else since_row + 1
        if since_row > MOST_ELEMENTS_OF_A_ROW:
            raise _too_much()

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(part) as unpacked:
            parser.ParseFile(unpacked)
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        detail = "This spreadsheet is damaged, or is none."
        raise Unreadable("damaged_spreadsheet", detail) from None


def _sheet_cells(data: bytes) -> _Lines:
    with warnings.catch_warnings():
        # About styles and validations, which say nothing of the values.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        try:
            named = [sheet for sheet in book.worksheets if sheet.title.strip().lower() == SHEET]
            sheet = (named or book.worksheets)[0]
            # What the file says of its own size need not be true.
            sheet.reset_dimensions()
            cells = 0
            for row in sheet.iter_rows():
                cells += len(row)
                if cells > MOST_CELLS:
                    raise _too_much()
                yield [_value(cell) for cell in row]
        finally:
            book.close()


def _value(cell: object) -> _Cell:
    value, kind = getattr(cell, "value", None), getattr(cell, "data_type", "n")
    if kind == "f":
        return WrongCell("formula", "This is a formula: paste its value in its place.")
    if kind == "e":
        return WrongCell("spreadsheet_error", f"The spreadsheet says {value} here.")
    if value is None or isinstance(value, Raw):
        return value
    return WrongCell("not_a_value", f"{value} has no day: write a day and a time.")
