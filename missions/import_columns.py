"""The columns of a table of missions: their names here and elsewhere, and what a cell holds. (pure)

One row is one stop, or one more goods line of it; import and export have the same columns.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "time", "number", "degrees", "integer", "boolean"]
Part = Literal["mission", "stop", "site", "goods"]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in one cell; without a column in a row, without a row in the whole file.

    `row` is counted as a spreadsheet does, the header being 1. A warning stops nothing.
    """

    row: int | None
    column: str | None
    code: str
    detail: str
    is_warning: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "detail": self.detail,
            "severity": "warning" if self.is_warning else "error",
        }


@dataclass(frozen=True, slots=True)
class Column:
    """`also` are other headers that people write for it."""

    name: str
    part: Part
    kind: Kind = "text"
    also: tuple[str, ...] = ()


COLUMNS: Final = (
    Column("external_id", "mission", also=("opdracht", "opdrachtnummer", "mission", "n° mission")),
    Column("mission_id", "mission"),
    Column("reference", "mission", also=("referentie", "référence")),
    Column("planned_start_at", "mission", "time", ("geplande start", "début prévu")),
    Column("planned_end_at", "mission", "time", ("gepland einde", "fin prévue")),
    Column("ecmr_number", "mission", also=("e-cmr", "cmr nummer", "numéro cmr")),
    Column("driver_number", "mission", also=("chauffeur", "chauffeursnummer", "numéro chauffeur")),
    Column("truck_plate", "mission", also=("nummerplaat", "kenteken", "plaque", "immatriculation")),
    Column("seq", "stop", "integer", ("volgorde", "volgnummer", "ordre")),
    Column("stop_external_id", "stop", also=("stopnummer", "numéro arrêt")),
    Column("site_id", "site"),
    Column("site_external_id", "site", also=("locatienummer", "numéro site")),
    Column("site_name", "site", also=("locatie", "klant", "site", "client", "lieu")),
    Column("site_address", "site", also=("adres", "adresse")),
    Column("latitude", "site", "degrees", ("breedtegraad",)),
    Column("longitude", "site", "degrees", ("lengtegraad",)),
    Column("purpose", "stop", also=("doel", "soort", "but")),
    Column("window_start_at", "stop", "time", ("venster van", "créneau début")),
    Column("window_end_at", "stop", "time", ("venster tot", "créneau fin")),
    Column("planned_arrival_at", "stop", "time", ("geplande aankomst", "arrivée prévue")),
    Column("planned_departure_at", "stop", "time", ("gepland vertrek", "départ prévu")),
    Column("planned_service_s", "stop", "integer"),
    Column("free_time_s", "stop", "integer"),
    Column("stop_reference", "stop", also=("stopreferentie", "référence arrêt")),
    Column("contact_name", "stop", also=("contact", "contactpersoon", "nom contact")),
    Column("contact_phone", "stop", also=("telefoon", "téléphone")),
    Column("requires_signature", "stop", "boolean", ("handtekening", "signature")),
    Column("requires_photo", "stop", "boolean", ("foto", "photo")),
    Column("remark", "stop", also=("opmerking", "remarque")),
    Column("goods_line_no", "goods", "integer", ("regel", "ligne")),
    Column("goods_description", "goods", also=("goederen", "omschrijving", "marchandise")),
    Column("goods_quantity", "goods", "number", ("aantal", "hoeveelheid", "quantité")),
    Column("goods_unit", "goods", also=("eenheid", "unité")),
    Column("goods_weight_kg", "goods", "number", ("gewicht", "gewicht kg", "poids", "poids kg")),
    Column("goods_reference", "goods", also=("goederenreferentie", "référence marchandise")),
)
BY_NAME: Final[Mapping[str, Column]] = {column.name: column for column in COLUMNS}
# What an export says besides, for people: read by nobody.
EXPORT_ONLY: Final = (
    "status",
    "timezone",
    "planned_start_local",
    "planned_end_local",
    "stop_timezone",
    "window_start_local",
    "window_end_local",
    "planned_arrival_local",
    "planned_departure_local",
    "result",
    "result_reason",
)


def names_of(*parts: Part) -> tuple[str, ...]:
    """The columns that speak of a mission, a stop, its site or its goods."""
    return tuple(column.name for column in COLUMNS if column.part in parts)


def _plain(header: str) -> str:
    """A header without capitals, accents, blanks and underscores."""
    letters = unicodedata.normalize("NFKD", header.casefold())
    return re.sub(r"[^a-z0-9]", "", letters)


_NAME_BY_HEADER: Final[Mapping[str, str]] = {
    _plain(header): column.name
    for column in COLUMNS
    for header in (*column.also, column.name)  # its own name wins over a synonym
}
_IGNORED: Final = frozenset(map(_plain, EXPORT_ONLY))


def column_named(header: str) -> str | None:
    """The column that a header means; None for one that nobody knows."""
    return _NAME_BY_HEADER.get(_plain(header))


@dataclass(frozen=True, slots=True)
class Header:
    """Which column stands where (None: not read), and what is wrong with the first row."""

    names: tuple[str | None, ...]
    problems: tuple[RowProblem, ...]


def header_of(cells: Sequence[str]) -> Header:
    """Read the first row. A column that is unknown is a warning: its cells are not read."""
    names: list[str | None] = []
    problems: list[RowProblem] = []
    for place, text in enumerate(cells, start=1):
        name = column_named(text)
        if name is not None and name in names:
            detail = f"Two columns mean {name}; only the first is read."
            problems.append(RowProblem(1, name, "column_twice", detail))
            name = None
        elif name is None and _plain(text) not in _IGNORED:
            problems.append(_unknown(text, place))
        names.append(name)
    if not {"external_id", "mission_id"} & set(names):
        detail = "There is no column external_id: it says which rows are one mission."
        problems.append(RowProblem(1, "external_id", "column_missing", detail))
    return Header(tuple(names), tuple(problems))


def _unknown(text: str, place: int) -> RowProblem:
    shown = text.strip()[:100]
    detail = f"The column {shown!r} is not known, so its cells are not read."
    if not shown:
        detail = f"Column {place} has no name, so its cells are not read."
    return RowProblem(1, shown or f"column {place}", "column_unknown", detail, is_warning=True)
