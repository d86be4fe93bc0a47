"""The embedded servers, apart from the supervisor (test_run.py has them together)."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.database import DURABLE, SHOW_DURABLE, connection_arguments, not_durable
from config.embedded import (
    AlreadyRunning,
    EmbeddedPostgres,
    EmbeddedRedis,
    EmbeddedServerFailed,
    only_one_here,
    socket_directory,
)
from config.processes import processes_in, stop_all


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(var=tmp_path_factory.mktemp("pg") / "var")
    child = server.child()
    child.start()
    server.wait_until_up(child)
    yield server
    stop_all([child], within_s=10)


def test_it_is_postgresql_18_in_utf8_by_code_point(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo("postgres")) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, datcollate,"
            " pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'postgres'"
        ).fetchone()
    assert row == (18, "C.UTF-8", "UTF8")


def test_it_keeps_what_it_commits(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo("postgres")) as connection:
        found: dict[str, str] = dict(
            connection.execute(SHOW_DURABLE, {"names": list(DURABLE)}).fetchall()
        )
    assert found == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    assert not_durable(found) == []
    assert not_durable({**found, "fsync": "off"}) == ["fsync is off"]


def test_the_database_is_made_once(postgres: EmbeddedPostgres) -> None:
    postgres.create_database()
    postgres.create_database()
    with psycopg.connect(postgres.conninfo()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("milepost",)


def test_its_log_holds_no_values(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE person (name text UNIQUE)")
        connection.execute("INSERT INTO person VALUES ('Ada Peeters')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="Ada Peeters"):
            connection.execute("INSERT INTO person VALUES ('Ada Peeters')")
    log = postgres.log.read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "Ada Peeters" not in log


def test_its_processes_are_found_by_the_folder_they_work_in(postgres: EmbeddedPostgres) -> None:
    assert len(processes_in(postgres.data)) > 3


def test_a_data_directory_of_another_version_is_refused(tmp_path: Path) -> None:
    newer = EmbeddedPostgres(var=tmp_path)
    newer.data.mkdir()
    (newer.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerFailed, match="holds data of PostgreSQL 16, not 18"):
        newer.child()


def test_a_half_made_data_directory_is_made_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(var=tmp_path)
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    assert not server.data.exists()
    server.child()
    assert (server.data / "global" / "pg_control").exists()


def test_what_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    server = EmbeddedPostgres(var=tmp_path, settings={"shared_buffers": "nonsense"})
    child = server.child()
    child.start()
    with pytest.raises(EmbeddedServerFailed, match="shared_buffers"):
        server.wait_until_up(child)


def test_the_path_of_a_socket_is_short_however_deep_the_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    assert len(str(deep)) > 200
    assert len(str(socket_directory(deep) / ".s.PGSQL.5432")) < 60
    assert socket_directory(deep) != socket_directory(tmp_path)


def test_one_process_holds_a_folder(tmp_path: Path) -> None:
    with (
        only_one_here(tmp_path),
        pytest.raises(AlreadyRunning, match="in use by another run"),
        only_one_here(tmp_path),
    ):
        pytest.fail("two hold it")
    with only_one_here(tmp_path):
        assert (tmp_path / "run.lock").exists()


def test_redis_answers_on_its_socket(tmp_path: Path) -> None:
    server = EmbeddedRedis(var=tmp_path)
    child = server.child()
    child.start()
    try:
        client = redis.Redis(unix_socket_path=str(server.socket))
        deadline_s = time.monotonic() + 10
        while not server.socket.exists() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert client.ping()
        client.close()
    finally:
        stop_all([child], within_s=5)


def test_an_entry_of_databases_becomes_arguments_of_psycopg() -> None:
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "milepost",
        "USER": "web",
        "PASSWORD": "",
        "HOST": "db.example",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require", "pool": {"max_size": 4}, "connect_timeout": 3},
    }
    assert connection_arguments(entry) == {
        "dbname": "milepost",
        "user": "web",
        "host": "db.example",
        "port": 5433,
        "sslmode": "require",
        "connect_timeout": 2,
        "options": "-c TimeZone=UTC",
    }
