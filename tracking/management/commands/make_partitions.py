"""Make the monthly partitions that phones may write to."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tracking.partitions import make_partitions


class Command(BaseCommand):
    """`manage.py make_partitions`: run at start and by the schedule; harmless to repeat."""

    help = "Make the monthly partitions of the table of fixes that are still missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        made = make_partitions()
        if options["json"]:
            self.stdout.write(json.dumps({"made": made}))
        else:
            self.stdout.write(f"{len(made)} months made.")
