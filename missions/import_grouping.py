"""Put the rows of a table together: which are one mission, one stop, one line of goods. (pure)"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from missions.import_columns import RowProblem, names_of
from missions.import_table import TableRow

MISSION_COLUMNS: Final = names_of("mission")
STOP_COLUMNS: Final = names_of("stop", "site")
GOODS_COLUMNS: Final = names_of("goods")


@dataclass(slots=True)
class AskedPart:
    """What rows say of one thing: its cells, and for each the row that said it first."""

    row: int
    cells: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def row_of(self, column: str | None) -> int:
        return self.rows.get(column or "", self.row)


@dataclass(slots=True)
class AskedStop(AskedPart):
    goods: list[AskedPart] = field(default_factory=list)

    @property
    def external_id(self) -> str:
        return self.cells.get("stop_external_id", "")

    @property
    def seq(self) -> int | None:
        seq = self.cells.get("seq")
        # Further than any table goes they are all alike; `int` refuses thousands of digits.
        return None if seq is None else int(seq[:18])


@dataclass(slots=True)
class AskedMission(AskedPart):
    """`stops` in the order that was asked for; none when no row speaks of any."""

    stops: list[AskedStop] = field(default_factory=list)


def grouped(rows: Iterable[TableRow]) -> tuple[list[AskedMission], list[RowProblem]]:
    """The missions, in the order in which the table names them first."""
    missions: dict[str, AskedMission] = {}
    problems: list[RowProblem] = []
    for row in rows:
        key = row.cells.get("external_id") or row.cells.get("mission_id")
        if key is None:
            detail = "A row needs an external_id: it says which mission it belongs to."
            problems.append(RowProblem(row.number, "external_id", "required", detail))
            continue
        mission = missions.setdefault(key, AskedMission(row.number))
        problems += _take(mission, row.number, _cells(row, MISSION_COLUMNS))
        problems += _take_stop(mission, row)
    for mission in missions.values():
        problems += _order(mission)
    return list(missions.values()), problems


def _cells(row: TableRow, names: Iterable[str]) -> dict[str, str]:
    return {name: row.cells[name] for name in names if name in row.cells}


def _take(part: AskedPart, number: int, cells: Mapping[str, str]) -> list[RowProblem]:
    """Add what a row says. What was said before, it may repeat or leave out, not contradict."""
    problems = []
    for name, text in cells.items():
        if part.cells.setdefault(name, text) != text:
            detail = f"Row {part.row_of(name)} says otherwise of the same."
            problems.append(RowProblem(number, name, "differs_from_row_above", detail))
        part.rows.setdefault(name, number)
    return problems


def _take_stop(mission: AskedMission, row: TableRow) -> list[RowProblem]:
    cells, goods = _cells(row, STOP_COLUMNS), _cells(row, GOODS_COLUMNS)
    if not cells and not goods:
        return []
    stop = _same_stop(mission, cells)
    if stop is None:
        stop = AskedStop(row.number)
        mission.stops.append(stop)
    elif not goods:
        detail = f"Row {stop.row} has this stop already, and this one adds no goods to it."
        return [RowProblem(row.number, None, "stop_twice", detail)]
    if goods:
        rows = dict.fromkeys(goods, row.number)
        stop.goods.append(AskedPart(row.number, goods, rows))
    return _take(stop, row.number, cells)


def _same_stop(mission: AskedMission, cells: Mapping[str, str]) -> AskedStop | None:
    """The stop that a row is about if an earlier one was too: by its id, else by its place.

    A row of goods alone belongs to the stop above it.
    """
    if not cells:
        return mission.stops[-1] if mission.stops else None
    for column in ("stop_external_id", "seq"):
        if column in cells:
            known = (stop for stop in mission.stops if stop.cells.get(column) == cells[column])
            return next(known, None)
    return None


def _order(mission: AskedMission) -> list[RowProblem]:
    """Put the stops in the order of `seq` where they have one; all of them or none."""
    numbers = [stop.seq for stop in mission.stops]
    if all(number is None for number in numbers):
        return []
    problems = []
    seen: dict[int, int] = {}
    for stop, number in zip(mission.stops, numbers, strict=True):
        if number is None:
            detail = "The other stops of this mission have a seq: give it to all or to none."
            problems.append(RowProblem(stop.row, "seq", "seq_missing", detail))
        elif number in seen:
            detail = f"Row {seen[number]} has another stop at this place."
            problems.append(RowProblem(stop.row_of("seq"), "seq", "seq_twice", detail))
        else:
            seen[number] = stop.row
    mission.stops.sort(key=lambda stop: stop.seq or 0)
    return problems
