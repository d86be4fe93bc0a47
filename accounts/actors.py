"""Who is asking: one answer for a session, an API key and a phone.

Resolved anew on every request; nothing of it is cached between two.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from accounts.models import ApiKey, Device, Driver, Employer, Membership, User
from accounts.refusals import TwoFactorRequired
from accounts.second_factors import has_second_factor

if TYPE_CHECKING:
    # Commands start without the REST framework.
    from rest_framework.request import Request

EMPLOYER_HEADER = "Milepost-Employer"
EMPLOYER_SESSION_KEY = "employer"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, for which employer, in which roles.

    A phone has no roles: it is its driver, and `driver` is who carries it now, or None.
    A command is whoever runs the installation, at its command line.
    """

    kind: Literal["user", "api_key", "device", "command"]
    employer: Employer
    roles: frozenset[str] = frozenset()
    user: User | None = None
    api_key: ApiKey | None = None
    device: Device | None = None
    driver: Driver | None = None

    @property
    def uuid(self) -> UUID | None:
        """The id that the audit trail names; None for a command."""
        found = self.user or self.api_key or self.device
        return found.uuid if found else None


def actor_of(request: "HttpRequest | Request") -> Actor:
    """The actor of an API or a page request. PermissionDenied when there is none."""
    found = getattr(request, "auth", None)
    if isinstance(found, Actor):
        return found
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        raise PermissionDenied("Sign in first.")
    return actor_of_user(request, user)


def actor_of_user(request: "HttpRequest | Request", user: User) -> Actor:
    """The user at the employer that the header or the session names, else at the first.

    An employer in the header that the user does not belong to is 404, like any other id of
    another employer; one in the session may be out of date and is passed over.
    TwoFactorRequired when the employer wants a second factor and the user has none.
    """
    memberships = list(
        Membership.objects.filter(user=user).select_related("employer").order_by("id")
    )
    if not memberships:
        raise PermissionDenied("This user belongs to no employer.")
    asked = request.headers.get(EMPLOYER_HEADER)
    session = getattr(request, "session", None) or {}
    employer = _employer_named(memberships, asked or session.get(EMPLOYER_SESSION_KEY))
    if employer is None:
        if asked:
            raise Http404
        employer = memberships[0].employer
    if employer.is_two_factor_required and not has_second_factor(user):
        raise TwoFactorRequired("Your employer wants a second factor: set one up first.")
    roles = frozenset(row.role for row in memberships if row.employer_id == employer.pk)
    return Actor("user", employer, roles, user=user)


def _employer_named(memberships: list[Membership], name: str | None) -> Employer | None:
    return next((row.employer for row in memberships if str(row.employer.uuid) == name), None)
