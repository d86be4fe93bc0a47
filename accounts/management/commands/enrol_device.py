"""Enrol a phone and print its token."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.actors import Actor
from accounts.management.making import MakingCommand, a_moment, an_id, row_with_id
from accounts.models import Driver, TokenScope
from accounts.phones import enrol_device


class Command(MakingCommand):
    """`manage.py enrol_device --driver ID --scope ingest`"""

    help = "Enrol a phone that a driver carries, and print its token once."
    made = "Enrolled the device"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--driver", type=an_id, required=True, metavar="ID")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.APP,
            help="app: our own app; ingest: an off-the-shelf client, may only send fixes",
        )
        parser.add_argument(
            "--from",
            type=a_moment,
            default=None,
            metavar="TIME",
            dest="begin",
            help="since when the driver carries it (default: always)",
        )

    def make(self, **options: Any) -> dict[str, str]:
        drivers = Driver.objects.select_related("employer")
        driver = row_with_id(drivers, "driver", options["driver"])
        device, token = enrol_device(
            Actor("command", driver.employer),
            driver,
            name=options["name"],
            scope=options["scope"],
            begin=options["begin"],
        )
        return {"id": str(device.uuid), "token": token}
