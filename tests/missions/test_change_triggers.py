"""Everything that happens to a mission is told, by the database itself, in its transaction."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Driver, Employer, Role, Truck, User
from missions.changing import change_mission
from missions.entering import EnteredStage, enter_stage
from missions.lifecycle import (
    assign_mission,
    cancel_mission,
    end_mission,
    hand_over_mission,
    unassign_mission,
)
from missions.models import (
    Attachment,
    Change,
    Mission,
    ProofOfDelivery,
    Signature,
    StageEvent,
)
from missions.planning import StopPlan
from missions.stages import Stage
from missions.stops import add_stop
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent, at


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=1)


@pytest.fixture
def by_dee(acme: Employer, dee: User) -> Actor:
    return Actor("user", acme, frozenset({Role.DISPATCHER}), user=dee)


def told(act: Callable[[], object]) -> list[tuple[str, UUID, UUID | None]]:
    """What the feed holds more after an act: type, object, mission.

    The test is one transaction; the act begins as in one of its own.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('milepost.told', '', true)")
    newest = Change.objects.order_by("id").values_list("id", flat=True).last() or 0
    act()
    rows = Change.objects.filter(id__gt=newest).order_by("id")
    return [(row.type, row.object_uuid, row.mission_uuid) for row in rows]


def types_told(act: Callable[[], object]) -> list[str]:
    return [type for type, _, _ in told(act)]


