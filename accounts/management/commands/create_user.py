"""Make a user who signs in with an e-mail address."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.management.making import MakingCommand, an_id, employer_actor
from accounts.models import Role
from accounts.users import create_user, weaknesses


class Command(MakingCommand):
    """`echo "$PASSWORD" | manage.py create_user dee@acme.example --employer ID …`"""

    help = "Make a user with one role at an employer; the password is read from standard input."
    made = "Made the user"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--employer", type=an_id, required=True, metavar="ID")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            required=True,
            help="one line; an argument would be seen in the list of processes",
        )

    def make(self, **options: Any) -> dict[str, str]:
        actor = employer_actor(options["employer"])
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("There is no password on standard input.")
        user = create_user(actor, options["email"], options["role"], password=password)
        # Whoever runs the installation may choose a bad one for a trial, and is told.
        for weakness in weaknesses(password):
            self.stderr.write(f"Weak password: {weakness}")
        return {"id": str(user.uuid)}
