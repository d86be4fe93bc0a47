"""Make the demo's employer and print its logins; nothing changes when it is there already."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tracking.demo_fleet import seed


class Command(BaseCommand):
    help = "Make the demo employer (only in the embedded database) and print its logins."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED_POSTGRES:
            raise CommandError("The demo is seeded only into the embedded database.")
        state = seed()
        if options["json"]:
            logins = [asdict(login) for login in state.logins]
            self.stdout.write(json.dumps({"id": state.employer, "logins": logins}))
            return
        for login in state.logins:
            self.stdout.write(f"{login.role:<11} {login.email:<25} {login.password}")
