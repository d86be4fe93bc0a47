"""How people sign in: by e-mail and password, and only those whom somebody made a user."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up: a manager or `manage.py create_user` makes each user."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
