"""Endpoints of webhooks: addresses of an employer's own systems that are told of changes.

Messages are Standard Webhooks 1.0 and thin: type, time and ids. Whoever gets one asks the
API for the rest, so an address that goes to the wrong system gives nothing away.
"""

import base64
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.outbound import (
    AddressRefused,
    Gate,
    NameUnknown,
    OutboundFailed,
    TimedOut,
    UrlRefused,
)
from accounts.refusals import Conflict, Invalid
from accounts.sealing import SealBroken, seal, unseal
from missions.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookSecret

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (how one begins)
SECRET_BYTES: Final = 32
ROTATION_OVERLAP: Final = timedelta(hours=24)
ENDPOINTS_AT_MOST: Final = 20  # for one employer: each costs a row for every change

DISABLED_BY_MANAGER: Final = "manager"
DISABLED_AS_GONE: Final = "gone"
DISABLED_AS_FAILING: Final = "failing"

REFUSED: Final[Mapping[type[OutboundFailed], str]] = {
    UrlRefused: "An https URL is needed, without a user, a password or a fragment.",
    AddressRefused: "This name leads to an address that is not on the public internet.",
    NameUnknown: "This name leads to no address.",
    TimedOut: "This name could not be looked up in time; try again.",
}

logger = logging.getLogger(__name__)


class TooManyEndpoints(Conflict):
    """The employer has as many as it may have."""

    code = "too_many_endpoints"


class EndpointDisabled(Conflict):
    """Nothing is sent to an endpoint that is disabled."""

    status: ClassVar[int] = 409
    code = "endpoint_disabled"


def new_signing_secret() -> str:
    """256 random bits as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signing_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets in force, the newest first: each signs every message.

    Without those that no key opens any more, so that a new one is of use at once.
    """
    rows = endpoint.secrets.order_by("-id")
    in_force = [row for row in rows if row.expires_at is None or row.expires_at > now]
    return [opened for row in in_force if (opened := _opened(row)) is not None]


def _opened(row: WebhookSecret) -> str | None:
    try:
        return unseal(bytes(row.sealed))
    except SealBroken:
        logger.error(  # noqa: TRY400 (where it came from says nothing)
            "a webhook's secret cannot be opened: SEALING_KEY or SECRET_KEY was changed"
        )
        return None


def refuse_unreachable(url: str, gate: Gate) -> None:
    """Invalid for a URL to which the gate would let nothing out."""
    try:
        gate.check(url)
    except OutboundFailed as failure:
        detail = REFUSED.get(type(failure), "Nothing can be sent to this URL.")
        raise Invalid(detail, field="url", code=failure.code) from None


def create_endpoint(
    actor: Actor, url: str, types: Sequence[str], *, description: str = "", gate: Gate
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which nobody can read again."""
    refuse_unreachable(url, gate)
    secret = new_signing_secret()
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(employer=actor.employer).count() >= ENDPOINTS_AT_MOST:
            raise TooManyEndpoints(f"There are {ENDPOINTS_AT_MOST} endpoints: remove one first.")
        endpoint = WebhookEndpoint.objects.create(
            employer=actor.employer, url=url, types=_sorted(types), description=description
        )
        _add_secret(endpoint, secret)
        record(actor, "webhook.created", endpoint, {"types": endpoint.types})
    return endpoint, secret


def change_endpoint(
    actor: Actor, endpoint: WebhookEndpoint, changes: Mapping[str, Any], *, gate: Gate
) -> WebhookEndpoint:
    """Set its url, types or description. What waits goes to the new URL."""
    if "url" in changes:
        refuse_unreachable(changes["url"], gate)
    with transaction.atomic():
        endpoint = _locked(endpoint)
        wanted = {**changes, **({"types": _sorted(changes["types"])} if "types" in changes else {})}
        fields = [name for name, value in wanted.items() if getattr(endpoint, name) != value]
        for name in fields:
            setattr(endpoint, name, wanted[name])
        if fields:
            endpoint.save(update_fields=fields)
            record(actor, "webhook.changed", endpoint, {"fields": sorted(fields)})
    return endpoint


@transaction.atomic
def remove_endpoint(actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Forget an endpoint, its secrets and its log; what waits is not sent."""
    endpoint = _locked(endpoint)
    record(actor, "webhook.removed", endpoint)
    endpoint.delete()


@transaction.atomic
def rotate_secret(actor: Actor, endpoint: WebhookEndpoint) -> tuple[str, datetime]:
    """A new secret, and until when the older ones sign beside it: 24 h more at most."""
    endpoint = _locked(endpoint)
    ends_at = timezone.now() + ROTATION_OVERLAP
    endpoint.secrets.filter(expires_at__lt=timezone.now()).delete()
    endpoint.secrets.filter(expires_at=None).update(expires_at=ends_at)
    secret = new_signing_secret()
    _add_secret(endpoint, secret)
    record(actor, "webhook.secret_rotated", endpoint)
    return secret, ends_at


@transaction.atomic
def enable_endpoint(actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send again: what waited since it was disabled is due at once."""
    endpoint = _locked(endpoint)
    if endpoint.disabled_at is not None:
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
        endpoint.failing_since = None
        endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
        waiting = endpoint.deliveries.filter(state=DeliveryState.WAITING)
        waiting.update(next_at=timezone.now())
        record(actor, "webhook.enabled", endpoint)
    return endpoint


@transaction.atomic
def disable_endpoint(
    actor: Actor | None, endpoint: WebhookEndpoint, reason: str = DISABLED_BY_MANAGER
) -> bool:
    """Send nothing more, and queue nothing more; what waits, waits. False: it was disabled.

    By the system (actor None) when the receiver is gone or has failed for three days.
    """
    endpoint = _locked(endpoint)
    if endpoint.disabled_at is not None:
        return False
    endpoint.disabled_at, endpoint.disabled_reason = timezone.now(), reason
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    record(actor, "webhook.disabled", endpoint, {"reason": reason})
    return True


@transaction.atomic
def redeliver(actor: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a change again, with all its tries and under the same webhook-id.

    One that a worker sends at this moment is left to it. EndpointDisabled when it would wait.
    """
    delivery = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("endpoint", "change")
        .get(pk=delivery.pk)
    )
    if delivery.endpoint.disabled_at is not None:
        raise EndpointDisabled("This endpoint is disabled: enable it first.")
    now = timezone.now()
    if delivery.claimed_until is None or delivery.claimed_until <= now:
        delivery.state, delivery.attempts = DeliveryState.WAITING, 0
        delivery.next_at, delivery.delivered_at = now, None
        delivery.save(update_fields=["state", "attempts", "next_at", "delivered_at"])
        record(actor, "webhook.redelivered", delivery)
    return delivery


def _add_secret(endpoint: WebhookEndpoint, secret: str) -> None:
    WebhookSecret.objects.create(
        employer_id=endpoint.employer_id, endpoint=endpoint, sealed=seal(secret)
    )


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)


def _sorted(types: Sequence[str]) -> list[str]:
    return sorted(set(types))
