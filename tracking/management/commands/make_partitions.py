"""Make the monthly partitions that phones may write to."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from tracking.outages import not_ready
from tracking.partitions import make_partitions


class Command(BaseCommand):
    """`manage.py make_partitions`: run at start and by the schedule; harmless to repeat."""

    help = "Make the monthly partitions of the table of fixes that are still missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        try:
            made = make_partitions()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(not_ready(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"made": made}))
        else:
            self.stdout.write(f"{len(made)} months made.")
