"""Judge a photo by really decoding it, turn it upright, and keep the picture alone. (pure)

1. What it is, its content says, never its name: JPEG, PNG, WebP or HEIC.
2. How many pixels it has is read before any is decoded, so a bomb is refused unexploded.
3. When and where it was taken is read out of its EXIF.
4. It is decoded as a whole: what ends early or is broken is refused.
5. It is turned upright, brought to sRGB on white, and written anew as JPEG: no EXIF, GPS,
   XMP, comment, profile or second picture of the original comes along.

One format for what is kept, also for a PNG: a photo as PNG takes ten times the room and the
time, and pages, PDFs and thumbnails then know one format only.
"""

import io
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final

import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageOps

from accounts.refusals import Problem

MAX_BYTES: Final = 25 * 1024 * 1024
# A telephone's 48 megapixels and a little; decoded, a pixel takes 4 bytes.
MAX_PIXELS: Final = 50_000_000
# The decoder of WebP takes 16: half as many, so that all formats share one bound of memory.
MAX_PIXELS_OF_WEBP: Final = 25_000_000
MAX_SIDE_PX: Final = 30_000  # a JPEG has at most 65,535
# A progressive JPEG is drawn once for each of its scans, however few bytes a scan has: a small
# file of many takes hours. Encoders write about ten.
MAX_SCANS: Final = 100
QUALITY: Final = 88
THUMBNAIL_PX: Final = 512
THUMBNAIL_QUALITY: Final = 80
# What Pillow calls them. MPO is a JPEG with more pictures behind it, as many phones make.
MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
FORMATS: Final = ("JPEG", "PNG", "WEBP", "HEIF")
# How files of these formats begin, so that one cut in its head is told from another kind.
_SIGNATURES: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|....ftyp(hei|hev|mif1|msf1)", re.DOTALL
)
# What begins a segment of a JPEG; 00 and D0 to D7 after FF are part of a scan, FF fills up.
_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"
KEPT_MEDIA_TYPE: Final = "image/jpeg"
KEPT_SUFFIX: Final = ".jpg"

# Pillow takes memory in blocks. Blocks of 32 MB and more always go back to the system, the
# usual 16 MB stay with the process, for each thread that ever decoded a photo.
Image.core.set_block_size(64 * 1024 * 1024)  # type: ignore[attr-defined]  # documented
pillow_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
)


class PhotoEmpty(Problem):
    """A file of 0 bytes: an upload that was cut, not a photo."""

    status = 422
    code = "photo_empty"


class PhotoTooLarge(Problem):
    status = 413
    code = "photo_too_large"


class PhotoTypeUnknown(Problem):
    """By its content it is none of the formats taken, whatever its name says."""

    status = 415
    code = "photo_type_unknown"


class PhotoTooManyPixels(Problem):
    status = 422
    code = "photo_too_many_pixels"


class PhotoTooManyScans(Problem):
    """A JPEG that would be drawn over and over again, as none from a camera is."""

    status = 422
    code = "photo_too_many_scans"


