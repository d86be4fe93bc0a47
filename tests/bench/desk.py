"""(m) How long do the dispatcher's pages take on a whole day of a large fleet?

500 trucks and 2,000 missions of today with three stops each, 100 such days before it, and a
driver with a day of 5,000 fixes. Each page is asked for in turn by one signed-in dispatcher.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any, Final

import httpx

from tests.bench.bench import Bench, progress
from tests.bench.figures import Figure, Target
from tests.phones import percentile
from tests.real_system import PROJECT

MADE_TIMEOUT_S: Final = 600.0
ANSWER_TIMEOUT_S: Final = 30.0
WARM_UP: Final = 5
MOST_MS: Final = 500.0
FULL: Final = ("--trucks", "500", "--missions", "2000", "--past", "100", "--long-day", "5000")
QUICK: Final = ("--trucks", "40", "--missions", "160", "--past", "2", "--long-day", "500")

# What each page is called, and its address; the names in braces are those of the made day.
PAGES: Final = {
    "today": "/",
    "today, its board alone": "/today/board",
    "today, late and sought": "/?late=1&q=round",
    "missions": "/missions",
    "missions, late": "/missions?late=1",
    "live": "/live",
    "mission": "/missions/{mission}",
    "driver-day": "/drivers/{driver}/day?date={date}",
    "truck-day": "/trucks/{truck}/day?date={date}",
}


class WrongAnswer(Exception):
    """A page that did not open."""


def measure(bench: Bench) -> list[Figure]:
    made = made_day(bench)
    count = int(bench.choose(60, 5))
    with (
        bench.system.web(),
        httpx.Client(
            base_url=f"http://127.0.0.1:{bench.system.port}",
            cookies={made["cookie"]: made["session"]},
            timeout=ANSWER_TIMEOUT_S,
            trust_env=False,
        ) as client,
    ):
        return [figure_of(client, name, path.format(**made), count) for name, path in PAGES.items()]


def made_day(bench: Bench) -> dict[str, Any]:
    """The day on the bench's own database, and what names its parts."""
    size = QUICK if bench.is_quick else FULL
    environment = {**os.environ, **bench.system.environment}
    for command in (["basemap"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.make_desk_day", *size],
        env=environment, stdout=subprocess.PIPE, timeout=MADE_TIMEOUT_S, check=True,
    )  # fmt: skip
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def figure_of(client: httpx.Client, name: str, path: str, count: int) -> Figure:
    """How long the server takes for a page, the whole answer read."""
    times: list[float] = []
    size = 0
    with progress(f"(m) {name}", WARM_UP + count, "page") as bar:
        for turn in range(WARM_UP + count):
            began_s = time.perf_counter()
            answer = client.get(path)
            if answer.status_code != httpx.codes.OK:
                raise WrongAnswer(f"{answer.status_code} {path}")
            size = len(answer.content)
            if turn >= WARM_UP:
                times.append((time.perf_counter() - began_s) * 1000)
            bar.update()
    detail = {
        "p50_ms": round(percentile(times, 50), 1),
        "bytes": size,
        "requests": count,
    }
    value = percentile(times, 95)
    return Figure("m", f"{name}, 95 % within", value, "ms", Target("at most", MOST_MS), detail)
