"""The arrays that go into record.sql and the outcomes that come back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from tracking.ingest.outcomes import DUPLICATE, STORED, Recorded, Sender
from tracking.ingest.sent import EPOCH, FIRST_STAGE_KIND, MICROSECOND, JudgedFix

# The recording statements are planned once for each connection, with no idea of sizes. They
# say themselves how each table is reached (record.sql); the rest is kept from the planner.
SESSION_OPTIONS: Final = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_nestloop=off "
    "-c enable_mergejoin=off -c enable_bitmapscan=off -c jit=off "
    "-c statement_timeout=4s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
)


def _statements() -> tuple[bytes, bytes]:
    text = Path(__file__).with_name("record.sql").read_text(encoding="utf-8")
    parts = {}
    for part in text.split("\n-- == ")[1:]:
        name, _, body = part.partition("\n")
        parts[name] = body
    senders = parts["SENDERS"]
    return (senders + parts["STAGES"]).encode(), (senders + parts["FIXES"]).encode()


STAGES, FIXES = _statements()


@dataclass(slots=True)
class Request:
    """What one phone asks to record: its token's hash and its judged fixes.

    `refused` says how many were refused before, by reason: they are only counted.
    """

    token_hash: bytes
    fixes: list[JudgedFix]
    refused: Mapping[str, int] = field(default_factory=dict)
    # The positions of fixes with a place that occur earlier in the list too, and where.
    doubles: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        keys = [(fix.recorded_at_us, fix.fix_id) for fix in self.fixes]
        self.doubles = {} if len(set(keys)) == len(keys) else _doubles(keys)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records groups over one connection.

    `has_route_period` is off in replay mode: then fixes of any age are recorded.
    """

    connection: AsyncConnection[tuple[Any, ...]]
    has_route_period: bool

    async def record_group(self, group: Sequence[Request]) -> list[Recorded]:
        """Record a group in one transaction; returns only after COMMIT.

        Raises psycopg.Error when the group as a whole fails: nothing of it is stored.
        """
        senders = _senders(group)
        senders["has_route_period"] = self.has_route_period
        marks = [
            (number, fix)
            for number, request in enumerate(group, 1)
            for fix in request.fixes
            if fix.kind >= FIRST_STAGE_KIND
        ]
        fixes = _fixes(group)
        if not marks:
            # One statement is a transaction of its own: one round trip, one COMMIT.
            cursor = await self.connection.execute(FIXES, senders | fixes, prepare=True)
            return _outcomes(group, await cursor.fetchone(), ("", ""))
        async with self.connection.pipeline(), self.connection.transaction():
            stages = await self.connection.execute(STAGES, senders | _marks(marks), prepare=True)
            cursor = await self.connection.execute(FIXES, senders | fixes, prepare=True)
        return _outcomes(group, await cursor.fetchone(), await stages.fetchone())


def _doubles(keys: Sequence[tuple[int, int]]) -> dict[int, int]:
    first: dict[tuple[int, int], int] = {}
    doubles = {}
    for position, key in enumerate(keys):
        if first.setdefault(key, position) != position:
            doubles[position] = first[key]
    return doubles


