"""The feed of changes: numbered once they are committed, in order, and nobody misses any."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from accounts.models import ApiKey, Driver, Employer, Role, User
from missions.feed import ChangesExpired, changes_after, forget_old_changes, number_changes
from missions.models import (
    Change,
    Mission,
)
from tests.accounts.racing import raced
from tests.cast import ClientFor, make_api_key
from tests.missions.builders import make_mission

CHANGES = "/api/v1/changes"


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=1)


def change(employer: Employer, **fields: Any) -> Change:
    return Change.objects.create(
        employer=employer, **{"type": "mission.changed", "object_uuid": uuid4(), **fields}
    )


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
