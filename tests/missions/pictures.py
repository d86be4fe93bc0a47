"""Photos made for tests: each the smallest that shows one oddity."""

import io
import struct
import zlib
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pillow_heif
from PIL import ExifTags, Image

pillow_heif.register_heif_opener()
RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red above, blue below, so that one sees which way up it is."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (0, height // 2, width, height))
    return image.convert(mode)


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, format, **options)
    return written.getvalue()


def jpeg(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return encoded(picture(width, height), **options)


def exif(
    *,
    orientation: int = 1,
    taken: str = "",
    offset: str = "",
    place: tuple[float, float] | None = None,
    satellite: tuple[str, tuple[int, int, int]] | None = None,
) -> Image.Exif:
    """What a phone's camera writes. `satellite`: the date and the time of day in UTC."""
    written = Image.Exif()
    written[ExifTags.Base.Orientation] = orientation
    written[ExifTags.Base.Model] = "Secret Phone 12"
    camera = written.get_ifd(ExifTags.IFD.Exif)
    if taken:
        camera[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        camera[ExifTags.Base.OffsetTimeOriginal] = offset
    gps = written.get_ifd(ExifTags.IFD.GPSInfo)
    if place:
        gps[ExifTags.GPS.GPSLatitudeRef] = "N" if place[0] >= 0 else "S"
        gps[ExifTags.GPS.GPSLatitude] = degrees(abs(place[0]))
        gps[ExifTags.GPS.GPSLongitudeRef] = "E" if place[1] >= 0 else "W"
        gps[ExifTags.GPS.GPSLongitude] = degrees(abs(place[1]))
    if satellite:
        gps[ExifTags.GPS.GPSDateStamp] = satellite[0]
        gps[ExifTags.GPS.GPSTimeStamp] = tuple(Fraction(part) for part in satellite[1])
    return written


def degrees(value: float) -> tuple[Fraction, Fraction, Fraction]:
    whole = int(value)
    minutes = int((value - whole) * 60)
    seconds = Fraction((value - whole - minutes / 60) * 3600).limit_denominator(10_000)
    return Fraction(whole), Fraction(minutes), seconds


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    """Says that it is huge, in a few bytes: grey lines that compress to nothing."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = zlib.compress(bytes(10_000), 9)
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def form(content: bytes, name: str = "photo.jpg", **fields: Any) -> dict[str, Any]:
    """The multipart form of an upload."""
    file = io.BytesIO(content)
    file.name = name
    return {"file": file, "sha256": sha256(content).hexdigest(), "client_id": "p-1", **fields}
