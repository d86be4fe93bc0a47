"""PhoneTrack: one fix as a form, several as a list of points."""

import pytest

from tests.tracking.ingest.dialects.reads import fixes_in, form, near, posted, reasons_in, utc
from tracking.ingest.dialects import phonetrack
from tracking.ingest.foreign import ForeignRequest
from tracking.ingest.sent import SentFix

FORM = (
    "timestamp=1790000000&lat=51.0543&lon=3.7174&alt=&acc=20&speed=13.9&bearing=181.0&sat=0"
    "&bat=43.0&useragent=PhoneTrack%2F1.2.3"
)
POINT = [51.0543, 3.7174, 1790000000, None, 20, 43.0, 0, "PhoneTrack/1.2.3", 13.9, 181.0]
FIX = SentFix(
    recorded_at=utc("2026-09-21T14:13:20"),
    latitude=51.0543,
    longitude=3.7174,
    accuracy_m=20,
    speed_mps=13.9,
    heading_deg=181,
    battery=near(0.43),
)


def test_a_form_and_a_point_are_the_same_fix() -> None:
    readings = phonetrack.read(form(FORM))
    assert fixes_in(readings) == [FIX]
    assert readings.health.app_version == "PhoneTrack/1.2.3"
    assert fixes_in(phonetrack.read(posted({"points": [POINT, POINT]}))) == [FIX, FIX]


def test_an_accuracy_of_0_is_unknown() -> None:
    (fix,) = fixes_in(phonetrack.read(form(FORM.replace("acc=20", "acc=0"))))
    assert fix.accuracy_m is None


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ([51.0], "place_incomplete"),
        ([], "place_missing"),
        ([51, 3], "recorded_at_missing"),
        ([51, 3, None], "recorded_at_missing"),
        ([51, "3,5", 1790000000], "longitude_invalid"),
        ({"lat": 51}, "fix_invalid"),
    ],
)
def test_it_refuses_one_point_and_reads_its_neighbour(point: object, reason: str) -> None:
    readings = phonetrack.read(posted({"points": [point, POINT]}))
    assert reasons_in(readings) == [reason]
    assert len(readings.readings) == 2


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"points": 3}', b"{"])
def test_another_body_is_kept_whole(body: bytes) -> None:
    assert reasons_in(phonetrack.read(posted(body))) == ["body_invalid"]


def test_it_says_done_in_the_apps_own_words() -> None:
    answer = phonetrack.success(ForeignRequest())
    assert (answer.status, answer.body) == (200, b'{"done":1}')
