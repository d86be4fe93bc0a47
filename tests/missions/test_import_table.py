"""Files as programs write them, read as rows; and files that nobody should read."""

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from missions.import_cells import WrongCell, cell_text, moment_there
from missions.import_columns import BY_NAME, COLUMNS, Kind, column_named
from missions.import_grouping import grouped
from missions.import_table import MOST_BYTES, MOST_ROWS, Table, Unreadable, read_table
from tests.missions.tables import csv_file, xlsx_file

BRUSSELS = ZoneInfo("Europe/Brussels")


def cells(table: Table) -> list[dict[str, str]]:
    return [dict(row.cells) for row in table.rows]


def codes(table: Table) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.code) for one in table.problems]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    table = read_table(csv_file("external_id,site_name", "M-1,Ghent", delimiter=delimiter))
    assert cells(table) == [{"external_id": "M-1", "site_name": "Ghent"}]


def test_excel_says_its_delimiter_in_a_line_of_its_own() -> None:
    assert cells(read_table(b"sep=;\r\nexternal_id;seq\r\nM-1;2\r\n")) == [
        {"external_id": "M-1", "seq": "2"}
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_encoding_that_says_itself_is_read(encoding: str) -> None:
    table = read_table("external_id,site_name\nM-1,Liège Özdemir\n".encode(encoding))
    assert cells(table)[0]["site_name"] == "Liège Özdemir"
    assert table.problems == ()


def test_an_encoding_that_is_guessed_is_reported() -> None:
    table = read_table("external_id,site_name\nM-1,Liège €\n".encode("cp1252"))
    assert cells(table)[0]["site_name"] == "Liège €"
    assert codes(table) == [(None, None, "encoding_guessed")]
    assert table.problems[0].is_warning


def test_a_quoted_cell_may_hold_lines_and_delimiters() -> None:
    table = read_table(
        b'external_id,remark,seq\r\nM-1,"bell, ""twice""\nat the back",1\r\nM-2,,2\r\n'
    )
    assert cells(table)[0]["remark"] == 'bell, "twice"\nat the back'
    assert [row.number for row in table.rows] == [2, 3]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("External ID", "external_id"),
        (" EXTERNAL-ID ", "external_id"),
        ("Référence", "reference"),
        ("Nummerplaat", "truck_plate"),
        ("Fin prévue", "planned_end_at"),
        ("Adres", "site_address"),
        ("colour", None),
    ],
)
def test_headers_are_taken_as_people_write_them(header: str, name: str | None) -> None:
    assert column_named(header) == name


def test_every_column_is_found_by_its_own_name() -> None:
    assert [column_named(column.name) for column in COLUMNS] == list(BY_NAME)


def test_columns_that_nobody_knows_are_named() -> None:
    table = read_table(csv_file("external_id,colour,seq,seq,", "M-1,red,1,2,x", "M-2,,1,,"))
    assert codes(table) == [
        (1, "colour", "column_unknown"),
        (1, "seq", "column_twice"),
        (1, "column 5", "column_unknown"),
    ]
    assert [one.is_warning for one in table.problems] == [True, False, True]


def test_a_table_without_missions_says_so() -> None:
    assert codes(read_table(b"reference\r\nx\r\n")) == [(1, "external_id", "column_missing")]
    assert codes(read_table(b"external_id\r\n\r\n")) == [(None, None, "no_rows")]
    assert codes(read_table(b"")) == [
        (1, "external_id", "column_missing"),
        (None, None, "no_rows"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "has_decimal_comma", "meant"),
    [
        ("2,5", "number", True, "2.5"),
        ("1.250,5", "number", True, "1250.5"),
        ("2,5", "number", False, "2.5"),
        ("1 250,50", "number", True, "1250.5"),
        ("0012", "text", False, "0012"),
        ("12.50", "number", False, "12.5"),
        ("50.123", "degrees", True, "50.123"),
        ("-4,352", "degrees", True, "-4.352"),
        ("3.0", "integer", False, "3"),
        ("Ja", "boolean", False, "true"),
        ("non", "boolean", False, "false"),
        ("'=1", "text", False, "=1"),
        ("''=1", "text", False, "'=1"),
        ("'s Gravenbrakel", "text", False, "'s Gravenbrakel"),
        ("2026-11-24 8:00", "time", False, "2026-11-24T08:00:00"),
        ("24/11/2026 08:00", "time", False, "2026-11-24T08:00:00"),
        ("24-11-2026 8:05:30", "time", False, "2026-11-24T08:05:30"),
        ("2026-11-24T08:00:00+01:00", "time", False, "2026-11-24T07:00:00+00:00"),
    ],
)
def test_a_cell_is_read_as_it_was_meant(
    text: str,
    kind: Kind,
    has_decimal_comma: bool,
    meant: str,
) -> None:
    assert cell_text(text, kind, has_decimal_comma=has_decimal_comma) == meant


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        ("1.250", "number", "doubtful_number"),
        ("many", "number", "not_a_number"),
        ("1e9", "number", "not_a_number"),
        ("nan", "number", "not_a_number"),
        (float("inf"), "number", "not_a_number"),
        (True, "number", "not_a_number"),
        ("2.5", "integer", "not_a_whole_number"),
        ("perhaps", "boolean", "not_yes_or_no"),
        ("24/11/2026", "time", "time_missing"),
        ("31/11/2026 08:00", "time", "not_a_time"),
        ("tomorrow", "time", "not_a_time"),
        (45000.5, "time", "not_a_time"),
        (datetime(9999, 12, 31, 23, 59, 59), "time", "not_a_time"),  # noqa: DTZ001
        ("a\0b", "text", "control_character"),
        ("x" * 5001, "text", "too_long"),
    ],
)
def test_a_cell_that_means_something_else_is_refused(
    raw: str | float | datetime, kind: Kind, code: str
) -> None:
    with pytest.raises(WrongCell) as refused:
        cell_text(raw, kind, has_decimal_comma=True)
    assert refused.value.code == code


