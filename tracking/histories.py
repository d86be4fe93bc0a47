"""The fixes of a driver, a truck or a mission, page by page or as one stream.

Every read of positions for a person goes through `History`: who may see it is decided by the
caller, what belongs to it by spans.py, and a frozen driver's fixes are left out by the very
statement that reads them.

Order: `(recorded_at, driver_id, fix_id)`, oldest first, `[begin_at, end_at)`. Each statement
carries its range of `recorded_at` as constants, so that only the months in question are opened.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg import AsyncClientCursor, AsyncConnection

from accounts.models import Driver, Truck
from missions.models import Mission
from tracking.spans import (
    Extent,
    Span,
    Window,
    extent_of_mission,
    spans_of_driver,
    spans_of_mission,
    spans_of_truck,
    windows,
)

DEFAULT_RANGE: Final = timedelta(hours=24)
# A phone's clock may be this far ahead; such a fix belongs to "until now".
CLOCK_AHEAD: Final = timedelta(minutes=10)
# Planning a statement costs about 0.1 ms for each span in it.
SPANS_AT_ONCE: Final = 16
# Rows that are in memory at once while streaming.
CHUNK: Final = 2_000
# What the sessions of streams are called in pg_stat_activity.
STREAM: Final = "milepost stream"

Subject = Driver | Truck | Mission


class StoredFix(NamedTuple):
    """One row of the table of fixes; ids are internal, places are 1e-7 degrees."""

    recorded_at: datetime
    driver_id: int
    fix_id: int
    received_at: datetime
    device_id: int
    latitude_e7: int
    longitude_e7: int
    kind: int
    link_source: int
    truck_id: int | None
    mission_id: int | None
    accuracy_m: float | None
    speed_mps: float | None
    heading_deg: float | None
    battery: float | None
    altitude_m: float | None
    odometer_m: int | None
    flags: int | None

    @property
    def key(self) -> "Key":
        return Key(self.recorded_at, self.driver_id, self.fix_id)


class Key(NamedTuple):
    """Where a page ended: the place of a fix in the order of every history."""

    recorded_at: datetime
    driver_id: int
    fix_id: int


class Page(NamedTuple):
    """Rows, and where the next page begins; None at the end."""

    fixes: list[StoredFix]
    next_after: Key | None


# Stored as whole numbers: tenths of a metre, centimetres a second, tenths of a degree.
_SCALED: Final = {
    "accuracy_m": "f.accuracy_dm / 10::float8",
    "speed_mps": "f.speed_cmps / 100::float8",
    "heading_deg": "f.heading_ddeg / 10::float8",
    "battery": "f.battery_e4 / 10000::float8",
}
# A StoredFix from the table of fixes, called f.
COLUMNS: Final = ", ".join(
    f"{_SCALED.get(name, f'f.{name}')} AS {name}" for name in StoredFix._fields
)


@dataclass(frozen=True, slots=True)
class History:
    """What belongs to a driver, a truck or a mission in `[begin_at, end_at)`."""

    subject: Subject
    begin_at: datetime
    end_at: datetime
    spans: tuple[Span, ...]

    @property
    def kind(self) -> Literal["driver", "truck", "mission"]:
        if isinstance(self.subject, Driver):
            return "driver"
        return "truck" if isinstance(self.subject, Truck) else "mission"

    def page(self, limit: int, after: Key | None = None) -> Page:
        """The first `limit` fixes after a key. One query for each 16 spans it has to cross."""
        fixes: list[StoredFix] = []
        for window in windows(self._spans_from(after), SPANS_AT_ONCE):
            sql, params = _statement(window, after, limit + 1 - len(fixes))
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
                fixes += map(StoredFix._make, cursor.fetchall())
            if len(fixes) > limit:
                return Page(fixes[:limit], fixes[limit - 1].key)
        return Page(fixes, None)

    def fixes(self) -> list[StoredFix]:
        """All of them at once: for a day or a mission, not for a year."""
        fixes: list[StoredFix] = []
        for window in windows(self.spans, SPANS_AT_ONCE):
            sql, params = _statement(window, None, None)
            with connection.cursor() as cursor:
                cursor.execute(sql, params)
                fixes += map(StoredFix._make, cursor.fetchall())
        return fixes

    def newest_at(self) -> datetime | None:
        """When its newest fix was recorded. One query for each span, the latest first."""
        newest = self.newest()
        return newest.recorded_at if newest else None

    def newest(self) -> StoredFix | None:
        """Its newest fix. One query for each span, the latest first."""
        newest: StoredFix | None = None
        for span in sorted(self.spans, key=lambda span: span.end_at, reverse=True):
            if newest is None or span.end_at > newest.recorded_at:
                sql, params = _branch(span, None, 1, newest_first=True)
                with connection.cursor() as cursor:
                    cursor.execute(sql, params)
                    found = [StoredFix._make(row) for row in cursor.fetchall()]
                newest = max([*found, *([newest] if newest else [])], default=None)
        return newest

    async def chunks(self, names: "Names | None" = None) -> AsyncGenerator[list[StoredFix]]:
        """All of them, 2,000 at a time, on a connection that closes when the reader leaves.

        Page by page rather than by one long statement: a slow reader then holds no snapshot
        open, and a driver who is frozen meanwhile is gone from the next chunk. When `names`
        is given it knows every id of a chunk before the chunk is handed out.
        """
        async with await _own_connection() as own:
            for window in windows(self.spans, SPANS_AT_ONCE):
                after: Key | None = None
                while chunk := await _rows(own, window, after):
                    if names is not None:
                        await names.learn_on(own, chunk)
                    yield chunk
                    if len(chunk) < CHUNK:
                        break
                    after = chunk[-1].key

    def _spans_from(self, after: Key | None) -> Sequence[Span]:
        if after is None:
            return self.spans
        return [span for span in self.spans if span.end_at > after.recorded_at]


def history_of_driver(driver: Driver, begin_at: datetime, end_at: datetime) -> History:
    """A frozen driver's is empty; callers answer 404 before they come here. No query."""
    return History(driver, begin_at, end_at, tuple(spans_of_driver(driver, begin_at, end_at)))


