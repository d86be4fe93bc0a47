"""Deliver what waits for an employer's systems: at least once, in no promised order.

1. A delivery is due when it waits, its time has come and nobody has claimed it. A worker
   claims one by one UPDATE just before it sends it, so two never send the same at once; one
   that was killed leaves a claim that runs out.
2. Any 2xx delivers it. Everything else is a failure, a redirect too, and is tried again
   after the waits below, under the same webhook-id, by which the receiver drops repeats.
3. 410 disables the endpoint; so do three days without a single success. What waits then is
   kept, and is sent once a manager enables the endpoint.
4. Each endpoint has a thread of its own and a bound for each sweep, so that a slow one takes
   nobody's turn; a sweep that overlaps another leaves alone what that one is busy with.
"""

import base64
import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Membership, Role
from accounts.outbound import Gate, OutboundFailed, Outgoing
from missions.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from missions.webhooks import (
    DISABLED_AS_FAILING,
    DISABLED_AS_GONE,
    SECRET_PREFIX,
    disable_endpoint,
    signing_secrets,
)

Clock = Callable[[], datetime]

# After the first attempt, the second and so on: as Standard Webhooks proposes.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
# Up to a tenth more, so that what failed together does not come back together.
JITTER: Final = 0.1
GIVEN_UP_ON_AFTER: Final = timedelta(days=3)
# Longer than the gate's deadline: a claim runs out only when its worker is gone.
CLAIM: Final = timedelta(seconds=60)
# In one sweep: threads, and how many deliveries and seconds one endpoint gets.
THREADS: Final = 8
PER_ENDPOINT: Final = 100
SECONDS_PER_ENDPOINT: Final = 20.0
GONE: Final = 410


