"""The demo: rounds that can be driven, phones that lose nothing, a fleet that is made once."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from accounts.models import Device, Driver, Membership, User
from accounts.secrets import secret_hash
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    ProofOfDelivery,
    Signature,
    Site,
)
from tracking.demo_evidence import add_evidence
from tracking.demo_fleet import LOGINS, fleet_of, plan_missions, seed
from tracking.demo_phones import DemoPhone, drive
from tracking.demo_roads import JUNCTIONS, SITES, road_between
from tracking.demo_rounds import (
    DRIVERS,
    ROUND_EVERY,
    DemoDriver,
    mission_key,
    planned_round,
    result_of,
    round_start,
    rounds_from,
)
from tracking.demo_state import read_sent, read_state, write_sent
from tracking.geometry import distance_m
from tracking.posting import PhoneLine

BEGAN_AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LOTTE, YOUSSEF, SOFIE, KOEN = (DRIVERS[index] for index in (1, 2, 4, 7))
EVERY_DRIVER = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.number)


class Server:
    """Answers like ingest, or as told; keeps what it was sent."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.statuses: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        fixes = json.loads(request.content)["fixes"]
        self.batches.append(fixes)
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return httpx.Response(status, headers={"Retry-After": "7"}, json={"detail": "later"})
        counts = {"duplicates": 0, "thinned": 0, "outside_window": 0, "refused": 0}
        return httpx.Response(
            200, json={"received": len(fixes), "stored": len(fixes), **counts, "results": []}
        )

    @property
    def ids(self) -> list[str]:
        return [fix["id"] for batch in self.batches for fix in batch]


@pytest.fixture
def server() -> Server:
    return Server()


def phone_of(driver: DemoDriver, server: Server, sent_until: datetime | None = None) -> DemoPhone:
    line = PhoneLine("http://server", "mpd_x", transport=httpx.MockTransport(server))
    return DemoPhone(driver, line, BEGAN_AT, sent_until)


def send_all(phone: DemoPhone, now: datetime) -> None:
    phone.plan(now)
    while phone.send_due(now):
        pass


@EVERY_DRIVER
def test_a_round_ends_before_the_next_one_begins(driver: DemoDriver) -> None:
    for index in range(-4, 12):
        said = planned_round(driver, BEGAN_AT, index)
        assert said[0].recorded_at == round_start(driver, BEGAN_AT, index)
        assert said[-1].recorded_at < said[0].recorded_at + ROUND_EVERY


@EVERY_DRIVER
def test_a_round_is_told_the_same_way_twice(driver: DemoDriver) -> None:
    assert planned_round(driver, BEGAN_AT, 3) == planned_round(driver, BEGAN_AT, 3)
    assert planned_round(driver, BEGAN_AT, 3) != planned_round(driver, BEGAN_AT, 4)


def test_a_truck_says_where_it_is_every_500_m_and_drives_no_faster_than_it_may() -> None:
    said = [fix for fix in planned_round(LOTTE, BEGAN_AT, 0) if "latitude" in fix.body]
    for before, after in pairwise(said):
        if after.body["kind"] != "distance":
            continue
        metres = distance_m(
            before.body["latitude"], before.body["longitude"],
            after.body["latitude"], after.body["longitude"],
        )  # fmt: skip
        seconds = (after.recorded_at - before.recorded_at).total_seconds()
        assert 495 <= metres <= 620
        if before.body["kind"] == "distance":
            assert metres / seconds < 25


def test_a_round_goes_from_duty_to_duty_with_a_signature_between() -> None:
    kinds = [fix.body["kind"] for fix in planned_round(SOFIE, BEGAN_AT, 0)]
    stages = [kind for kind in kinds if kind != "distance"]
    assert stages[:4] == ["duty_started", "loading_started", "loading_ended", "departure"]
    assert "signature" in stages
    assert stages[-3:] == ["arrival", "departure", "duty_ended"]
    assert len(kinds) > 300


def test_without_coverage_all_is_kept_and_without_battery_it_is_lost() -> None:
    kept = planned_round(YOUSSEF, BEGAN_AT, 0)
    late = [fix for fix in kept if fix.sendable_at > fix.recorded_at]
    assert late
    assert max(fix.sendable_at - fix.recorded_at for fix in late) > timedelta(minutes=50)
    gaps = [b.recorded_at - a.recorded_at for a, b in pairwise(planned_round(KOEN, BEGAN_AT, 0))]
    assert max(gaps) > timedelta(hours=1)


