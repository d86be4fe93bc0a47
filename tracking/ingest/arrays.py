"""The fixes of a group as the arrays that record.sql takes. (pure)

A request becomes one *run* for each day that its fixes span: each run's links (driver,
truck, open missions, duty) are looked up once, so a backlog of weeks costs what its days do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from tracking.ingest.quarantine import Unusable
from tracking.ingest.sent import JudgedFix, StageWords

DAY_US: Final = 24 * 3600 * 1_000_000


@dataclass(slots=True)
class Request:
    """What one phone asks to record: its token's hash and its judged fixes.

    `refused` says how many were refused before, by reason: they are only counted. An
    off-the-shelf client names its dialect, and needs a token of scope `ingest`; with it come
    what could not be used and, as JSON, what the phone says of itself.
    """

    token_hash: bytes
    fixes: list[JudgedFix]
    refused: Mapping[str, int] = field(default_factory=dict)
    dialect: str | None = None
    unusable: Sequence[Unusable] = ()
    health: str | None = None


class Row(NamedTuple):
    """A fix, the request it came with, its position there, and its run (from 1)."""

    request: int
    position: int
    run: int
    fix: JudgedFix


@dataclass(frozen=True, slots=True)
class Arranged:
    """A group in rows and runs.

    `doubles` names the (request, position) of a fix that occurs earlier in its own request,
    and where. `first_runs` has the first run of each request.
    """

    rows: list[Row]
    doubles: dict[tuple[int, int], int]
    first_runs: list[int]
    senders: dict[str, object]


def arranged(group: Sequence[Request], now_us: int) -> Arranged:
    """Cut a group into rows and runs; a request without fixes has a run at `now_us`."""
    rows: list[Row] = []
    doubles: dict[tuple[int, int], int] = {}
    first_runs: list[int] = []
    tokens: list[bytes] = []
    foreign: list[bool] = []
    first_us: list[int] = []
    last_us: list[int] = []
    for number, request in enumerate(group):
        first_runs.append(len(tokens) + 1)
        runs: dict[int, int] = {}
        seen: dict[tuple[int, int], int] = {}
        for position, fix in enumerate(request.fixes):
            at_us = fix.recorded_at_us
            if seen.setdefault((at_us, fix.fix_id), position) != position:
                doubles[number, position] = seen[at_us, fix.fix_id]
                continue
            day = at_us // DAY_US
            run = runs.get(day)
            if run is None:
                tokens.append(request.token_hash)
                foreign.append(request.dialect is not None)
                first_us.append(at_us)
                last_us.append(at_us)
                run = runs[day] = len(tokens)
            elif at_us < first_us[run - 1]:
                first_us[run - 1] = at_us
            elif at_us > last_us[run - 1]:
                last_us[run - 1] = at_us
            rows.append(Row(number, position, run, fix))
        if not runs:
            tokens.append(request.token_hash)
            foreign.append(request.dialect is not None)
            first_us.append(now_us)
            last_us.append(now_us)
    hashes = ",".join([f'"\\\\x{token.hex()}"' for token in tokens])
    senders: dict[str, object] = {
        "tokens": f"{{{hashes}}}",
        "is_foreign": "{" + ",".join(["t" if is_foreign else "f" for is_foreign in foreign]) + "}",
        "first_us": array(first_us),
        "last_us": array(last_us),
    }
    return Arranged(rows, doubles, first_runs, senders)


def array(values: Sequence[float | None]) -> str:
    """A PostgreSQL array literal of numbers and NULLs: JSON's, in other brackets."""
    return "{" + msgspec.json.encode(values)[1:-1].decode() + "}"


def column(values: Sequence[float | None]) -> str | None:
    """The same; None, which unnest() fills up with NULLs, for a column that nobody sent."""
    return None if values.count(None) == len(values) else array(values)


