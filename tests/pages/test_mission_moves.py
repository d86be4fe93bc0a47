"""The pages that move a mission on, and those on which a dispatcher says what happened."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, User
from missions.lifecycle import assign_mission
from missions.models import Mission, MissionStatus, Site, StageEvent
from missions.stages import Stage
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent
from tests.pages.forms_sent import fields_of, planned_at, url_of
from tests.pages.test_pages import client_of, text_of


@pytest.fixture
def planned(acme: Employer) -> Mission:
    """Not begun, with two stops."""
    depot, brewery = (
        Site.objects.create(employer=acme, name=name) for name in ("Depot", "Brewery")
    )
    return planned_at(acme, depot, brewery)


def test_people_of_a_started_mission_change_by_a_hand_over(
    planned: Mission, dee: User, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    assign_mission(planned, ada, truck=truck12)
    start(planned, ada, timezone.now() - timedelta(hours=2))
    client = client_of(dee)
    page = text_of(client.get(url_of(planned)))
    assert 'name="driver"' not in page
    assert "Hand over" in page
    path = url_of(planned, "assign")
    assert 'name="at"' in text_of(client.get(path))
    refused = client.post(path, {"driver": str(ben.uuid), "at": "2099-01-01T00:00"})
    assert refused.status_code == 400
    assert "This moment lies in the future." in text_of(refused)
    client.post(path, {"driver": str(ben.uuid)})
    before, now = planned.assignments.order_by("id")
    assert (before.driver, now.driver, now.truck) == (ada, ben, truck12)


def test_a_mission_is_assigned_and_taken_back(planned: Mission, dee: User, ada: Driver) -> None:
    client, path = client_of(dee), url_of(planned, "assign")
    assert client.post(path, {}).status_code == 400
    client.post(path, {"driver": str(ada.uuid)})
    planned.refresh_from_db()
    assert planned.status == MissionStatus.ASSIGNED
    assert "Take it back from its driver" in text_of(client.get(path))
    client.post(path, {"unassign": "1"})
    planned.refresh_from_db()
    assert planned.status == MissionStatus.PLANNED
    Mission.objects.update(status=MissionStatus.COMPLETED, opened_at=timezone.now())
    for sent in ({"driver": str(ada.uuid)}, {"unassign": "1"}):
        answer = client.post(path, sent)
        assert answer.status_code in (400, 409)
        assert "does not allow this now" in text_of(answer)


def test_a_mission_is_called_off_and_one_that_started_is_ended(
    planned: Mission, acme: Employer, dee: User, ada: Driver
) -> None:
    client = client_of(dee)
    assert "It cannot be undone." in text_of(client.get(url_of(planned, "cancel")))
    client.post(url_of(planned, "cancel"))
    planned.refresh_from_db()
    assert planned.status == MissionStatus.CANCELLED
    page = text_of(client.get(url_of(planned)))
    assert "its stops stay as they are" in page
    assert "Call it off" not in page
    running = make_mission(acme, ada)
    refused = client.post(url_of(running, "end"))
    assert refused.status_code == 400
    assert "This mission never started: cancel it instead." in text_of(refused)
    start(running, ada, timezone.now() - timedelta(hours=2))
    client.post(url_of(running, "end"), {"at": ""})
    running.refresh_from_db()
    assert running.status == MissionStatus.COMPLETED


def test_a_stage_is_entered_corrected_and_taken_back(
    planned: Mission, dee: User, ada: Driver
) -> None:
    assign_mission(planned, ada)
    client, path = client_of(dee), url_of(planned, "stages/new")
    stop = planned.stops.order_by("seq")[0]
    sent = {**fields_of(client.get(path)), "stage": "arrival", "stop": str(stop.uuid)}
    assert client.post(path, {**sent, "stage": ""}).status_code == 400
    unreasoned = client.post(path, {**sent, "stage": "exception"})
    assert "An exception has a reason from the list" in text_of(unreasoned)
    client.post(path, sent)
    first = StageEvent.objects.get()
    assert (first.stage, first.stop, first.author) == (Stage.ARRIVAL, stop, dee)
    page = text_of(client.get(path))
    correct = url_of(planned, f"stages/{first.uuid}/correct")
    assert correct in page
    assert "entered by the dispatcher" in page
    sent = {**fields_of(client.get(correct)), "stage": "departure"}
    assert "Say why it is corrected." in text_of(client.post(correct, sent))
    client.post(correct, {**sent, "remark": "He meant to say so"})
    second = StageEvent.objects.get(corrects=first)
    assert (second.stage, second.remark) == (Stage.DEPARTURE, "He meant to say so")
    again = client.post(correct, {**sent, "remark": "Twice", "stage": "signature"})
    assert "This stage was corrected before." in text_of(again)
    last = url_of(planned, f"stages/{second.uuid}/correct")
    client.post(last, {**fields_of(client.get(last)), "remark": "No", "retract": "1"})
    assert StageEvent.objects.get(corrects=second).is_retraction


def test_a_correction_keeps_the_very_moment_that_nobody_touched(
    planned: Mission, dee: User, ada: Driver
) -> None:
    assign_mission(planned, ada)
    at = timezone.now().replace(microsecond=123456) - timedelta(hours=1)
    event = put_stage(planned, ada, Sent(Stage.ARRIVAL, at))
    client, path = client_of(dee), url_of(planned, f"stages/{event.uuid}/correct")
    sent = fields_of(client.get(path))
    client.post(path, {**sent, "stage": "departure", "remark": "slip"})
    assert StageEvent.objects.get(corrects=event).recorded_at == at


def test_stages_of_a_frozen_driver_are_hidden(planned: Mission, dee: User, ada: Driver) -> None:
    assign_mission(planned, ada)
    event = put_stage(planned, ada, Sent(Stage.ARRIVAL, timezone.now() - timedelta(hours=1)))
    client, correct = client_of(dee), url_of(planned, f"stages/{event.uuid}/correct")
    assert str(event.uuid) in text_of(client.get(url_of(planned, "stages/new")))
    freeze_driver(ada)
    assert str(event.uuid) not in text_of(client.get(url_of(planned, "stages/new")))
    assert client.get(correct).status_code == 404
    for page in ("edit", "assign"):
        shown = text_of(client.get(url_of(planned, page)))
        assert "Ada" not in shown
        assert str(ada.uuid) not in shown


def test_a_result_is_said_by_the_dispatcher(planned: Mission, dee: User, ada: Driver) -> None:
    client, path = client_of(dee), url_of(planned, "result")
    stop = planned.stops.order_by("seq")[1]
    sent = {"stop": str(stop.uuid), "result": "failed"}
    refused = client.post(path, {**sent, "reason": "receiver_absent"})
    assert "does not allow this now" in text_of(refused)
    start(assign_mission(planned, ada), ada, timezone.now() - timedelta(hours=1))
    assert "Say why it was not delivered." in text_of(client.post(path, sent))
    client.post(path, {**sent, "reason": "receiver_absent"})
    stop.refresh_from_db()
    assert (stop.result, stop.result_reason) == ("failed", "receiver_absent")
    assert client.post(path, {**sent, "stop": str(uuid4())}).status_code == 400
