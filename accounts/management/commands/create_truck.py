"""Make a truck."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.making import MakingCommand, an_id, employer_actor
from accounts.trucks import create_truck


class Command(MakingCommand):
    """`manage.py create_truck --employer ID --plate 1-ABC-123`"""

    help = "Make a truck in service."
    made = "Made the truck"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--employer", type=an_id, required=True, metavar="ID")
        parser.add_argument("--plate", required=True)

    def make(self, **options: Any) -> dict[str, str]:
        truck = create_truck(employer_actor(options["employer"]), plate=options["plate"])
        return {"id": str(truck.uuid)}
