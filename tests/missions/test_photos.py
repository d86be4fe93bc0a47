"""What is a photo, what of it is kept, and what is read off it first."""

import io
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from missions.photos import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SCANS,
    THUMBNAIL_PX,
    Photo,
    PhotoBroken,
    PhotoEmpty,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoTooManyScans,
    PhotoTypeUnknown,
    read_photo,
    thumbnail,
)
from tests.missions.pictures import (
    BLUE,
    RED,
    encoded,
    exif,
    jpeg,
    picture,
    png_bomb,
    scans_bomb,
)

TAKEN_AT = datetime(2026, 11, 24, 9, 15, 30, tzinfo=UTC)


def read(content: bytes) -> Photo:
    return read_photo(io.BytesIO(content), len(content))


def kept(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(read(content).content))
    image.load()
    return image


def is_near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 25 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("MPO", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("HEIF", "image/heic"),
    ],
)
def test_each_format_is_known_by_its_content_and_kept_as_jpeg(format: str, media_type: str) -> None:
    more = {"save_all": True, "append_images": [picture()]} if format == "MPO" else {}
    photo = read(encoded(picture(), format, **more))
    assert photo.original_media_type == media_type
    assert (photo.width_px, photo.height_px) == (64, 48)
    image = Image.open(io.BytesIO(photo.content))
    assert image.format == "JPEG"
    assert is_near(image.getpixel((32, 5)), RED)
    assert is_near(image.getpixel((32, 42)), BLUE)


# --- Turned and stripped --------------------------------------------------------------------