SUBJECT: Final = "A webhook of Milepost was disabled"
TEXTS: Final = {
    "gone": (
        "The receiver at {url} answered 410 Gone, so nothing more is sent to it.\n\n"
        "If that was a mistake, enable the webhook again: what waited is sent then."
    ),
    "failing": (
        "Nothing could be delivered to {url} for three days, so nothing more is sent to it.\n\n"
        "Once its receiver works, enable the webhook again: what waited is sent then. What"
        " changed meanwhile is in the feed of changes."
    ),
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt; `error` is blank when it was delivered."""

    status_code: int | None
    error: str
    duration_ms: int

    @property
    def is_delivered(self) -> bool:
        return not self.error


def message(type: str, timestamp: datetime, id: str, mission: str | None) -> bytes:
    """The body: nothing but ids."""
    content = {
        "type": type,
        "timestamp": timestamp.isoformat(),
        "data": {"id": id, "mission": mission},
    }
    return json.dumps(content, separators=(",", ":")).encode()


def signature_of(secret: str, message_id: str, sent_at: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body`, as Standard Webhooks 1.0 says."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join((message_id.encode(), str(sent_at).encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def post(
    endpoint: WebhookEndpoint, message_id: str, body: bytes, *, now: datetime, gate: Gate
) -> Outcome:
    """Sign a message, send it once, and say what came of it. The answer's body is dropped.

    An endpoint none of whose secrets opens gets nothing: the error is `secret`.
    """
    sent_at = int(now.timestamp())
    signatures = [
        signature_of(secret, message_id, sent_at, body) for secret in signing_secrets(endpoint, now)
    ]
    if not signatures:
        return Outcome(None, "secret", 0)
    request = Outgoing(
        endpoint.url,
        headers={
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": " ".join(signatures),
        },
        body=body,
    )
    began = time.monotonic()
    status_code, error = None, ""
    try:
        status_code = gate.send(request).status_code
        error = "" if 200 <= status_code < 300 else "status"
    except OutboundFailed as failure:
        error = failure.code
    return Outcome(status_code, error, round((time.monotonic() - began) * 1000))


def deliver_due(*, clock: Clock = timezone.now, gate: Gate | None = None) -> int:
    """Send what is due, a bounded part of it to each endpoint; how many attempts that were."""
    endpoints = list(_with_due(clock()))
    if not endpoints:
        return 0
    gate = gate or Gate()

    def work(endpoint: WebhookEndpoint) -> int:
        try:
            return _deliver_to(endpoint, clock, gate)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        return sum(pool.map(work, endpoints))


def _with_due(now: datetime) -> QuerySet[WebhookEndpoint]:
    own = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=DeliveryState.WAITING)
    is_busy = Exists(own.filter(claimed_until__gt=now))
    with_due = WebhookEndpoint.objects.filter(Exists(own.filter(_is_due(now))), ~is_busy)
    # In any order, so that none is always the last.
    return with_due.filter(disabled_at=None).order_by("?")


def _is_due(now: datetime) -> Q:
    is_free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return Q(state=DeliveryState.WAITING, next_at__lte=now) & is_free


def _deliver_to(endpoint: WebhookEndpoint, clock: Clock, gate: Gate) -> int:
    """One after the other, until none is due, the bound is reached or it fails to answer."""
    began = time.monotonic()
    attempts = 0
    while attempts < PER_ENDPOINT and time.monotonic() - began < SECONDS_PER_ENDPOINT:
        delivery = claim_next(endpoint, clock())
        if delivery is None:
            break
        outcome = attempt(delivery, now=clock(), gate=gate)
        attempts += 1
        if outcome.error == "timeout":
            break
    return attempts


def claim_next(endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery | None:
    """The endpoint's next due delivery, ours until the claim runs out. None: nothing is due."""
    with transaction.atomic():
        delivery = (
            WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("endpoint", "change")
            .filter(_is_due(now), endpoint=endpoint, endpoint__disabled_at=None)
            .order_by("next_at", "id")
            .first()
        )
        if delivery is None:
            return None
        delivery.claimed_until = now + CLAIM
        delivery.attempts += 1
        delivery.save(update_fields=["claimed_until", "attempts"])
    return delivery


def attempt(delivery: WebhookDelivery, *, now: datetime, gate: Gate) -> Outcome:
    """Send a claimed delivery once and write down what came of it."""
    change = delivery.change
    mission = str(change.mission_uuid) if change.mission_uuid else None
    body = message(change.type, change.changed_at, str(change.object_uuid), mission)
    outcome = post(delivery.endpoint, str(change.uuid), body, now=now, gate=gate)
    _settle(delivery, outcome, now)
    return outcome


def _settle(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    """Log an attempt, and say when the next one is, if there is one."""
    with transaction.atomic():
        # Gone with its endpoint, if a manager removed that meanwhile.
        row = WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).first()
        if row is None:
            return
        WebhookAttempt.objects.create(
            delivery=row,
            employer_id=row.employer_id,
            attempted_at=now,
            status_code=outcome.status_code,
            error=outcome.error,
            duration_ms=outcome.duration_ms,
        )
        if outcome.is_delivered:
            row.state, row.delivered_at = DeliveryState.DELIVERED, now
            row.next_at = row.claimed_until = None
            row.save()
        elif row.claimed_until == delivery.claimed_until:  # else another took it over
            _wait(row, now)
            row.save()
    # Outside: whoever removes an endpoint locks it first and its deliveries after it.
    _note_health(delivery.endpoint, outcome, now)
    _disable_if_dead(delivery.endpoint, outcome, now)


def _wait(row: WebhookDelivery, now: datetime) -> None:
    row.claimed_until = None
    if row.attempts > len(WAITS):
        row.state, row.next_at = DeliveryState.GIVEN_UP, None
        return
    wait = WAITS[row.attempts - 1]
    row.next_at = now + wait * (1 + JITTER * random.random())  # noqa: S311 (no secret)


def _note_health(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    """Since when every attempt fails; written only when that changes."""
    own = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    if outcome.is_delivered:
        own.filter(failing_since__isnull=False).update(failing_since=None)
    else:
        own.filter(failing_since=None).update(failing_since=now)


def _disable_if_dead(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    if outcome.status_code == GONE:
        _disable(endpoint, DISABLED_AS_GONE)
    elif not outcome.is_delivered:
        dead_since = Q(failing_since__lte=now - GIVEN_UP_ON_AFTER)
        if WebhookEndpoint.objects.filter(dead_since, pk=endpoint.pk).exists():
            _disable(endpoint, DISABLED_AS_FAILING)


def _disable(endpoint: WebhookEndpoint, reason: Literal["gone", "failing"]) -> None:
    if disable_endpoint(None, endpoint, reason):
        _tell_managers(endpoint, reason)


def _tell_managers(endpoint: WebhookEndpoint, reason: Literal["gone", "failing"]) -> None:
    """One mail to each. That it could not be sent is logged; the endpoint says it, too."""
    managers = Membership.objects.filter(
        employer_id=endpoint.employer_id, role=Role.MANAGER, user__is_active=True
    )
    for email in managers.values_list("user__email", flat=True):
        try:
            send_mail(SUBJECT, TEXTS[reason].format(url=endpoint.url), None, [email])
        except OSError:  # SMTPException is one
            logger.exception("the managers could not be told of a webhook that was disabled")
