from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, MarkSource, Truck, User
from missions.lifecycle import cancel_mission, end_mission, hand_over_mission
from missions.models import Mission, StageEvent
from missions.stages import Stage
from tests.cast import ClientFor, assign
from tests.missions.builders import (
    make_mission,
    mission_before,
    put_stage,
    state_of,
    wrong_open_periods,
)
from tests.missions.opening_cases import CASES, Case, Sent, State, at


@pytest.fixture(autouse=True)
def the_day_of_the_cases_is_not_too_old(settings: Settings) -> None:
    settings.MAX_FIX_AGE_DAYS = 36_500


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=2)


def enter(client: APIClient, mission: Mission, sent: Sent, **more: Any) -> Any:
    body: dict[str, Any] = {"stage": sent.stage.label, "recorded_at": sent.recorded_at.isoformat()}
    if sent.stop:
        body["stop"] = str(mission.stops.get(seq=sent.stop).uuid)
    if sent.ends_mission:
        body["ends_mission"] = True
    return client.post(f"/api/v1/missions/{mission.uuid}/stages", {**body, **more})


def stages(client: APIClient, mission: Mission) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/missions/{mission.uuid}/stages")
    shown: list[dict[str, Any]] = answer.json()["results"]
    return shown


DEPARTS = Sent(Stage.DEPARTURE, at("08:00"))


def test_a_stage_entered_by_a_dispatcher_says_so_and_has_no_position(
    client: APIClient, mission: Mission, ada: Driver, dee: User
) -> None:
    answer = enter(client, mission, Sent(Stage.ARRIVAL, at("09:00"), stop=1), remark="by phone")
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["stage"], shown["source"], shown["remark"]) == (
        "arrival",
        "dispatcher",
        "by phone",
    )
    assert (shown["driver"], shown["author"]) == (str(ada.uuid), str(dee.uuid))
    assert (shown["latitude"], shown["position_source"]) == (None, "none")
    assert shown["site_check"] == "unknown"
    assert stages(client, mission) == [shown]
    assert AuditEntry.objects.get(action="stage.entered").detail["stage"] == "arrival"


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.before.status != "cancelled" and not case.results],
    ids=lambda case: case.name,
)
def test_a_dispatchers_stages_open_and_end_a_mission_like_a_phones(
    client: APIClient, case: Case, acme: Employer, ada: Driver
) -> None:
    mission = mission_before(case, acme, ada)
    for sent in case.stages:
        assert enter(client, mission, sent).status_code == 201
    after = state_of(mission)
    assert (after.status, after.opened_at, after.ended_at) == (
        case.after.status,
        case.after.opened_at,
        case.after.ended_at,
    )


def test_the_same_stage_entered_twice_is_stored_once(client: APIClient, mission: Mission) -> None:
    first, again = (enter(client, mission, DEPARTS) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert StageEvent.objects.count() == 1


def test_a_stage_that_was_taken_back_can_be_entered_again(
    client: APIClient, mission: Mission
) -> None:
    first = enter(client, mission, DEPARTS).json()
    taken_back = {"corrects": first["id"], "is_retraction": True, "remark": "the wrong mission"}
    url = f"/api/v1/missions/{mission.uuid}/stages"
    assert client.post(url, taken_back).status_code == 201
    assert state_of(mission).opened_at is None
    again = enter(client, mission, DEPARTS)
    assert (again.status_code, again.json()["id"] != first["id"]) == (201, True)
    assert state_of(mission).opened_at == at("08:00")
    # The retraction sent again is still that retraction.
    assert client.post(url, taken_back).status_code == 200
    assert enter(client, mission, DEPARTS).status_code == 200
    assert len(stages(client, mission)) == 3


def test_a_stage_belongs_to_whoever_drove_then(
    client: APIClient, mission: Mission, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck
) -> None:
    assign(truck12, ada, at("00:00"))
    hand_over_mission(mission, ben, truck=truck34, at=at("10:00"))
    enter(client, mission, DEPARTS)
    enter(client, mission, Sent(Stage.ARRIVAL, at("10:00")))
    shown = [(stage["driver"], stage["truck"]) for stage in stages(client, mission)]
    assert shown == [
        (str(ada.uuid), str(truck12.uuid)),
        (str(ben.uuid), str(truck34.uuid)),
    ]


def test_a_correction_stands_beside_what_it_corrects(client: APIClient, mission: Mission) -> None:
    wrong = enter(client, mission, Sent(Stage.ARRIVAL, at("09:00"), stop=1)).json()
    right = Sent(Stage.ARRIVAL, at("09:30"), stop=1)
    assert enter(client, mission, right, corrects=wrong["id"]).status_code == 400
    answer = enter(client, mission, right, corrects=wrong["id"], remark="tapped too early")
    assert (answer.status_code, answer.json()["corrects"]) == (201, wrong["id"])
    assert [stage["id"] for stage in stages(client, mission)] == [
        wrong["id"],
        answer.json()["id"],
    ]
    assert AuditEntry.objects.filter(action="stage.corrected").count() == 1


def correct(client: APIClient, mission: Mission, wrong: StageEvent, sent: Sent) -> None:
    answer = enter(client, mission, sent, corrects=str(wrong.uuid), remark="tapped wrongly")
    assert answer.status_code == 201


def test_a_corrected_opening_opens_the_mission_when_it_was(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    wrong = put_stage(mission, ada, Sent(Stage.DEPARTURE, at("03:00")))
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1))
    assert state_of(mission).opened_at == at("03:00")
    correct(client, mission, wrong, DEPARTS)
    assert state_of(mission) == State("started", at("08:00"))
    assert wrong_open_periods() == []


