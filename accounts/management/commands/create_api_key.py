"""Make an API key and print its secret."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.api_keys import create_api_key
from accounts.management.making import MakingCommand, an_id, employer_actor
from accounts.models import Role


class Command(MakingCommand):
    """`manage.py create_api_key --employer ID --role dispatcher`"""

    help = "Make a key for an employer's own systems, and print its secret once."
    made = "Made the API key"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--employer", type=an_id, required=True, metavar="ID")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument("--name", default="", help="what it is for, shown in the list")

    def make(self, **options: Any) -> dict[str, str]:
        actor = employer_actor(options["employer"])
        key, secret = create_api_key(actor, options["role"], name=options["name"])
        return {"id": str(key.uuid), "token": secret}
