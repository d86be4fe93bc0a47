"""Whether people who keep a page open may still read it: asked again and again, for all at once."""

from collections.abc import Collection
from typing import NamedTuple

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.actors import Actor
from accounts.models import Membership, Role
from accounts.second_factors import has_factor_of


class OpenSession(NamedTuple):
    """A sign-in of a user at an employer. `auth_hash` changes with the user's password."""

    key: str
    user_id: int
    employer_id: int
    auth_hash: str


def open_session_of(request: HttpRequest, actor: Actor) -> OpenSession:
    """That of a request whose guard has let it in. PermissionDenied without a session."""
    key = request.session.session_key
    if actor.user is None or key is None:
        raise PermissionDenied("Sign in first.")
    auth_hash = request.session.get(HASH_SESSION_KEY, "")
    return OpenSession(key, actor.user.pk, actor.employer.pk, auth_hash)


def still_dispatching(sessions: Collection[OpenSession]) -> set[OpenSession]:
    """Those that have not ended, of users who are active and still dispatcher or manager there.

    Where the employer wants a second factor, of those who have one only, as on every page.
    Two queries, however many; nothing is remembered from one call to the next.
    """
    keys = set(
        Session.objects.filter(
            session_key__in=[session.key for session in sessions], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    members = Membership.objects.filter(
        Q(employer__is_two_factor_required=False) | Q(has_factor_of("user_id")),
        user__in=[session.user_id for session in sessions],
        user__is_active=True,
        role__in=[Role.DISPATCHER, Role.MANAGER],
    ).select_related("user")
    hashes = {(row.user_id, row.employer_id): row.user.get_session_auth_hash() for row in members}
    return {
        session
        for session in sessions
        if session.key in keys
        and constant_time_compare(
            session.auth_hash, hashes.get((session.user_id, session.employer_id), "")
        )
    }
