"""One group of requests, one transaction: what is stored, linked and answered."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random

import pytest
from django.db import connection
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from accounts.duty_marks import DutyMarkKind
from accounts.models import DeviceHolding, DutyMark, Employer, MarkSource, TrackingWindow, Truck
from config.database import connection_arguments
from missions.models import Mission, StageEvent
from tests.cast import Phone, assign, make_phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix, mark
from tests.tracking.ingest.conftest import hand_over, make_mission
from tracking.ingest.arrays import Request
from tracking.ingest.judge import accepted_span, judged
from tracking.ingest.outcomes import Recorded
from tracking.ingest.recording import SESSION_OPTIONS, Recorder
from tracking.ingest.sent import JudgedFix, SentFix
from tracking.models import Fix, LinkSource, UnstoredCount
from tracking.partitions import make_partitions

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def stored(phone: Phone) -> list[Fix]:
    return list(Fix.objects.filter(driver_id=phone.driver.pk).order_by("recorded_at"))


def test_a_fix_is_stored_with_driver_truck_and_phone(
    ingest: AsgiPhone, ada_phone: Phone, truck12: Truck, now: datetime
) -> None:
    assign(truck12, ada_phone.driver, None)
    values = {"accuracy_m": 8, "speed_mps": 13.9, "heading_deg": 181, "altitude_m": 52}
    more = {"odometer_m": 183220100, "battery": 0.81, "is_mock": True}

    answer = ingest.post(ada_phone.token, [fix(now, **values, **more)])

    assert answer.status == 200
    assert answer.statuses == ["stored"]
    (row,) = stored(ada_phone)
    assert (row.recorded_at, row.latitude, row.longitude) == (now, 50.85, 4.35)
    assert (row.employer_id, row.device_id) == (ada_phone.driver.employer_id, ada_phone.device.pk)
    assert (row.truck_id, row.mission_id, row.link_source) == (truck12.pk, None, LinkSource.NONE)
    assert {name: getattr(row, name) for name in values} == values
    assert (row.odometer_m, row.battery, row.flags) == (183220100, 0.81, 1)
    assert row.received_at > row.recorded_at


def test_the_same_batch_again_in_any_order_changes_nothing(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    batch = [fix(now + n * MINUTE, 50 + n / 100) for n in range(30)]
    assert ingest.post(ada_phone.token, batch, zipped=True).json["stored"] == 30
    before = stored(ada_phone)

    Random(7).shuffle(batch)  # noqa: S311 (an order, not a secret)
    answer = ingest.post(ada_phone.token, batch)

    assert (answer.json["stored"], answer.json["duplicates"]) == (0, 30)
    assert [row.received_at for row in stored(ada_phone)] == [row.received_at for row in before]


def test_the_same_fix_twice_in_one_batch_is_stored_once(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    assert ingest.post(ada_phone.token, [fix(now)] * 3).statuses == [
        "stored",
        "duplicate",
        "duplicate",
    ]


def test_two_phones_of_one_driver_in_one_group_store_a_fix_once(
    ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    second = make_phone(ada_phone.driver)
    place = judged(
        SentFix(recorded_at=now, latitude=50.85, longitude=4.35),
        accepted_span(datetime.now(UTC), 59),
    )
    assert isinstance(place, JudgedFix)
    make_partitions()

    async def record() -> list[Recorded]:
        conninfo = make_conninfo(**connection_arguments(connection.settings_dict))
        async with await AsyncConnection.connect(
            conninfo, autocommit=True, options=SESSION_OPTIONS
        ) as connected:
            group = [
                Request(sha256(phone.token.encode()).digest(), [place])
                for phone in (ada_phone, second, ben_phone)
            ]
            return await Recorder(connected, has_route_period=True).record_group(group)

    assert [outcome.letters for outcome in asyncio.run(record())] == ["S", "D", "S"]
    assert len(stored(ada_phone)) == len(stored(ben_phone)) == 1


def test_two_places_in_one_second_are_two_fixes(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    answer = ingest.post(ada_phone.token, [fix(now, 50.1), fix(now, 50.2)])
    assert answer.statuses == ["stored", "stored"]
    assert len(stored(ada_phone)) == 2


def test_one_bad_fix_in_a_thousand_harms_only_itself(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    batch = [fix(now + timedelta(seconds=n), 50 + n / 10_000) for n in range(1000)]
    batch[417]["latitude"] = 91

    answer = ingest.post(ada_phone.token, batch)

    assert (answer.json["stored"], answer.json["refused"]) == (999, 1)
    assert answer.json["results"][417]["reason"] == "latitude_out_of_range"
    assert len(stored(ada_phone)) == 999
    counts = UnstoredCount.objects.filter(device=ada_phone.device)
    assert [(row.reason, row.count) for row in counts] == [("latitude_out_of_range", 1)]


def test_a_phone_that_changed_hands_links_each_fix_to_who_carried_it(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    hand_over(ada_phone, ben_phone.driver, now)
    batch = [fix(now - MINUTE), fix(now), fix(now + MINUTE)]

    assert ingest.post(ada_phone.token, batch).json["stored"] == 3
    assert ingest.post(ada_phone.token, batch).json["duplicates"] == 3
    assert [row.recorded_at for row in stored(ada_phone)] == [now - MINUTE]
    assert [row.recorded_at for row in stored(ben_phone)] == [now, now + MINUTE]


def test_a_fix_from_before_anybody_carried_the_phone_is_refused_and_counted(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    DeviceHolding.objects.filter(device=ada_phone.device).update(period=(now, None))
    answer = ingest.post(ada_phone.token, [fix(now - MINUTE), fix(now)])
    assert answer.statuses == ["refused", "stored"]
    assert answer.reasons[0] == "no_driver"
    assert UnstoredCount.objects.get(device=ada_phone.device, reason="no_driver").count == 1


def test_a_phone_paired_again_stores_nothing_twice(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    second = make_phone(ada_phone.driver)
    assert ingest.post(ada_phone.token, [fix(now)]).statuses == ["stored"]
    assert ingest.post(second.token, [fix(now)]).statuses == ["duplicate"]


def test_a_departure_opens_the_mission_that_its_neighbours_link_to(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    batch = [fix(now + n * MINUTE, 50 + n / 100) for n in range(1, 6)]
    batch.insert(3, fix(now, kind="departure", mission="M-1"))

    assert ingest.post(ada_phone.token, batch).json["stored"] == 6

    mission.refresh_from_db()
    assert (mission.status, mission.opened_at, mission.ended_at) == ("started", now, None)
    sources = [(row.mission_id, row.link_source) for row in stored(ada_phone)]
    assert sources == [(mission.pk, LinkSource.CLIENT)] + [(mission.pk, LinkSource.RESOLVED)] * 5
    event = StageEvent.objects.get(mission=mission)
    assert (event.stage, event.recorded_at, event.position_source) == (10, now, "at_event")


def test_a_mission_is_named_by_external_id_or_id_and_a_strangers_is_only_a_warning(
    ingest: AsgiPhone, ada_phone: Phone, cy_phone: Phone, mission: Mission, now: datetime
) -> None:
    theirs = make_mission(cy_phone.driver, "THEIRS")
    named = [fix(now + MINUTE, mission="M-1"), fix(now + 2 * MINUTE, mission=str(mission.uuid))]
    foreign = [
        fix(now + 3 * MINUTE, mission="THEIRS"),
        fix(now + 4 * MINUTE, mission=str(theirs.uuid)),
        fix(now + 5 * MINUTE, mission="nobody's"),
    ]

    results = ingest.post(ada_phone.token, named + foreign).json["results"]

    assert [result.get("warnings") for result in results] == [None] * 2 + [["mission_unknown"]] * 3
    links = [row.mission_id for row in stored(ada_phone)]
    assert links == [mission.pk, mission.pk, None, None, None]
    period = mission.assignments.get().linked_period
    assert (period.lower, period.upper) == (now + MINUTE, now + 2 * MINUTE)


def test_a_stage_without_a_position_is_kept_as_an_event_only(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    sent = [mark(now, "signature", mission="M-1", id="a"), mark(now, "signature", id="b")]
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "stored"]
    assert ingest.post(ada_phone.token, sent).statuses == ["duplicate", "duplicate"]
    assert stored(ada_phone) == []
    events = StageEvent.objects.filter(driver=ada_phone.driver)
    assert {(event.mission_id, event.position_source) for event in events} == {(mission.pk, "none")}


def test_the_window_keeps_out_what_lies_off_duty(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, now: datetime
) -> None:
    sent = [
        fix(now - MINUTE, 50.1),
        mark(now, "duty_started"),
        fix(now, 50.2),
        fix(now + MINUTE, 50.3),
        mark(now + 2 * MINUTE, "duty_ended"),
        fix(now + 3 * MINUTE, 50.4),
    ]
    expected = ["outside_window", "stored", "stored", "stored", "stored", "outside_window"]
    assert ingest.post(ada_phone.token, sent).statuses == expected
    assert [row.latitude for row in stored(ada_phone)] == [50.2, 50.3]
    assert DutyMark.objects.filter(driver=ada_phone.driver).count() == 2
    count = UnstoredCount.objects.get(device=ada_phone.device, reason="outside_window")
    assert count.count == 2


def test_marks_in_any_order_give_the_same_duty(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, now: datetime
) -> None:
    marks = [
        mark(now, "duty_started"),
        mark(now + 60 * MINUTE, "duty_ended"),
        mark(now + 20 * MINUTE, "private_started"),
        mark(now + 30 * MINUTE, "private_ended"),
    ]
    for one in reversed(marks):
        assert ingest.post(ada_phone.token, [one]).statuses == ["stored"]
    fixes = [fix(now + n * MINUTE, 50 + n / 1000) for n in (-5, 5, 20, 25, 30, 59, 60, 90)]
    assert ingest.post(ada_phone.token, fixes).statuses == [
        "outside_window",
        "stored",
        "outside_window",
        "outside_window",
        "stored",
        "stored",
        "outside_window",
        "outside_window",
    ]


def test_the_drivers_own_end_takes_back_an_automatic_one_of_the_same_duty_only(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, now: datetime
) -> None:
    def automatic_end(recorded_at: datetime) -> None:
        DutyMark.objects.create(
            employer=on_duty_only,
            driver=ada_phone.driver,
            kind=DutyMarkKind.DUTY_ENDED,
            recorded_at=recorded_at,
            source=MarkSource.AUTOMATIC,
        )

    ingest.post(ada_phone.token, [mark(now - 90 * MINUTE, "duty_started")])
    automatic_end(now - 80 * MINUTE)
    ingest.post(ada_phone.token, [mark(now, "duty_started")])
    automatic_end(now + 10 * MINUTE)
    late = [fix(now + 20 * MINUTE, 50.1), mark(now + 30 * MINUTE, "arrival")]
    assert ingest.post(ada_phone.token, late).statuses == ["outside_window", "outside_window"]

    ended = [mark(now + 40 * MINUTE, "duty_ended")]
    assert ingest.post(ada_phone.token, ended).statuses == ["stored"]

    assert ingest.post(ada_phone.token, late).statuses == ["stored", "stored"]
    ends = DutyMark.objects.filter(driver=ada_phone.driver, source=MarkSource.AUTOMATIC)
    assert [end.recorded_at for end in ends] == [now - 80 * MINUTE]


def test_a_break_does_not_close_the_window_and_private_mode_does_even_in_a_mission(
    ingest: AsgiPhone, on_duty_only: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    sent = [
        mark(now, "departure", mission="M-1"),
        mark(now + MINUTE, "break_started"),
        fix(now + 2 * MINUTE, 50.1),
        mark(now + 3 * MINUTE, "private_started"),
        fix(now + 4 * MINUTE, 50.2),
        mark(now + 5 * MINUTE, "arrival", mission="M-1"),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == [
        *["stored"] * 4,
        "outside_window",
        "outside_window",
    ]


def test_the_mission_window_is_shut_by_duty_alone(
    ingest: AsgiPhone, acme: Employer, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    acme.tracking_window = TrackingWindow.MISSION
    acme.save()
    sent = [
        mark(now, "duty_started"),
        fix(now + MINUTE, 50.1),
        mark(now + 2 * MINUTE, "departure", mission="M-1"),
        fix(now + 3 * MINUTE, 50.2),
        mark(now + 4 * MINUTE, "arrival", ends_mission=True),
        fix(now + 5 * MINUTE, 50.3),
    ]
    assert ingest.post(ada_phone.token, sent).statuses == [
        "stored",
        "outside_window",
        "stored",
        "stored",
        "stored",
        "outside_window",
    ]
    mission.refresh_from_db()
    assert (mission.status, mission.ended_at) == ("completed", now + 4 * MINUTE)


def test_spacing_thins_distance_fixes_only_and_never_a_duplicate(
    ingest: AsgiPhone, acme: Employer, ada_phone: Phone, now: datetime
) -> None:
    acme.min_spacing_m = 500
    acme.save()
    metre = 1 / 111_195
    sent = [
        fix(now, 50.0),
        fix(now + MINUTE, 50.0 + 300 * metre),
        fix(now + 2 * MINUTE, 50.0 + 480 * metre),  # 25 m of tolerance
        fix(now + 3 * MINUTE, 50.0 + 500 * metre, kind="heartbeat"),
        fix(now + 4 * MINUTE, 50.0 + 510 * metre, kind="signature"),
        fix(now + 5 * MINUTE, 50.0 + 900 * metre),
    ]
    expected = ["stored", "thinned", "stored", "stored", "stored", "thinned"]
    assert ingest.post(ada_phone.token, sent).statuses == expected
    again = ["duplicate" if status == "stored" else status for status in expected]
    assert ingest.post(ada_phone.token, sent).statuses == again
    # A late fix is held against the newest kept fix before it, not after it.
    late = [fix(now + 30 * timedelta(seconds=1), 50.0 + 490 * metre)]
    assert ingest.post(ada_phone.token, late).statuses == ["stored"]
    assert UnstoredCount.objects.get(device=ada_phone.device, reason="thinned").count == 4


def test_the_employers_route_period_refuses_older_fixes(
    ingest: AsgiPhone, acme: Employer, ada_phone: Phone
) -> None:
    acme.route_months = 1
    acme.save()
    old = datetime.now(UTC) - timedelta(days=40)
    answer = ingest.post(ada_phone.token, [fix(old), fix(old + timedelta(days=39))])
    assert answer.statuses == ["refused", "stored"]
    assert answer.reasons[0] == "recorded_at_too_old"


def test_the_truck_is_the_missions_and_a_disagreement_is_flagged(
    ingest: AsgiPhone,
    ada_phone: Phone,
    mission: Mission,
    truck12: Truck,
    truck34: Truck,
    now: datetime,
) -> None:
    assign(truck12, ada_phone.driver, None)
    mission.assignments.update(truck=truck34)
    sent = [fix(now - MINUTE, 50.1), fix(now, kind="departure", mission="M-1")]
    ingest.post(ada_phone.token, sent)
    rows = stored(ada_phone)
    assert [(row.truck_id, row.flags) for row in rows] == [(truck12.pk, None), (truck34.pk, 2)]


def test_with_two_missions_open_a_fix_keeps_only_the_one_it_names(
    ingest: AsgiPhone, ada_phone: Phone, mission: Mission, now: datetime
) -> None:
    other = make_mission(ada_phone.driver, "M-2")
    ingest.post(
        ada_phone.token,
        [mark(now, "departure", mission="M-1"), mark(now, "departure", mission="M-2", id="2")],
    )
    sent = [fix(now + MINUTE, 50.1), fix(now + 2 * MINUTE, 50.2, mission="M-2")]
    assert ingest.post(ada_phone.token, sent).json["stored"] == 2
    links = [(row.mission_id, row.link_source) for row in stored(ada_phone)]
    assert links == [(None, LinkSource.NONE), (other.pk, LinkSource.CLIENT)]


def test_last_seen_is_renewed_by_a_request_but_not_by_every_one(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    ingest.post(ada_phone.token, [fix(now)])
    ada_phone.device.refresh_from_db()
    seen_at = ada_phone.device.last_seen_at
    assert seen_at is not None
    ingest.post(ada_phone.token, [fix(now + MINUTE)])
    ada_phone.device.refresh_from_db()
    assert ada_phone.device.last_seen_at == seen_at
