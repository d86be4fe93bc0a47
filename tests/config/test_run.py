"""`make run`, with real processes: start, stop, die in every way, start again."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import EmbeddedPostgres, socket_directory
from config.processes import processes_in
from tests.running import Product, product

pytestmark = pytest.mark.slow


def count_of_employers(running: Product, employer: str) -> int:
    with psycopg.connect(EmbeddedPostgres(var=running.var).conninfo()) as connection:
        found = connection.execute("SELECT FROM accounts_employer WHERE uuid = %s", [employer])
        return len(found.fetchall())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with product(tmp_path_factory.mktemp("run")) as made:
        made.collect_static_files()
        made.start()
        yield made


def ended(running: Product, patience_s: float = 10.0) -> dict[int, str]:
    """What is left of it when patience ends."""
    deadline_s = time.monotonic() + patience_s
    while running.processes() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return running.processes()


def test_it_says_where_to_go_and_answers_there(running: Product) -> None:
    assert running.answers("/readyz", 200)
    assert json.loads(running.get("/readyz")[1]) == {"status": "ok"}
    deadline_s = time.monotonic() + 30
    while "Milepost is ready" not in running.said() and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert f"http://127.0.0.1:{running.port}/" in running.said()


def test_a_page_comes(running: Product) -> None:
    status, body = running.get("/accounts/login/")
    assert (status, b"<form" in body) == (200, True)


def test_a_command_reaches_the_running_database_without_any_setting(running: Product) -> None:
    assert running.manage("make_partitions") == {"made": []}


def test_a_taken_port_is_said_in_one_line(running: Product, tmp_path: Path) -> None:
    with product(tmp_path) as second:
        second.environment["PORT"] = str(running.port)
        assert second.launch().wait(60) == 1
        assert second.said().splitlines() == [
            f"milepost: PORT {running.port} is taken by another program:"
            " set PORT to a free one, as in  make run PORT=8001"
        ]


def test_a_second_run_in_the_same_folder_is_refused(running: Product) -> None:
    second = Product(running.var)
    second.log = running.var.with_name("second.log")
    assert second.launch().wait(60) == 1
    assert "in use by another run" in second.said()
    assert running.get("/readyz")[0] == 200


def test_the_database_killed_alone_comes_back_under_the_same_web_process(
    running: Product,
) -> None:
    web = running.pids_of("config.serve")
    (postmaster,) = running.pids_of("bin/postgres -D")
    os.kill(postmaster, signal.SIGKILL)
    assert running.answers("/readyz", 503)
    assert running.answers("/readyz", 200)
    assert running.pids_of("config.serve") == web
    assert "PostgreSQL ended (killed by SIGKILL)" in running.said()


def test_redis_killed_alone_is_degraded_and_comes_back(running: Product) -> None:
    (redis,) = running.pids_of("redis-server")
    os.kill(redis, signal.SIGKILL)
    for state in ("degraded", "ok"):
        deadline_s = time.monotonic() + 20
        answer = running.get("/readyz")
        while json.loads(answer[1])["status"] != state:
            assert answer[0] == 200
            assert time.monotonic() < deadline_s, running.said()
            time.sleep(0.02)
            answer = running.get("/readyz")


def test_a_killed_web_process_leaves_no_worker_and_is_started_again(running: Product) -> None:
    before = running.pids_of("config.serve")
    os.kill(before[0], signal.SIGKILL)
    deadline_s = time.monotonic() + 20
    while set(running.pids_of("config.serve")) & set(before):
        assert time.monotonic() < deadline_s, "an orphan holds the port"
        time.sleep(0.05)
    assert running.answers("/healthz", 200)


def test_ctrl_c_ends_everything_soon_and_the_data_is_there_after(running: Product) -> None:
    made = running.manage("create_employer", "Kept over a restart")["id"]
    assert len(running.processes()) > 5
    assert running.stop(signal.SIGINT) < 10
    assert running.processes() == {}
    assert not socket_directory(running.var).exists()
    assert running.start() < 15  # under 5 s on an idle machine; make bench measures it
    assert count_of_employers(running, made) == 1


def test_sigterm_to_the_supervisor_ends_everything(running: Product) -> None:
    assert running.process is not None
    assert len(running.processes()) > 5
    running.process.terminate()
    assert running.process.wait(15) == 0
    assert running.processes() == {}
    running.start()


def test_a_kill_of_the_group_is_recovered_by_the_next_start(running: Product) -> None:
    made = running.manage("create_employer", "Kept over a kill")["id"]
    running.stop(signal.SIGKILL)
    running.start()
    assert count_of_employers(running, made) == 1


def test_a_kill_of_the_supervisor_alone_leaves_nothing(running: Product) -> None:
    assert running.process is not None
    assert len(running.processes()) > 5
    running.process.kill()
    running.process.wait()
    assert ended(running) == {}
    running.start()


def test_a_server_left_running_and_a_stale_pid_file_are_no_obstacle(running: Product) -> None:
    running.stop(signal.SIGINT)
    postgres = EmbeddedPostgres(var=running.var)
    left = postgres.child()
    left.start()
    postgres.wait_until_up(left)
    assert processes_in(postgres.data)
    running.start()
    assert left.process is not None
    assert left.process.wait(5) == 0
    running.stop(signal.SIGKILL)
    ended(running)
    # The number of a process that lives and has nothing to do with it.
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n0\n5432\n")
    running.start()


def test_a_network_address_needs_a_token_for_the_metrics(tmp_path: Path) -> None:
    with product(tmp_path, HOST="0.0.0.0") as open_to_all:  # noqa: S104 - it must refuse this
        assert open_to_all.launch().wait(60) == 1
        assert "METRICS_TOKEN" in open_to_all.said()


def test_a_database_that_may_lose_commits_is_refused(tmp_path: Path) -> None:
    careless = EmbeddedPostgres(var=tmp_path / "careless", settings={"fsync": "off"})
    server = careless.child()
    server.start()
    careless.wait_until_up(server)
    careless.create_database()
    host = careless.conninfo().split()[0].removeprefix("host=")
    url = f"postgres:///milepost?host={host}&user=milepost"
    try:
        with product(tmp_path, DATABASE_URL=url) as refused:
            assert refused.launch().wait(60) == 1
            assert "may lose what it acknowledged (fsync is off)" in refused.said()
    finally:
        server.ask_to_stop()
        server.wait_or_kill(10)


def test_no_port_is_open_beside_the_one_of_the_web(running: Product) -> None:
    """The embedded servers listen on sockets in a private directory only."""
    commands = list(running.processes().values())
    assert [command for command in commands if " listen_addresses= " in command]
    assert [command for command in commands if "redis-server unixsocket:" in command]
    assert socket_directory(running.var).stat().st_mode & 0o777 == 0o700
