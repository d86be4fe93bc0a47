from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, MarkSource
from missions.lifecycle import cancel_mission, end_mission, hand_over_mission
from missions.models import Mission, StageEvent
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import (
    make_mission,
    put_stage,
    results_of,
    state_of,
    wrong_open_periods,
)
from tests.missions.opening_cases import (
    DELIVERS_LAST,
    FAILS_FIRST,
    LEAVES_DEPOT,
    LEAVES_LAST,
    Ended,
    Sent,
    State,
    at,
)


@pytest.fixture(autouse=True)
def the_day_of_the_cases_is_not_too_old(settings: Settings) -> None:
    settings.MAX_FIX_AGE_DAYS = 36_500


@pytest.fixture
def client(client_for: ClientFor, ada_phone: object) -> APIClient:
    return client_for("driver")


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=2)


def own_stages(client: APIClient, mission: Mission) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/me/missions/{mission.uuid}/stages")
    assert answer.status_code == 200, answer.json()
    shown: list[dict[str, Any]] = answer.json()["results"]
    return shown


def correct(client: APIClient, wrong: StageEvent, **said: Any) -> Any:
    body = {"client_id": "c-1", "reason": "tapped wrongly", **said}
    return client.post(f"/api/v1/me/stages/{wrong.uuid}/corrections", body)


def take_back(client: APIClient, wrong: StageEvent) -> Any:
    return correct(client, wrong, is_retraction=True)


# --- reading ---------------------------------------------------------------------------------


