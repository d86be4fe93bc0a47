"""Prove who is asking: a phone's token, an API key, a session.

`request.auth` is the Actor. Each proof is looked up on every request, so that a revoked
one is refused on the very next.
"""

from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.db.models.functions import Now
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.actors import Actor, actor_of_user
from accounts.models import ApiKey, DeviceHolding, DeviceToken, Driver, TokenScope, User
from accounts.secrets import API_KEY_PREFIX, secret_hash


def bearer_of(request: Request) -> str | None:
    """The secret after `Bearer`, or None when the header says something else or nothing."""
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


class BearerAuthentication(BaseAuthentication):
    """What the two kinds of secret have in common: how a 401 asks for one."""

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="milepost"'


class ApiKeyAuthentication(BearerAuthentication):
    """The employer's own systems."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        secret = bearer_of(request)
        if secret is None or not secret.startswith(API_KEY_PREFIX):
            return None
        key = (
            ApiKey.objects.select_related("employer")
            .filter(key_hash=secret_hash(secret), revoked_at__isnull=True)
            .first()
        )
        if key is None:
            raise AuthenticationFailed("This API key is unknown or revoked.")
        return AnonymousUser(), Actor("api_key", key.employer, frozenset({key.role}), api_key=key)


class DeviceTokenAuthentication(BearerAuthentication):
    """Our own app on a driver's phone. A token for ingest only opens nothing here.

    Answers for every Bearer that is not an API key, so that a wrong one is 401 even beside
    a valid session.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        secret = bearer_of(request)
        if secret is None or secret.startswith(API_KEY_PREFIX):
            return None
        token = token_in_force(secret)
        if token is None or token.scope != TokenScope.APP:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        device = token.device
        actor = Actor("device", device.employer, device=device, driver=_holder_now(device.pk))
        return AnonymousUser(), actor


def token_in_force(secret: str) -> DeviceToken | None:
    """The token as the database has it now: not expired, its phone not revoked."""
    return (
        DeviceToken.objects.select_related("device__employer")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))
        .filter(token_hash=secret_hash(secret), device__revoked_at__isnull=True)
        .first()
    )


def _holder_now(device_id: int) -> Driver | None:
    holding = (
        DeviceHolding.objects.select_related("driver")
        .filter(device_id=device_id, period__contains=Now())
        .first()
    )
    return holding.driver if holding else None


class UserSessionAuthentication(SessionAuthentication):
    """A person who signed in on the pages; changes need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user = cast("User", found[0])
        return user, actor_of_user(request, user)
