"""A correction of a stage keeps what the phone measured at its moment, and only that."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer
from missions.models import Mission, Site, StageEvent
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission, put_stage
from tests.missions.opening_cases import LEAVES_DEPOT, Sent, at

MEASURED = {
    "accuracy_m": 8.0, "odometer_m": 1000, "position_source": "at_event",
    "site_distance_m": 40.0, "site_check": "inside",
}  # fmt: skip


@pytest.fixture(autouse=True)
def the_day_of_the_cases_is_not_too_old(settings: Settings) -> None:
    settings.MAX_FIX_AGE_DAYS = 36_500


@pytest.fixture
def client(client_for: ClientFor, ada_phone: object) -> APIClient:
    return client_for("driver")


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=2)


def correct(client: APIClient, wrong: StageEvent, **said: Any) -> Any:
    body = {"client_id": "c-1", "reason": "tapped wrongly", **said}
    return client.post(f"/api/v1/me/stages/{wrong.uuid}/corrections", body)


def measured_at(event: StageEvent) -> StageEvent:
    """The same stage as from a phone that knew where it was."""
    rows = StageEvent.objects.filter(pk=event.pk)
    rows.update(**MEASURED, latitude=51.0, longitude=4.0, note="fog")
    return rows.get()


def test_a_correction_of_the_same_moment_keeps_what_the_phone_measured_then(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    measured = measured_at(put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1)))
    shown = correct(client, measured, stage="unloading_started").json()
    assert {name: shown[name] for name in MEASURED} == MEASURED
    assert (shown["latitude"], shown["longitude"], shown["note"]) == (51.0, 4.0, "fog")
    # Of another moment it says nothing; what did not happen was nowhere.
    wrong = StageEvent.objects.get(uuid=shown["id"])
    moved = correct(client, wrong, recorded_at=at("09:10").isoformat()).json()
    assert (moved["latitude"], moved["site_distance_m"], moved["site_check"]) == (
        None, None, "unknown",
    )  # fmt: skip
    assert (moved["position_source"], moved["note"]) == ("none", "fog")
    again = measured_at(StageEvent.objects.get(uuid=moved["id"]))
    gone = correct(client, again, is_retraction=True).json()
    assert (gone["latitude"], gone["note"]) == (None, "")


def test_a_correction_to_another_stop_is_measured_to_that_stops_site(
    client: APIClient, mission: Mission, ada: Driver, acme: Employer
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent", latitude=51.01, longitude=4.0)
    mission.stops.filter(seq=2).update(site=site)
    measured = measured_at(put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1)))
    shown = correct(client, measured, stop=str(mission.stops.get(seq=2).uuid)).json()
    assert shown["site_distance_m"] == pytest.approx(1112, abs=1)
    assert (shown["site_check"], shown["latitude"]) == ("outside", 51.0)
    wrong = StageEvent.objects.get(uuid=shown["id"])
    nowhere = correct(client, wrong, stop=None).json()
    assert (nowhere["site_distance_m"], nowhere["site_check"]) == (None, "unknown")
    assert nowhere["latitude"] == 51.0


def test_a_dispatchers_correction_of_the_same_moment_keeps_the_place_of_the_same_driver(
    client_for: ClientFor, mission: Mission, ada: Driver, ben: Driver
) -> None:
    url = f"/api/v1/missions/{mission.uuid}/stages"
    put_stage(mission, ada, LEAVES_DEPOT)
    measured = measured_at(put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1)))
    body = {
        "stage": "waiting_started", "recorded_at": at("09:00").isoformat(), "remark": "by phone",
        "stop": str(mission.stops.get(seq=1).uuid),
    }  # fmt: skip
    shown = client_for("dispatcher").post(url, body | {"corrects": str(measured.uuid)}).json()
    assert {name: shown[name] for name in MEASURED} == MEASURED
    # Somebody else drove then, as it turns out: where ada was is not where ben was.
    mission.assignments.update(driver=ben)
    body |= {"stage": "arrival", "corrects": shown["id"]}
    shown = client_for("dispatcher").post(url, body).json()
    assert (shown["driver"], shown["latitude"]) == (str(ben.uuid), None)


def test_an_answer_given_again_tells_nothing_of_a_driver_who_was_frozen_since(
    client_for: ClientFor, mission: Mission, ada: Driver
) -> None:
    measured = measured_at(put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1)))
    body = {
        "stage": "waiting_started", "recorded_at": at("09:00").isoformat(), "remark": "by phone",
        "corrects": str(measured.uuid),
    }  # fmt: skip

    def answered() -> dict[str, Any]:
        url = f"/api/v1/missions/{mission.uuid}/stages"
        answer = client_for("dispatcher").post(url, body, headers={"Idempotency-Key": "k-1"})
        assert answer.status_code == 201
        shown: dict[str, Any] = answer.json()
        return shown

    first = answered()
    assert (first["driver"], first["latitude"]) == (str(ada.uuid), 51.0)
    assert answered() == first
    freeze_driver(ada)
    hidden = dict.fromkeys(("driver", "latitude", "longitude", "accuracy_m", "note"))
    assert answered() == first | hidden
