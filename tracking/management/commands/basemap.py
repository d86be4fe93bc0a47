"""Build the files of the basemap from the packages that set-up has installed."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tracking.basemap import NoWorldAtlas, basemap_folder, build_basemap


class Command(BaseCommand):
    help = "Build the basemap's borders and place names; without the package: none, and it says so."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--builtin",
            action="store_true",
            help="from the npm package world-atlas (the default, and so far the only source)",
        )
        parser.add_argument("--world-atlas", type=Path, help="folder of the package")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["world_atlas"] or settings.BASE_DIR / "node_modules" / "world-atlas"
        try:
            files = build_basemap(source, basemap_folder())
        except NoWorldAtlas:
            # Not an error: the pages work without borders, and set-up must go on offline.
            files = []
        if options["json"]:
            self.stdout.write(json.dumps({"files": [str(path) for path in files]}))
        elif files:
            self.stdout.write(f"Basemap: {', '.join(path.name for path in files)}")
        else:
            self.stdout.write("Basemap: none (npm package world-atlas is not installed)")
