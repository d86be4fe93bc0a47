"""Who changed what: one row per change, written in the change's own transaction.

The detail holds ids and names of fields, never a person's name, a place or a secret.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Model

from accounts.actors import Actor
from accounts.models import AuditEntry, Employer

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def record(
    actor: Actor | None,
    action: str,
    changed: Model,
    detail: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Write down an action, for example `truck.assigned`, and the object it changed.

    Without an actor the system did it by itself, by the clock.
    Fails outside a transaction: an entry beside a change that was rolled back would lie.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry goes with its change")
    return AuditEntry.objects.create(
        employer_id=_employer_id(changed) or (actor.employer.pk if actor else None),
        actor_kind=actor.kind if actor else "system",
        actor=actor.uuid if actor else None,
        action=action,
        object_kind=_HUMP.sub("_", type(changed).__name__).lower(),
        object_id=getattr(changed, "uuid", None),
        detail=dict(detail or {}),
    )


def _employer_id(changed: Any) -> int | None:
    if isinstance(changed, Employer):
        return changed.pk
    return getattr(changed, "employer_id", None)
