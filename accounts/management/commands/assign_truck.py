"""Give a truck to a driver for a time."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.actors import Actor
from accounts.assignments import assign_truck
from accounts.management.making import MakingCommand, a_moment, an_id, row_with_id
from accounts.models import Driver, Truck


class Command(MakingCommand):
    """`manage.py assign_truck --truck ID --driver ID --from 2026-11-22T06:00:00Z`"""

    help = "Give a truck to a driver from a moment on, or between two."
    made = "Made the assignment"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--truck", type=an_id, required=True, metavar="ID")
        parser.add_argument("--driver", type=an_id, required=True, metavar="ID")
        parser.add_argument("--from", type=a_moment, required=True, metavar="TIME", dest="begin")
        parser.add_argument("--to", type=a_moment, default=None, metavar="TIME", dest="end")

    def make(self, **options: Any) -> dict[str, str]:
        trucks = Truck.objects.select_related("employer")
        truck = row_with_id(trucks, "truck", options["truck"])
        drivers = Driver.objects.filter(employer=truck.employer)
        driver = row_with_id(drivers, "driver of the truck's employer", options["driver"])
        actor = Actor("command", truck.employer)
        assignment = assign_truck(actor, truck, driver, begin=options["begin"], end=options["end"])
        return {"id": str(assignment.uuid)}