@pytest.mark.parametrize("start", SITES)
def test_every_site_can_be_reached(start: str) -> None:
    for end in SITES:
        road = road_between(SITES[start], SITES[end])
        assert distance_m(*road[0], SITES[start].latitude, SITES[start].longitude) < 1
        assert distance_m(*road[-1], SITES[end].latitude, SITES[end].longitude) < 1
    assert all(49 < latitude < 52 for latitude, _ in JUNCTIONS.values())


def test_the_first_start_tells_of_today_and_of_the_day_before(server: Server) -> None:
    phone = phone_of(LOTTE, server)
    send_all(phone, BEGAN_AT)
    moments = [fix["recorded_at"] for batch in server.batches for fix in batch]
    assert min(moments) < "2026-11-23T09"
    assert "2026-11-24T08:5" in max(moments)
    assert moments == sorted(moments)
    assert max(len(batch) for batch in server.batches) == 100


def test_a_batch_without_an_answer_is_sent_again_first_and_later(server: Server) -> None:
    phone = phone_of(LOTTE, server)
    server.statuses = [503]
    phone.plan(BEGAN_AT)
    assert phone.send_due(BEGAN_AT) is False
    assert phone.sent_until is None
    assert phone.send_due(BEGAN_AT + timedelta(seconds=6)) is False
    assert len(server.batches) == 1  # Retry-After said 7 s
    assert phone.send_due(BEGAN_AT + timedelta(seconds=8)) is True
    assert server.batches[0] == server.batches[1]


def test_a_server_that_cannot_be_reached_costs_nothing() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    line = PhoneLine("http://server", "mpd_x", transport=httpx.MockTransport(away))
    phone = DemoPhone(LOTTE, line, BEGAN_AT, None)
    phone.plan(BEGAN_AT)
    assert phone.send_due(BEGAN_AT) is False
    assert phone.sent_until is None
    assert phone.next_at() == BEGAN_AT + timedelta(seconds=0.5)


def test_a_restarted_phone_goes_on_where_it_was(server: Server) -> None:
    first = phone_of(LOTTE, server)
    send_all(first, BEGAN_AT)
    before = set(server.ids)
    again = phone_of(LOTTE, server, first.sent_until)
    send_all(again, BEGAN_AT + timedelta(minutes=30))
    after = server.ids[len(before) :]
    assert after
    assert not before & set(after)


def test_a_phone_that_is_turned_away_goes_silent_and_keeps_its_fixes(server: Server) -> None:
    phone = phone_of(LOTTE, server)
    server.statuses = [401]
    send_all(phone, BEGAN_AT)
    send_all(phone, BEGAN_AT + timedelta(hours=1))
    assert len(server.batches) == 1
    assert phone.sent_until is None
    assert phone.next_at() is None


def test_one_phone_sends_its_batches_twice(server: Server) -> None:
    phone = phone_of(SOFIE, server)
    send_all(phone, BEGAN_AT)
    assert server.batches[0] == server.batches[1]


def test_an_outage_ends_with_a_backlog(server: Server) -> None:
    phone = phone_of(YOUSSEF, server)
    send_all(phone, BEGAN_AT)
    sent = len(server.ids)
    send_all(phone, BEGAN_AT + timedelta(minutes=8))
    assert len(server.ids) == sent
    send_all(phone, BEGAN_AT + timedelta(minutes=10))
    assert len(server.ids) > sent + 40


def test_driving_stops_when_told_and_keeps_how_far_it_got(server: Server) -> None:
    phone = phone_of(LOTTE, server)
    kept: list[dict[str, datetime]] = []
    naps: list[float] = []

    def wait(seconds: float) -> bool:
        naps.append(seconds)
        return seconds > 0

    drive(
        [phone],
        wait=wait,
        keep=lambda reached: kept.append(dict(reached)),
        hourly=lambda now: None,
        clock=lambda: BEGAN_AT,
    )
    assert kept == [{LOTTE.number: phone.sent_until}]
    assert 0 < naps[-1] <= 5


def test_rounds_between_two_moments_are_each_found_once() -> None:
    until = BEGAN_AT + timedelta(days=3)
    middle = BEGAN_AT + timedelta(hours=20)
    whole = rounds_from(LOTTE, BEGAN_AT, since=BEGAN_AT - timedelta(days=3), until=until)
    parts = rounds_from(LOTTE, BEGAN_AT, since=BEGAN_AT - timedelta(days=3), until=middle)
    parts += rounds_from(LOTTE, BEGAN_AT, since=middle, until=until)
    assert whole == parts
    assert len(whole) == len(set(whole)) > 10