def test_a_doubtful_number_is_doubtful_with_a_decimal_point_too() -> None:
    with pytest.raises(WrongCell):
        cell_text("1,250", "number")
    assert cell_text("1.250", "number") == "1.25"


def test_a_local_time_is_of_the_clocks_there() -> None:
    assert moment_there("2026-11-24T08:00:00", BRUSSELS) == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert moment_there("2026-07-24T08:00:00", BRUSSELS) == datetime(2026, 7, 24, 6, tzinfo=UTC)
    # Said with its offset, the hour that comes twice is one of the two.
    assert moment_there("2026-10-25T02:30:00+02:00", BRUSSELS).hour == 0


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("2026-03-29T02:30:00", "local_time_skipped", "does not exist"),
        ("2026-10-25T02:30:00", "local_time_twice", "+02:00 or +01:00"),
    ],
)
def test_a_local_time_that_the_clocks_skipped_or_showed_twice_is_refused(
    text: str, code: str, said: str
) -> None:
    with pytest.raises(WrongCell) as refused:
        moment_there(text, BRUSSELS)
    assert refused.value.code == code
    assert said in refused.value.detail


def test_an_xlsx_holds_dates_numbers_and_booleans() -> None:
    head = [
        "External id",
        "planned_start_at",
        "seq",
        "goods_quantity",
        "requires_photo",
        "ecmr_number",
    ]
    at = datetime(2026, 11, 24, 7, 59, 59, 999_997)  # noqa: DTZ001 (a spreadsheet's)
    rows: list[list[Any]] = [
        head,
        [1001, at, 1.0, 2.5, True, 12],
        ["M-2", date(2026, 11, 24), None, None, None, None],
    ]
    assert cells(read_table(xlsx_file(rows))) == [
        {
            "external_id": "1001",
            "planned_start_at": "2026-11-24T08:00:00",
            "seq": "1",
            "goods_quantity": "2.5",
            "requires_photo": "true",
            "ecmr_number": "12",
        },
        {"external_id": "M-2", "planned_start_at": "2026-11-24T00:00:00"},
    ]


def test_the_sheet_named_missions_is_read_else_the_first() -> None:
    book = openpyxl.Workbook()
    notes, missions = book.active, book.create_sheet("Missions")
    assert notes is not None
    notes.append(["external_id"])
    notes.append(["wrong"])
    missions.append(["external_id"])
    missions.append(["M-1"])
    written = io.BytesIO()
    book.save(written)
    assert cells(read_table(written.getvalue())) == [{"external_id": "M-1"}]
    assert cells(read_table(xlsx_file([["external_id"], ["M-2"]], "Blad1"))) == [
        {"external_id": "M-2"}
    ]


def test_a_formula_is_a_problem_with_its_place() -> None:
    table = read_table(xlsx_file([["external_id", "seq"], ["M-1", "=1+1"], ["=A2", 1]]))
    assert codes(table) == [(2, "seq", "formula"), (3, "external_id", "formula")]


