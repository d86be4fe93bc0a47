"""What the tests of webhooks share: an endpoint, changes to tell it, one sweep of the worker."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.actors import Actor
from accounts.models import Employer
from accounts.outbound import Gate
from missions.feed import number_changes
from missions.models import (
    Change,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from missions.webhook_delivery import deliver_due
from missions.webhooks import (
    create_endpoint,
)
from tests.missions.builders import make_mission

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Nobody here waits for a server that says nothing.
QUICK = Gate(deadline_s=1.5)


def endpoint_at(
    actor: Actor, url: str, types: Sequence[str] = ("mission.created",)
) -> tuple[WebhookEndpoint, str]:
    return create_endpoint(actor, url, types, gate=QUICK)


def tell(employer: Employer, changes: int = 1) -> list[Change]:
    """So many new missions, numbered."""
    for _ in range(changes):
        make_mission(employer)
    number_changes(employer.pk)
    return list(Change.objects.filter(employer=employer).order_by("-id")[:changes])


def run(at: datetime, gate: Gate = QUICK) -> int:
    """One sweep of the worker at a moment."""
    return deliver_due(clock=lambda: at, gate=gate)


def log() -> list[tuple[int | None, str]]:
    return list(WebhookAttempt.objects.order_by("id").values_list("status_code", "error"))


def states() -> Counter[str]:
    return Counter(WebhookDelivery.objects.values_list("state", flat=True))
