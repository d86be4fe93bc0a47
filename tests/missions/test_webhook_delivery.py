"""Webhooks as receivers see them: real servers that fail in every way, and the real worker.

Time is passed in. What a receiver gets twice has one webhook-id.
"""

from datetime import datetime, timedelta

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.actors import Actor
from accounts.models import AuditEntry, Employer, Role, User
from accounts.outbound import Gate
from accounts.refusals import Invalid
from missions import tasks
from missions.models import (
    Change,
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
)
from missions.webhook_delivery import JITTER, WAITS
from missions.webhooks import (
    change_endpoint,
    create_endpoint,
    enable_endpoint,
    rotate_secret,
)
from tests.missions.builders import make_mission
from tests.missions.hooks import DAY, HOUR, QUICK, endpoint_at, log, run, states, tell
from tests.receivers import (
    NAME,
    Answer,
    drip,
    hang_up,
    receiver,
    status,
    stay_silent,
    trust_of_tests,
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


# --- What is sent -----------------------------------------------------------------------------


def test_a_change_reaches_the_receiver_signed_and_thin(acme: Employer, by_max: Actor) -> None:
    """By the worker's own task, and judged by another implementation of the standard."""
    with receiver() as there:
        _, secret = endpoint_at(by_max, there.url)
        mission = make_mission(acme)
        tasks.tell_of_changes()
        tasks.tell_of_changes()
    [came] = there.received
    change = Change.objects.get()
    assert Webhook(secret).verify(came.body, came.headers) == {
        "type": "mission.created",
        "timestamp": change.changed_at.isoformat(),
        "data": {"id": str(mission.uuid), "mission": str(mission.uuid)},
    }
    assert came.headers["webhook-id"] == str(change.uuid)
    assert came.headers["content-type"] == "application/json"
    altered = came.body.replace(b"created", b"deleted")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(altered, came.headers)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert (delivery.next_at, delivery.claimed_until) == (None, None)
    assert log() == [(200, "")]


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_delivers(code: int, acme: Employer, by_max: Actor, now: datetime) -> None:
    with receiver(status(code)) as there:
        endpoint_at(by_max, there.url)
        tell(acme)
        assert run(now) == 1
        assert run(now + 9 * DAY) == 0
    assert (states(), log()) == ({"delivered": 1}, [(code, "")])


def test_only_what_was_asked_for_is_sent_and_only_to_the_own_employer(
    acme: Employer, elsewhere: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there, receiver() as other:
        endpoint_at(by_max, there.url, ["mission.created"])
        endpoint_at(by_max, other.url, ["mission.cancelled", "pod.ready"])
        [change] = tell(acme)
        tell(elsewhere)
        run(now)
        assert there.ids() == [str(change.uuid)]
        assert other.received == []


def test_both_secrets_sign_for_a_day_while_one_is_replaced(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        endpoint, old = endpoint_at(by_max, there.url)
        new, ends_at = rotate_secret(by_max, endpoint)
        assert abs(ends_at - now - DAY) < timedelta(minutes=1)
        tell(acme)
        run(now)
        tell(acme)
        run(ends_at)
    first, second = there.received
    for secret in (old, new):
        Webhook(secret).verify(first.body, first.headers)
    assert len(first.headers["webhook-signature"].split()) == 2
    assert len(second.headers["webhook-signature"].split()) == 1
    signed = Webhook(new).sign(second.headers["webhook-id"], ends_at, second.body.decode())
    assert second.headers["webhook-signature"] == signed


# --- What goes wrong --------------------------------------------------------------------------

DRIPPING = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900)
FAILURES: list[tuple[str, Answer, int | None, str]] = [
    ("500", status(500), 500, "status"),
    ("404", status(404), 404, "status"),
    ("redirects", status(302, Location="http://127.0.0.1:9/"), 302, "status"),
    ("hangs up", hang_up, None, "connection"),
    ("is slow", stay_silent, None, "timeout"),
    ("drips", DRIPPING, None, "timeout"),
    ("no http", drip(b"SSH\r\n"), None, "connection"),
]


@pytest.mark.parametrize(
    ("answer", "code", "error"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_a_failure_is_logged_and_the_delivery_resumes(
    answer: Answer, code: int | None, error: str, acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver(answer) as there:
        endpoint_at(by_max, there.url)
        [change] = tell(acme)
        assert run(now) == 1
        assert (states(), log()) == ({"waiting": 1}, [(code, error)])
        assert run(now + WAITS[0] * 0.9) == 0
        assert run(now + WAITS[0] * (1 + JITTER)) == 1
        assert run(now + 9 * DAY) == 0
    assert (states(), log()[1:]) == ({"delivered": 1}, [(200, "")])
    assert there.ids() == [str(change.uuid)] * 2
    assert there.received[0].body == there.received[1].body


def test_a_receiver_that_is_down_gets_everything_when_it_is_back(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as before:
        endpoint, _ = endpoint_at(by_max, before.url)
    changes = tell(acme, 5)
    assert run(now) == 5
    assert log() == [(None, "connection")] * 5
    with receiver() as back:
        change_endpoint(by_max, endpoint, {"url": back.url}, gate=QUICK)
        run(now + HOUR)
        assert sorted(back.ids()) == sorted(str(change.uuid) for change in changes)
    assert states() == {"delivered": 5}


def test_a_name_that_turns_private_gets_nothing(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    """Public when it was entered, private when the worker asks."""
    addresses = iter([["8.8.8.8"], ["10.0.0.1"], ["169.254.169.254"]])
    rebinding = Gate(lambda name, port: next(addresses))
    create_endpoint(by_max, "https://rebinding.example/in", ["mission.created"], gate=rebinding)
    tell(acme)
    assert run(now, rebinding) == 1
    assert run(now + HOUR, rebinding) == 1
    assert log() == [(None, "refused_address")] * 2
    assert states() == {"waiting": 1}


def test_a_private_address_is_refused_when_it_is_entered(by_max: Actor) -> None:
    for address in ("10.0.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.1]"):
        with pytest.raises(Invalid) as refused:
            endpoint_at(by_max, f"https://{address}/in")
        assert refused.value.errors[0].code == "refused_address"
    assert WebhookEndpoint.objects.count() == 0


def test_a_certificate_of_another_name_gets_nothing(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    gate = Gate(lambda name, port: ["127.0.0.1"], trust_of_tests())
    with receiver(is_tls=True) as there:
        right, wrong = (f"https://{name}:{there.port}/in" for name in (NAME, "other.example"))
        endpoint, _ = create_endpoint(by_max, wrong, ["mission.created"], gate=gate)
        tell(acme)
        run(now, gate)
        assert there.received == []
        change_endpoint(by_max, endpoint, {"url": right}, gate=gate)
        run(now + HOUR, gate)
        assert len(there.received) == 1
    assert log() == [(None, "tls"), (200, "")]


def test_it_is_tried_eight_times_over_28_hours_and_then_given_up(
    acme: Employer, by_max: Actor, now: datetime
) -> None:
    with receiver() as there:
        there.otherwise = status(503)
        endpoint_at(by_max, there.url)
        [change] = tell(acme)
        at = now
        assert run(at) == 1
        for wait in WAITS:
            assert run(at + wait * 0.99) == 0
            at += wait * (1 + JITTER)
            assert run(at) == 1
        assert run(at + DAY) == 0
        assert there.ids() == [str(change.uuid)] * 8
    assert (states(), log()) == ({"given_up": 1}, [(503, "status")] * 8)
    assert sum(WAITS, timedelta()) == timedelta(hours=27, minutes=35, seconds=5)


def test_a_receiver_that_is_gone_is_disabled_and_the_managers_are_told(
    acme: Employer, by_max: Actor, dee: User, now: datetime, mailoutbox: list[EmailMessage]
) -> None:
    with receiver(status(410)) as there:
        endpoint, secret = endpoint_at(by_max, there.url)
        changes = tell(acme, 3)
        run(now)
        assert len(there.received) == 1
        endpoint.refresh_from_db()
        assert (endpoint.disabled_reason, states()) == ("gone", {"waiting": 3})
        [mail] = mailoutbox
        assert mail.to == ["max@acme.example"]
        assert secret not in mail.body
        assert AuditEntry.objects.filter(action="webhook.disabled", actor_kind="system").exists()
        tell(acme)
        assert WebhookDelivery.objects.count() == 3
        assert run(now + HOUR) == 0
        enable_endpoint(by_max, endpoint)
        run(now + HOUR)
        delivered = there.ids()[1:]
        assert sorted(delivered) == sorted(str(change.uuid) for change in changes)


def test_three_days_of_failures_disable_and_are_told_once(
    acme: Employer, by_max: Actor, now: datetime, mailoutbox: list[EmailMessage]
) -> None:
    with receiver() as there:
        there.otherwise = status(500)
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme, 2)
        run(now)
        endpoint.refresh_from_db()
        assert endpoint.failing_since == now
        run(now + 3 * DAY - HOUR)
        endpoint.refresh_from_db()
        assert endpoint.disabled_at is None
        run(now + 3 * DAY + HOUR)
        endpoint.refresh_from_db()
        assert endpoint.disabled_reason == "failing"
    assert len(mailoutbox) == 1
    assert there.url in mailoutbox[0].body


def test_one_success_in_three_days_is_enough(acme: Employer, by_max: Actor, now: datetime) -> None:
    with receiver(status(500), status(200), status(500)) as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme, 1)
        run(now)
        run(now + 2 * DAY)
        endpoint.refresh_from_db()
        assert endpoint.failing_since is None
        tell(acme, 1)
        run(now + 4 * DAY)
        endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    assert WebhookEndpoint.objects.get().failing_since == now + 4 * DAY


def test_a_mail_that_cannot_be_sent_disables_all_the_same(
    acme: Employer, by_max: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("missions.webhook_delivery.send_mail", refuse)
    with receiver(status(410)) as there:
        endpoint, _ = endpoint_at(by_max, there.url)
        tell(acme)
        run(now)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"
