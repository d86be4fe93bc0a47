"""/healthz, /readyz and /metrics, asked as ASGI on the test database."""

import time

import anyio
import pytest
from django.conf import settings
from django.db import connection
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client import Counter

from config import health
from config.health import health_application
from tracking.partitions import make_partitions

OTHER_MACHINE = ("192.0.2.7", 40000)
THIS_MACHINE = ("127.0.0.1", 40000)


def ask(
    path: str,
    headers: dict[str, str] | None = None,
    *,
    client: tuple[str, int] = THIS_MACHINE,
) -> Response:
    async def get() -> Response:
        transport = ASGITransport(health_application, client=client)
        async with AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.get(path, headers=headers)

    return anyio.run(get)


@pytest.fixture
def months(transactional_db: None) -> None:
    make_partitions()


def test_it_is_ready_with_all_migrations_and_next_month(months: None) -> None:
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_not_ready_without_next_months_partition(
    months: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("/readyz").status_code == 200
    # A month that nobody has made yet.
    monkeypatch.setattr(health, "following_month", lambda moment: moment.replace(year=2099, day=1))
    answer = ask("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["next month's partition is missing"]


def test_it_is_not_ready_while_a_migration_waits(months: None) -> None:
    assert ask("/readyz").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name, applied FROM django_migrations WHERE app = 'tracking'")
        rows = cursor.fetchall()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'tracking'")
    try:
        assert ask("/readyz").json()["problems"] == ["migrations are not applied"]
    finally:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", rows
            )


def test_it_is_not_ready_where_commits_may_be_lost(months: None) -> None:
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        assert ask("/readyz").json()["problems"] == ["synchronous_commit is off"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


def test_it_says_soon_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", "/nowhere")
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    began_s = time.monotonic()
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the database is away"])
    assert time.monotonic() - began_s < 2.5
    assert ask("/healthz").status_code == 200


def test_redis_away_is_degraded_and_ready(months: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/redis.sock")
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "redis": "away"})


def test_replay_mode_is_said(months: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REPLAY_MODE", True)
    assert ask("/readyz").json()["replay_mode"] is True


def test_the_metrics_are_open_on_this_machine_alone() -> None:
    Counter("milepost_test_things", "Counted by a test.").inc()
    here = ask("/metrics")
    assert here.status_code == 200
    assert "milepost_test_things_total 1.0" in here.text
    assert ask("/metrics", client=OTHER_MACHINE).status_code == 401
    assert ask("/metrics", {"X-Forwarded-For": "192.0.2.7"}).status_code == 401


def test_the_metrics_need_their_token_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "for-the-monitor"
    monkeypatch.setattr(settings, "METRICS_TOKEN", token)
    assert ask("/metrics").status_code == 401
    wrong = ask("/metrics", {"Authorization": "Bearer something-else"})
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, "Bearer")
    right = ask("/metrics", {"Authorization": f"Bearer {token}"}, client=OTHER_MACHINE)
    assert right.status_code == 200


def test_none_of_the_answers_may_be_cached() -> None:
    assert ask("/healthz").headers["Cache-Control"] == "no-store"
