"""What the replay page plays. (The command that says tracks again as a phone: test_replay.py.)"""

import gzip
import json
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import Driver, DutyMark, Employer, TrackingWindow, Truck, User
from tests.cast import Phone, Point, assign, make_phone, put_fixes
from tests.pages.test_pages import client_of
from tests.tracking.reading import at, drive, opened
from tracking.replay_data import played, replay_of_day, replay_of_mission
from tracking.replay_line import offsets_between

DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BRUSSELS = ZoneInfo("Europe/Brussels")


def of_day(subject: Driver | Truck, day: date = DAY) -> dict[str, Any]:
    return played(replay_of_day(subject, day, NOW, "en"))


def kinds_of(data: dict[str, Any]) -> list[str]:
    return [part["kind"] for part in data["parts"]]


def legs_of(data: dict[str, Any]) -> list[str]:
    return [data["kinds"][kind] for kind, count in data["legs"] for _ in range(count)]


def stay(begin: float, end: float, latitude: float, longitude: float) -> list[Point]:
    """Two fixes at one place."""
    return [(at(minute), latitude, longitude) for minute in (begin, end)]


@pytest.fixture
def day(ada_phone: Phone, truck12: Truck) -> Driver:
    """Ada drives 30 min, is silent for 42 over 40 km, drives 20 and then stands for 18."""
    put_fixes(ada_phone, drive(0, 31), truck=truck12)
    put_fixes(ada_phone, drive(72, 93, latitude=51.2), truck=truck12)
    put_fixes(ada_phone, stay(109, 110, 51.2, 4.35 + 0.0071 * 20), truck=truck12)
    return ada_phone.driver


def test_the_line_comes_back_from_its_differences(day: Driver) -> None:
    data = of_day(day)
    seconds = list(accumulate(data["fixes"]["t"]))
    assert datetime.fromtimestamp(data["started_s"], UTC) == at(0)
    assert seconds[:3] == [0, 60, 120]
    assert seconds[-1] == data["ended_s"] == 110 * 60
    assert data["fixes"]["latitude"][:2] == [5_085_000, 0]
    assert list(accumulate(data["fixes"]["longitude"]))[1] == 435_710
    assert len(legs_of(data)) == len(seconds) - 1


def test_parts_cover_the_whole_time_without_overlap(day: Driver) -> None:
    data = of_day(day)
    assert kinds_of(data) == ["move", "gap", "move", "standing"]
    parts = data["parts"]
    assert (parts[0]["from"], parts[-1]["to"]) == (0, data["ended_s"])
    assert all(before["to"] == after["from"] for before, after in pairwise(parts))


def test_a_gap_is_a_gap_on_the_line_too_and_says_how_long(day: Driver) -> None:
    data = of_day(day)
    assert legs_of(data).count("gap") == 1
    assert legs_of(data)[30] == "gap"
    assert "No positions for 42 min" in data["parts"][1]["said"]


def test_standing_says_how_long_and_in_how_many_seconds_it_is_shown(day: Driver) -> None:
    part = of_day(day)["parts"][-1]
    assert part["shown"] == "18 min standing, shown in 2 s"
    assert legs_of(of_day(day))[-1] == "standing"


def test_the_sums_are_those_of_the_days_timeline(day: Driver, ada_phone: Phone, dee: User) -> None:
    # Stands somewhere on a leg of 400 m: the driving on it is no standing.
    put_fixes(ada_phone, [(at(130), 51.2, 4.35 + 0.0071 * 20.8)])
    told = client_of(dee).get(f"/api/v1/drivers/{day.uuid}/timeline?date={DAY}").json()
    totals = of_day(day)["totals"]
    lasted = {
        kind: sum(e["duration_s"] for e in told["entries"] if e["type"] in types)
        for kind, types in (
            ("moving_s", ("move",)),
            ("standing_s", ("dwell", "standstill")),
            ("gap_s", ("gap",)),
        )
    }
    assert {name: totals[name] for name in lasted} == lasted
    assert min(lasted.values()) > 0
    assert totals["distance_m"] == pytest.approx(told["distance_m"], abs=0.1)
    assert totals["distance_method"] == told["distance_method"]


def test_the_sums_are_those_of_the_missions_timeline(ada_phone: Phone, dee: User) -> None:
    mission = opened(ada_phone.driver, 0, 40)
    put_fixes(ada_phone, drive(0, 41), mission=mission)
    told = client_of(dee).get(f"/api/v1/missions/{mission.uuid}/timeline").json()
    data = played(replay_of_mission(mission, NOW, "en"))
    assert data["totals"]["distance_m"] == pytest.approx(told["distance_m"], abs=0.1)
    assert data["totals"]["moving_s"] == sum(entry["duration_s"] for entry in told["entries"]) > 0


def test_between_two_duties_nobody_was_tracked(acme: Employer, ada_phone: Phone) -> None:
    acme.tracking_window = TrackingWindow.DUTY
    acme.save()
    for minute, kind in ((0, "STARTED"), (30, "ENDED"), (90, "STARTED"), (120, "ENDED")):
        DutyMark.objects.create(
            employer=acme, driver=ada_phone.driver, recorded_at=at(minute),
            kind=DutyMarkKind[f"DUTY_{kind}"],
        )  # fmt: skip
    put_fixes(ada_phone, [*drive(0, 30), *drive(91, 120, latitude=50.9)])
    data = of_day(Driver.objects.select_related("employer").get(pk=ada_phone.driver.pk))
    assert kinds_of(data) == ["move", "off", "move"]
    assert data["parts"][1]["said"] == "Not tracked for 1 h 02 min: skipped"
    assert legs_of(data).count("off") == 1


