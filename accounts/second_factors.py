"""Who has a second factor: an authenticator app that makes a code each 30 seconds.

django-allauth keeps them and asks for them; recovery codes stand in for the app, so they
alone are no second factor.
"""

from collections.abc import Iterable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from accounts.models import User


def has_second_factor(user: User) -> bool:
    """One query."""
    return bool(_apps().filter(user_id=user.pk).exists())


def with_second_factor(users: Iterable[User]) -> set[int]:
    """The ids, inside, of those who have one. One query."""
    rows = _apps().filter(user_id__in=[user.pk for user in users])
    return set(rows.values_list("user_id", flat=True))


def has_factor_of(column: str) -> Exists:
    """For a query: whether the user that this column names has one."""
    return Exists(_apps().filter(user_id=OuterRef(column)))


def _apps() -> Any:  # allauth has no types
    return Authenticator.objects.filter(type=Authenticator.Type.TOTP)


def forget_second_factor(user: User) -> bool:
    """Forget the app and the recovery codes. Whether there were any."""
    deleted, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    return bool(deleted)