def fix_arrays(rows: Sequence[Row], refused: Iterable[tuple[int, str, int]]) -> dict[str, object]:
    """The arrays of the statement FIXES; `refused` are run, reason and number."""
    names: dict[tuple[int, str], int] = {}
    mission_numbers = [
        None
        if row.fix.mission is None
        else names.setdefault((row.run, row.fix.mission), len(names) + 1)
        for row in rows
    ]
    columns = list(zip(*[row.fix for row in rows], strict=True))
    by_name = dict(zip(JudgedFix._fields, columns or [()] * len(JudgedFix._fields), strict=True))
    counts = list(refused)
    return {
        "request": array([row.run for row in rows]),
        "mission_no": column(mission_numbers),
        "mission_request": [run for run, _ in names],
        "mission_names": [name for _, name in names],
        "mission_uuids": [_uuid(name) for _, name in names],
        "refused_request": [run for run, _, _ in counts],
        "refused_reason": [reason for _, reason, _ in counts],
        "refused_fixes": [number for _, _, number in counts],
        **{name: array(by_name[name]) for name in _KEY_COLUMNS},
        **{name: column(by_name[name]) for name in _OPTIONAL_COLUMNS},
    }


_KEY_COLUMNS: Final = ("recorded_at_us", "fix_id", "kind", "latitude_e7", "longitude_e7")
_OPTIONAL_COLUMNS: Final = (
    "accuracy_dm",
    "speed_cmps",
    "heading_ddeg",
    "battery_e4",
    "altitude_m",
    "odometer_m",
    "flags",
)


def stage_arrays(rows: Sequence[Row]) -> dict[str, object]:
    """The arrays of the statement STAGES: few rows, so their texts go as lists."""
    fixes = [row.fix for row in rows]
    words = [fix.stage or _NO_WORDS for fix in fixes]
    # The event's own place: the one that was measured for it, else an earlier one.
    places = [said.last_known or fix for fix, said in zip(fixes, words, strict=True)]
    return {
        "request": array([row.run for row in rows]),
        "recorded_at_us": array([fix.recorded_at_us for fix in fixes]),
        "fix_id": array([fix.fix_id for fix in fixes]),
        "kind": array([fix.kind for fix in fixes]),
        "latitude_e7": array([place.latitude_e7 for place in places]),
        "longitude_e7": array([place.longitude_e7 for place in places]),
        "accuracy_dm": array([place.accuracy_dm for place in places]),
        "position_recorded_at_us": array(
            [said.last_known and said.last_known.recorded_at_us for said in words]
        ),
        "odometer_m": array([fix.odometer_m for fix in fixes]),
        "mission": [fix.mission for fix in fixes],
        "mission_uuid": [_uuid(fix.mission) for fix in fixes],
        "stop": [said.stop for said in words],
        "stop_uuid": [_uuid(said.stop) for said in words],
        "reason": [said.reason for said in words],
        "result": [said.result for said in words],
        "ends_mission": [said.ends_mission for said in words],
        "client_id": [said.client_id or "" for said in words],
        "note": [said.note or "" for said in words],
    }


_NO_WORDS: Final = StageWords(None, None, False, None, None, None, None)


def item_arrays(group: Sequence[Request]) -> dict[str, object] | None:
    """The arrays of the statement ITEMS, or None when the group has nothing for it."""
    items: list[tuple[object, ...]] = []
    for request in group:
        token, dialect = request.token_hash, request.dialect
        items += [
            (token, item.recorded_at_us, dialect, item.reason, item.detail, item.payload,
             item.payload_hash, item.count, None)
            for item in request.unusable
        ]  # fmt: skip
        if request.health is not None:
            items.append((token, None, dialect, None, None, None, None, 0, request.health))
    if not items:
        return None
    return dict(zip(_ITEM_COLUMNS, map(list, zip(*items, strict=True)), strict=True))


_ITEM_COLUMNS: Final = (
    "token_hash",
    "recorded_at_us",
    "dialect",
    "reason",
    "detail",
    "payload",
    "payload_hash",
    "fixes",
    "health",
)


def _uuid(text: str | None) -> str | None:
    if text is None or len(text) not in (32, 36):
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None
