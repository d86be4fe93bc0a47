"""What the tests of reading share: drives, missions that were open, and ways through pages."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.duty_marks import DutyMarkKind
from accounts.models import Driver, DutyMark, Truck
from missions.models import Mission, MissionAssignment, MissionStatus, StageEvent, Stop
from missions.stages import STAGE_BY_LABEL
from tests.cast import Phone, Point, put_fixes
from tracking.histories import STREAM, History, Key, StoredFix
from tracking.timeline import Timeline

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after eight."""
    return EIGHT + timedelta(minutes=minutes)


def drive(begin: float, end: float, every: float = 1.0, latitude: float = 50.85) -> list[Point]:
    """A fix every so many minutes in `[begin, end)`, 500 m apart, eastward."""
    count = int((end - begin) / every)
    return [(at(begin + n * every), latitude, 4.35 + 0.0071 * n) for n in range(count)]


def opened(
    driver: Driver,
    begin: float | None,
    end: float | None = None,
    *,
    truck: Truck | None = None,
    external_id: str | None = None,
) -> Mission:
    """A mission of one driver, open from minute to minute after eight; None: never, or still."""
    mission = Mission.objects.create(
        employer=driver.employer,
        external_id=external_id,
        status=MissionStatus.ASSIGNED if begin is None else MissionStatus.STARTED,
    )
    give(mission, driver, None, None, truck=truck)
    if begin is not None:
        mission.opened_at = at(begin)
        mission.ended_at = None if end is None else at(end)
        mission.save()
    return mission


def give(
    mission: Mission,
    driver: Driver,
    begin: float | None,
    end: float | None,
    *,
    truck: Truck | None = None,
) -> MissionAssignment:
    """Assign a mission from minute to minute after eight."""
    period = DateTimeTZRange(None if begin is None else at(begin), None if end is None else at(end))
    return MissionAssignment.objects.create(
        employer=mission.employer, mission=mission, driver=driver, truck=truck, period=period
    )


def minutes(fixes: Sequence[StoredFix]) -> list[int]:
    """When fixes were recorded, in minutes after eight."""
    return [round((fix.recorded_at - EIGHT).total_seconds() / 60) for fix in fixes]


def pages(history: History, limit: int) -> Iterator[list[StoredFix]]:
    """Every page of a history."""
    after: Key | None = None
    while True:
        page = history.page(limit, after)
        yield page.fixes
        if page.next_after is None:
            return
        after = page.next_after


def press(
    phone: Phone,
    when: datetime,
    stage: str,
    place: tuple[float, float] | None = (50.85, 4.35),
    *,
    mission: Mission | None = None,
    stop: Stop | None = None,
    truck: Truck | None = None,
    received_at: datetime | None = None,
    **event: Any,
) -> StageEvent:
    """A stage as ingest stores it: an event, and its fix when it has a place."""
    position: dict[str, Any] = {}
    if place is not None:
        (fix,) = put_fixes(
            phone,
            [(when, *place, stage)],
            truck=truck,
            mission=mission,
            received_at=received_at,
        )
        position = {
            "fix_id": fix.fix_id,
            "latitude": place[0],
            "longitude": place[1],
            "position_source": "at_event",
        }
    return StageEvent.objects.create(
        employer=phone.driver.employer,
        driver=phone.driver,
        truck=truck,
        mission=mission,
        stop=stop,
        stage=STAGE_BY_LABEL[stage],
        recorded_at=when,
        received_at=received_at or when,
        **(position | event),
    )


def mark(driver: Driver, when: datetime, kind: str) -> DutyMark:
    """A press of the duty or the private button."""
    return DutyMark.objects.create(
        employer=driver.employer,
        driver=driver,
        kind=DutyMarkKind[kind.upper()],
        recorded_at=when,
        received_at=when,
    )


def rows(timeline: Timeline, *, stages: bool = False) -> list[tuple[str, int, int]]:
    """(type or stage, from minute, to minute) after eight."""
    return [
        (
            str(entry.segment.kind) if entry.segment.type == "stage" else entry.segment.type,
            round((entry.segment.started_at - EIGHT).total_seconds() / 60),
            round((entry.segment.ended_at - EIGHT).total_seconds() / 60),
        )
        for entry in timeline.entries
        if stages or entry.segment.type != "stage"
    ]


def streams_left(within_s: float = 3.0) -> int:
    """The same once PostgreSQL has noticed: a closed connection's process ends a moment later."""
    deadline_s = time.monotonic() + within_s
    while (left := streams_open()) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return left


def streams_open() -> int:
    """Sessions of streams on the test's database, asked on a connection of its own."""
    params = connection.get_connection_params()
    keys = ("host", "port", "user", "dbname", "password")
    with psycopg.connect(**{key: params[key] for key in keys if key in params}) as own:
        row = own.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            [STREAM],
        ).fetchone()
    assert row is not None
    return int(row[0])