def test_a_driver_reads_their_stages_with_their_own_ids_of_them(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    event = put_stage(mission, ada, LEAVES_DEPOT)
    StageEvent.objects.update(client_id="s-17", note="fog", latitude=51.05, longitude=3.72)
    (shown,) = own_stages(client, mission)
    assert (shown["id"], shown["client_id"]) == (str(event.uuid), "s-17")
    assert (shown["note"], shown["latitude"]) == ("fog", 51.05)


def test_a_driver_reads_no_others_stages(
    client: APIClient, client_for: ClientFor, mission: Mission, ada: Driver, ben: Driver
) -> None:
    put_stage(mission, ada, LEAVES_DEPOT)
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    put_stage(mission, ben, LEAVES_LAST)
    assert [row["driver"] for row in own_stages(client, mission)] == [str(ada.uuid)]
    others = own_stages(client_for("other_driver"), mission)
    assert [row["driver"] for row in others] == [str(ben.uuid)]


def test_a_mission_of_others_is_404(
    client: APIClient, acme: Employer, ben: Driver, elsewhere: Employer, cy_driver: Driver
) -> None:
    for mission in (make_mission(acme, ben), make_mission(elsewhere, cy_driver)):
        assert client.get(f"/api/v1/me/missions/{mission.uuid}/stages").status_code == 404
    assert client.get(f"/api/v1/me/missions/{uuid4()}/stages").status_code == 404


def test_the_stages_cost_the_same_for_one_and_for_thirty(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            own_stages(client, mission)
        return len(captured)

    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00"), stop=1))
    one = queries()
    for minute in range(1, 30):
        put_stage(mission, ada, Sent(Stage.ARRIVAL, at(f"08:{minute:02}"), stop=1))
    assert len(own_stages(client, mission)) == 30
    assert queries() == one


# --- correcting ------------------------------------------------------------------------------


def test_a_correction_says_who_why_and_what_and_keeps_the_rest(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, FAILS_FIRST)
    answer = correct(client, wrong, recorded_at=at("09:40").isoformat())
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["corrects"], shown["client_id"]) == (str(wrong.uuid), "c-1")
    assert (shown["source"], shown["remark"]) == ("driver", "tapped wrongly")
    assert (shown["stage"], shown["reason"], shown["result"]) == (
        "exception", "receiver_absent", "failed",
    )  # fmt: skip
    assert [row["id"] for row in own_stages(client, mission)] == [str(wrong.uuid), shown["id"]]
    assert state_of(mission).opened_at == at("09:40")
    assert results_of(mission) == {1: Ended("failed", at("09:40"), "receiver_absent")}
    entry = AuditEntry.objects.get(action="stage.corrected")
    assert (entry.actor_kind, entry.object_id) == ("device", StageEvent.objects.latest("id").uuid)


def test_a_correction_sent_again_is_stored_once(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    first, again = (correct(client, wrong, stage="arrival") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert wrong.corrections.count() == 1
    other = correct(client, wrong, stage="signature")
    assert (other.status_code, other.json()["code"]) == (409, "request_differs")


def test_what_was_corrected_is_corrected_by_correcting_its_correction(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    first = correct(client, wrong, recorded_at=at("07:00").isoformat()).json()["id"]
    refused = correct(client, wrong, client_id="c-2", recorded_at=at("07:30").isoformat())
    assert (refused.status_code, refused.json()["code"]) == (409, "already_corrected")
    assert refused.json()["correction"] == first
    wrong = StageEvent.objects.get(uuid=first)
    answer = correct(client, wrong, client_id="c-2", recorded_at=at("07:30").isoformat())
    assert answer.status_code == 201
    assert state_of(mission) == State("started", at("07:30"))


def test_a_wrong_stop_ends_another_stop(client: APIClient, mission: Mission, ada: Driver) -> None:
    put_stage(mission, ada, LEAVES_DEPOT)
    wrong = put_stage(mission, ada, DELIVERS_LAST)
    assert state_of(mission).status == "completed"
    correct(client, wrong, stop=str(mission.stops.get(seq=1).uuid))
    assert state_of(mission) == State("started", at("08:00"))
    assert results_of(mission) == {1: Ended("succeeded", at("11:20"))}
    assert wrong_open_periods() == []


def test_a_result_is_corrected_to_another_and_to_none(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, DELIVERS_LAST)
    body = {"result": "failed", "exception_reason": "damage"}
    assert correct(client, wrong, result="failed").status_code == 400
    first = StageEvent.objects.get(uuid=correct(client, wrong, **body).json()["id"])
    assert results_of(mission) == {2: Ended("failed", at("11:20"), "damage")}
    correct(client, first, client_id="c-2", result="")
    assert results_of(mission) == {}
    assert state_of(mission) == State("started", at("11:20"))


def test_an_earlier_word_holds_again_when_the_later_is_taken_back(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, FAILS_FIRST)
    wrong = put_stage(
        mission, ada, Sent(Stage.UNLOADING_ENDED, at("09:15"), stop=1, result="succeeded")
    )
    assert results_of(mission) == {1: Ended("succeeded", at("09:15"))}
    take_back(client, wrong)
    assert results_of(mission) == {1: Ended("failed", at("09:10"), "receiver_absent")}


def test_a_dispatchers_word_stays_when_the_drivers_is_taken_back(
    client: APIClient, client_for: ClientFor, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, FAILS_FIRST)
    stop = mission.stops.get(seq=1)
    body = {"result": "succeeded", "at": at("09:30").isoformat()}
    url = f"/api/v1/missions/{mission.uuid}/stops/{stop.uuid}/result"
    assert client_for("dispatcher").post(url, body).status_code == 200
    word = {1: Ended("succeeded", at("09:30"), source="dispatcher")}
    assert results_of(mission) == word
    take_back(client, wrong)
    assert results_of(mission) == word


# --- what did not happen ---------------------------------------------------------------------


def test_a_stage_that_did_not_happen_stays_to_be_seen_and_stands_for_nothing(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, LEAVES_DEPOT)
    wrong = put_stage(mission, ada, LEAVES_LAST)
    assert state_of(mission).status == "completed"
    answer = take_back(client, wrong)
    assert (answer.status_code, answer.json()["is_retraction"]) == (201, True)
    assert state_of(mission) == State("started", at("08:00"))
    mission.refresh_from_db()
    assert mission.last_stage_at == at("08:00")
    assert len(own_stages(client, mission)) == 3
    assert AuditEntry.objects.filter(action="stage.retracted").count() == 1


def test_a_mission_whose_only_stage_did_not_happen_has_not_started(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_LAST)
    assert state_of(mission).status == "completed"
    take_back(client, wrong)
    assert state_of(mission) == State("assigned")
    assert wrong_open_periods() == []
    put_stage(mission, ada, LEAVES_DEPOT)
    assert state_of(mission) == State("started", at("08:00"))


def test_what_a_dispatcher_ended_stays_ended_when_nothing_is_left_of_it(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    end_mission(mission, at=at("12:00"))
    take_back(client, wrong)
    assert state_of(mission) == State("completed", at("12:00"), at("12:00"), "dispatcher")


def test_it_did_happen_after_all(client: APIClient, mission: Mission, ada: Driver) -> None:
    put_stage(mission, ada, LEAVES_DEPOT)
    wrong = put_stage(mission, ada, LEAVES_LAST)
    retraction = StageEvent.objects.get(uuid=take_back(client, wrong).json()["id"])
    assert correct(client, retraction, client_id="c-2").status_code == 201
    assert state_of(mission) == State("completed", at("08:00"), at("11:30"), "driver")


def test_a_dispatcher_takes_a_stage_back_the_same_way(
    client_for: ClientFor, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, LEAVES_DEPOT)
    wrong = put_stage(mission, ada, FAILS_FIRST)
    client, url = client_for("dispatcher"), f"/api/v1/missions/{mission.uuid}/stages"
    body = {"corrects": str(wrong.uuid), "is_retraction": True}
    assert client.post(url, body).json()["errors"][0]["pointer"] == "/remark"
    assert client.post(url, {"is_retraction": True, "remark": "x"}).status_code == 400
    first, again = (client.post(url, {**body, "remark": "by phone"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["source"], first.json()["is_retraction"]) == ("dispatcher", True)
    assert results_of(mission) == {}
    other = client.post(url, {**body, "is_retraction": False, "stage": "arrival",
                              "recorded_at": at("09:00").isoformat(), "remark": "x"})  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (409, "already_corrected")


def test_a_dispatchers_correction_keeps_how_the_stop_ended(
    client_for: ClientFor, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, DELIVERS_LAST)
    body = {
        "stage": "signature",
        "recorded_at": at("11:25").isoformat(),
        "stop": str(mission.stops.get(seq=2).uuid),
        "corrects": str(wrong.uuid),
        "remark": "clock",
    }
    answer = client_for("dispatcher").post(f"/api/v1/missions/{mission.uuid}/stages", body)
    assert (answer.status_code, answer.json()["result"]) == (201, "succeeded")
    assert results_of(mission) == {2: Ended("succeeded", at("11:25"))}


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": ""}, "/reason"),
        ({"client_id": ""}, "/client_id"),
        ({"client_id": "x" * 101}, "/client_id"),
        ({"stage": "lunch"}, "/stage"),
        ({"stage": "exception"}, "/exception_reason"),
        ({"recorded_at": "2999-01-01T00:00:00Z"}, "/recorded_at"),
        ({"stop": "00000000-0000-4000-8000-000000000000"}, "/stop"),
        ({"result": "succeeded"}, "/stop"),
        ({"result": "cancelled"}, "/result"),
    ],
)
def test_it_refuses_a_correction_that_cannot_be(
    client: APIClient, mission: Mission, ada: Driver, body: dict[str, Any], pointer: str
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    answer = correct(client, wrong, **body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert StageEvent.objects.count() == 1


def test_a_driver_says_nothing_of_when_another_drove(
    client: APIClient, mission: Mission, ada: Driver, ben: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    answer = correct(client, wrong, recorded_at=at("10:00").isoformat())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_driver")
    assert correct(client, wrong, recorded_at=at("09:59").isoformat()).status_code == 201


def test_a_cancelled_missions_stages_are_still_corrected(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    cancel_mission(mission, at=at("12:00"))
    before = state_of(mission)
    assert correct(client, wrong, recorded_at=at("07:00").isoformat()).status_code == 201
    assert state_of(mission) == before


def test_a_stage_without_a_mission_is_corrected_too(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    StageEvent.objects.update(mission=None)
    assert correct(client, wrong, stage="break_started").status_code == 201
    assert AuditEntry.objects.filter(action="stage.corrected").count() == 1


def test_only_whose_stage_it_is_may(
    client: APIClient,
    client_for: ClientFor,
    mission: Mission,
    ada: Driver,
    elsewhere: Employer,
    cy_driver: Driver,
) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    theirs = put_stage(make_mission(elsewhere, cy_driver), cy_driver, LEAVES_DEPOT)
    statuses = {"nobody": 401, "dispatcher": 403, "manager": 403, "dpo": 403, "other_driver": 404}
    for role, status in statuses.items():
        assert correct(client_for(role), wrong).status_code == status, role
        path = f"/api/v1/me/missions/{mission.uuid}/stages"
        assert client_for(role).get(path).status_code == status, role
    assert correct(client, theirs).status_code == 404
    assert StageEvent.objects.count() == 2
    assert correct(client, wrong).status_code == 201


def test_a_frozen_driver_corrects_nothing(client: APIClient, mission: Mission, ada: Driver) -> None:
    wrong = put_stage(mission, ada, LEAVES_DEPOT)
    freeze_driver(ada)
    answer = correct(client, wrong)
    assert (answer.status_code, answer.json()["code"]) == (403, "driver_frozen")
    assert StageEvent.objects.filter(source=MarkSource.DRIVER).count() == 1
