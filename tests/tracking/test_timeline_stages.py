"""What a stage says beside its time: plan, clocks, corrections, proofs, and what is amiss."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.freezing import freeze_driver
from accounts.models import Driver, MarkSource, Truck, User
from missions.models import Attachment, Mission, SignatureOutcome, Site, Stop, StopResult
from tests.cast import ClientFor, Phone, assign, put_fixes
from tests.tracking.reading import EIGHT, at, drive, opened, press
from tests.tracking.test_stop_times import add_stop, deliver, photograph, sign
from tracking.ingest.sent import FLAG_MOCK
from tracking.models import Fix
from tracking.timeline import (
    Timeline,
    timeline_of_driver,
    timeline_of_mission,
    timeline_of_truck,
)

pytestmark = pytest.mark.django_db
NOW = EIGHT + timedelta(days=1)
DAY = date(2026, 11, 24)


def entries(client_for: ClientFor, mission: Mission) -> list[dict[str, Any]]:
    body = client_for("dispatcher").get(f"/api/v1/missions/{mission.uuid}/timeline").json()
    found: list[dict[str, Any]] = body["entries"]
    return found


def amiss(mission: Mission) -> list[str]:
    mission.refresh_from_db()
    return [one.type for one in timeline_of_mission(mission, NOW).exceptions]


@pytest.fixture
def mission(ada: Driver) -> Mission:
    return opened(ada, 0, 60)


# --- Beside the plan -------------------------------------------------------------------------


def test_arrival_and_departure_stand_beside_their_plan(
    client_for: ClientFor, ada_phone: Phone, mission: Mission
) -> None:
    stop = add_stop(
        mission, planned_arrival_at=at(8), planned_departure_at=at(30),
        window_start_at=at(0), window_end_at=at(9), free_time_s=300,
    )  # fmt: skip
    deliver(ada_phone, mission, stop)
    arrival, dwell, begun, _, departure = entries(client_for, mission)
    assert (arrival["planned_at"], arrival["delta_s"]) == ("2026-11-24T08:08:00Z", 120)
    assert (arrival["window_end_at"], arrival["on_time"]) == ("2026-11-24T08:09:00Z", False)
    assert (departure["delta_s"], "on_time" in departure) == (-300, False)
    assert "planned_at" not in begun
    assert (dwell["waiting_s"], dwell["unloading_s"], dwell["paperwork_s"]) == (240, 360, 300)
    assert (dwell["detention_s"], dwell["end_inferred"], dwell["loading_s"]) == (600, False, None)


def test_a_stage_tells_where_from_and_how_far(
    client_for: ClientFor, ada_phone: Phone, mission: Mission
) -> None:
    press(
        ada_phone, at(10), "arrival", mission=mission, stop=add_stop(mission),
        position_source="last_known", position_recorded_at=at(7), accuracy_m=12.0,
        site_distance_m=420.5, site_check="outside", odometer_m=183_220_100, note="gate closed",
    )  # fmt: skip
    arrival, _ = entries(client_for, mission)
    told = ("position_source", "position_recorded_at", "accuracy_m", "site_distance_m",
            "site_check", "odometer_m", "note")  # fmt: skip
    assert [arrival[name] for name in told] == [
        "last_known", "2026-11-24T08:07:00Z", 12.0, 420.5, "outside", 183_220_100, "gate closed",
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "is_told"), [(60, False), (61, True), (-61, True)])
def test_both_clocks_are_told_when_they_differ_by_more_than_a_minute(
    client_for: ClientFor, ada_phone: Phone, mission: Mission, seconds: int, is_told: bool
) -> None:
    received_at = at(10) + timedelta(seconds=seconds)
    press(ada_phone, at(10), "arrival", None, mission=mission, received_at=received_at)
    soon = at(5) + timedelta(seconds=1)
    put_fixes(
        ada_phone, [(at(5), 50.85, 4.35), (soon, 50.85, 4.3501)], mission=mission,
        received_at=at(5) + timedelta(seconds=seconds),
    )  # fmt: skip
    move, arrival, _ = entries(client_for, mission)
    assert [("received_at" in entry) for entry in (move, arrival)] == [is_told, is_told]
    late = [entry.came_late_at for entry in timeline_of_mission(mission, NOW).entries]
    assert late == [None, None, None]


def test_a_correction_and_what_it_corrects_name_each_other(
    client_for: ClientFor, ada_phone: Phone, mission: Mission, dee: User
) -> None:
    stop = add_stop(mission)
    wrong = press(ada_phone, at(10), "arrival", None, mission=mission, stop=stop)
    right = press(
        ada_phone, at(12), "arrival", None, mission=mission, stop=stop, corrects=wrong,
        author=dee, remark="pressed at the lights", source=MarkSource.DISPATCHER,
    )  # fmt: skip
    old, new, _ = entries(client_for, mission)
    assert (old["is_superseded"], new["is_superseded"]) == (True, False)
    assert old["corrected_by"] == {
        "stage_event": str(right.uuid),
        "recorded_at": "2026-11-24T08:12:00Z",
        "author": str(dee.uuid),
        "remark": "pressed at the lights",
    }
    assert (new["corrects"], new["author"]) == (str(wrong.uuid), str(dee.uuid))
    assert (new["source"], new["remark"]) == ("dispatcher", "pressed at the lights")


# --- Photos, signatures, results -------------------------------------------------------------


@pytest.mark.parametrize("photo_first", [True, False])
def test_a_photo_is_joined_to_its_stage_whichever_came_first(
    client_for: ClientFor, ada_phone: Phone, mission: Mission, photo_first: bool
) -> None:
    stop = add_stop(mission)

    def photo() -> Attachment:
        return photograph(ada_phone, mission, "p-1", stage_client_id="a-1", recorded_at=at(11))

    taken = photo() if photo_first else None
    event = press(ada_phone, at(10), "arrival", None, mission=mission, stop=stop, client_id="a-1")
    taken = taken or photo()
    shown = [entry for entry in entries(client_for, mission) if entry["type"] == "attachment"]
    (entry,) = shown
    assert (entry["attachment"], entry["stage_event"]) == (str(taken.uuid), str(event.uuid))
    assert (entry["started_at"], entry["stop"]) == ("2026-11-24T08:11:00Z", str(stop.uuid))
    assert (entry["kind"], entry["source"]) == ("goods", "driver")
    assert "file" not in entry


def test_a_photo_without_its_stage_is_shown_all_the_same(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone, mission: Mission
) -> None:
    photograph(ada_phone, mission, "p-1", stage_client_id="1", recorded_at=at(70))
    # Another phone numbers its stages too.
    press(ben_phone, at(10), "exception", None, mission=mission, client_id="1")
    photo = entries(client_for, mission)[-1]
    assert (photo["type"], photo["stage_event"]) == ("attachment", None)


def test_a_signature_and_a_result_are_entries(
    client_for: ClientFor, ada_phone: Phone, mission: Mission
) -> None:
    stop = add_stop(
        mission, result=StopResult.FAILED, result_reason="receiverAbsent", result_at=at(30),
        result_source=MarkSource.DRIVER, remark="nobody in",
    )  # fmt: skip
    signed = sign(ada_phone, mission, stop, SignatureOutcome.REFUSED, site_check="inside")
    signature, result = entries(client_for, mission)
    assert (signature["type"], signature["signature"]) == ("signature", str(signed.uuid))
    assert (signature["outcome"], signature["site_check"]) == ("refused", "inside")
    assert (result["type"], result["result"], result["source"]) == ("result", "failed", "driver")
    assert (result["reason"], result["remark"]) == ("receiverAbsent", "nobody in")


def test_of_a_frozen_driver_neither_photos_nor_results_are_shown(
    ada_phone: Phone, mission: Mission, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0))
    stop = add_stop(
        mission, result=StopResult.SUCCEEDED, result_at=at(30), result_source=MarkSource.DRIVER
    )
    photograph(ada_phone, mission, "p-1", stop=stop)
    sign(ada_phone, mission, stop)
    shown = ["attachment", "signature", "result"]
    assert [e.segment.type for e in timeline_of_mission(mission, NOW).entries] == shown
    assert [e.segment.type for e in timeline_of_truck(truck12, DAY, NOW).entries] == shown[:2]
    freeze_driver(ada_phone.driver)
    assert timeline_of_mission(mission, NOW).entries == []
    assert timeline_of_truck(truck12, DAY, NOW).entries == []


def test_a_photo_of_another_truck_is_not_in_a_trucks_day(
    ada_phone: Phone, mission: Mission, truck12: Truck, truck34: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(30))
    assign(truck34, ada_phone.driver, at(30))
    photograph(ada_phone, mission, "p-1", recorded_at=at(15))
    photograph(ada_phone, mission, "p-2", recorded_at=at(45))
    assert [e.segment.started_at for e in timeline_of_truck(truck12, DAY, NOW).entries] == [at(15)]
    assert len(timeline_of_driver(ada_phone.driver, DAY, NOW).entries) == 2


@pytest.mark.parametrize("count", [1, 30])
def test_corrections_and_proofs_cost_the_same_queries_however_many(
    ada: Driver, ada_phone: Phone, truck12: Truck, count: int
) -> None:
    mission = opened(ada, 0, 600, truck=truck12)
    put_fixes(ada_phone, drive(0, 3 + count), truck=truck12, mission=mission)
    for n in range(count):
        stop = add_stop(mission, n + 1, result=StopResult.SUCCEEDED, result_at=at(n))
        wrong = press(ada_phone, at(60 + n), "arrival", None, mission=mission, stop=stop)
        press(ada_phone, at(61 + n), "arrival", None, mission=mission, stop=stop, corrects=wrong)
        photograph(ada_phone, mission, f"p-{n}", stop=stop)
        sign(ada_phone, mission, stop, client_id=f"s-{n}")
    reads: tuple[tuple[Callable[[], Timeline], int], ...] = (
        (lambda: timeline_of_driver(ada, DAY, NOW), 10),
        (lambda: timeline_of_truck(truck12, DAY, NOW), 12),
        (lambda: timeline_of_mission(mission, NOW), 14),
    )
    for read, most in reads:
        with CaptureQueriesContext(connection) as queries:
            timeline = read()
        assert len(timeline.entries) >= 4 * count
        assert len(queries) == most, [query["sql"][:60] for query in queries]


# --- What nobody pressed ---------------------------------------------------------------------


def test_late_and_early_arrivals(ada_phone: Phone, mission: Mission) -> None:
    stop = add_stop(mission, window_start_at=at(20), window_end_at=at(30))
    deliver(ada_phone, mission, stop)
    (early,) = timeline_of_mission(mission, NOW).exceptions
    assert (early.type, early.started_at, early.delta_s) == ("early", at(10), -600)
    Stop.objects.update(window_start_at=None, window_end_at=at(9))
    (late,) = timeline_of_mission(mission, NOW).exceptions
    assert (late.type, late.delta_s) == ("late", 60)


def test_a_stop_to_come_is_late_and_when_all_is_over_skipped(ada: Driver) -> None:
    mission = opened(ada, 0)
    add_stop(mission, window_end_at=at(30))
    assert timeline_of_mission(mission, at(29)).exceptions == []
    (late,) = timeline_of_mission(mission, at(31)).exceptions
    assert (late.type, late.started_at, late.delta_s) == ("late", None, 60)
    Mission.objects.update(ended_at=at(60))
    assert amiss(mission) == ["skipped"]
    Stop.objects.update(result=StopResult.CANCELLED)
    assert amiss(mission) == []


def test_an_arrival_before_an_earlier_stop_is_out_of_sequence(
    ada_phone: Phone, mission: Mission
) -> None:
    first, second, third = (add_stop(mission, seq) for seq in (1, 2, 3))
    deliver(ada_phone, mission, second, 0)
    deliver(ada_phone, mission, first, 20)
    deliver(ada_phone, mission, third, 40)
    (found,) = timeline_of_mission(mission, NOW).exceptions
    assert (found.type, found.stop, found.started_at) == ("out_of_sequence", second, at(0))
    first.result = StopResult.CANCELLED
    first.save()
    assert amiss(mission) == []


def test_a_stage_far_from_its_site_is_said(ada_phone: Phone, mission: Mission) -> None:
    stop = add_stop(mission, site=Site.objects.create(employer=mission.employer, name="Depot"))
    press(ada_phone, at(10), "arrival", mission=mission, stop=stop,
          site_check="outside", site_distance_m=900.0)  # fmt: skip
    press(ada_phone, at(12), "departure", mission=mission, stop=stop, site_check="inside")
    (found,) = timeline_of_mission(mission, NOW).exceptions
    assert (found.type, found.stop, found.distance_m) == ("far_from_site", stop, 900.0)


def test_evidence_is_missed_only_once_the_driver_has_left(
    ada_phone: Phone, mission: Mission
) -> None:
    stop = add_stop(mission, requires_photo=True)
    press(ada_phone, at(10), "arrival", None, mission=mission, stop=stop)
    assert amiss(mission) == []
    press(ada_phone, at(20), "departure", None, mission=mission, stop=stop)
    (found,) = timeline_of_mission(mission, NOW).exceptions
    assert (found.type, found.missing) == ("missing_evidence", ("photo",))
    photograph(ada_phone, mission, "p-1", stop=stop)
    assert amiss(mission) == []


def test_gaps_and_mock_positions(ada: Driver, ada_phone: Phone, mission: Mission) -> None:
    put_fixes(ada_phone, [(at(0), 50.85, 4.35), (at(20), 50.95, 4.35)], mission=mission)
    assert amiss(mission) == ["gap"]
    Fix.objects.filter(recorded_at=at(20)).update(flags=FLAG_MOCK)
    _, mock = timeline_of_mission(mission, NOW).exceptions
    assert (mock.type, mock.started_at, mock.count) == ("mock_position", at(20), 1)
    assert len(timeline_of_driver(ada, DAY, NOW).exceptions) == 2


def test_clocks_that_cannot_be_right(ada_phone: Phone, mission: Mission) -> None:
    put_fixes(ada_phone, drive(0, 4), mission=mission)
    assert amiss(mission) == []
    for minute, metres in ((0, 10_000), (1, 10_500), (2, 9_700), (3, 10_200)):
        Fix.objects.filter(recorded_at=at(minute)).update(odometer_m=metres)
    (found,) = timeline_of_mission(mission, NOW).exceptions
    assert (found.type, found.started_at, found.ended_at) == ("clock_anomaly", at(1), at(2))
    Fix.objects.update(odometer_m=None)
    Fix.objects.filter(recorded_at=at(3)).update(received_at=at(1))
    (ahead,) = timeline_of_mission(mission, NOW).exceptions
    assert (ahead.type, ahead.started_at, ahead.count) == ("clock_anomaly", at(3), 1)


def test_a_mission_without_a_truck_is_in_no_trucks_day(
    ada_phone: Phone, cy_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(30))
    put_fixes(ada_phone, drive(0, 5))
    put_fixes(ada_phone, drive(40, 45), mission=opened(ada_phone.driver, 35, 60))
    put_fixes(cy_phone, drive(10, 20), mission=opened(cy_phone.driver, 5, 25))
    timeline = timeline_of_truck(truck12, DAY, NOW)
    assert [entry.driver for entry in timeline.entries] == [ada_phone.driver]
    assert [(s.started_at, s.ended_at, s.driver) for s in timeline.shifts] == [
        (at(0), at(30), ada_phone.driver)
    ]
