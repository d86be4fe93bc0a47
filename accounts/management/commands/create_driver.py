"""Make a driver."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.drivers import create_driver
from accounts.management.making import MakingCommand, an_id, employer_actor


class Command(MakingCommand):
    """`manage.py create_driver --employer ID --name "Ada Peeters" --number D-1`"""

    help = "Make a driver, and record the employer's word that the person is 18 or older."
    made = "Made the driver"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--employer", type=an_id, required=True, metavar="ID")
        parser.add_argument("--name", required=True, help="may be empty: a phone account only")
        parser.add_argument("--number", default=None, help="the employer's own, used once")

    def make(self, **options: Any) -> dict[str, str]:
        actor = employer_actor(options["employer"])
        driver = create_driver(actor, name=options["name"], number=options["number"])
        return {"id": str(driver.uuid)}