TURNED = {
    1: ((32, 5), (32, 42)),
    2: ((32, 5), (32, 42)),
    3: ((32, 42), (32, 5)),
    4: ((32, 42), (32, 5)),
    5: ((5, 32), (42, 32)),
    6: ((42, 32), (5, 32)),
    7: ((42, 32), (5, 32)),
    8: ((5, 32), (42, 32)),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_it_is_turned_upright(orientation: int, format: str) -> None:
    red_at, blue_at = TURNED[orientation]
    image = kept(encoded(picture(), format, exif=exif(orientation=orientation)))
    assert image.size == ((64, 48) if orientation < 5 else (48, 64))
    assert is_near(image.getpixel(red_at), RED)
    assert is_near(image.getpixel(blue_at), BLUE)


def laden(format: str) -> bytes:
    """A picture that carries whatever a camera and an editor put in."""
    options: dict[str, Any] = {
        "exif": exif(taken="2026:11:24 10:15:30", offset="+01:00", place=(50.85, 4.35)),
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }
    if format in ("JPEG", "WEBP"):
        options["xmp"] = b"<x:xmpmeta>Ada Peeters</x:xmpmeta>"
    if format == "JPEG":
        options["comment"] = b"Ada Peeters"
    if format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Author", "Ada Peeters")
    return encoded(picture(), format, **options)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_kept(format: str) -> None:
    content = laden(format)
    assert b"Ada Peeters" in content
    assert b"Secret Phone 12" in content
    photo = read(content + b"Ada Peeters was here")
    for part in (b"Ada Peeters", b"Secret Phone", b"Exif", b"http", b"ICC", b"2026"):
        assert part not in photo.content
    image = Image.open(io.BytesIO(photo.content))
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert photo.taken.latitude == pytest.approx(50.85, abs=1e-6)


def test_the_same_photo_is_kept_as_the_same_bytes() -> None:
    assert read(laden("JPEG")).content == read(laden("JPEG")).content


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_a_jpeg_of_any_colours_is_kept(mode: str) -> None:
    image = kept(encoded(picture(mode=mode)))
    assert image.mode == ("L" if mode == "L" else "RGB")
    if mode != "L":
        assert is_near(image.getpixel((32, 5)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_of_any_colours_is_kept(mode: str) -> None:
    assert kept(encoded(picture(mode=mode), "PNG")).mode in ("L", "RGB")


def test_16_bits_of_grey_stay_as_light_as_they_were() -> None:
    grey = Image.new("I;16", (32, 32), 0x8000)
    assert abs(kept(encoded(grey, "PNG")).tobytes()[500] - 128) <= 1


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(format: str) -> None:
    clear = Image.new("RGBA", (32, 32), (200, 30, 30, 0))
    assert is_near(kept(encoded(clear, format)).getpixel((16, 16)), (255, 255, 255))


def test_a_palette_with_a_clear_colour_becomes_white_there() -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([200, 30, 30, 30, 30, 200])
    assert is_near(kept(encoded(image, "PNG", transparency=0)).getpixel((9, 9)), (255, 255, 255))


def test_a_profile_that_is_none_does_not_cost_the_photo() -> None:
    assert kept(jpeg(icc_profile=b"no profile at all" * 20)).size == (64, 48)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_kept(format: str) -> None:
    other = Image.new("RGB", (64, 48), "green")
    moving = encoded(picture(), format, save_all=True, append_images=[other] * 5)
    assert is_near(kept(moving).getpixel((32, 5)), RED)


# --- Refused --------------------------------------------------------------------------------

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'


@pytest.mark.parametrize(
    "content",
    [
        SVG,
        b"%PDF-1.7\n",
        b"PK\x03\x04" + bytes(50),
        encoded(picture(), "GIF"),
        encoded(picture(), "TIFF"),
        encoded(picture(), "BMP"),
        bytes(1),
        bytes(5000),
        b"a photo of the goods",
    ],
)
def test_what_is_no_photo_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(PhotoTypeUnknown):
        read(content)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(PhotoEmpty):
        read(b"")


def test_more_than_25_mb_is_refused_unread() -> None:
    with pytest.raises(PhotoTooLarge):
        read_photo(io.BytesIO(jpeg()), MAX_BYTES + 1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_photo_that_ends_early_is_refused(format: str, share: float) -> None:
    noise = Image.effect_noise((160, 120), 80).convert("RGB")
    whole = encoded(noise, format)
    read(whole)
    with pytest.raises(PhotoBroken):
        read(whole[: int(len(whole) * share)])


@pytest.mark.parametrize(
    ("width", "height"),
    [(7072, 7072), (10_000, 10_000), (15_000, 15_000), (100_000, 100_000), (30_001, 1)],
)
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    bomb = png_bomb(width, height)
    assert len(bomb) < 1000
    with pytest.raises(PhotoTooManyPixels):
        read(bomb)


def test_a_jpeg_that_is_drawn_over_and_over_is_refused() -> None:
    bomb = scans_bomb(7000, 20_000)
    assert len(bomb) < 2_000_000
    with pytest.raises(PhotoTooManyScans):
        read(bomb)
    with pytest.raises(PhotoTooManyScans):
        read(scans_bomb(64, MAX_SCANS + 1))
    assert read(scans_bomb(64, MAX_SCANS)).width_px == 64


def test_scans_of_a_preview_are_not_those_of_the_photo() -> None:
    preview = scans_bomb(64, MAX_SCANS)
    written = exif()
    written[ExifTags.Base.MakerNote] = preview
    photo = read(jpeg(exif=written, progressive=True))
    assert photo.original_media_type == "image/jpeg"


def test_a_webp_of_more_than_its_decoder_can_take_is_refused() -> None:
    with pytest.raises(PhotoTooManyPixels):
        read(encoded(Image.new("L", (5001, 5000)), "WEBP", quality=1, method=0))


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["JPEG", "PNG", "WEBP", "HEIF"]), st.data())
def test_altered_bytes_are_a_photo_or_a_refusal_and_nothing_else(
    seed: int, format: str, data: st.DataObject
) -> None:
    content = bytearray(ORIGINALS[format])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PhotoBroken, PhotoTypeUnknown, PhotoTooManyPixels):
        assert read(bytes(content)).content.startswith(b"\xff\xd8")


ORIGINALS = {
    format: encoded(picture(40, 30), format, exif=exif(place=(50.85, 4.35)))
    for format in ("JPEG", "PNG", "WEBP", "HEIF")
}

# --- What the camera wrote ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("camera", "at"),
    [
        (exif(taken="2026:11:24 10:15:30", offset="+01:00"), TAKEN_AT),
        (exif(taken="2026:11:24 04:15:30", offset="-05:00"), TAKEN_AT),
        (exif(satellite=("2026:11:24", (9, 15, 30))), TAKEN_AT),
        (exif(taken="2026:11:24 10:15:30", satellite=("2026:11:24", (9, 15, 30))), TAKEN_AT),
        (exif(taken="2026:11:24 10:15:30"), None),  # by which zone?
        (exif(taken="2026:11:24 10:15:30", offset="local"), None),
        (exif(taken="0000:00:00 00:00:00", offset="+01:00"), None),
        (exif(taken="yesterday", offset="+01:00"), None),
        (exif(satellite=("", (9, 15, 30))), None),
        (exif(), None),
    ],
)
def test_when_it_was_taken_is_read_where_it_is_sure(
    camera: Image.Exif, at: datetime | None
) -> None:
    assert read(jpeg(exif=camera)).taken.at == at


