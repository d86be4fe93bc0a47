"""One row for each stop: what was planned, what happened, what proves it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.freezing import freeze_driver
from missions.models import (
    Attachment,
    Mission,
    MissionStatus,
    Signature,
    SignatureOutcome,
    Stop,
    StopResult,
)
from tests.cast import ClientFor, Phone
from tests.tracking.reading import at, opened, press
from tracking.stop_times import StopTimes, stop_times_of
from tracking.stop_times_serializers import MissionTimesSerializer, StopTimesSerializer
from tracking.timeline_serializers import ExceptionSerializer

pytestmark = pytest.mark.django_db


def add_stop(mission: Mission, seq: int = 1, **plan: Any) -> Stop:
    return Stop.objects.create(employer=mission.employer, mission=mission, seq=seq, **plan)


def photograph(phone: Phone, mission: Mission, client_id: str, **values: Any) -> Attachment:
    return Attachment.objects.create(
        employer=mission.employer,
        driver=phone.driver,
        device=phone.device,
        mission=mission,
        client_id=client_id,
        **{
            "recorded_at": at(15),
            "file": "attachments/1.jpg",
            "media_type": "image/jpeg",
            "width_px": 1,
            "height_px": 1,
            "size_bytes": 1,
            "content_sha256": bytes(32),
            "original_media_type": "image/jpeg",
            "original_size_bytes": 1,
            "original_sha256": bytes(32),
        }
        | values,
    )


def sign(
    phone: Phone,
    mission: Mission,
    stop: Stop,
    outcome: SignatureOutcome = SignatureOutcome.SIGNED,
    **values: Any,
) -> Signature:
    return Signature.objects.create(
        employer=mission.employer,
        driver=phone.driver,
        device=phone.device,
        mission=mission,
        stop=stop,
        outcome=outcome,
        **{
            "client_id": "s-1",
            "recorded_at": at(20),
            "signer_name": "I. Claes",
            "document": {},
            "document_sha256": bytes(32),
        }
        | values,
    )


def deliver(phone: Phone, mission: Mission, stop: Stop | None, begin: float = 10) -> None:
    """Arrive, wait 4 minutes, unload 6, leave 5 minutes after that."""
    for minute, stage in (
        (0, "arrival"), (4, "unloading_started"), (10, "unloading_ended"), (15, "departure")
    ):  # fmt: skip
        press(phone, at(begin + minute), stage, None, mission=mission, stop=stop)


def only(mission: Mission) -> StopTimes:
    (row,) = stop_times_of(mission)
    return row


def test_a_stop_tells_planned_and_actual(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(
        mission, planned_arrival_at=at(8), planned_departure_at=at(20), free_time_s=600,
        window_start_at=at(0), window_end_at=at(9), result=StopResult.SUCCEEDED,
    )  # fmt: skip
    deliver(ada_phone, mission, stop)
    row = only(mission)
    assert (row.arrived_at, row.departed_at) == (at(10), at(25))
    assert (row.arrival_delta_s, row.departure_delta_s) == (120, 300)
    assert (row.waiting_s, row.unloading_s, row.paperwork_s) == (240, 360, 300)
    assert (row.dwell_s, row.detention_s, row.loading_s) == (900, 300, None)
    assert (row.on_time, row.otif, row.end_inferred) == (False, False, False)
    assert [event.recorded_at for event in row.stages] == [at(10), at(14), at(20), at(25)]


def test_the_employers_tolerance_decides_where_there_is_no_window(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    deliver(ada_phone, mission, add_stop(mission, planned_arrival_at=at(0)))
    assert only(mission).on_time is True
    mission.employer.late_s = 599
    mission.employer.save()
    assert only(Mission.objects.get()).on_time is False


def test_a_stop_that_nobody_came_to_is_empty(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    add_stop(mission, planned_arrival_at=at(8))
    row = only(mission)
    assert (row.arrived_at, row.on_time, row.dwell_s, row.stages) == (None, None, None, ())
    assert row.planned_arrival_at == at(8)


def test_stages_that_name_no_stop_belong_to_where_the_driver_is(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 90)
    first, second = add_stop(mission, 1), add_stop(mission, 2)
    press(ada_phone, at(0), "departure", None, mission=mission)
    press(ada_phone, at(10), "arrival", None, mission=mission, stop=first)
    press(ada_phone, at(20), "departure", None, mission=mission)
    press(ada_phone, at(40), "arrival", None, mission=mission)
    press(ada_phone, at(55), "departure", None, mission=mission, stop=second)
    rows = stop_times_of(mission)
    assert [(row.arrived_at, row.dwell_s) for row in rows] == [(at(10), 600), (at(40), 900)]


def test_a_corrected_stage_is_replaced(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission)
    wrong = press(ada_phone, at(10), "arrival", None, mission=mission, stop=stop)
    press(ada_phone, at(25), "departure", None, mission=mission, stop=stop)
    assert only(mission).dwell_s == 900
    press(ada_phone, at(15), "arrival", None, mission=mission, stop=stop, corrects=wrong)
    assert (only(mission).arrived_at, only(mission).dwell_s) == (at(15), 600)


def test_the_distance_is_that_of_the_arrival(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission)
    for minute, stage, metres in ((10, "arrival", 40.0), (20, "departure", 900.0)):
        press(
            ada_phone, at(minute), stage, mission=mission, stop=stop,
            site_distance_m=metres, accuracy_m=8.0, site_check="inside",
        )  # fmt: skip
    row = only(mission)
    assert (row.site_distance_m, row.accuracy_m, row.site_check) == (40.0, 8.0, "inside")


def test_evidence_is_counted_whichever_way_it_names_its_stop(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission, requires_photo=True, requires_signature=True)
    assert only(mission).missing == ("photo", "signature")
    photograph(ada_phone, mission, "p-1", stage_client_id="arrived")
    assert only(mission).photo_count == 0
    wrong = press(ada_phone, at(10), "arrival", None, mission=mission, client_id="arrived")
    press(ada_phone, at(11), "arrival", None, mission=mission, stop=stop, corrects=wrong)
    photograph(ada_phone, mission, "p-2", stop=stop)
    assert (only(mission).photo_count, only(mission).missing) == (2, ("signature",))
    sign(ada_phone, mission, stop)
    assert (only(mission).signature_count, only(mission).missing) == (1, ())


def test_nobody_there_to_sign_wants_a_photo(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission, requires_signature=True)
    sign(ada_phone, mission, stop, SignatureOutcome.NOBODY_THERE, signer_name="")
    assert only(mission).missing == ("signature",)
    photograph(ada_phone, mission, "p-1", stop=stop)
    assert only(mission).missing == ()
    sign(ada_phone, mission, stop, SignatureOutcome.REFUSED, client_id="s-2")
    Attachment.objects.all().delete()
    assert only(mission).missing == ()


def test_a_failed_stop_has_nothing_to_sign(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission, requires_signature=True, requires_photo=True)
    Stop.objects.filter(pk=stop.pk).update(result=StopResult.FAILED)
    assert only(mission).missing == ("photo",)


def test_a_frozen_drivers_stages_and_photos_are_left_out(ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    stop = add_stop(mission)
    deliver(ada_phone, mission, stop)
    photograph(ada_phone, mission, "p-1", stop=stop)
    assert (only(mission).dwell_s, only(mission).photo_count) == (900, 1)
    freeze_driver(ada_phone.driver)
    assert (only(mission).dwell_s, only(mission).photo_count) == (None, 0)


@pytest.mark.parametrize("count", [1, 30])
def test_the_rows_cost_the_same_queries_however_many(ada_phone: Phone, count: int) -> None:
    mission = opened(ada_phone.driver, 0, 600)
    for n in range(count):
        stop = add_stop(mission, n + 1)
        deliver(ada_phone, mission, stop, 20 * n)
        photograph(ada_phone, mission, f"p-{n}", stop=stop)
    mission = Mission.objects.select_related("employer").get()
    with CaptureQueriesContext(connection) as queries:
        rows = stop_times_of(mission)
    assert [row.dwell_s for row in rows] == [900] * count
    assert len(queries) == 4


# --- Over the API ----------------------------------------------------------------------------


def path(mission: Mission) -> str:
    return f"/api/v1/missions/{mission.uuid}/stops/times"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("dispatcher", 200),
        ("manager", 200),
        ("nobody", 401),
        ("dpo", 403),
        ("driver", 403),
        ("stranger", 404),
    ],
)
def test_who_may_read_the_times_of_stops(
    client_for: ClientFor, ada_phone: Phone, role: str, status: int
) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    assert client_for(role).get(path(mission)).status_code == status


def test_the_times_of_stops_are_answered_in_order(client_for: ClientFor, ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    add_stop(mission, 2, requires_photo=True)
    first = add_stop(mission, 1, planned_arrival_at=at(-10), free_time_s=600)
    deliver(ada_phone, mission, first)
    response = client_for("dispatcher").get(path(mission))
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert list(body) == list(MissionTimesSerializer().fields)
    one, two = body["results"]
    assert list(one) == list(two) == list(StopTimesSerializer().fields)
    assert (one["seq"], one["stop"]) == (1, str(first.uuid))
    assert (one["arrived_at"], one["departed_at"]) == (
        "2026-11-24T08:10:00Z",
        "2026-11-24T08:25:00Z",
    )
    assert (one["waiting_s"], one["unloading_s"], one["paperwork_s"]) == (240, 360, 300)
    assert (one["dwell_s"], one["detention_s"], one["arrival_delta_s"]) == (900, 300, 1200)
    (late,) = one["exceptions"]
    assert list(late) == list(ExceptionSerializer().fields)
    assert (late["type"], late["source"], late["delta_s"]) == ("late", "automatic", 300)
    assert (two["arrived_at"], two["missing"]) == (None, ["photo"])
    assert [exception["type"] for exception in two["exceptions"]] == ["skipped"]


def test_a_cancelled_mission_has_nothing_amiss(client_for: ClientFor, ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    add_stop(mission)
    (row,) = client_for("dispatcher").get(path(mission)).json()["results"]
    assert row["exceptions"] != []
    Mission.objects.update(status=MissionStatus.CANCELLED)
    (row,) = client_for("dispatcher").get(path(mission)).json()["results"]
    assert row["exceptions"] == []


@pytest.mark.parametrize("count", [1, 30])
def test_the_answer_costs_the_same_queries_however_many_stops(
    client_for: ClientFor, ada_phone: Phone, count: int
) -> None:
    mission = opened(ada_phone.driver, 0, 600)
    for n in range(count):
        deliver(ada_phone, mission, add_stop(mission, n + 1), 20 * n)
    client = client_for("dispatcher")
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(path(mission)).json()["results"]) == count
    # The session, its user, the roles, the mission with its employer; then the rows.
    assert len(queries) == 4 + 4, [query["sql"][:80] for query in queries]
