"""What large tables cost: queries, seconds, memory.

With ROWS = 2,000 (500 missions), on two cores, processor time of ours: check 0.8 s in 8
queries when all is new and 2 s in 16 when it is stored; confirm 3.6 s in 4,510 queries when
all is new, 1.6 s in 19 when nothing differs, 9.2 s in 18,519 when every stop does: each goes
through the rule and into the trail on its own.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from django.db import connection

from accounts.actors import Actor
from accounts.models import Driver, Employer, Truck, User
from missions.exporting import mission_chunks
from missions.importing import check_import, confirm_import
from missions.models import GoodsLine, Mission, Site, Stop
from missions.reading import shown_missions
from missions.tables import writer_for
from tests.missions.tables import csv_file

Result = TypeVar("Result")
ROWS = 400
STOPS = 4
HEAD = (
    "external_id,reference,planned_start_at,driver_number,truck_plate,stop_external_id,"
    "site_external_id,purpose,window_start_at,window_end_at,contact_name,requires_signature,"
    "goods_description,goods_quantity,goods_unit"
)


def table(rows: int, contact: str = "Els") -> bytes:
    """So many rows: missions with four stops, each with a line of goods."""
    return csv_file(
        HEAD,
        *(
            f"M-{row // STOPS},flour,2026-11-24T07:00:00Z,D-1,1-TRK-012,S-{row % STOPS},"
            f"SITE-{row % 50},unload,2026-11-24 09:00,2026-11-24 10:00,{contact},yes,Flour,2,box"
            for row in range(rows)
        ),
    )


@pytest.fixture
def actor(acme: Employer, dee: User, ada: Driver, truck12: Truck) -> Actor:
    for number in range(50):
        Site.objects.create(employer=acme, external_id=f"SITE-{number}", name=f"site {number}")
    return Actor("user", acme, user=dee)


def counted(work: Callable[[], Result]) -> tuple[Result, int, float]:
    """What it gives, the queries it takes and its seconds of processor time."""
    queries = 0

    def count(execute: Any, *asked: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*asked)

    began_s = time.process_time()
    with connection.execute_wrapper(count):
        result = work()
    return result, queries, time.process_time() - began_s


def test_a_check_asks_little_and_a_confirmation_of_nothing_new_too(
    actor: Actor, record_property: Any
) -> None:
    for name, data, kind in (
        ("new", table(ROWS), "new"),
        ("same", table(ROWS), "unchanged"),
        ("changed", table(ROWS, "Jo"), "changed"),
    ):
        (kept, checked), checking, check_s = counted(lambda: check_import(actor, "big", data))  # noqa: B023 (called at once)
        assert checked.problems == ()
        assert checked.counts()[kind] == ROWS // STOPS
        assert checking < 30
        _, confirming, confirm_s = counted(lambda: confirm_import(actor, kept))  # noqa: B023
        figures = f"{name}: check {check_s:.2f} s, {checking} queries; "
        figures += f"confirm {confirm_s:.2f} s, {confirming} queries"
        print(figures)  # noqa: T201 (what was measured)
        record_property(name, figures)
        assert kind != "unchanged" or confirming < 40
    assert Mission.objects.count() == ROWS // STOPS


def put_missions(employer: Employer, count: int) -> None:
    """So many missions with four stops and their goods, straight in the tables."""
    site = Site.objects.filter(employer=employer).first()
    missions = Mission.objects.bulk_create(
        Mission(employer=employer, reference="flour " * 20) for _ in range(count)
    )
    stops = Stop.objects.bulk_create(
        Stop(employer=employer, mission=mission, seq=seq, site=site, remark="bell " * 20)
        for mission in missions
        for seq in range(1, STOPS + 1)
    )
    GoodsLine.objects.bulk_create(
        GoodsLine(employer=employer, stop=stop, line_no=1, description="Flour", quantity=1)
        for stop in stops
    )


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_takes_no_more_memory_for_more_missions(
    ending: str, acme: Employer, actor: Actor
) -> None:
    def peak_bytes() -> tuple[int, int]:
        size = 0
        tracemalloc.start()
        written = writer_for(ending, "missions")
        size += len(written.head(["external_id"]))
        for rows in mission_chunks(shown_missions().filter(employer=acme), acme):
            size += len(written.rows(rows))
            # Rows of the ORM point at each other: what nobody holds goes when it is
            # collected, which is a matter of time and not of how many there are.
            del rows
            gc.collect()
        size += len(written.tail())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, peak

    put_missions(acme, 200)
    peak_bytes()
    small_size, small = peak_bytes()
    put_missions(acme, 600)
    large_size, large = peak_bytes()
    print(f"{ending}: {small_size} bytes at {small}, {large_size} at {large}")  # noqa: T201 (what was measured)
    assert large_size > 3.5 * small_size
    assert large < 1.2 * small
