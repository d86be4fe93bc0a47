"""Reset the second factor of a user, for whom no manager can do it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.actors import Actor
from accounts.management.making import MakingCommand
from accounts.models import Membership
from accounts.users import reset_second_factor


class Command(MakingCommand):
    """`manage.py reset_second_factor max@acme.example`: say the only manager lost the phone."""

    help = "Forget a user's app for codes and recovery codes; all sign-ins of the user end."
    made = "Reset the second factor of"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def make(self, **options: Any) -> dict[str, str]:
        email = options["email"].strip().lower()
        membership = (
            Membership.objects.filter(user__email=email)
            .select_related("user", "employer")
            .order_by("id")
            .first()
        )
        if membership is None:
            raise CommandError(f"No user of an employer has the address {email}.")
        reset_second_factor(Actor("command", membership.employer), membership.user)
        return {"id": str(membership.user.uuid)}