def test_of_two_phones_the_marker_follows_one(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 31))
    assert len(of_day(ada)["fixes"]["t"]) == 31
    put_fixes(
        make_phone(ada),
        [(at(n + 0.5), 50.86, 4.35 + 0.0071 * n) for n in range(2, 28)],
    )
    data = of_day(ada)
    assert len(data["fixes"]["t"]) < 57
    longitudes = list(accumulate(data["fixes"]["longitude"]))
    assert longitudes == sorted(longitudes)


def test_until_another_phone_takes_over_there_is_a_gap(ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 10))
    put_fixes(make_phone(ada), drive(12, 20, latitude=50.9))
    data = of_day(ada)
    assert kinds_of(data) == ["move", "gap", "move"]
    assert data["parts"][1]["said"] == "No positions for 3 min: the marker jumps"
    assert "row" not in data["parts"][1]
    # No line joins what two phones saw.
    assert legs_of(data)[9] == "off"


def test_a_truck_says_which_driver_had_it_when(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(60))
    assign(truck12, ben_phone.driver, at(60))
    put_fixes(ada_phone, drive(0, 30), truck=truck12)
    put_fixes(ben_phone, drive(70, 100, latitude=50.9), truck=truck12)
    data = of_day(truck12)
    named = [(t, data["drivers"][who]) for t, who, _, _ in data["who"]]
    assert named == [(0, "Ada Peeters"), (70 * 60, "Ben Özdemir")]
    assert kinds_of(data) == ["move", "off", "move"]
    freeze_driver(ada_phone.driver)
    data = of_day(truck12)
    assert data["drivers"] == ["Ben Özdemir"]
    assert len(data["fixes"]["t"]) == 30


def test_a_day_without_fixes_has_nothing_to_play(ada: Driver) -> None:
    assert of_day(ada)["fixes"] == {"t": []}


def test_clocks_go_back_in_the_night_of_25_october(ada_phone: Phone) -> None:
    midnight_at = datetime(2026, 10, 24, 22, tzinfo=UTC)
    put_fixes(
        ada_phone,
        [(midnight_at + timedelta(minutes=n), 50.85, 4.35 + n * 0.004) for n in range(300)],
    )
    data = of_day(ada_phone.driver, date(2026, 10, 25))
    assert data["says_offset"] is True
    assert data["clocks"] == [[0, 7200, "CEST"], [3 * 3600, 3600, "CET"]]
    assert data["days"] == []


def test_a_mission_over_midnight_names_the_second_day(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 24 * 60)
    put_fixes(ada_phone, [*drive(0, 10), *drive(16 * 60, 16 * 60 + 10)], mission=mission)
    data = played(replay_of_mission(mission, NOW, "en"))
    # Midnight in Brussels is 23:00 UTC, fifteen hours after the start.
    assert data["days"] == [(-9 * 3600, ""), (15 * 3600, "25 Nov")]
    assert data["says_offset"] is False


@pytest.mark.parametrize(
    ("zone", "begin", "changes"),
    [
        ("Europe/Brussels", "2026-03-28T00:00Z", ["2026-03-29T01:00Z"]),
        ("Australia/Lord_Howe", "2026-04-03T22:17Z", ["2026-04-04T15:00Z"]),
        ("Asia/Tokyo", "2026-03-28T00:00Z", []),
    ],
)
def test_a_change_of_the_clocks_is_found_to_the_second(
    zone: str, begin: str, changes: list[str]
) -> None:
    begin_at = datetime.fromisoformat(begin)
    found = offsets_between(ZoneInfo(zone), begin_at, begin_at + timedelta(days=3))
    assert [at for at, _, _ in found] == [begin_at, *map(datetime.fromisoformat, changes)]


def test_queries_do_not_grow_with_the_fixes(day: Driver, ada_phone: Phone) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            of_day(day)
        return len(queries)

    few = count()
    put_fixes(ada_phone, drive(200, 500, latitude=50.5))
    assert count() == few
    assert few <= 16


@pytest.fixture
def long_day(ada_phone: Phone, truck12: Truck) -> Driver:
    """A day of 5,000 fixes: one every 12 s and about 200 m, winding."""
    midnight_at = datetime(2026, 11, 23, 23, tzinfo=UTC)
    points: list[Point] = [
        (
            midnight_at + timedelta(seconds=12 * n),
            50.0 + 0.0004 * n + 0.0007 * (n % 7),
            4.35 + 0.0017 * (n % 900 if n // 900 % 2 else 900 - n % 900),
        )
        for n in range(5_000)
    ]
    put_fixes(ada_phone, points, truck=truck12)
    return ada_phone.driver


def test_5000_fixes_are_packed_small(long_day: Driver, dee: User) -> None:
    response = asked(client_of(dee), long_day)
    assert response["Content-Encoding"] == "gzip"
    plain = gzip.decompress(response.content)
    assert len(json.loads(plain)["fixes"]["t"]) == 5_000
    assert len(response.content) < 60_000
    assert len(plain) < 200_000


def test_5000_fixes_cost_less_than_half_a_second(long_day: Driver, dee: User) -> None:
    """Of this process's own time: what else the machine does meanwhile is not counted."""
    client = client_of(dee)
    asked(client, long_day)
    took_s = []
    for _ in range(5):
        began = time.process_time()
        asked(client, long_day)
        took_s.append(time.process_time() - began)
    assert statistics.median(took_s) < 0.4, took_s


def asked(client: Client, driver: Driver) -> HttpResponse:
    response = client.get(
        f"/drivers/{driver.uuid}/replay/data?date={DAY}", headers={"Accept-Encoding": "gzip"}
    )
    assert isinstance(response, HttpResponse)
    assert response.status_code == 200
    return response
