"""The forms that ask for a second factor: each code opens once, in whichever process it comes."""

from datetime import datetime, timedelta
from typing import Any, Final

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.refusals import TooManyTries
from accounts.sealing import SealBroken
from accounts.tries import give_back, refuse_too_many

# Longer than any code is good: 30 s, and one step either way.
REMEMBERED: Final = timedelta(minutes=3)
# Of one user, counted in the database: whoever has the password may not guess on and on.
KIND: Final = "second_factor"
TRIES_AN_HOUR: Final = 20
# Where a request keeps the code that switched the factor on, until the app's row is there.
ACTIVATED_WITH: Final = "_activated_with"


class _Once:
    """allauth remembers spent codes in a cache, and ours is one for each process.

    So a code of the app is written down with the app itself, under a lock that makes two
    tries with one code, or with one recovery code, wait for each other.
    """

    user: Any
    authenticator: Any

    def clean_code(self) -> str:
        try:
            refuse_too_many(KIND, self._whose(), TRIES_AN_HOUR)
        except TooManyTries:
            raise get_account_adapter().validation_error("too_many_login_attempts") from None
        code = self._checked()
        give_back(KIND, self._whose())
        return code

    def _whose(self) -> str:
        return f"user {self.user.pk}"

    def _checked(self) -> str:
        with transaction.atomic():
            list(Authenticator.objects.filter(user=self.user).select_for_update())
            try:
                code: str = super().clean_code()  # type: ignore[misc]  # of the form beside it
            except SealBroken:
                # Sealed with a key that is gone: a manager can reset it.
                raise get_adapter().validation_error("incorrect_code") from None
            if self.authenticator.type == Authenticator.Type.TOTP and not spend(
                self.authenticator.pk, code, timezone.now()
            ):
                raise get_adapter().validation_error("incorrect_code")
        return code


def spend(pk: int, code: str, now: datetime) -> bool:
    """Write down that an app's code was used; False when it was before. Under a lock."""
    row = Authenticator.objects.select_for_update().get(pk=pk)
    recent = (now - REMEMBERED).isoformat()
    spent = {was: at for was, at in row.data.get("spent", {}).items() if at > recent}
    mark = salted_hmac("config.sign_in_forms", f"{row.pk} {normalize_user_code(code)}").hexdigest()
    if mark in spent:
        return False
    row.data["spent"] = {**spent, mark: now.isoformat()}
    row.save(update_fields=["data"])
    return True


class ActivateOnceForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """Switching on: the code that shows that the app works opens nothing after it."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        setattr(context.request, ACTIVATED_WITH, code)
        return code


class AuthenticateOnceForm(_Once, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The second step of signing in."""


class ReauthenticateOnceForm(_Once, ReauthenticateForm):  # type: ignore[misc]  # as above
    """The same, asked again before something that matters."""
