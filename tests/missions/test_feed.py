"""The feed of changes: everything that happens is told, in order, and nobody misses any."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ApiKey, Driver, Employer, Role, Truck, User
from missions.changing import change_mission
from missions.entering import EnteredStage, enter_stage
from missions.feed import ChangesExpired, changes_after, forget_old_changes, number_changes
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
from tests.accounts.racing import raced
from tests.cast import ClientFor, make_api_key
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent, at

CHANGES = "/api/v1/changes"


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


def change(employer: Employer, **fields: Any) -> Change:
    return Change.objects.create(
        employer=employer, **{"type": "mission.changed", "object_uuid": uuid4(), **fields}
    )


# --- What is told -----------------------------------------------------------------------------


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


# --- Numbers ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_numbers_are_dense_and_of_one_employer(acme: Employer, elsewhere: Employer) -> None:
    for employer in (acme, elsewhere, acme, acme):
        change(employer)
    assert number_changes(acme.pk) == 3
    assert number_changes(acme.pk) == 0
    assert number_changes(elsewhere.pk) == 1
    own = Change.objects.filter(employer=acme).order_by("id")
    assert [row.seq for row in own] == [1, 2, 3]
    assert Change.objects.get(employer=elsewhere).seq == 1


@pytest.mark.django_db
def test_more_than_a_batch_is_numbered_at_once(
    acme: Employer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("missions.feed.BATCH", 3)
    for _ in range(7):
        change(acme)
    assert number_changes(acme.pk) == 7
    assert [row.seq for row in Change.objects.order_by("id")] == list(range(1, 8))


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_committed_late_is_not_missed(acme: Employer) -> None:
    """Written first and committed last: a number taken when it was written would hide it."""
    is_written, may_commit = threading.Event(), threading.Event()

    def late() -> Change:
        with transaction.atomic():
            row = change(acme)
            is_written.set()
            assert may_commit.wait(timeout=10)
        connection.close()
        return row

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(late)
        assert is_written.wait(timeout=10)
        early = change(acme)
        first = changes_after(acme, 0, 10)
        assert [row.pk for row in first.changes] == [early.pk]
        may_commit.set()
        written_first = running.result(timeout=10)
    assert written_first.pk < early.pk
    second = changes_after(acme, first.last_seq, 10)
    assert [(row.pk, row.seq) for row in second.changes] == [(written_first.pk, 2)]


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_readers_miss_and_repeat_nothing(acme: Employer) -> None:
    """Each reader follows the feed while others write, in transactions of mixed length."""
    writers, each, readers = 4, 15, 3
    are_done = threading.Event()

    def write() -> None:
        for number in range(each):
            with transaction.atomic():
                change(acme)
                time.sleep(0.001 * (number % 4))  # so that they overlap and commit in any order
                change(acme)

    def follow() -> list[int]:
        seen: list[Change] = []
        while True:
            was_done = are_done.is_set()
            page = changes_after(acme, seen[-1].seq if seen else 0, 7)
            seen += page.changes
            if was_done and not page.changes:
                return [row.pk for row in seen if row.seq is not None]

    def write_all() -> None:
        raced(*[write] * writers)
        are_done.set()

    results = raced(write_all, *[follow] * readers)
    written = list(Change.objects.order_by("seq").values_list("pk", "seq"))
    assert [seq for _, seq in written] == list(range(1, writers * each * 2 + 1))
    for seen in results[1:]:
        assert seen == [pk for pk, _ in written]


# --- Reading ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_reads_page_by_page(acme: Employer, mission: Mission, client_for: ClientFor) -> None:
    client = client_for("dispatcher")
    for _ in range(3):
        change(acme)
    first = client.get(CHANGES, {"limit": 2}).json()
    assert [row["type"] for row in first["results"]] == ["mission.created", "mission.assigned"]
    row = Change.objects.get(seq=1)
    assert first["results"][0] == {
        "seq": 1,
        "id": str(row.uuid),
        "type": "mission.created",
        "changed_at": row.changed_at.isoformat().replace("+00:00", "Z"),
        "data": {"id": str(mission.uuid), "mission": str(mission.uuid)},
    }
    assert first["last_seq"] == 5
    answer = client.get(first["next"])
    assert f'<{answer.json()["next"]}>; rel="next"' == answer["Link"]
    last = client.get(answer.json()["next"]).json()
    assert [row["seq"] for row in last["results"]] == [5]
    assert last["next"] is None
    assert client.get(CHANGES, {"after": 5}).json()["results"] == []
    change(acme)
    assert [row["seq"] for row in client.get(CHANGES, {"after": 5}).json()["results"]] == [6]


@pytest.mark.django_db
def test_nothing_yet_is_an_empty_page(client_for: ClientFor) -> None:
    for query in ({}, {"after": 0}):
        answer = client_for("dispatcher").get(CHANGES, query).json()
        assert answer == {"results": [], "next": None, "last_seq": 0}


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9223372036854775808", "\0"])
def test_a_number_that_is_none_is_400(after: str, client_for: ClientFor) -> None:
    answer = client_for("dispatcher").get(CHANGES, {"after": after})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/after"


@pytest.mark.django_db
def test_a_number_that_was_never_given_says_to_read_anew(
    acme: Employer, client_for: ClientFor
) -> None:
    change(acme)
    answer = client_for("dispatcher").get(CHANGES, {"after": 2})
    assert answer.status_code == 410
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["last_seq"]) == ("changes_expired", 1)


@pytest.fixture
def old_and_new(acme: Employer) -> Iterator[datetime]:
    """Changes 1 to 5 of 100 days ago, 6 and 7 of today; a batch of the sweep is 2."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for number in range(7):
        days = 100 if number < 5 else 1
        change(acme, changed_at=now - timedelta(days=days))
    number_changes(acme.pk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("missions.feed.BATCH", 2)
        yield now


@pytest.mark.django_db
def test_changes_are_forgotten_after_90_days(acme: Employer, old_and_new: datetime) -> None:
    assert forget_old_changes(old_and_new) == 5
    assert forget_old_changes(old_and_new) == 0
    assert [row.seq for row in changes_after(acme, None, 10).changes] == [6, 7]
    assert [row.seq for row in changes_after(acme, 5, 10).changes] == [6, 7]
    for after in (0, 4):
        with pytest.raises(ChangesExpired):
            changes_after(acme, after, 10)


@pytest.mark.django_db
def test_the_newest_change_is_kept_and_the_count_goes_on(
    acme: Employer, old_and_new: datetime
) -> None:
    later = old_and_new + timedelta(days=200)
    assert forget_old_changes(later) == 6
    change(acme)
    assert [row.seq for row in changes_after(acme, 7, 10).changes] == [8]


# --- Who may ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "status"),
    [("nobody", 401), ("dpo", 403), ("driver", 403), ("dispatcher", 200), ("manager", 200)],
)
def test_who_may_read_the_feed(
    role: str, status: int, mission: Mission, client_for: ClientFor
) -> None:
    assert client_for(role).get(CHANGES).status_code == status