@pytest.mark.parametrize(
    ("right", "after"),
    [
        (
            Sent(Stage.DEPARTURE, at("12:00"), stop=2),
            State("completed", at("08:00"), at("12:00"), "driver"),
        ),
        (
            Sent(Stage.DEPARTURE, at("08:30"), stop=2),
            State("completed", at("08:00"), at("09:00"), "driver"),
        ),
        (Sent(Stage.DEPARTURE, at("18:00"), stop=1), State("started", at("08:00"))),
    ],
)
def test_a_corrected_end_ends_the_mission_by_what_stands(
    client: APIClient, mission: Mission, ada: Driver, right: Sent, after: State
) -> None:
    put_stage(mission, ada, DEPARTS)
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("09:00"), stop=1))
    wrong = put_stage(mission, ada, Sent(Stage.DEPARTURE, at("18:00"), stop=2))
    assert state_of(mission) == State("completed", at("08:00"), at("18:00"), "driver")
    correct(client, mission, wrong, right)
    assert state_of(mission) == after
    assert wrong_open_periods() == []


def test_an_end_that_a_dispatcher_entered_as_a_stage_is_corrected_too(
    client: APIClient, mission: Mission
) -> None:
    enter(client, mission, DEPARTS)
    enter(client, mission, Sent(Stage.ARRIVAL, at("18:00"), stop=2, ends_mission=True))
    wrong = StageEvent.objects.latest("id")
    correct(client, mission, wrong, Sent(Stage.ARRIVAL, at("17:00"), stop=2))
    assert state_of(mission) == State("started", at("08:00"))


def test_a_stage_that_widened_an_end_leaves_it_when_it_is_corrected(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, DEPARTS)
    put_stage(mission, ada, Sent(Stage.DEPARTURE, at("12:00"), stop=2))
    wrong = put_stage(mission, ada, Sent(Stage.SIGNATURE, at("15:00"), stop=2))
    assert state_of(mission).ended_at == at("15:00")
    correct(client, mission, wrong, Sent(Stage.SIGNATURE, at("11:50"), stop=2))
    assert state_of(mission) == State("completed", at("08:00"), at("12:00"), "driver")


def test_a_dispatchers_own_end_stays_whatever_is_corrected(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, DEPARTS)
    wrong = put_stage(mission, ada, Sent(Stage.DEPARTURE, at("12:00"), stop=2))
    end_mission(mission, at=at("13:00"))
    correct(client, mission, wrong, Sent(Stage.DEPARTURE, at("11:00"), stop=1))
    assert state_of(mission) == State("completed", at("08:00"), at("13:00"), "dispatcher")


