"""How people sign in: by e-mail and password, and only those whom somebody made a user.

Who has set one up gives a second factor besides: a code of an authenticator app.
"""

from base64 import b64decode, b64encode
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Membership, User
from accounts.qr_codes import qr_svg
from accounts.reader_language import keep_language
from accounts.sealing import seal, unseal
from accounts.users import end_sign_ins
from config.sign_in_forms import ACTIVATED_WITH, spend

# allauth tells its adapter of each of these by the name of the mail that could be sent.
IN_TRAIL: Final = {
    "mfa/email/totp_activated": "second_factor.added",
    "mfa/email/totp_deactivated": "second_factor.removed",
    "mfa/email/recovery_codes_generated": "recovery_codes.made",
}


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up: a manager or `manage.py create_user` makes each user."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """The pages speak the user's own language from here on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        keep_language(response, user.language)
        return response

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kwargs: Any
    ) -> None:
        """What follows on a change of the own second factor, whether mail goes out or not."""
        action = IN_TRAIL.get(template_prefix)
        if action is not None:
            with transaction.atomic():
                if action == "second_factor.added":
                    self._now_with_a_second_factor(user)
                for one in Membership.objects.filter(user=user).distinct("employer"):
                    record(Actor("user", one.employer, user=user), action, user)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def _now_with_a_second_factor(self, user: User) -> None:
        """Who signed in elsewhere by the password alone is out: it is not known who that is."""
        if code := getattr(self.request, ACTIVATED_WITH, ""):
            app = Authenticator.objects.get(user_id=user.pk, type=Authenticator.Type.TOTP)
            spend(app.pk, code, timezone.now())
        end_sign_ins(user)
        update_session_auth_hash(self.request, user)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets are sealed at rest, and codes are drawn here."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _(
            "Your employer wants a second factor, so yours cannot be switched off."
        ),
    }

    def get_totp_issuer(self) -> str:
        return "Milepost"

    def build_totp_svg(self, url: str) -> str:
        return qr_svg(url)

    def encrypt(self, text: str) -> str:
        return b64encode(seal(text)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(b64decode(encrypted_text))

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        asking = Membership.objects.filter(
            user_id=authenticator.user_id, employer__is_two_factor_required=True
        )
        return not asking.exists()