def _array(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers and NULLs."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _uuid(text: str | None) -> str | None:
    if text is None or len(text) not in (32, 36):
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _senders(group: Sequence[Request]) -> dict[str, object]:
    now_us = (datetime.now(UTC) - EPOCH) // MICROSECOND
    first, last = [], []
    for request in group:
        times = [fix.recorded_at_us for fix in request.fixes] or [now_us]
        first.append(min(times))
        last.append(max(times))
    tokens = ",".join([f'"\\\\x{request.token_hash.hex()}"' for request in group])
    return {"tokens": f"{{{tokens}}}", "first_us": _array(first), "last_us": _array(last)}


def _fixes(group: Sequence[Request]) -> dict[str, object]:
    numbers: list[int] = []
    rows: list[JudgedFix] = []
    names: dict[tuple[int, str], int] = {}
    mission_numbers: list[int | None] = []
    for number, request in enumerate(group, 1):
        for position, fix in enumerate(request.fixes):
            if fix.latitude_e7 is None or position in request.doubles:
                continue
            numbers.append(number)
            rows.append(fix)
            mission = fix.mission
            mission_numbers.append(
                None if mission is None else names.setdefault((number, mission), len(names) + 1)
            )
    refused = [
        (number, reason, count)
        for number, request in enumerate(group, 1)
        for reason, count in request.refused.items()
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(JudgedFix._fields)
    by_name = dict(zip(JudgedFix._fields, columns, strict=True))
    return {
        "request": _array(numbers),
        "mission_no": _array(mission_numbers),
        "refused_request": [number for number, _, _ in refused],
        "refused_reason": [reason for _, reason, _ in refused],
        "refused_fixes": [count for _, _, count in refused],
        "mission_request": [number for number, _ in names],
        "mission_names": [name for _, name in names],
        "mission_uuids": [_uuid(name) for _, name in names],
        **{name: _array(by_name[name]) for name in _FIX_COLUMNS},
    }


_FIX_COLUMNS: Final = (
    "recorded_at_us",
    "fix_id",
    "kind",
    "latitude_e7",
    "longitude_e7",
    "accuracy_m",
    "speed_mps",
    "heading_deg",
    "battery",
    "altitude_m",
    "odometer_m",
    "flags",
)


def _marks(marks: Sequence[tuple[int, JudgedFix]]) -> dict[str, object]:
    """The arrays of stages and duty marks: few, so their texts go as lists."""
    numbers = [number for number, _ in marks]
    fixes = [fix for _, fix in marks]
    return {
        "request": numbers,
        "recorded_at_us": _array(fix.recorded_at_us for fix in fixes),
        "fix_id": _array(fix.fix_id for fix in fixes),
        "kind": _array(fix.kind for fix in fixes),
        "latitude_e7": _array(fix.latitude_e7 for fix in fixes),
        "longitude_e7": _array(fix.longitude_e7 for fix in fixes),
        "accuracy_m": _array(fix.accuracy_m for fix in fixes),
        "odometer_m": _array(fix.odometer_m for fix in fixes),
        "mission": [fix.mission for fix in fixes],
        "mission_uuid": [_uuid(fix.mission) for fix in fixes],
        "stop": [fix.stop for fix in fixes],
        "stop_uuid": [_uuid(fix.stop) for fix in fixes],
        "reason": [fix.reason for fix in fixes],
        "ends_mission": [fix.ends_mission for fix in fixes],
    }


def _outcomes(
    group: Sequence[Request],
    fixes: tuple[Any, ...] | None,
    stages: tuple[Any, ...] | None,
) -> list[Recorded]:
    """Deal the outcomes of the two statements out to the requests, in the order sent.

    A stage's letter is that of its event; its fix follows the same rules.
    """
    if fixes is None or stages is None:
        raise RuntimeError("a recording statement returned no row")
    fix_letters = iter(_fix_letters(group, fixes))
    stage_letters = iter(zip(stages[0], stages[1], strict=True))
    recorded = []
    for request, sender in zip(group, fixes[2], strict=True):
        dealt: list[tuple[str, str]] = []
        for position, fix in enumerate(request.fixes):
            if position in request.doubles:
                letter, warning = dealt[request.doubles[position]]
                dealt.append((DUPLICATE if letter == STORED else letter, warning))
            else:
                dealt.append(next(fix_letters) if fix.latitude_e7 is not None else ("", ""))
            if fix.kind >= FIRST_STAGE_KIND:
                dealt[position] = next(stage_letters)
        letters, warnings = zip(*dealt, strict=True) if dealt else ((), ())
        recorded.append(Recorded(Sender(sender), "".join(letters), "".join(warnings)))
    return recorded


_STORED: Final = (STORED, "0")


def _fix_letters(group: Sequence[Request], answer: tuple[Any, ...]) -> list[tuple[str, str]]:
    """A letter and warning bits for each row of the statement, which names the exceptions."""
    rows = sum(
        fix.latitude_e7 is not None and position not in request.doubles
        for request in group
        for position, fix in enumerate(request.fixes)
    )
    dealt = [_STORED] * rows
    for exception in answer[0].split(",") if answer[0] else ():
        dealt[int(exception[:-1]) - 1] = (exception[-1], "0")
    for number in answer[1].split(",") if answer[1] else ():
        dealt[int(number) - 1] = (dealt[int(number) - 1][0], "1")
    return dealt