@pytest.mark.parametrize("place", [(50.8503, 4.3517), (-33.9249, 18.4241), (40.7128, -74.0060)])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_where_it_was_taken_is_read(place: tuple[float, float], format: str) -> None:
    taken = read(encoded(picture(), format, exif=exif(place=place))).taken
    assert (taken.latitude, taken.longitude) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("place", [(0.0, 0.0), (95.0, 4.35), (50.85, 190.0)])
def test_a_place_that_is_none_is_none(place: tuple[float, float]) -> None:
    taken = read(jpeg(exif=exif(place=place))).taken
    assert (taken.latitude, taken.longitude) == (None, None)


def test_half_a_place_is_none() -> None:
    camera = exif(place=(50.85, 4.35))
    del camera.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLongitudeRef]
    assert read(jpeg(exif=camera)).taken.latitude is None


# Pillow warns of them, and here every warning is an error.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_tags_do_not_cost_the_photo() -> None:
    assert read(jpeg(exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")).taken.at is None


# --- Thumbnails and memory ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "small"),
    [((2048, 1024), (512, 256)), ((300, 1200), (128, 512)), ((64, 48), (64, 48))],
)
def test_a_thumbnail_fits_and_is_always_the_same(
    size: tuple[int, int], small: tuple[int, int]
) -> None:
    content = read(jpeg(*size)).content
    first = thumbnail(io.BytesIO(content))
    assert Image.open(io.BytesIO(first)).size == small
    assert max(small) <= THUMBNAIL_PX
    assert thumbnail(io.BytesIO(content)) == first


# In a process of its own, whose peak is the photo's alone.
PEAK = """
import io, resource, sys
from PIL import Image
from missions.photos import read_photo, thumbnail
size = tuple(map(int, sys.argv[1:3]))
before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
content = sys.stdin.buffer.read()
photo = read_photo(io.BytesIO(content), len(content))
thumbnail(io.BytesIO(photo.content))
assert (photo.height_px, photo.width_px) == size, photo
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb)
"""


@pytest.mark.slow
def test_a_photo_of_40_megapixels_passes_within_9_bytes_a_pixel() -> None:
    size = (7300, 5480)
    large = Image.effect_noise((730, 548), 60).convert("RGB").resize(size)
    content = encoded(large, exif=exif(orientation=6), quality=90)
    ran = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, size)],
        input=content,
        capture_output=True,
        check=True,
    )
    pixels = size[0] * size[1]
    assert 40_000_000 <= pixels <= MAX_PIXELS
    assert int(ran.stdout) * 1024 < 9 * pixels