def test_an_end_that_the_system_guessed_from_a_corrected_stage_is_taken_back(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, DEPARTS)
    wrong = put_stage(mission, ada, Sent(Stage.ARRIVAL, at("12:00"), stop=1))
    end_mission(mission, at=at("12:00"), source=MarkSource.AUTOMATIC)
    correct(client, mission, wrong, Sent(Stage.ARRIVAL, at("09:00"), stop=1))
    assert state_of(mission) == State("started", at("08:00"))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"stage": "lunch"}, "/stage"),
        ({"stage": "distance"}, "/stage"),
        ({"stage": ["arrival"]}, "/stage"),
        ({"stage": "exception"}, "/reason"),
        ({"stage": "exception", "reason": "weather"}, "/reason"),
        ({"reason": "damage"}, "/reason"),
        ({"recorded_at": "2026-11-20T08:00:00"}, "/recorded_at"),
        ({"recorded_at": 1_700_000_000}, "/recorded_at"),
        ({"recorded_at": "2999-01-01T00:00:00Z"}, "/recorded_at"),
        ({"stop": "00000000-0000-4000-8000-000000000000"}, "/stop"),
        ({"corrects": "00000000-0000-4000-8000-000000000000", "remark": "x"}, "/corrects"),
    ],
)
def test_it_refuses_a_stage_that_cannot_be(
    client: APIClient, mission: Mission, body: dict[str, Any], pointer: str
) -> None:
    answer = enter(client, mission, DEPARTS, **body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert StageEvent.objects.count() == 0
    assert state_of(mission) == State("assigned")


def test_an_exception_has_its_reason(client: APIClient, mission: Mission) -> None:
    sent = Sent(Stage.EXCEPTION, at("09:00"), stop=1)
    assert enter(client, mission, sent, reason="damage").json()["reason"] == "damage"


def test_a_stop_of_another_mission_is_unknown(
    client: APIClient, mission: Mission, acme: Employer, ada: Driver
) -> None:
    other = make_mission(acme, ada, stops=1).stops.get()
    assert enter(client, mission, DEPARTS, stop=str(other.uuid)).status_code == 400


def test_ten_minutes_ahead_is_another_clock_and_more_is_a_mistake(
    client: APIClient, mission: Mission
) -> None:
    soon = timezone.now() + timedelta(minutes=9)
    late = timezone.now() + timedelta(minutes=11)
    assert enter(client, mission, Sent(Stage.ARRIVAL, late)).status_code == 400
    assert enter(client, mission, Sent(Stage.ARRIVAL, soon)).status_code == 201


def test_a_stage_is_as_old_as_a_phones_at_most(
    client: APIClient, mission: Mission, settings: Settings
) -> None:
    settings.MAX_FIX_AGE_DAYS = 59
    limit = timezone.now() - timedelta(days=59)
    answer = enter(client, mission, Sent(Stage.DEPARTURE, limit - timedelta(minutes=1)))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "recorded_at_too_old")
    assert state_of(mission) == State("assigned")
    since = limit + timedelta(minutes=1)
    assert enter(client, mission, Sent(Stage.DEPARTURE, since)).status_code == 201
    assert state_of(mission).opened_at == since


def test_a_mission_that_nobody_drives_takes_no_stages(
    client: APIClient, mission: Mission, acme: Employer
) -> None:
    assert enter(client, make_mission(acme), DEPARTS).status_code == 409
    cancel_mission(mission)
    assert enter(client, mission, DEPARTS).status_code == 409
    assert StageEvent.objects.count() == 0


def test_a_frozen_driver_gets_no_stage_and_shows_none(
    client: APIClient, mission: Mission, ada: Driver, ben: Driver
) -> None:
    event = put_stage(mission, ada, DEPARTS)
    StageEvent.objects.filter(pk=event.pk).update(latitude=51.05, longitude=3.72)
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    put_stage(mission, ben, Sent(Stage.ARRIVAL, at("11:00"), stop=1))
    assert [row["driver"] for row in stages(client, mission)] == [str(ada.uuid), str(ben.uuid)]
    assert stages(client, mission)[0]["latitude"] == 51.05
    freeze_driver(ada)
    assert [row["driver"] for row in stages(client, mission)] == [str(ben.uuid)]
    answer = enter(client, mission, Sent(Stage.ARRIVAL, at("09:00")))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not_available")


def test_a_stage_entered_again_after_a_freeze_tells_nothing_of_its_driver(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    first = enter(client, mission, DEPARTS)
    assert first.json()["driver"] == str(ada.uuid)
    freeze_driver(ada)
    again = enter(client, mission, DEPARTS)
    assert (again.status_code, again.json()["driver"]) == (200, None)


def test_an_erased_drivers_stages_are_nobodys(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    put_stage(mission, ada, DEPARTS)
    StageEvent.objects.update(driver=None, erased_driver=uuid4())
    assert [row["driver"] for row in stages(client, mission)] == [None]


def test_stages_come_in_the_order_in_which_they_happened_page_by_page(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    for clock in ("09:00", "08:00", "10:00", "08:00"):
        put_stage(mission, ada, Sent(Stage.ARRIVAL, at(clock)))
    seen, url = [], f"/api/v1/missions/{mission.uuid}/stages?limit=1"
    while url:
        page = client.get(url).json()
        seen += [row["recorded_at"][11:16] for row in page["results"]]
        url = page["next"]
    assert seen == ["08:00", "08:00", "09:00", "10:00"]


def test_the_stages_cost_the_same_for_one_and_for_thirty(
    client: APIClient, mission: Mission, ada: Driver
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            stages(client, mission)
        return len(captured)

    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00"), stop=1))
    one = queries()
    for minute in range(1, 30):
        put_stage(mission, ada, Sent(Stage.ARRIVAL, at(f"08:{minute:02}"), stop=1))
    assert len(stages(client, mission)) == 30
    assert queries() == one
