"""What a phone was told is stored stays stored, whoever is killed; real processes, real disks.

The system runs without a Redis from the start: none of this needs one.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

from tests.durability import ACKNOWLEDGED_A_KILL, endure
from tests.real_system import Fleet, RealSystem, real_system

pytestmark = pytest.mark.slow

PHONES = 16
# Kills at these moments; printed with each failure, since pytest shows the report.
SEED = 20261124
RECOVERY_S = 10.0
# A connection goes to one of two workers by chance: all of these to one is once in 30,000.
POSTS_TO_EVERY_WORKER = 16
# The longest that a phone waits while PostgreSQL hangs without dying.
FROZEN_ANSWER_S = 8.0


class Answered(NamedTuple):
    """What came back, and after how long."""

    status: int
    retry_after: str | None
    body: bytes
    took_s: float


@pytest.fixture(scope="module")
def system() -> Iterator[RealSystem]:
    """PostgreSQL and two web workers on a folder of this module's own, on a disk."""
    var = Path(tempfile.mkdtemp(prefix="durability-", dir=settings.VAR_DIR))
    with real_system(var) as system:
        yield system


@pytest.fixture(scope="module")
def fleet(system: RealSystem) -> Fleet:
    fleet = system.make_fleet(PHONES + 1)
    system.start_web()
    return fleet


@pytest.fixture
def at() -> datetime:
    """A moment of its own for each test: the same fix would be a duplicate."""
    return datetime.now(UTC) - timedelta(minutes=1)


def post(system: RealSystem, fleet: Fleet, recorded_at: datetime) -> Answered:
    """One fix of the phone that takes no part in the kills."""
    fix = {"recorded_at": recorded_at.isoformat(), "latitude": 50.85, "longitude": 4.35}
    began_s = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", system.port, timeout=30)) as connection:
        connection.request(
            "POST",
            "/ingest/v1/fixes",
            json.dumps({"fixes": [fix]}),
            {"Authorization": f"Bearer {fleet.phones[-1].token}"},
        )
        answer = connection.getresponse()
        body = answer.read()
    took_s = time.monotonic() - began_s
    return Answered(answer.status, answer.headers["Retry-After"], body, took_s)


def times_stored(system: RealSystem, fleet: Fleet, recorded_at: datetime) -> int:
    with system.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM tracking_fix WHERE driver_id = %s AND recorded_at = %s",
            [fleet.phones[-1].driver_id, recorded_at],
        ).fetchone()
    assert row is not None
    return int(row[0])


def wait_for_every_worker(system: RealSystem, fleet: Fleet, recorded_at: datetime) -> None:
    """Until so many posts in a row are acknowledged that each worker had some of them."""
    deadline_s = time.monotonic() + RECOVERY_S
    in_a_row = 0
    while in_a_row < POSTS_TO_EVERY_WORKER:
        status = post(system, fleet, recorded_at).status
        in_a_row = in_a_row + 1 if status == 200 else 0
        assert time.monotonic() < deadline_s, status


def post_until_acknowledged(system: RealSystem, fleet: Fleet, recorded_at: datetime) -> bytes:
    """As a phone does after a 503; at most 10 s."""
    deadline_s = time.monotonic() + RECOVERY_S
    while (answered := post(system, fleet, recorded_at)).status != 200:
        assert time.monotonic() < deadline_s, answered
        time.sleep(0.1)
    return answered.body


def test_every_acknowledged_fix_survives_each_kill_and_none_is_there_twice(
    system: RealSystem, fleet: Fleet
) -> None:
    driving = Fleet(fleet.employer_id, fleet.api_key, fleet.phones[:PHONES])
    report = endure(system, driving, ["server", "PostgreSQL", "server"], seed=SEED)
    print(report)  # noqa: T201 - the seed and the kills, shown by pytest when this fails
    assert len(report.kills) == 3
    assert min(kill.acknowledged for kill in report.kills) >= ACKNOWLEDGED_A_KILL
    assert min(kill.unanswered for kill in report.kills) >= 1
    assert report.acknowledged >= 4 * ACKNOWLEDGED_A_KILL
    assert (report.missing, report.twice, report.unknown) == (0, 0, 0)


def test_with_the_database_away_a_phone_is_told_to_come_again(
    system: RealSystem, fleet: Fleet, at: datetime
) -> None:
    web = system.web_child.process
    system.stop_postgres()
    try:
        for _ in range(3):
            answered = post(system, fleet, at)
            assert answered.status == 503
            assert answered.retry_after is not None
            assert int(answered.retry_after) > 0
            assert b"stored" not in answered.body or b"Nothing was stored" in answered.body
            assert answered.took_s < 1
        assert system.get("/readyz")[0] == 503
        assert system.get("/healthz")[0] == 200
    finally:
        system.start_postgres()
    assert times_stored(system, fleet, at) == 0
    assert b'"stored":1' in post_until_acknowledged(system, fleet, at)
    wait_for_every_worker(system, fleet, at)
    assert times_stored(system, fleet, at) == 1
    assert system.web_child.process is web
    assert system.web_child.is_running()


def test_a_frozen_database_is_waited_for_only_so_long_and_nothing_is_acknowledged(
    system: RealSystem, fleet: Fleet, at: datetime
) -> None:
    assert post(system, fleet, at - timedelta(seconds=1)).status == 200
    system.freeze_postgres()
    try:
        first = post(system, fleet, at)
        later = post(system, fleet, at)
    finally:
        system.thaw_postgres()
    for answered in (first, later):
        assert answered.status == 503
        assert answered.retry_after is not None
        assert answered.took_s < FROZEN_ANSWER_S
    # The frozen statement may have been carried out after the thaw: then this is a duplicate.
    assert b'"received":1' in post_until_acknowledged(system, fleet, at)
    wait_for_every_worker(system, fleet, at)
    assert times_stored(system, fleet, at) == 1


def test_without_redis_fixes_are_taken_and_the_state_is_degraded(
    system: RealSystem, fleet: Fleet, at: datetime
) -> None:
    assert post(system, fleet, at).status == 200
    assert times_stored(system, fleet, at) == 1
    status, body = system.get("/readyz")
    assert status == 200
    assert json.loads(body)["status"] == "degraded"
    assert json.loads(body)["redis"] == "away"
