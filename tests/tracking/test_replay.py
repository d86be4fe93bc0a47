"""Replaying a track: what files are read, how they are paced, and what the server then holds."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounts.freezing import freeze_driver
from accounts.models import Device, Driver, Employer
from missions.models import Mission
from tests.cast import Phone
from tests.live_site import live_site, live_site_environment
from tracking.models import Fix
from tracking.partitions import make_partitions
from tracking.posting import NoAnswer, PhoneLine, TurnedAway
from tracking.replaying import (
    NoTrack,
    TrackPoint,
    batches,
    paced,
    read_track,
    shifted_to,
    thinned,
)

__all__ = ["live_site", "live_site_environment"]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

GPX = """<?xml version="1.0"?>
<gpx version="1.1" creator="us" xmlns="http://www.topografix.com/GPX/1/1"><trk>
<trkseg><trkpt lat="51.05" lon="3.72"><ele>8</ele><time>2026-11-22T08:00:00Z</time></trkpt>
<trkpt lat="51.06" lon="3.73"></trkpt></trkseg>
<trkseg><trkpt lat="51.07" lon="3.74"><time>2026-11-22T08:10:00+01:00</time></trkpt></trkseg>
</trk></gpx>"""


def point(second: int, latitude: float = 51.0, longitude: float = 4.0) -> TrackPoint:
    return TrackPoint(NOON + timedelta(seconds=second), latitude, longitude, {})


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def written(content: str | bytes, name: str = "track") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def test_a_gpx_gives_its_points_with_a_time(file: Callable[..., Path]) -> None:
    first, second = read_track(file(GPX))
    assert first.recorded_at == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert (first.latitude, first.longitude, first.values) == (51.05, 3.72, {"altitude_m": 8.0})
    assert second.recorded_at == datetime(2026, 11, 22, 7, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    ["recorded_at,latitude,longitude", "time,lat,lon", "Time, LAT ,lng", "\ufefftime,lat,lon"],
)
def test_a_csv_is_read_under_any_of_its_names(file: Callable[..., Path], header: str) -> None:
    (only,) = read_track(file(f"{header}\n2026-11-22T13:00:00+01:00,51.05,3.72\n"))
    assert only == TrackPoint(NOON, 51.05, 3.72, {})


def test_a_packed_csv_keeps_what_it_knows_and_its_order(file: Callable[..., Path]) -> None:
    rows = "device,recorded_at,lat,lon,speed_mps,accuracy_m,trip\n"
    rows += "b,1795608000,51.05,3.72,13.5,,1\na,1795607999.5,51.06,3.73,,nan,1\n"
    first, second = read_track(file(gzip.compress(rows.encode()), "fixes.csv.gz"))
    assert (first.device, first.values) == ("b", {"speed_mps": 13.5})
    assert (second.device, second.values) == ("a", {})
    assert second.recorded_at < first.recorded_at


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "lacks a column"),
        ("name,age\nx,1\n", "lacks a column"),
        ("time,lat,lon\n", "no point with a time"),
        ("time,lat,lon\n2026-11-22T12:00:00,51,4\n", "Line 2 is no fix: the time"),
        ("time,lat,lon\n2026-11-22T12:00:00Z,north,4\n", "Line 2 is no fix"),
        ("time,lat,lon\n2026-11-22T12:00:00Z\n", "Line 2 is no fix"),
        ("<html><body>no", "no GPX"),
        ("<gpx></gpx>", "no point with a time"),
        (b"\xff\xfe\x00\x01", "no text in UTF-8"),
        (gzip.compress(b"time,lat,lon\n", mtime=0)[:-6], "cannot be read"),
    ],
)
def test_what_is_no_track_is_said_in_one_line(
    file: Callable[..., Path], content: str | bytes, complaint: str
) -> None:
    with pytest.raises(NoTrack, match=complaint) as refused:
        read_track(file(content))
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("replay", str(tmp_path / "nothing.gpx"), "--token", "mpd_x")
    with pytest.raises(CommandError, match="is a folder"):
        call_command("replay", str(tmp_path), "--token", "mpd_x")


def test_thinning_keeps_the_first_and_each_far_enough_from_the_last_kept() -> None:
    north = [point(second, 51.0 + second * 0.002) for second in range(10)]  # 222 m apart
    assert list(thinned(north, 500)) == [north[0], north[3], north[6], north[9]]
    assert list(thinned(north, 0.1)) == north


def test_shifting_moves_whole_days_into_the_last_one() -> None:
    now = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    moved = shifted_to([point(-3600), point(0)], now)
    assert [one.recorded_at for one in moved] == [
        datetime(2026, 11, 23, 11, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    ]
    assert shifted_to(moved, now) == moved


def test_batches_keep_every_point_in_order() -> None:
    points = [point(second) for second in range(250)]
    cut = list(batches(points, 100))
    assert [len(batch) for batch in cut] == [100, 100, 50]
    assert [one for batch in cut for one in batch] == points


def test_a_paced_replay_sends_what_is_due_and_no_more() -> None:
    clock = [0.0]

    def wait(seconds: float) -> None:
        clock[0] += seconds

    points = [point(second) for second in (0, 30, 60, 3600, 15)]
    sent = [
        (clock[0], [(one.recorded_at - NOON).seconds for one in batch])
        for batch in paced(points, speed=60, size=100, clock_s=lambda: clock[0], wait=wait)
    ]
    assert sent == [(0.0, [0]), (1.0, [15, 30, 60]), (60.0, [3600])]


def answering(*statuses: int) -> PhoneLine:
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        counts = {"stored": 1, "duplicates": 0, "thinned": 0, "outside_window": 0, "refused": 0}
        return httpx.Response(
            left.pop(0), json={"received": 1, **counts, "results": [], "detail": "said so"}
        )

    return PhoneLine("http://server", "mpd_x", transport=httpx.MockTransport(answer))


def test_posting_waits_longer_each_time_until_it_is_answered() -> None:
    waits: list[float] = []
    line = answering(503, 429, 502, 200)
    outcome = line.post_until_answered([{}], wait=waits.append, patience_s=60)
    assert outcome.counts["stored"] == 1
    assert waits == [0.5, 1.0, 2.0]


def test_posting_gives_up_after_its_patience() -> None:
    with pytest.raises(NoAnswer, match="503"):
        answering(*[503] * 9).post_until_answered([{}], wait=lambda _: None, patience_s=3)


def test_posting_does_not_repeat_what_was_turned_away() -> None:
    with pytest.raises(TurnedAway, match="401: said so") as refused:
        answering(401, 200).post_until_answered([{}], wait=lambda _: None, patience_s=60)
    assert refused.value.status == 401


@pytest.fixture
def track(file: Callable[..., Path]) -> Path:
    """Three hours north in steps of 556 m, two days ago; one row is there twice."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    rows = [
        f"{(begin + timedelta(seconds=45 * step)).isoformat()},{50.5 + step * 0.005:.4f},4.4"
        for step in range(240)
    ]
    return file("\n".join(["time,lat,lon", *rows, rows[7]]), "north.csv")


