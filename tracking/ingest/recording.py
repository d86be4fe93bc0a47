"""Record a group of requests in one transaction, and deal the outcomes out to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from tracking.ingest.arrays import (
    Arranged,
    Request,
    Row,
    arranged,
    fix_arrays,
    item_arrays,
    stage_arrays,
)
from tracking.ingest.outcomes import DUPLICATE, STORED, Recorded, Sender
from tracking.ingest.sent import EPOCH, FIRST_DUTY_MARK_KIND, FIRST_STAGE_KIND, MICROSECOND

# The recording statements are planned once for each connection, with no idea of sizes. They
# say themselves how each table is reached (record.sql); the rest is kept from the planner.
SESSION_OPTIONS: Final = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_nestloop=off "
    "-c enable_mergejoin=off -c enable_bitmapscan=off -c jit=off "
    "-c statement_timeout=4s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
)

# New rows of one phone in quarantine on one day (UTC); what is more is only counted.
QUARANTINED_A_DAY: Final = 1_000

Outcome = tuple[str, str]  # a letter and warning bits
_STORED: Final = (STORED, "0")


def _statements() -> tuple[bytes, bytes, bytes, bytes]:
    parts = {}
    for file in ("record.sql", "quarantine.sql"):
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        for part in text.split("\n-- == ")[1:]:
            name, _, body = part.partition("\n")
            parts[name] = body
    senders = parts["SENDERS"]
    return (
        (senders + parts["STAGES"]).encode(),
        parts["RELINK"].encode(),
        (senders + parts["FIXES"]).encode(),
        parts["ITEMS"].encode(),
    )


STAGES, RELINK, FIXES, ITEMS = _statements()
# Nearly every group is all new, and looking for a conflict first costs a fifth of the insert.
NEW_FIXES: Final = FIXES.replace(
    b"    ON CONFLICT DO NOTHING\n    RETURNING driver_id", b"    RETURNING driver_id"
)


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
        cut = arranged(group, (datetime.now(UTC) - EPOCH) // MICROSECOND)
        cut.senders["has_route_period"] = self.has_route_period
        waves = _waves(cut.rows)
        items = item_arrays(group)
        if not waves and items is None:
            # One statement is a transaction of its own: one round trip, one COMMIT.
            try:
                return await self._record_fixes(NEW_FIXES, group, cut, {})
            except UniqueViolation:
                return await self._record_fixes(FIXES, group, cut, {})
        async with self.connection.transaction():
            outcomes: dict[Row, Outcome] = {}
            for wave in waves:
                outcomes.update(await self._record_stages(cut, wave))
            recorded = await self._record_fixes(FIXES, group, cut, outcomes)
            if items is not None:
                await self.connection.execute(
                    ITEMS, items | {"rows_a_day": QUARANTINED_A_DAY}, prepare=True
                )
            return recorded

    async def _record_stages(self, cut: Arranged, wave: list[Row]) -> dict[Row, Outcome]:
        cursor = await self.connection.execute(
            STAGES, cut.senders | stage_arrays(wave), prepare=True
        )
        answer = await cursor.fetchone()
        if answer is None:
            raise RuntimeError("the statement for stages returned no row")
        letters, warnings, *changed = answer
        if changed[0]:
            # Missions, and since when and until when they are open otherwise than before.
            spans = dict(zip(("missions", "begins", "ends"), changed, strict=True))
            await self.connection.execute(RELINK, spans, prepare=True)
        return dict(zip(wave, zip(letters, warnings, strict=True), strict=True))

    async def _record_fixes(
        self,
        statement: bytes,
        group: Sequence[Request],
        cut: Arranged,
        outcomes: dict[Row, Outcome],
    ) -> list[Recorded]:
        """All rows with a place; a stage's only where its event was kept."""
        rows = [
            row
            for row in cut.rows
            if row.fix.latitude_e7 is not None
            and (row.fix.kind < FIRST_STAGE_KIND or outcomes[row][0] in (STORED, DUPLICATE))
        ]
        refused = [
            (run, reason, count)
            for run, request in zip(cut.first_runs, group, strict=True)
            for reason, count in request.refused.items()
        ]
        cursor = await self.connection.execute(
            statement, cut.senders | fix_arrays(rows, refused), prepare=True
        )
        answer = await cursor.fetchone()
        if answer is None:
            raise RuntimeError("the recording statement returned no row")
        if not answer[0] and not answer[1] and not outcomes and not cut.doubles:
            return _all_stored(group, cut, answer[2])
        of_fixes = dict(zip(rows, _fix_outcomes(len(rows), answer), strict=True))
        return _dealt(group, cut, answer[2], of_fixes | outcomes)


def _waves(rows: list[Row]) -> list[list[Row]]:
    """What must be settled before what: duty marks, named stages, other stages."""
    marks = [row for row in rows if row.fix.kind >= FIRST_STAGE_KIND]
    if not marks:
        return []
    stages = [row for row in marks if row.fix.kind < FIRST_DUTY_MARK_KIND]
    waves = (
        [row for row in marks if row.fix.kind >= FIRST_DUTY_MARK_KIND],
        [row for row in stages if row.fix.mission is not None],
        [row for row in stages if row.fix.mission is None],
    )
    return [wave for wave in waves if wave]


def _all_stored(group: Sequence[Request], cut: Arranged, senders: str) -> list[Recorded]:
    return [
        Recorded(Sender(senders[run - 1]), STORED * len(request.fixes), "0" * len(request.fixes))
        for run, request in zip(cut.first_runs, group, strict=True)
    ]


def _fix_outcomes(rows: int, answer: tuple[Any, ...]) -> list[Outcome]:
    """One for each row of the statement, which names only the exceptions."""
    outcomes = [_STORED] * rows
    for exception in answer[0].split(",") if answer[0] else ():
        outcomes[int(exception[:-1]) - 1] = (exception[-1], "0")
    for number in answer[1].split(",") if answer[1] else ():
        outcomes[int(number) - 1] = (outcomes[int(number) - 1][0], "1")
    return outcomes


def _dealt(
    group: Sequence[Request], cut: Arranged, senders: str, outcomes: dict[Row, Outcome]
) -> list[Recorded]:
    """The outcomes in the order sent; a double is a duplicate of what was stored."""
    by_place = {(row.request, row.position): outcome for row, outcome in outcomes.items()}
    for (doubled, position), first in cut.doubles.items():
        letter, warning = by_place[doubled, first]
        by_place[doubled, position] = (DUPLICATE if letter == STORED else letter, warning)
    recorded = []
    for number, request in enumerate(group):
        dealt = [by_place[number, position] for position in range(len(request.fixes))]
        letters, warnings = zip(*dealt, strict=True) if dealt else ((), ())
        sender = Sender(senders[cut.first_runs[number] - 1])
        recorded.append(Recorded(sender, "".join(letters), "".join(warnings)))
    return recorded
