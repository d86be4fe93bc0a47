"""Webhooks as workers send them and managers steer them: each at once, none lost or doubled.

Time is passed in. What a receiver gets twice has one webhook-id.
"""

import json
import logging
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.actors import Actor
from accounts.models import AuditEntry, Employer, Role, User
from missions.feed import number_changes
from missions.models import (
    Change,
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
)
from missions.webhook_delivery import CLAIM, attempt, claim_next
from missions.webhooks import (
    EndpointDisabled,
    disable_endpoint,
    redeliver,
    remove_endpoint,
    rotate_secret,
)
from tests.accounts.racing import raced
from tests.missions.builders import make_mission
from tests.missions.hooks import HOUR, QUICK, endpoint_at, log, run, states, tell
from tests.receivers import (
    hang_up,
    receiver,
    status,
    stay_silent,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = True


@pytest.fixture
def by_max(acme: Employer, max: User) -> Actor:
    return Actor("user", acme, frozenset({Role.MANAGER}), user=max)


@pytest.fixture
def now() -> datetime:
    return timezone.now() + timedelta(seconds=1)


# --- Workers ----------------------------------------------------------------------------------


def test_a_worker_that_was_killed_leaves_the_delivery_to_the_next(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme)
        assert claim_next(endpoint, now) is not None  # and then it was killed
        assert run(now + CLAIM * 0.9) == 0
        assert run(now + CLAIM) == 1
        assert len(there.received) == 1
    assert states() == {"delivered": 1}


def test_a_worker_that_was_killed_after_sending_sends_the_same_id_again(
    acme: Employer, by_max: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise SystemExit

    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        [change] = tell(acme)
        delivery = claim_next(endpoint, now)
        assert delivery is not None
        with monkeypatch.context() as patch:
            patch.setattr("missions.webhook_delivery._settle", killed)
            with pytest.raises(SystemExit):
                attempt(delivery, now=now, gate=QUICK)
        run(now + CLAIM)
        assert there.ids() == [str(change.uuid)] * 2


def test_what_another_worker_took_over_is_not_put_back(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    """The first was slow to fail; the second has delivered meanwhile."""
    with receiver(status(200), status(500)) as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme)
        first = claim_next(endpoint, now)
        second = claim_next(endpoint, now + CLAIM)
        assert first is not None
        assert second is not None
        attempt(second, now=now + CLAIM, gate=QUICK)
        attempt(first, now=now + CLAIM, gate=QUICK)
    assert (states(), log()) == ({"delivered": 1}, [(200, ""), (500, "status")])


def test_four_workers_at_once_send_each_delivery_once(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there, receiver() as other:
        endpoint_at(by_max, there.url)
        endpoint_at(by_max, other.url)
        changes = tell(acme, 25)
        raced(*[partial(run, now)] * 4)
        run(now)
        expected = Counter(str(change.uuid) for change in changes)
        assert Counter(there.ids()) == Counter(other.ids()) == expected
    assert states() == {"delivered": 50}
    assert WebhookAttempt.objects.count() == 50


def test_a_slow_endpoint_takes_nobodys_turn(acme: Employer, by_max: Actor, now: datetime) -> None:
    with receiver() as slow, receiver() as quick:
        slow.otherwise = stay_silent
        endpoint_at(by_max, slow.url)
        endpoint_at(by_max, quick.url)
        tell(acme, 10)
        run(now)
        assert len(quick.received) == 10
        assert len(slow.received) == 1


def test_one_endpoint_gets_a_bounded_part_of_a_sweep(
    acme: Employer, by_max: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("missions.webhook_delivery.PER_ENDPOINT", 4)
    with receiver() as there:
        endpoint_at(by_max, there.url)
        tell(acme, 10)
        assert [run(now) for _ in range(4)] == [4, 4, 2, 0]


def test_an_endpoint_that_another_sweep_is_busy_with_is_left_alone(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme, 2)
        assert claim_next(endpoint, now) is not None
        assert run(now) == 0
        assert there.received == []
        assert run(now + CLAIM) == 2


def test_nothing_is_lost_or_doubled_by_a_receiver_that_fails_at_random(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    """Nor is anything delivered twice that the receiver had taken."""
    dice = random.Random(7)  # noqa: S311 (the same each time)
    taken: list[str] = []

    def moody(handler: Any) -> None:
        if dice.random() < 0.5:
            dice.choice([status(500), status(302), status(429), hang_up])(handler)
        else:
            taken.append(handler.headers["webhook-id"])
            status(204)(handler)

    with receiver() as there:
        there.otherwise = moody
        endpoint_at(by_max, there.url)
        changes = tell(acme, 40)
        at = now
        for _ in range(8):
            run(at)
            at += 11 * HOUR
        given_up = WebhookDelivery.objects.filter(state=DeliveryState.GIVEN_UP)
        for delivery in given_up:
            redeliver(by_max, delivery)
        there.otherwise = status(200)
        run(at)
        late = there.ids()[-given_up.count() or len(there.ids()) :]
    assert states() == {"delivered": 40}
    assert Counter(taken + late) == Counter(str(change.uuid) for change in changes)


# --- What managers do -------------------------------------------------------------------------


def test_what_was_delivered_can_be_sent_again_under_its_id(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        [change] = tell(acme)
        run(now)
        delivery = WebhookDelivery.objects.get()
        redeliver(by_max, delivery)
        run(now + HOUR)
        assert there.ids() == [str(change.uuid)] * 2
        disable_endpoint(by_max, endpoint)
        with pytest.raises(EndpointDisabled):
            redeliver(by_max, delivery)
    assert len(log()) == 2


def test_what_is_being_sent_now_is_not_sent_beside_it(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme)
        claimed = claim_next(endpoint, now)
        assert claimed is not None
        redeliver(by_max, claimed)
        assert claim_next(endpoint, now) is None


def test_an_endpoint_that_is_removed_while_something_is_sent_takes_its_log_along(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme, 2)
        claimed = claim_next(endpoint, now)
        assert claimed is not None
        remove_endpoint(by_max, endpoint)
        attempt(claimed, now=now, gate=QUICK)
    assert (WebhookDelivery.objects.count(), WebhookAttempt.objects.count()) == (0, 0)
    assert Change.objects.count() == 2


def test_no_log_line_holds_a_secret_or_an_address(
    acme: Employer, by_max: Actor, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with receiver(status(500), status(410)) as there:
        _, secret = endpoint_at(by_max, f"{there.url}/very-secret-path")
        tell(acme, 2)
        run(now)
    assert len(there.received) == 2
    for text in (secret, "very-secret-path"):
        assert text not in caplog.text
        assert text not in json.dumps(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert AuditEntry.objects.filter(object_kind="webhook_endpoint").count() == 2


def test_a_change_that_is_numbered_while_its_endpoint_is_removed_is_told_to_no_one(
    acme: Employer, by_max: Actor
) -> None:
    """It waits for the removal, and does not fail when there is nobody left to tell."""
    endpoint, _ = endpoint_at(by_max, "http://127.0.0.1:9/")
    make_mission(acme)

    def number() -> int:
        try:
            return number_changes(acme.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            remove_endpoint(by_max, endpoint)
            numbering = pool.submit(number)
            time.sleep(0.3)  # so that it has come to the endpoint
        assert numbering.result(timeout=10) > 0
    assert not WebhookDelivery.objects.exists()


def test_secrets_that_no_key_opens_fail_their_own_endpoint_alone_until_there_is_a_new_one(
    acme: Employer, by_max: Actor, now: datetime, settings: Settings
) -> None:
    with receiver() as there:
        broken, _ = endpoint_at(by_max, f"{there.url}/broken")
        settings.SECRET_KEY, settings.SEALING_KEY = "another", ""
        endpoint_at(by_max, f"{there.url}/whole")
        tell(acme)
        assert run(now) == 2
        assert states() == {"delivered": 1, "waiting": 1}
        assert set(log()) == {(None, "secret"), (200, "")}
        rotate_secret(by_max, broken)
        run(now + HOUR)
        assert len(there.received) == 2
    assert states() == {"delivered": 2}