@pytest.mark.django_db
def test_a_new_mission_is_told_with_its_id(acme: Employer) -> None:
    rows = told(lambda: make_mission(acme, stops=2))
    mission = Mission.objects.get()
    assert rows == [("mission.created", mission.uuid, mission.uuid)]
    row = Change.objects.get()
    assert (row.employer, row.seq) == (acme, None)
    assert abs(row.changed_at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.django_db
def test_whoever_is_given_a_mission_is_told_of_at_first_and_later(
    acme: Employer, ada: Driver, ben: Driver, truck12: Truck
) -> None:
    assert types_told(lambda: make_mission(acme, ada)) == ["mission.created", "mission.assigned"]
    planned = make_mission(acme)
    assert types_told(lambda: assign_mission(planned, ada)) == ["mission.assigned"]
    assert types_told(lambda: assign_mission(planned, ben)) == ["mission.assigned"]
    assert types_told(lambda: unassign_mission(planned)) == ["mission.changed"]
    started = make_mission(acme, ada)
    start(started, ada, at("08:00"))
    hand_over = partial(hand_over_mission, started, ben, truck=truck12, at=at("09:00"))
    assert types_told(hand_over) == ["mission.assigned"]


@pytest.mark.django_db
def test_the_course_of_a_mission_is_told(mission: Mission, ada: Driver) -> None:
    begin = told(lambda: start(mission, ada, at("08:00")))
    stage = StageEvent.objects.get()
    assert begin == [
        ("stage.recorded", stage.uuid, mission.uuid),
        ("mission.started", mission.uuid, mission.uuid),
    ]
    assert types_told(lambda: end_mission(mission, at=at("12:00"))) == ["mission.completed"]
    widened = partial(end_mission, mission, at=at("13:00"))
    assert types_told(widened) == ["mission.changed"]
    assert types_told(widened) == []


@pytest.mark.django_db
def test_a_cancellation_is_told(mission: Mission) -> None:
    assert types_told(lambda: cancel_mission(mission)) == ["mission.cancelled"]
    assert types_told(lambda: cancel_mission(mission)) == []


@pytest.mark.django_db
def test_a_change_is_told_once_in_a_transaction_and_mission(
    acme: Employer, mission: Mission, ben: Driver
) -> None:
    other = make_mission(acme)

    def edit() -> None:
        with transaction.atomic():
            for reference in ("one", "two", "three"):
                change_mission(mission, {"reference": reference})
            add_stop(mission, StopPlan(purpose="load"), actor=None)
            change_mission(other, {"reference": "one"})

    changed = "mission.changed"
    assert [row[:2] for row in told(edit)] == [(changed, mission.uuid), (changed, other.uuid)]


@pytest.mark.django_db
def test_what_was_rolled_back_is_not_told_and_hides_nothing(mission: Mission) -> None:

    @transaction.atomic
    def edit_that_fails() -> None:
        change_mission(mission, {"reference": "one"})
        raise LookupError

    def edit() -> None:
        with pytest.raises(LookupError):
            edit_that_fails()
        change_mission(mission, {"reference": "two"})

    assert types_told(edit) == ["mission.changed"]


@pytest.mark.django_db
def test_a_mission_that_only_keeps_its_newest_stage_is_not_told(mission: Mission) -> None:
    def write() -> None:
        Mission.objects.update(last_stage_at=at("10:00"), updated_at=timezone.now())

    assert types_told(write) == []


@pytest.mark.django_db
def test_a_correction_and_an_exception_are_told(
    mission: Mission, ada: Driver, by_dee: Actor
) -> None:
    wrong = put_stage(mission, ada, Sent(Stage.DEPARTURE, at("08:00")))
    right = EnteredStage(
        stage=Stage.DEPARTURE, recorded_at=at("08:10"), corrects=wrong, remark="clock"
    )
    rows = told(lambda: enter_stage(mission, right, actor=by_dee))
    corrected = StageEvent.objects.get(corrects=wrong)
    assert rows[0] == ("stage.corrected", corrected.uuid, mission.uuid)
    assert "exception.raised" not in [row[0] for row in rows]
    rows = told(lambda: put_stage(mission, ada, Sent(Stage.EXCEPTION, at("09:00"))))
    assert [row[0] for row in rows][:2] == ["stage.recorded", "exception.raised"]
    assert rows[0][1:] == rows[1][1:]


@pytest.mark.django_db
def test_many_stages_of_one_statement_are_all_told_in_order(mission: Mission, ada: Driver) -> None:
    """As phones' stages come; one without a mission names none."""
    stages = [
        StageEvent(
            employer_id=mission.employer_id,
            driver=ada,
            mission=mission if minute else None,
            stage=Stage.EXCEPTION if minute == 5 else Stage.ARRIVAL,
            recorded_at=at("08:00") + timedelta(minutes=minute),
        )
        for minute in range(10)
    ]
    rows = told(lambda: StageEvent.objects.bulk_create(stages))
    recorded = [row for row in rows if row[0] == "stage.recorded"]
    assert [row[1] for row in recorded] == [stage.uuid for stage in stages]
    assert [row[2] for row in recorded] == [None, *[mission.uuid] * 9]
    assert [row[1] for row in rows if row[0] == "exception.raised"] == [stages[5].uuid]


@pytest.mark.django_db
def test_evidence_is_told(mission: Mission, ada: Driver) -> None:
    stop = mission.stops.get()
    common: dict[str, Any] = {
        "employer_id": mission.employer_id,
        "mission": mission,
        "stop": stop,
    }
    sent: dict[str, Any] = {**common, "driver": ada, "recorded_at": at("10:00")}
    photo = Attachment(
        **sent,
        client_id="photo-1",
        media_type="image/jpeg",
        original_media_type="image/jpeg",
        width_px=10,
        height_px=10,
        size_bytes=10,
        original_size_bytes=10,
        content_sha256=b"a" * 32,
        original_sha256=b"a" * 32,
        file="a.jpg",
    )
    assert told(photo.save) == [("attachment.added", photo.uuid, mission.uuid)]
    photo.thumbnail = "b.jpg"
    assert told(photo.save) == []
    signed = Signature(
        **sent, client_id="s-1", outcome="refused", document={}, document_sha256=b"a" * 32
    )
    assert told(signed.save) == [("signature.added", signed.uuid, mission.uuid)]
    proof = ProofOfDelivery(**common, locale="nl")
    assert told(proof.save) == []
    proof.issued_at, proof.number, proof.pdf = timezone.now(), 1, "p.pdf"
    proof.content_sha256 = proof.code_hash = b"a" * 32
    assert told(proof.save) == [("pod.ready", proof.uuid, mission.uuid)]
    assert told(proof.save) == []