def replayed(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    call_command("replay", *map(str, arguments), "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.slow
def test_a_replay_is_stored_once_however_often_it_runs(
    transactional_db: None,
    live_site: str,
    ada: Driver,
    track: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_partitions()
    arguments = (track, "--driver", ada.uuid, "--url", live_site)
    first = replayed(capsys, *arguments)
    assert (first["received"], first["stored"], first["duplicates"]) == (241, 240, 1)
    second = replayed(capsys, *arguments)
    assert (second["stored"], second["duplicates"]) == (0, 241)
    assert Fix.objects.filter(driver_id=ada.pk).count() == 240
    assert all(device.revoked_at for device in Device.objects.filter(name="replay"))


@pytest.mark.slow
def test_a_replay_names_a_mission_and_can_be_thinned(
    transactional_db: None,
    live_site: str,
    acme: Employer,
    ada: Driver,
    ada_phone: Phone,
    track: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_partitions()
    mission = Mission.objects.create(employer=acme, external_id="M-1")
    mission.assignments.create(employer=acme, driver=ada, period=(None, None))
    counts = replayed(
        capsys, track, "--token", ada_phone.token, "--mission", "M-1", "--thin-m", 2000,
        "--url", live_site,
    )  # fmt: skip
    # Each fourth of 240, and the row at the end that jumps back.
    assert counts["stored"] == counts["received"] == 61
    fixes = Fix.objects.filter(driver_id=ada.pk)
    assert set(fixes.values_list("mission_id", flat=True)) == {mission.pk}


@pytest.mark.slow
def test_an_old_track_is_refused_with_advice_and_taken_when_shifted(
    transactional_db: None,
    live_site: str,
    ada: Driver,
    file: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_partitions()
    old = file("time,lat,lon\n2015-03-01T10:00:00Z,50.85,4.35\n2015-03-01T10:01:00Z,50.86,4.35\n")
    arguments = (old, "--driver", ada.uuid, "--url", live_site)
    with pytest.raises(CommandError, match="add --shift-to now"):
        replayed(capsys, *arguments)
    assert not Fix.objects.filter(driver_id=ada.pk).exists()
    assert replayed(capsys, *arguments, "--shift-to", "now")["stored"] == 2


@pytest.mark.slow
def test_of_a_track_longer_than_the_server_takes_the_rest_is_stored(
    transactional_db: None,
    live_site: str,
    ada: Driver,
    file: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_partitions()
    years = file("time,lat,lon\n2015-03-01T10:00:00Z,50.85,4.35\n2016-03-01T10:00:00Z,51,4.35\n")
    arguments = (years, "--driver", ada.uuid, "--url", live_site, "--shift-to", "now")
    call_command("replay", *map(str, arguments))
    said = capsys.readouterr()
    assert "1 stored" in said.out
    assert "1   refused: recorded_at_too_old" in said.out
    assert "spans more than" in said.err


def test_a_server_that_is_not_there_is_said(
    ada: Driver, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.management.commands.replay.PATIENCE_S", 0.0)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("replay", str(track), "--driver", str(ada.uuid), "--url", "http://127.0.0.1:9")
    assert Device.objects.get(name="replay").revoked_at is not None


@pytest.mark.parametrize(
    ("driver", "complaint"),
    [
        ("nobody", "is not an id"),
        ("6f0d6a5e-6a0b-4f5d-9f43-8f0f6f2f7a11", "There is no driver"),
    ],
)
def test_an_unknown_driver_is_said(db: None, track: Path, driver: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("replay", str(track), "--driver", driver)


def test_a_frozen_drivers_track_is_refused(ada: Driver, track: Path) -> None:
    freeze_driver(ada)
    with pytest.raises(CommandError, match="frozen"):
        call_command("replay", str(track), "--driver", str(ada.uuid))
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--speed", value) for value in ("nan", "inf", "-1", "0")),
        *(("--thin-m", value) for value in ("nan", "inf", "-1")),
    ],
)
def test_a_number_that_is_none_is_refused_before_a_phone_is_made(
    file: Callable[..., Path], option: str, value: str
) -> None:
    with pytest.raises(CommandError, match=f"^{option} is a number [^\n]*$"):
        call_command("replay", str(file(GPX)), f"{option}={value}", "--driver", str(uuid4()))


@pytest.mark.parametrize(
    ("command", "name", "arguments"),
    [
        ("replay", "row_with_id", ("--driver", str(UUID(int=1)))),
        ("make_partitions", "make_partitions", ()),
    ],
)
def test_a_database_that_is_away_is_said_in_one_line(
    file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    name: str,
    arguments: tuple[str, ...],
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(f"tracking.management.commands.{command}.{name}", refuse)
    track = [str(file(GPX))] if command == "replay" else []
    with pytest.raises(CommandError) as refusal:
        call_command(command, *track, *arguments)
    assert str(refusal.value) == (
        "The database is not ready: connection refused Is the server running?"
    )
