"""A mission of a table as the API's request, and the API's refusals as problems of the table."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from missions.import_cells import WrongCell, moment_there
from missions.import_columns import BY_NAME, RowProblem, names_of
from missions.import_grouping import AskedMission, AskedPart
from missions.models import Mission, Stop

# Columns of the table, and the API's own field that each one is; the others are called alike.
_STOP_FIELD: Final = {"stop_external_id": "external_id", "stop_reference": "reference"}
_STOP_COLUMN: Final = {name: column for column, name in _STOP_FIELD.items()}
_STOP_COLUMNS: Final = frozenset(names_of("stop")) - {"seq"}
_GOODS: Final = "goods_"
# Found by what they name, not by the request.
_NAMES: Final = frozenset({"mission_id", "driver_number", "truck_plate"})
# Times that are checked together, also where the table says only one of the two.
_PLAN: Final = ("planned_start_at", "planned_end_at")
_STOP_TIMES: Final = (
    "window_start_at",
    "window_end_at",
    "planned_arrival_at",
    "planned_departure_at",
)


class RequestWriter:
    """Writes the data of requests, and collects the times that cannot be."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.problems: list[RowProblem] = []

    def mission(self, asked: AskedMission, stored: Mission | None) -> dict[str, Any]:
        cells = {name: text for name, text in asked.cells.items() if name not in _NAMES}
        return self._timed(asked, cells, stored, _PLAN, self._zone)

    def stop(self, asked: AskedPart, stored: Stop | None, zone: ZoneInfo | None) -> dict[str, Any]:
        """`zone` is the one of the site; None is the employer's."""
        cells = {
            _STOP_FIELD.get(name, name): text
            for name, text in asked.cells.items()
            if name in _STOP_COLUMNS
        }
        return self._timed(asked, cells, stored, _STOP_TIMES, zone or self._zone)

    def _timed(
        self,
        asked: AskedPart,
        cells: Mapping[str, str],
        stored: Mission | Stop | None,
        times: tuple[str, ...],
        zone: ZoneInfo,
    ) -> dict[str, Any]:
        data: dict[str, Any] = dict(cells)
        for name in times:
            if name not in cells:
                # As it is: it does not differ, and shows whether the other one fits it.
                at = getattr(stored, name, None)
                if at is not None:
                    data[name] = at.isoformat()
                continue
            try:
                data[name] = moment_there(cells[name], zone).isoformat()
            except WrongCell as wrong:
                row = asked.row_of(name)
                self.problems.append(RowProblem(row, name, wrong.code, wrong.detail))
                del data[name]
        return data


def goods_data(line: AskedPart) -> dict[str, str]:
    return {column.removeprefix(_GOODS): text for column, text in line.cells.items()}


def given_fields(asked: AskedPart) -> set[str]:
    """The API's fields that the table says something about."""
    return {_STOP_FIELD.get(name, name) for name in asked.cells} - _NAMES


def refusals(asked: AskedMission, errors: Mapping[str, Any]) -> Iterator[RowProblem]:
    """What the API's serializer says is wrong, where the table says it."""
    for path, error in _flat(errors, ()):
        row, column = _cell_of(asked, path)
        yield RowProblem(row, column, str(error.code), str(error))


def _flat(errors: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _flat(inner, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _flat(inner, path)
    else:
        yield path, errors


def _cell_of(asked: AskedMission, path: tuple[str, ...]) -> tuple[int, str | None]:
    """The row and the column of what a path of the request leads to."""
    if path[:1] != ("stops",):
        return _cell(asked, path[0] if path else None)
    if len(path) < 2 or not path[1].isdigit():
        return asked.row, None
    stop = asked.stops[int(path[1])]
    name = path[2] if len(path) > 2 else None
    if name != "goods":
        return _cell(stop, _STOP_COLUMN.get(name or "", name))
    if len(path) < 4 or not path[3].isdigit():
        return stop.row, None
    return _cell(stop.goods[int(path[3])], f"{_GOODS}{path[4]}" if len(path) > 4 else None)


def _cell(part: AskedPart, column: str | None) -> tuple[int, str | None]:
    return part.row_of(column), column if column in BY_NAME else None
