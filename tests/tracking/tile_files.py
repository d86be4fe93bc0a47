"""A small PMTiles file as a Protomaps build would have it: land, a lake, a road, a name."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import write

EXTENT: Final = 4096
MAX_ZOOM: Final = 4
POINT, LINE, POLYGON = 1, 2, 3
Path_ = Sequence[tuple[int, int]]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _packed(field: int, numbers: Iterable[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, numbers)))


def _geometry(kind: int, path: Path_) -> list[int]:
    """Commands of the vector tile format 2.1: move, line to the rest, close; zigzag steps."""
    steps, at = [], (0, 0)
    for x, y in path:
        dx, dy = x - at[0], y - at[1]
        steps.append([(dx << 1) ^ (dx >> 31), (dy << 1) ^ (dy >> 31)])
        at = (x, y)
    commands = [1 | 1 << 3, *steps[0]]
    if rest := steps[1:]:
        commands += [2 | len(rest) << 3, *(number for step in rest for number in step)]
    return [*commands, 7 | 1 << 3] if kind == POLYGON else commands


def _layer(name: str, kind: int, path: Path_, tags: dict[str, str]) -> bytes:
    feature = (
        _packed(2, (number for n in range(len(tags)) for number in (n, n)))
        + _number(3, kind)
        + _packed(4, _geometry(kind, path))
    )
    keys = b"".join(_bytes(3, key.encode()) for key in tags)
    values = b"".join(_bytes(4, _bytes(1, value.encode())) for value in tags.values())
    content = _bytes(1, name.encode()) + _bytes(2, feature) + keys + values
    return _bytes(3, content + _number(5, EXTENT) + _number(15, 2))


def tile(layers: Iterable[str] = ("earth", "water", "roads")) -> bytes:
    """One vector tile: land all over, a lake in its middle, a road across it."""
    everywhere = [(0, 0), (EXTENT, 0), (EXTENT, EXTENT), (0, EXTENT)]
    lake = [(1500, 1500), (2500, 1500), (2500, 2500), (1500, 2500)]
    known = {
        "earth": _layer("earth", POLYGON, everywhere, {"kind": "earth"}),
        "water": _layer("water", POLYGON, lake, {"kind": "lake"}),
        "roads": _layer("roads", LINE, [(0, 800), (EXTENT, 800)], {"kind": "highway"}),
    }
    return b"".join(known[name] for name in layers)


def write_tile_file(
    path: Path,
    *,
    layers: Sequence[str] = ("earth", "water", "roads"),
    tile_type: TileType = TileType.MVT,
) -> Path:
    """The same tile at every place of the zooms 0 to 4."""
    content = gzip.compress(tile(layers), mtime=0)
    with write(str(path)) as writer:
        for zoom in range(MAX_ZOOM + 1):
            places = [(x, y) for x in range(1 << zoom) for y in range(1 << zoom)]
            for x, y in sorted(places, key=lambda place: zxy_to_tileid(zoom, *place)):
                writer.write_tile(zxy_to_tileid(zoom, x, y), content)
        header = {
            "tile_type": tile_type,
            "tile_compression": Compression.GZIP,
            "min_lon_e7": -1_800_000_000,
            "min_lat_e7": -850_000_000,
            "max_lon_e7": 1_800_000_000,
            "max_lat_e7": 850_000_000,
            "center_zoom": 0,
            "center_lon_e7": 0,
            "center_lat_e7": 0,
        }
        writer.finalize(header, {"vector_layers": [{"id": name} for name in layers]})
    return path