def history_of_truck(truck: Truck, begin_at: datetime, end_at: datetime) -> History:
    """Across its drivers, less the frozen ones. One query."""
    return History(truck, begin_at, end_at, tuple(spans_of_truck(truck, begin_at, end_at)))


def history_of_mission(mission: Mission, begin_at: datetime, end_at: datetime) -> History:
    """Across its assignments, less those of frozen drivers. Two queries."""
    return History(mission, begin_at, end_at, tuple(spans_of_mission(mission, begin_at, end_at)))


def history_of(subject: Subject, begin_at: datetime, end_at: datetime) -> History:
    """The history of whichever it is."""
    if isinstance(subject, Driver):
        return history_of_driver(subject, begin_at, end_at)
    if isinstance(subject, Truck):
        return history_of_truck(subject, begin_at, end_at)
    return history_of_mission(subject, begin_at, end_at)


def range_of(
    subject: Subject, begin_at: datetime | None, end_at: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The asked range with what was left out filled in.

    Without an end: until now. Without a beginning: 24 h before the end; but a mission is
    shown whole, from its first open or linked moment to its last. One query for a mission.
    """
    extent: Extent | None = None
    if isinstance(subject, Mission) and (begin_at is None or end_at is None):
        extent = extent_of_mission(subject)
    if end_at is None:
        until_now = now + CLOCK_AHEAD
        end_at = (extent.end_at if extent and begin_at is None else None) or until_now
    if begin_at is None:
        begin_at = extent.begin_at if extent else _day_before(end_at, now)
    return begin_at, end_at


def _day_before(end_at: datetime, now: datetime) -> datetime:
    # "The last 24 hours" are those before now, although the range ends a little later.
    last = now if now < end_at <= now + CLOCK_AHEAD else end_at
    earliest = datetime.min.replace(tzinfo=UTC)
    return last - DEFAULT_RANGE if last - earliest > DEFAULT_RANGE else earliest


def _statement(window: Window, after: Key | None, limit: int | None) -> tuple[str, tuple[Any, ...]]:
    """The rows of a window after a key, merged across its spans, in order."""
    sql: list[str] = []
    params: list[Any] = []
    for span in window.spans:
        branch, branch_params = _branch(span, after, limit)
        sql.append(f"({branch})")
        params += branch_params
    if len(sql) == 1:
        return sql[0], tuple(params)
    merged = " UNION ALL ".join(sql) + " ORDER BY recorded_at, driver_id, fix_id"
    return merged + _limited(limit), tuple(params)


def _branch(
    span: Span, after: Key | None, limit: int | None, *, newest_first: bool = False
) -> tuple[str, list[Any]]:
    """One range scan of the key. The driver is asked for in the statement itself.

    So a freeze takes effect on the next statement, also in the middle of a page's life.
    """
    sql = [
        f"SELECT {COLUMNS} FROM tracking_fix f "  # noqa: S608 (names of our own columns)
        "WHERE f.driver_id = %s AND f.recorded_at >= %s AND f.recorded_at < %s "
        "AND EXISTS (SELECT FROM accounts_driver d WHERE d.id = %s AND d.frozen_at IS NULL)"
    ]
    params: list[Any] = [span.driver_id, span.begin_at, span.end_at, span.driver_id]
    if span.belongs.sql:
        sql.append(span.belongs.sql)
        params += span.belongs.params
    if after is not None:
        beyond, beyond_params = _beyond(span, after)
        sql.append(beyond)
        params += beyond_params
    order = "f.recorded_at DESC, f.fix_id DESC" if newest_first else "f.recorded_at, f.fix_id"
    return f"{' AND '.join(sql)} ORDER BY {order}{_limited(limit)}", params


def _beyond(span: Span, after: Key) -> tuple[str, list[Any]]:
    if span.driver_id == after.driver_id:
        return (
            "f.recorded_at >= %s AND (f.recorded_at, f.fix_id) > (%s, %s)",
            [after.recorded_at, after.recorded_at, after.fix_id],
        )
    operator = ">=" if span.driver_id > after.driver_id else ">"
    return f"f.recorded_at {operator} %s", [after.recorded_at]


def _limited(limit: int | None) -> str:
    return "" if limit is None else f" LIMIT {limit:d}"


async def _rows(own: AsyncConnection[Any], window: Window, after: Key | None) -> list[StoredFix]:
    sql, params = _statement(window, after, CHUNK)
    cursor = await own.execute(sql.encode(), params)
    return [*map(StoredFix._make, await cursor.fetchall())]


async def _own_connection() -> AsyncConnection[Any]:
    """One for reading beside Django's own connections, which belong to threads."""
    params = connection.get_connection_params()
    for not_for_libpq in ("cursor_factory", "context", "server_side_binding", "pool"):
        params.pop(not_for_libpq, None)
    own = await AsyncConnection.connect(
        **{**params, "application_name": STREAM},
        autocommit=True,
        # Parameters as constants, so that the planner opens only the months in question.
        cursor_factory=AsyncClientCursor,
    )
    # Whatever the server's own zone is: times are written as UTC, and fastest when they are.
    await own.execute(b"SET TIME ZONE 'UTC'")
    return own


class Names:
    """The ids outside (UUID) of drivers, trucks and missions by the ids inside.

    At most three queries for each batch of fixes, and none for what is known already.
    """

    def __init__(self) -> None:
        self.drivers: dict[int, UUID] = {}
        self.trucks: dict[int, UUID] = {}
        self.missions: dict[int, UUID] = {}

    def learn(self, fixes: Sequence[StoredFix]) -> "Names":
        """Look up what is not known yet, on Django's connection."""
        for known, sql, unknown in self._unknown(fixes):
            with connection.cursor() as cursor:
                cursor.execute(sql, [unknown])
                known.update(cursor.fetchall())
        return self

    async def learn_on(self, own: AsyncConnection[Any], fixes: Sequence[StoredFix]) -> None:
        """The same, on a stream's own connection."""
        for known, sql, unknown in self._unknown(fixes):
            cursor = await own.execute(sql.encode(), [unknown])
            known.update(await cursor.fetchall())

    def _unknown(self, fixes: Sequence[StoredFix]) -> list[tuple[dict[int, UUID], str, list[int]]]:
        wanted = (
            (self.drivers, "accounts_driver", {fix.driver_id for fix in fixes}),
            (self.trucks, "accounts_truck", {fix.truck_id for fix in fixes}),
            (self.missions, "missions_mission", {fix.mission_id for fix in fixes}),
        )
        return [
            (known, f"SELECT id, uuid FROM {table} WHERE id = ANY(%s)", unknown)  # noqa: S608
            for known, table, ids in wanted
            if (unknown := [one for one in ids if one is not None and one not in known])
        ]