@pytest.fixture
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def test_seeding_twice_changes_nothing(db: None, var: Path) -> None:
    first = seed(BEGAN_AT)
    counts = [model.objects.count() for model in (User, Driver, Device, Site, Mission)]
    assert counts[:4] == [3, len(DRIVERS), len(DRIVERS), len(SITES)]
    assert seed(BEGAN_AT + timedelta(minutes=5)) == first
    assert [model.objects.count() for model in (User, Driver, Device, Site, Mission)] == counts


def test_the_demos_secrets_work_and_only_we_may_read_them(db: None, var: Path) -> None:
    state = seed(BEGAN_AT)
    for login in state.logins:
        assert User.objects.get(email=login.email).check_password(login.password)
    assert {row.role for row in Membership.objects.all()} == {role.value for role in LOGINS}
    for driver in DRIVERS:
        held = Device.objects.filter(holdings__driver__number=driver.number)
        assert held.get().tokens.get().token_hash == secret_hash(state.tokens[driver.number])
    assert (var / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_lost_state_file_only_makes_new_secrets(db: None, var: Path) -> None:
    first = seed(BEGAN_AT)
    (var / "demo.json").unlink()
    second = seed(BEGAN_AT + timedelta(minutes=5))
    assert second.employer == first.employer
    assert second.tokens != first.tokens
    assert Driver.objects.count() == len(DRIVERS)


def test_each_round_has_a_mission_with_stops_for_its_driver(db: None, var: Path) -> None:
    state = seed(BEGAN_AT)
    mission = Mission.objects.get(external_id__endswith="-0748-101")
    assert MissionAssignment.objects.get(mission=mission).driver == Driver.objects.get(number="101")
    assert [stop.seq for stop in mission.stops.order_by("seq")] == [1, 2, 3, 4]
    fleet = fleet_of(mission.employer)
    assert plan_missions(fleet, state.began_at, BEGAN_AT) == 0
    assert plan_missions(fleet, state.began_at, BEGAN_AT + timedelta(hours=13)) >= len(DRIVERS)


def test_a_round_that_ended_has_its_evidence_once(db: None, var: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = var / "media"
    now = datetime.now(UTC)
    state = seed(now)
    fleet = fleet_of(Mission.objects.first().employer)  # type: ignore[union-attr]
    assert add_evidence(fleet, state.began_at, now) == 0
    for driver in (DRIVERS[0], LOTTE):
        Mission.objects.filter(external_id=mission_key(driver, state.began_at, -1)).update(
            status=MissionStatus.COMPLETED,
            opened_at=round_start(driver, state.began_at, -1),
            ended_at=now - timedelta(minutes=30),
        )
    assert add_evidence(fleet, state.began_at, now) == 2
    assert Signature.objects.count() == Attachment.objects.count() == 4
    assert not Attachment.objects.filter(thumbnail="").exists()
    assert ProofOfDelivery.objects.get().issued_at is not None
    goods = Signature.objects.earliest("id").document["goods"]
    assert goods[0]["description"] == "flour, bags of 25 kg"
    assert add_evidence(fleet, state.began_at, now) == 0


def test_each_delivery_of_a_round_says_its_result() -> None:
    said = [fix.body for fix in planned_round(SOFIE, BEGAN_AT, 0) if "result" in fix.body]
    assert [(body["kind"], body["result"]) for body in said] == [
        ("departure", result_of(body["stop"])[0]) for body in said
    ]
    assert len(said) == 2
    assert {result_of(str(n))[0] for n in range(50)} == {"succeeded", "partially_succeeded"}


def test_how_far_the_phones_got_belongs_to_one_demo(db: None, var: Path) -> None:
    state = seed(BEGAN_AT)
    write_sent(state, {"101": BEGAN_AT})
    assert read_sent(state) == {"101": BEGAN_AT}
    (var / "demo.json").unlink()
    assert read_state() is None
    assert read_sent(seed(BEGAN_AT + timedelta(hours=1))) == {}


def test_the_demo_is_seeded_only_where_nothing_else_lives(
    db: None, var: Path, settings: Any
) -> None:
    settings.EMBEDDED_POSTGRES = False
    with pytest.raises(CommandError, match="embedded"):
        call_command("seed_demo")
    assert not Driver.objects.exists()


def test_the_phones_need_a_seeded_demo(var: Path) -> None:
    with pytest.raises(CommandError, match="seed_demo first"):
        call_command("drive_demo")
