"""Build the built-in basemap, or install the operator's own map file."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tracking.basemap import NoWorldAtlas, basemap_folder, build_basemap
from tracking.tile_file import NotATileFile, TileFile, install_tile_file, tile_file_path


class Command(BaseCommand):
    help = (
        "Build the basemap's borders and place names from the packages that set-up has"
        " installed; or install a PMTiles file with roads (--pmtiles), or take it away."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--builtin", action="store_true", help="from the npm package world-atlas (the default)"
        )
        what.add_argument(
            "--pmtiles", type=Path, metavar="FILE", help="install this file, cut from Protomaps"
        )
        what.add_argument(
            "--remove-pmtiles", action="store_true", help="back to the built-in basemap"
        )
        parser.add_argument("--world-atlas", type=Path, help="folder of the package")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pmtiles"]:
            said, facts = self._install(options["pmtiles"], is_quiet=options["json"])
        elif options["remove_pmtiles"]:
            tile_file_path().unlink(missing_ok=True)
            said, facts = "Basemap: the built-in one again", {"files": []}
        else:
            said, facts = self._build(options["world_atlas"])
        self.stdout.write(json.dumps(facts) if options["json"] else said)

    def _build(self, package: Path | None) -> tuple[str, dict[str, Any]]:
        source = package or settings.BASE_DIR / "node_modules" / "world-atlas"
        try:
            files = build_basemap(source, basemap_folder())
        except NoWorldAtlas:
            # Not an error: the pages work without borders, and set-up must go on offline.
            return "Basemap: none (npm package world-atlas is not installed)", {"files": []}
        names = ", ".join(path.name for path in files)
        return f"Basemap: {names}", {"files": [str(path) for path in files]}

    def _install(self, source: Path, *, is_quiet: bool) -> tuple[str, dict[str, Any]]:
        size_bytes = source.stat().st_size if source.is_file() else 0
        bar = tqdm(total=size_bytes, unit="B", unit_scale=True, desc="Copying", disable=is_quiet)
        try:
            with bar:
                found = install_tile_file(source, bar.update)
        except NotATileFile as error:
            raise CommandError(str(error)) from error
        return _in_words(found), {
            "files": [str(tile_file_path())],
            "min_zoom": found.min_zoom,
            "max_zoom": found.max_zoom,
            "bounds": [found.west, found.south, found.east, found.north],
            "layers": list(found.layers),
        }


def _in_words(found: TileFile) -> str:
    area = (
        f"{found.west:.2f} to {found.east:.2f} east, {found.south:.2f} to {found.north:.2f} north"
    )
    return f"Basemap: zoom {found.min_zoom} to {found.max_zoom}, {area}"
