"""Photos made for tests: each the smallest that shows one oddity."""

import io
import struct
import zlib
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pillow_heif
from django.utils import timezone
from PIL import ExifTags, Image

from accounts.models import Driver
from missions.models import Attachment, Mission
from missions.stored_files import store

pillow_heif.register_heif_opener()
NAMED = "20261124/0123456789abcdef0123456789abcdef.jpg"
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


def scans_bomb(side: int, scans: int) -> bytes:
    """A grey progressive JPEG that is drawn over and over: each scan says "nothing new"."""
    blocks = (side // 8) ** 2

    def segment(marker: int, data: bytes) -> bytes:
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data

    def bits(text: str) -> bytes:
        text += "1" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")

    one_code = bytes([1] + [0] * 15)
    head = segment(0xDB, b"\0" + b"\1" * 64)
    head += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    # One code for "as before", one for "the next 32,767 blocks have nothing".
    head += segment(0xC4, b"\0" + one_code + b"\0") + segment(0xC4, b"\x10" + one_code + b"\xe0")
    first = segment(0xDA, b"\1\1\0\0\0\0") + bits("0" * blocks)
    more = segment(0xDA, b"\1\1\0\1\x3f\0") + bits(("0" + "1" * 14) * -(-blocks // 32_767))
    return b"\xff\xd8" + head + first + more * (scans - 1) + b"\xff\xd9"


def put_photo(mission: Mission, driver: Driver, content: bytes = b"", **fields: Any) -> Attachment:
    """A photo straight in the table; without content its file is only named."""
    return Attachment.objects.create(
        employer=mission.employer,
        driver=driver,
        mission=mission,
        **{
            "recorded_at": timezone.now(),
            "file": store(content, ".jpg") if content else NAMED,
            "media_type": "image/jpeg",
            "width_px": 1024,
            "height_px": 768,
            "size_bytes": len(content),
            "content_sha256": sha256(content).digest(),
            "original_media_type": "image/jpeg",
            "original_size_bytes": len(content),
            "original_sha256": sha256(content).digest(),
            **fields,
        },
    )


def form(content: bytes, name: str = "photo.jpg", **fields: Any) -> dict[str, Any]:
    """The multipart form of an upload."""
    file = io.BytesIO(content)
    file.name = name
    return {"file": file, "sha256": sha256(content).hexdigest(), "client_id": "p-1", **fields}
