"""A day read lean says of each mission what a mission read whole says: the same flags."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Driver, Employer
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    Signature,
    Site,
    StageEvent,
    Stop,
    StopResult,
)
from missions.reading import matching
from missions.stages import Stage
from tests.cast import Phone, put_fixes
from tracking.day_flags import read_day
from tracking.mission_flags import FLAGS
from tracking.mission_rows import listed, rows_of

# Every hour of 2026 has its day; nothing here is at midnight.
NOW = datetime(2026, 3, 11, 13, 20, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=1), NOW + timedelta(days=1)


def flags_of(employer: Employer) -> tuple[dict[int, frozenset[str]], dict[int, frozenset[str]]]:
    """By the lean read and by the whole one."""
    missions = matching(Mission.objects.filter(employer=employer), {"begin": BEGIN, "end": END})
    lean = read_day(employer, missions, NOW)
    whole = rows_of(list(listed(missions)), employer, NOW.date(), NOW)
    return lean.flags, {row.mission.pk: row.flags for row in whole}


@pytest.fixture
def odd_day(acme: Employer, ada_phone: Phone, ben_phone: Phone, ada: Driver, ben: Driver) -> None:
    """Missions of every status with stages, results, proofs and corrections drawn at random."""
    chance = random.Random(7)  # noqa: S311 - cases for a test
    site = Site.objects.create(employer=acme, name="Halm", latitude=51.05, longitude=3.72)
    put_fixes(ada_phone, [(NOW - timedelta(minutes=2), 50.5, 5.5)])
    put_fixes(ben_phone, [(NOW - timedelta(minutes=45), 51.05, 3.7)])
    for number in range(120):
        _odd(chance, number, acme, site, (ada_phone, ben_phone))


def _odd(
    chance: random.Random, number: int, acme: Employer, site: Site, phones: tuple[Phone, Phone]
) -> None:
    status = chance.choice(list(MissionStatus))
    phone = chance.choice(phones)
    begin = NOW - timedelta(hours=5) + timedelta(minutes=chance.randrange(600))
    is_over = status == MissionStatus.COMPLETED
    mission = Mission.objects.create(
        employer=acme, external_id=f"M-{number}", status=status, planned_start_at=begin,
        planned_end_at=begin + timedelta(hours=3),
        opened_at=begin if status in (MissionStatus.STARTED, MissionStatus.COMPLETED) else None,
        ended_at=begin + timedelta(hours=3) if is_over else None,
    )  # fmt: skip
    if status not in (MissionStatus.DRAFT, MissionStatus.PLANNED):
        MissionAssignment.objects.create(
            employer=acme, mission=mission, driver=phone.driver, period=(None, None)
        )
    for seq in range(1, chance.randrange(1, 5)):
        at = begin + timedelta(minutes=40 * seq)
        has_window = chance.random() < 0.6
        stop = Stop.objects.create(
            employer=acme, mission=mission, seq=seq, site=chance.choice([site, None]),
            planned_arrival_at=chance.choice([at, None]),
            window_start_at=at - timedelta(minutes=10) if has_window else None,
            window_end_at=at + timedelta(minutes=10) if has_window else None,
            requires_photo=chance.random() < 0.3, requires_signature=chance.random() < 0.3,
            result=chance.choice(["", "", *StopResult.values]),
            remark=chance.choice(["", "", "", "ring twice"]),
        )  # fmt: skip
        if chance.random() < 0.6:
            _visit(chance, stop, phone, at)


def _visit(chance: random.Random, stop: Stop, phone: Phone, at: datetime) -> None:
    at += timedelta(minutes=chance.randrange(-30, 40))
    events = []
    for minute, stage in enumerate((Stage.ARRIVAL, Stage.UNLOADING_STARTED, Stage.DEPARTURE)):
        if chance.random() < 0.8:
            events.append(_stage(chance, stop, phone, stage, at + timedelta(minutes=minute * 9)))
    if chance.random() < 0.1:
        events.append(_stage(chance, stop, phone, Stage.EXCEPTION, at, reason="damage"))
    if events and chance.random() < 0.2:
        wrong = chance.choice(events)
        _stage(
            chance, stop, phone, Stage(wrong.stage), wrong.recorded_at + timedelta(hours=1),
            corrects=wrong, is_retraction=chance.random() < 0.5, source="dispatcher",
        )  # fmt: skip
    named = chance.choice(events).client_id if events else ""
    about = {
        "employer_id": stop.employer_id, "mission_id": stop.mission_id, "driver": phone.driver,
        "device": phone.device, "recorded_at": at,
    }  # fmt: skip
    if chance.random() < 0.5:
        has_stop = chance.random() < 0.5
        Attachment.objects.create(
            **about, client_id=f"P-{stop.pk}", stop=stop if has_stop else None,
            stage_client_id="" if has_stop else named, file="x.jpg", media_type="image/jpeg",
            width_px=1, height_px=1, size_bytes=1, content_sha256=b"", original_sha256=b"",
            original_media_type="image/jpeg", original_size_bytes=1,
        )  # fmt: skip
    if chance.random() < 0.5:
        Signature.objects.create(
            **about, client_id=f"S-{stop.pk}", stop=stop, signer_name="A. Receiver",
            outcome=chance.choice(["signed", "refused", "nobody_there"]),
            document={}, document_sha256=b"",
        )  # fmt: skip


def _stage(
    chance: random.Random, stop: Stop, phone: Phone, stage: Stage, at: datetime, **more: object
) -> StageEvent:
    return StageEvent.objects.create(
        employer_id=stop.employer_id, mission_id=stop.mission_id, driver=phone.driver,
        stop=stop if chance.random() < 0.8 else None, stage=stage, recorded_at=at,
        client_id=f"{stop.pk}-{stage}-{at:%H%M}-{len(more)}", fix_id=chance.randrange(1 << 60),
        site_check=chance.choice(["inside", "inside", "outside", "unknown"]),
        site_distance_m=chance.choice([10.0, 900.0, None]), note=chance.choice(["", "", "gate B"]),
        **more,
    )  # fmt: skip


def test_both_reads_say_the_same_of_every_odd_mission(odd_day: None, acme: Employer) -> None:
    lean, whole = flags_of(acme)
    assert len(lean) > 80
    assert lean == whole
    # Each flag was put to the test.
    assert {name for flags in lean.values() for name in flags} == set(FLAGS)


def test_both_reads_hide_the_same(odd_day: None, acme: Employer, ada: Driver) -> None:
    Driver.objects.filter(pk=ada.pk).update(frozen_at=NOW)
    lean, whole = flags_of(acme)
    assert lean == whole
    hidden = MissionAssignment.objects.filter(driver=ada).values_list("mission_id", flat=True)
    assert hidden
    assert not any(lean.get(mission) for mission in hidden)


def test_the_days_query_has_an_index_that_fits_it(acme: Employer) -> None:
    past = BEGIN - timedelta(days=400)
    Mission.objects.bulk_create(
        Mission(
            employer=acme,
            external_id=f"P-{number}",
            status=MissionStatus.COMPLETED,
            planned_start_at=past + timedelta(hours=number),
            planned_end_at=past + timedelta(hours=number + 1),
        )
        for number in range(2_000)
    )
    missions = matching(Mission.objects.filter(employer=acme), {"begin": BEGIN, "end": END})
    with connection.cursor() as cursor:
        # What other tests left in the statistics does not choose the plan.
        cursor.execute("ANALYZE missions_mission")
        # However small the table is here.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "missions_by_end" in missions.explain()