def rezipped(data: bytes, **more: bytes) -> bytes:
    """The same spreadsheet with these files in its ZIP, a double underscore for a slash."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(written, "w", 8) as after:
        added = {
            name.replace("__", "/").replace("_xml", ".xml"): body for name, body in more.items()
        }
        for part in before.infolist():
            if part.filename not in added:
                after.writestr(part.filename, before.read(part.filename))
        for name, body in added.items():
            after.writestr(name, body)
    return written.getvalue()


SHEET = xlsx_file([["external_id"], ["M-1"]])
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old_spreadsheet"),
        (b"PK\x03\x04 no zip", "damaged_spreadsheet"),
        (SHEET[: len(SHEET) // 2], "damaged_spreadsheet"),
        (rezipped(SHEET, xl__vbaProject_bin=b"macro"), "damaged_spreadsheet"),
        (rezipped(SHEET, xl__media__big=bytes(61 * 1024 * 1024)), "file_too_large"),
        (rezipped(SHEET, xl__worksheets__sheet1_xml=BOMB + b"<worksheet/>"), "damaged_spreadsheet"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not_a_table"),
        (b'external_id\r\n"M-1', "not_csv"),
        (b"external_id\r\n" + b"x" * 140_000, "not_csv"),
        (b"external_id," * 61, "too_many_columns"),
        (b"x" * (MOST_BYTES + 1), "file_too_large"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, code: str) -> None:
    if b"vbaProject" in data:
        data, code = data.replace(b"vbaProject_bin", b"vbaProject.bin"), "has_macros"
    with pytest.raises(Unreadable) as refused:
        read_table(data)
    assert refused.value.code == code


def test_a_table_is_never_cut_silently() -> None:
    lines = [f"M-{number}" for number in range(MOST_ROWS + 1)]
    table = read_table(csv_file("external_id", *lines))
    assert codes(table) == [(MOST_ROWS + 2, None, "too_many_rows")]
    wide = read_table(csv_file("external_id", "M-1" + "," * 60 + "x"))
    assert codes(wide) == [(2, None, "too_many_columns")]


def test_a_row_that_says_that_it_is_far_away_ends_the_reading() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c t="inlineStr"><is><t>external_id</t></is></c></row>'
        b'<row r="99999999999"><c t="inlineStr"><is><t>M-1</t></is></c></row>'
        b"</sheetData></worksheet>"
    )
    table = read_table(rezipped(SHEET, xl__worksheets__sheet1_xml=sheet))
    assert codes(table) == [(1_048_577, None, "too_many_rows")]


def test_rows_of_one_mission_and_one_stop_go_together() -> None:
    table = read_table(
        csv_file(
            "external_id,reference,stop_external_id,site_name,goods_description",
            "M-1,flour,S-1,Ghent,Flour",
            "M-2,,,Lille,",
            "M-1,,S-1,,Yeast",
            "M-1,flour,S-2,Lille,",
            "M-2,,,,Salt",
        )
    )
    missions, problems = grouped(table.rows)
    assert problems == []
    first, second = missions
    assert [stop.external_id for stop in first.stops] == ["S-1", "S-2"]
    assert [line.cells["goods_description"] for line in first.stops[0].goods] == ["Flour", "Yeast"]
    assert len(second.stops) == 1
    assert second.stops[0].goods[0].row == 6


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["M-1,a,1,Ghent", "M-1,b,2,Lille"], (3, "reference", "differs_from_row_above")),
        (["M-1,,1,Ghent", "M-1,,1,Ghent"], (3, None, "stop_twice")),
        (["M-1,,1,Ghent", "M-1,,,Lille"], (3, "seq", "seq_missing")),
        ([",,1,Ghent"], (2, "external_id", "required")),
    ],
)
def test_rows_that_contradict_each_other_are_problems(
    lines: list[str], problem: tuple[int, str | None, str]
) -> None:
    _, problems = grouped(read_table(csv_file("external_id,reference,seq,site_name", *lines)).rows)
    assert [(one.row, one.column, one.code) for one in problems] == [problem]


def test_stops_are_put_in_the_order_of_their_numbers() -> None:
    lines = ["M-1,20,B", "M-1,10,A", "M-1,30,C"]
    (mission,), problems = grouped(read_table(csv_file("external_id,seq,site_name", *lines)).rows)
    assert problems == []
    assert [stop.cells["site_name"] for stop in mission.stops] == ["A", "B", "C"]


def test_a_place_of_thousands_of_digits_is_no_accident() -> None:
    table = read_table(f"external_id,seq\nA,{'9' * 4500}\n".encode())
    [mission], problems = grouped(table.rows)
    assert (len(mission.stops), problems) == (1, [])


def rows_of(inner: str) -> bytes:
    return (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f'<row><c t="inlineStr"><is><t>external_id</t></is></c></row>{inner}'
        "</sheetData></worksheet>"
    ).encode()


@pytest.mark.parametrize(
    ("part", "content"),
    [
        # 130 rows of one empty cell, in the last column of all: two million cells.
        ("xl__worksheets__sheet1_xml", rows_of('<row><c r="XFD1"/></row>' * 130)),
        ("xl__worksheets__sheet1_xml", rows_of(f"<row>{'<c/>' * 600_000}</row>")),
        ("xl__styles_xml", b"<styleSheet><cellXfs>" + b"<xf/>" * 500_000),
    ],
)
def test_a_small_file_that_would_take_hours_or_gigabytes_is_refused(
    part: str, content: bytes
) -> None:
    file = rezipped(SHEET, **{part: content})
    assert len(file) < 20_000
    with pytest.raises(Unreadable) as refused:
        read_table(file)
    assert refused.value.code == "file_too_large"


def test_a_large_sheet_of_ordinary_rows_is_read() -> None:
    """More than 2 MB of it, which are looked at before they are read."""
    row = f"<row><!--{' ' * 1_500}--><c t='inlineStr'><is><t>M-1</t></is></c></row>"
    data = rezipped(SHEET, xl__worksheets__sheet1_xml=rows_of(row * 1_500))
    assert len(read_table(data).rows) == 1_500