class PhotoBroken(Problem):
    """It begins as a photo and cannot be decoded to its end."""

    status = 422
    code = "photo_broken"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a camera wrote into a photo. None: it did not say, or not in a way that is sure."""

    at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """The picture as it is kept, and what its original said."""

    content: bytes
    width_px: int
    height_px: int
    original_media_type: str
    taken: Taken


def read_photo(file: IO[bytes], size_bytes: int) -> Photo:
    """The picture in a file, as it may be kept. Raises the refusals above.

    Takes about 8 bytes of memory a pixel at its peak, 410 MB for 50 megapixels: bound how
    many run at once.
    """
    if size_bytes == 0:
        raise PhotoEmpty("The file is empty: send it again.")
    if size_bytes > MAX_BYTES:
        raise PhotoTooLarge(f"A photo has at most {MAX_BYTES // 1024**2} MB.")
    with _opened(file) as image:
        _refuse_too_many_pixels(image)
        if image.format in ("JPEG", "MPO"):
            _refuse_too_many_scans(file)
        original_media_type = MEDIA_TYPES[image.format or ""]
        is_lossless = image.format == "PNG"
        taken = _taken(image)
        upright = _upright(image)
    content = _encoded(upright, is_lossless=is_lossless)
    return Photo(content, upright.width, upright.height, original_media_type, taken)


def thumbnail(file: IO[bytes]) -> bytes:
    """At most 512 px on its longer side, as JPEG; the same bytes for the same picture.

    Of a kept picture, so it is upright and has no metadata. The decoder itself scales it
    down first, so that a large one takes a sixteenth of its memory.
    """
    with Image.open(file, formats=("JPEG",)) as image:
        image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
        written = io.BytesIO()
        image.save(written, "JPEG", quality=THUMBNAIL_QUALITY)
    return written.getvalue()


def _opened(file: IO[bytes]) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(MAX_PIXELS) from None
    except MemoryError:
        raise
    # Decoders raise whatever they trip over: all of it says that this is no photo.
    except Exception:
        if _begins_as_photo(file):
            raise _broken() from None
        detail = "This is no JPEG, PNG, WebP or HEIC, whatever it is called."
        raise PhotoTypeUnknown(detail) from None


def _begins_as_photo(file: IO[bytes]) -> bool:
    file.seek(0)
    return _SIGNATURES.match(file.read(16)) is not None


def _refuse_too_many_pixels(image: Image.Image) -> None:
    most = MAX_PIXELS_OF_WEBP if image.format == "WEBP" else MAX_PIXELS
    if image.width * image.height > most or max(image.size) > MAX_SIDE_PX:
        raise _too_many_pixels(most)


def _too_many_pixels(most: int) -> PhotoTooManyPixels:
    bounds = f"{most // 1_000_000} megapixels and {MAX_SIDE_PX} pixels on a side"
    return PhotoTooManyPixels(f"A photo of this kind has at most {bounds}.")


def _refuse_too_many_scans(file: IO[bytes]) -> None:
    """By the markers of a JPEG's first picture, without decoding any of it.

    What a segment holds is stepped over by its length: a preview in it has scans of its own.
    """
    here = file.tell()
    file.seek(0)
    content = file.read(MAX_BYTES)
    file.seek(here)
    at, scans = 2, 0
    while (marker := _MARKER.search(content, at)) and marker[1] != _END_OF_IMAGE:
        scans += marker[1] == _SCAN
        if scans > MAX_SCANS:
            raise PhotoTooManyScans(f"A JPEG has at most {MAX_SCANS} scans.")
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], "big")


# --- The picture -----------------------------------------------------------------------------


def _upright(image: Image.Image) -> Image.Image:
    """Decoded, turned by its EXIF orientation, sRGB without transparency. PhotoBroken."""
    try:
        image.load()  # of an animation the first picture
        ImageOps.exif_transpose(image, in_place=True)
        return _in_srgb(image)
    except MemoryError:
        raise
    except Exception:
        raise _broken() from None


def _broken() -> PhotoBroken:
    return PhotoBroken("The photo ends early or is damaged: take it again.")


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits a pixel: a plain conversion would cut off what is above 255.
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGB", "CMYK") and profile:
        return _by_profile(image, profile).convert("RGB")
    if image.has_transparency_data:
        return _on_white(image if image.mode == "RGBA" else image.convert("RGBA"))
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """In sRGB by the profile that came with it; one that cannot be used is passed over."""
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" not in ImageCms.getProfileDescription(own):
            srgb = ImageCms.createProfile("sRGB")
            is_same = image.mode == "RGB"
            turned = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB", inPlace=is_same)
            return image if turned is None else turned
    return image


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _encoded(image: Image.Image, *, is_lossless: bool) -> bytes:
    """As JPEG without anything but the picture; fine lines of a screen keep their colours."""
    image.info.clear()
    written = io.BytesIO()
    subsampling = "4:4:4" if is_lossless else "4:2:0"
    image.save(written, "JPEG", quality=QUALITY, subsampling=subsampling)
    return written.getvalue()


# --- What the camera wrote -------------------------------------------------------------------

_TIME: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)
# What a tag that is missing or makes no sense raises.
_UNSURE: Final = (KeyError, ValueError, TypeError, ZeroDivisionError, OverflowError)
_DATE: Final = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)", re.ASCII)


def _taken(image: Image.Image) -> Taken:
    """When and where, as far as it is sure. A broken tag counts as none."""
    try:
        exif = image.getexif()
        camera = exif.get_ifd(ExifTags.IFD.Exif)
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except MemoryError:
        raise
    # Only what the camera wrote is broken, the picture may be whole.
    except Exception:
        return Taken()
    at = _camera_time(camera) or _satellite_time(gps)
    place = _place(gps)
    return Taken(at, *place, _accuracy_m(gps)) if place else Taken(at)


def _camera_time(camera: Mapping[int, Any]) -> datetime | None:
    """By the camera's clock, only with the offset that it was set to: no zone is guessed."""
    with suppress(*_UNSURE):
        time = _TIME.match(_text(camera.get(ExifTags.Base.DateTimeOriginal)))
        offset = _OFFSET.match(_text(camera.get(ExifTags.Base.OffsetTimeOriginal)))
        if time and offset:
            ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            local_at = _utc(time)
            return local_at - ahead if offset[1] == "+" else local_at + ahead
    return None


def _satellite_time(gps: Mapping[int, Any]) -> datetime | None:
    """The moment of the satellites' position, which is in UTC."""
    with suppress(*_UNSURE):
        date = _DATE.match(_text(gps.get(ExifTags.GPS.GPSDateStamp)))
        hour, minute, second = (float(part) for part in gps[ExifTags.GPS.GPSTimeStamp])
        if date:
            midnight_at = _utc(date)
            return midnight_at + timedelta(hours=hour, minutes=minute, seconds=second)
    return None


def _place(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    latitude = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, limit=90)
    longitude = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, limit=180)
    if latitude is None or longitude is None:
        return None
    # What a camera without satellites writes.
    return None if latitude == longitude == 0 else (latitude, longitude)


def _degrees(gps: Mapping[int, Any], tag: int, half: int, *, limit: int) -> float | None:
    with suppress(*_UNSURE):
        degrees, minutes, seconds = (float(part) for part in gps[tag])
        size = degrees + minutes / 60 + seconds / 3600
        sign = {"N": 1, "E": 1, "S": -1, "W": -1}[_text(gps[half])[:1].upper()]
        if math.isfinite(size) and 0 <= size <= limit:
            return sign * round(size, 7)
    return None


def _accuracy_m(gps: Mapping[int, Any]) -> float | None:
    with suppress(*_UNSURE):
        accuracy_m = float(gps[ExifTags.GPS.GPSHPositioningError])
        if math.isfinite(accuracy_m) and accuracy_m >= 0:
            return accuracy_m
    return None


def _utc(matched: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (*map(int, matched.groups()), 0, 0, 0)[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
