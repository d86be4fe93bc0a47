"""The operator's own map: one PMTiles file with roads and names, served by us alone.

The built-in basemap shows land, borders and sixty places. Whoever wants roads cuts a file
out of a Protomaps build (OpenStreetMap data) and installs it with `manage.py basemap`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core import signing
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import TileType

SALT: Final = "milepost.tiles"
# A page that was left open overnight may still ask with yesterday's link.
LINK_DAYS: Final = 2
COPIED_AT_ONCE: Final = 1 << 20
# The layers of a Protomaps build without which nothing would be drawn.
LAYERS_NEEDED: Final = frozenset({"earth", "water"})


class NotATileFile(Exception):
    """The file cannot be shown as a map; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class TileFile:
    """What a PMTiles file holds: zooms, its rectangle in degrees, its layers, its size."""

    min_zoom: int
    max_zoom: int
    west: float
    south: float
    east: float
    north: float
    layers: tuple[str, ...]
    size_bytes: int


def tile_file_path() -> Path:
    """Where the installed file lies, whether there is one or not."""
    path: Path = settings.BASEMAP_PMTILES
    return path


def read_tile_file(path: Path) -> TileFile:
    """Look into a PMTiles file. NotATileFile when it is none, or none that we can draw."""
    try:
        with path.open("rb") as opened:
            reader = Reader(MmapSource(opened))
            header, metadata = reader.header(), reader.metadata()
    except OSError as error:
        raise NotATileFile(f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # whatever the bytes of another kind of file lead to
        raise NotATileFile(f"{path} is not a PMTiles file of version 3.") from error
    layers = tuple(sorted(str(layer.get("id")) for layer in metadata.get("vector_layers", ())))
    if header["tile_type"] != TileType.MVT:
        raise NotATileFile(f"{path} holds pictures; a file with vector tiles (MVT) is needed.")
    if missing := LAYERS_NEEDED - set(layers):
        raise NotATileFile(
            f"{path} has no layer {' and no layer '.join(sorted(missing))}: cut it out of a"
            " Protomaps build of version 4."
        )
    return TileFile(
        header["min_zoom"],
        header["max_zoom"],
        header["min_lon_e7"] / 1e7,
        header["min_lat_e7"] / 1e7,
        header["max_lon_e7"] / 1e7,
        header["max_lat_e7"] / 1e7,
        layers,
        path.stat().st_size,
    )


def install_tile_file(source: Path, copied: Callable[[int], object]) -> TileFile:
    """Copy a file to where the pages look for it; in place at once or not at all.

    `copied` is told the number of bytes after each megabyte. NotATileFile as above: then the
    map that was there stays.
    """
    found = read_tile_file(source)
    target = tile_file_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.part")
    try:
        with source.open("rb") as reading, half.open("wb") as writing:
            while part := reading.read(COPIED_AT_ONCE):
                writing.write(part)
                copied(len(part))
            writing.flush()
            os.fsync(writing.fileno())
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    return found


def tiles_link_token(today: date) -> str:
    """What a page puts into the address of the tiles: signed, the same for a whole day."""
    return signing.Signer(salt=SALT).sign(today.isoformat())


def opens_tiles(token: str, today: date) -> bool:
    """Whether a page of ours gave this out today or yesterday."""
    try:
        given_on = date.fromisoformat(signing.Signer(salt=SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return False
    return timedelta(0) <= today - given_on < timedelta(days=LINK_DAYS)
