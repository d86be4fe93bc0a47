"""API keys: secrets of an employer's own systems, each with one role."""

from django.db import transaction
from django.db.models.functions import Now

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import ApiKey
from accounts.secrets import API_KEY_PREFIX, SHOWN_CHARACTERS, new_secret, secret_hash


def create_api_key(actor: Actor, role: str, *, name: str = "") -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again."""
    secret = new_secret(API_KEY_PREFIX)
    with transaction.atomic():
        key = ApiKey.objects.create(
            employer=actor.employer,
            name=name.strip(),
            role=role,
            prefix=secret[:SHOWN_CHARACTERS],
            key_hash=secret_hash(secret),
        )
        record(actor, "api_key.created", key, {"role": role})
    return key, secret


def revoke_api_key(actor: Actor, key: ApiKey) -> ApiKey:
    """Refused from the next request on. A second time changes nothing."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=Now()):
            record(actor, "api_key.revoked", key)
        key.refresh_from_db()
    return key
