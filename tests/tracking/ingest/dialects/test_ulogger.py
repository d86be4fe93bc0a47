"""μlogger: its actions, and a photo that never costs its fix."""

import pytest

from tests.tracking.ingest.dialects.reads import fixes_in, form, reasons_in, utc
from tracking.ingest.dialects import ulogger
from tracking.ingest.foreign import ForeignRequest
from tracking.ingest.sent import SentFix

ADDPOS = (
    "action=addpos&trackid=1&time=1790000000&lat=51.0543&lon=3.7174&altitude=12.01&speed=13.9"
    "&bearing=181.5&accuracy=8&provider=gps&comment=a+note"
)
FIX = SentFix(
    recorded_at=utc("2026-09-21T14:13:20"),
    latitude=51.0543,
    longitude=3.7174,
    accuracy_m=8,
    speed_mps=13.9,
    heading_deg=181.5,
    altitude_m=12.01,
)


def with_photo(fields: str, photo: bytes = b"\xff\xd8\r\n\r\n--x") -> ForeignRequest:
    """The form as multipart with a photo, as the app sends it."""
    parts = [
        f'--B0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (pair.split("=") for pair in fields.split("&"))
    ]
    photo_part = (
        b'--B0undary\r\nContent-Disposition: form-data; name="image"; filename="upload"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + photo + b"\r\n--B0undary--\r\n"
    )
    return ForeignRequest(
        body=b"".join([*parts, photo_part]), content_type="multipart/form-data; boundary=B0undary"
    )


def test_a_fix_with_and_without_a_photo() -> None:
    assert fixes_in(ulogger.read(form(ADDPOS))) == [FIX]
    readings = ulogger.read(with_photo(ADDPOS))
    assert fixes_in(readings) == [FIX]
    assert b"\xff\xd8" not in bytes(str(readings.readings[0].source), "latin-1")


def test_a_photo_never_costs_the_fix() -> None:
    assert fixes_in(ulogger.read(with_photo(ADDPOS, b"x" * 3_000_000))) == [FIX]


@pytest.mark.parametrize("sent", ["action=auth&user=a&pass=b", "action=addtrack&track=Monday", ""])
def test_other_actions_are_no_fixes(sent: str) -> None:
    assert ulogger.read(form(sent)).readings == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("action=addpos&trackid=1&time=1790000000", "place_missing"),
        ("action=addpos&lat=51&lon=3", "recorded_at_missing"),
        ("action=addpos&lat=51&lon=x&time=1790000000", "longitude_invalid"),
        ("action=dance", "body_invalid"),
        ("lat=51&lon=3&time=1790000000", "body_invalid"),
    ],
)
def test_it_refuses_what_it_cannot_read(sent: str, reason: str) -> None:
    assert reasons_in(ulogger.read(form(sent))) == [reason]


def test_a_multipart_body_that_cannot_be_cut_is_kept_without_its_bytes() -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=other"):
        readings = ulogger.read(ForeignRequest(body=b"--B\r\nx", content_type=content_type))
        assert reasons_in(readings) == ["body_invalid"]
        assert readings.readings[0].source == b""


def test_each_action_has_its_answer() -> None:
    assert ulogger.success(form(ADDPOS)).body == b'{"error":false}'
    assert ulogger.success(form("action=addtrack&track=x")).body == b'{"error":false,"trackid":1}'
    assert ulogger.success(with_photo(ADDPOS)).body == b'{"error":false}'
    assert ulogger.success(ForeignRequest(method="HEAD")).status == 200