@pytest.mark.django_db
def test_an_api_key_may(acme: Employer, mission: Mission, client_for: ClientFor) -> None:
    client = client_for("nobody")
    key = make_api_key(acme, Role.DISPATCHER)
    assert ApiKey.objects.count() == 1
    assert client.get(CHANGES, headers={"Authorization": f"Bearer {key}"}).json()["last_seq"] == 2


@pytest.mark.django_db
def test_another_employer_reads_its_own(
    mission: Mission, elsewhere: Employer, client_for: ClientFor
) -> None:
    assert client_for("dispatcher").get(CHANGES).json()["last_seq"] == 2
    change(elsewhere)
    theirs = client_for("stranger").get(CHANGES).json()
    assert [row["seq"] for row in theirs["results"]] == [1]
    assert str(mission.uuid) not in str(theirs)


@pytest.mark.django_db
def test_a_page_takes_the_same_queries_for_1_and_30_rows(
    acme: Employer, dee: User, django_assert_num_queries: Any
) -> None:
    for rows in (1, 30):
        for _ in range(rows):
            change(acme)
        number_changes(acme.pk)
        # The lock, what is to be numbered (none), the bounds, the rows.
        with django_assert_num_queries(4 + 2, exact=True):
            assert len(changes_after(acme, None, 100).changes) >= rows
