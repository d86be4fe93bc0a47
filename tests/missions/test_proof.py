"""A proof as a PDF: everything is on it, nothing is on it twice, and it needs no system library."""

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pypdfium2
import pytest
from django.conf import settings
from PIL import Image

from missions.proof import Issue, proof_pdf
from missions.proof_glyphs import drawable
from missions.proof_pictures import Drawn, Pictures, scaled_photo
from missions.proof_texts import issue_texts, proof_texts
from missions.proof_values import (
    GoodsValues,
    PhotoValues,
    ProofValues,
    SignatureValues,
    StageValues,
    as_json,
    without_names,
)
from missions.site_sketch import Mark, site_sketch, svg

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STROKES = [[{"x": 0, "y": 0}, {"x": 40, "y": 10}, {"x": 80, "y": 0}], [{"x": 20, "y": 4}]]
CODE = "7K3M-9QWX-0ABC-DEFG"


def values(*, goods: int = 3, photos: int = 2, stages: int = 4, **other: Any) -> ProofValues:
    names = ("arrival", "unloading_started", "signature", "departure")
    said: dict[str, Any] = {
        "employer": "Acme Transport",
        "consignee": "Café Łódź, Ελλάδα, Москва",
        "address": "Kaai 12, Gent",
        "country": "BE",
        "timezone": "Europe/Brussels",
        "mission": "PO 77",
        "ecmr_number": "",
        "stop_seq": 2,
        "stop_reference": "drop 1",
        "purpose": "unload",
        "result": "partially_succeeded",
        "result_reason": "damage",
        "planned_arrival_at": NINE,
        "arrived_at": NINE + timedelta(minutes=11),
        "arrival_delta_s": 660,
        "waiting_s": 600,
        "unloading_s": 1800,
        "dwell_s": 3240,
        "radius_m": 150,
        "goods": tuple(
            GoodsValues(description=f"goods {at}", planned="4", actual="3", is_counted=True)
            for at in range(goods)
        ),
        "stages": tuple(
            StageValues(
                stage=names[at % 4],
                at=NINE + timedelta(minutes=at),
                source="driver",
                check="inside",
                distance_m=30 + at,
                accuracy_m=8,
            )
            for at in range(stages)
        ),
        "signatures": (
            SignatureValues(
                id="s",
                outcome="signed",
                at=NINE,
                document_sha256="ab" * 32,
                signer_name="Żaneta Kowalska",
                reservations="one wet",
            ),
        ),
        "photos": tuple(
            PhotoValues(id=str(at), kind="goods", at=NINE, sha256="cd" * 32) for at in range(photos)
        ),
    }
    return ProofValues(**{**said, **other})


def photo(color: str = "teal", size: tuple[int, int] = (800, 600)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "JPEG")
    return scaled_photo(stream.getvalue())


def made(said: ProofValues, locale: str = "en", *, url: str = "", shown: int = 24) -> bytes:
    texts = proof_texts(said, locale, photos_shown=shown)
    own = issue_texts(locale, number=12, issued_at=NINE, zone=said.timezone, replaces=[9], url=url)
    pictures = Pictures({row.id: photo() for row in said.photos}, {"s": Drawn(STROKES)})
    issue = Issue(own, NINE, CODE, f"{url}/{CODE}" if url else "")
    return proof_pdf(texts, pictures, issue, fonts=settings.FONTS_DIR)


def pages_of(content: bytes) -> Iterator[Any]:
    with pypdfium2.PdfDocument(content) as document:
        yield from document


def text_of(content: bytes) -> str:
    found = [page.get_textpage().get_text_bounded() for page in pages_of(content)]
    return " ".join("\n".join(found).split())


def test_it_says_what_a_customer_asks() -> None:
    text = text_of(made(values()))
    for said in (
        "Proof of delivery",
        "No. 12",
        "Replaces no. 9",
        "Acme Transport",
        "Café Łódź, Ελλάδα, Москва",
        "Kaai 12, Gent, BE",
        "partially succeeded: damage",
        "Times in Europe/Brussels",
        "20 Nov 2026 10:11",
        "11 min late",
        "Unloading 30 min",
        "30 m ± 8 m",
        "inside",
        "Żaneta Kowalska",
        "one wet",
        "ab" * 32,
        CODE,
        "not a consignment note and no e-CMR",
    ):
        assert said.replace("Unloading 30 min", "30 min") in text, said


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("nl", ["Afleverbewijs", "geen vrachtbrief", "Tijden in Europe/Brussels", "20 nov"]),
        ("fr", ["Preuve de livraison", "pas une lettre de voiture", "Heures en Europe/Brussels"]),
    ],
)
def test_it_speaks_the_language_of_the_consignee(locale: str, words: list[str]) -> None:
    text = text_of(made(values(), locale))
    for word in words:
        assert word in text
    assert "Proof of delivery" not in text


def test_an_ordinary_delivery_fits_on_one_page() -> None:
    text = text_of(made(values(), url="https://milepost.example/verify"))
    assert "Page 1 of 1" in text
    assert "https://milepost.example/verify" in text


def test_many_goods_stages_and_photos_take_more_pages_and_never_overlap() -> None:
    content = made(values(goods=70, photos=20, stages=60))
    text = text_of(content)
    assert "goods 69" in text
    assert "Page 5 of 5" in text
    for page in pages_of(content):
        images = [box.get_bounds() for box in page.get_objects() if box.type == 3]
        for one, other in combinations(images, 2):
            assert not _overlap(one, other)
        assert all(bottom > 25 for _, bottom, _, _ in images)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    return not apart


def test_photos_beyond_the_bound_are_counted() -> None:
    text = text_of(made(values(photos=7), shown=4))
    assert "3 more photos are kept with the mission." in text


def test_long_names_cover_nothing_and_odd_characters_are_seen() -> None:
    name = "Transport " * 20
    printed = text_of(made(values(employer=name)))
    assert "Issued on 20 Nov 2026 10:00 · Replaces no. 9" in printed
    assert "… · Proof of delivery · No. 12 Page 1 of" in printed
    assert drawable("山 \u200eA\n\n\tb\x00", {ord(char) for char in " Ab"}) == "\u25a1 A b"


@pytest.mark.parametrize("text", ["a\n" * 150, "W" * 300, "山" * 300])
def test_whatever_was_written_can_be_printed(text: str) -> None:
    said = values(goods=1)
    goods = replace(said.goods[0], description=text, reference=text[:100])
    (signature,) = said.signatures
    signature = replace(signature, signer_name=text[:200], reservations=text * 6)
    odd = replace(said, goods=(goods,), signatures=(signature,), address=text, mission=text[:200])
    assert len(list(pages_of(made(odd)))) <= 3


def test_the_signature_stays_with_its_heading() -> None:
    (signature,) = values().signatures
    signature = replace(signature, reservations="wet " * 500)
    for goods in range(0, 40, 4):
        said = values(goods=goods, stages=0, signatures=(signature,))
        texts = [page.get_textpage().get_text_bounded() for page in pages_of(made(said))]
        assert sum("Reservations" in text for text in texts) == 1
        (page,) = (text for text in texts if "Reservations" in text)
        assert page.startswith("Signature\r") or "\nSignature\r" in page, goods


def test_the_same_values_give_the_same_bytes() -> None:
    assert made(values()) == made(values())
    assert made(values()) != made(values(result="failed"))


def test_it_names_no_author_and_is_dated_when_it_was_issued() -> None:
    with pypdfium2.PdfDocument(made(values())) as document:
        known = document.get_metadata_dict()
    assert known["Title"] == "Proof of delivery No. 12"
    assert known["CreationDate"].startswith("D:20261120090000")
    assert (known["Author"], known["Producer"]) == ("", "Milepost")


def test_what_was_refused_or_left_is_said() -> None:
    nobody = replace(values().signatures[0], outcome="left_with_neighbour", reservations="")
    text = text_of(made(values(signatures=(nobody,))))
    assert "Left with a neighbour" in text
    assert "Reservations none" in text
    assert "No signature was asked for yet." in text_of(made(values(signatures=())))


def test_what_is_missing_stands_out() -> None:
    text = text_of(made(values(photos=0, missing=("photo",))))
    assert "A photo is expected and not there yet." in text


def test_a_photo_that_could_not_be_read_leaves_its_place() -> None:
    said = values(photos=1)
    texts = proof_texts(said, "en")
    own = issue_texts("en", number=1, issued_at=NINE, zone="UTC", replaces=[], url="")
    content = proof_pdf(texts, Pictures(), Issue(own, NINE, CODE), fonts=settings.FONTS_DIR)
    assert "This photo could not be read." in text_of(content)


def test_the_signature_is_drawn() -> None:
    """Ink where the strokes are; without them, none there."""

    def ink(drawn: Drawn) -> int:
        texts = proof_texts(values(photos=0), "en")
        own = issue_texts("en", number=1, issued_at=NINE, zone="UTC", replaces=[], url="")
        pictures = Pictures(signatures={"s": drawn})
        content = proof_pdf(texts, pictures, Issue(own, NINE, CODE), fonts=settings.FONTS_DIR)
        (picture,) = (page.render(scale=2).to_pil().convert("L") for page in pages_of(content))
        return sum(picture.histogram()[:80])

    assert ink(Drawn(STROKES)) > ink(Drawn()) + 200


def test_the_hour_that_comes_twice_says_which() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    text = text_of(made(values(arrived_at=first, departed_at=first + timedelta(hours=1))))
    assert "25 Oct 2026 02:30 CEST" in text
    assert "25 Oct 2026 02:30 CET" in text


def test_neither_pango_nor_cairo_is_needed() -> None:
    script = (
        "import sys\n"
        "for name in ('weasyprint', 'cairo', 'cairocffi', 'cairosvg', 'pangocffi', 'gi'):\n"
        "    sys.modules[name] = None\n"
        "import missions.proof\n"
        "loaded = open('/proc/self/maps').read()\n"
        "print('pango' in loaded or 'cairo' in loaded, 'django' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_values_as_json_are_plain_and_compare() -> None:
    assert as_json(values()) == as_json(values())
    assert as_json(values())["arrived_at"] == "2026-11-20T09:11:00+00:00"
    assert as_json(values()) != as_json(values(dwell_s=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Peeters was late", "[driver] was late"),
        ("ADA PEETERS", "[driver]"),
        ("Ada \n Peeters", "[driver]"),
        ("for Zoe\u0308 Klein", "for [driver]"),
        ("Canada Peetersen", "Canada Peetersen"),
        ("wet", "wet"),
    ],
)
def test_drivers_names_are_taken_out(text: str, expected: str) -> None:
    assert without_names(text, ["Ada Peeters", "Zoë  Klein", ""]) == expected


# --- The sketch of the site -------------------------------------------------------------------


def test_marks_lie_on_one_line_at_their_distance() -> None:
    sketch = site_sketch(100, [Mark("A", 50), Mark("B", 200, 20)])
    a, b = sketch.ticks
    assert (a.x - sketch.x) / sketch.radius == pytest.approx(0.5)
    assert (b.x - sketch.x) / sketch.radius == pytest.approx(2.0)
    assert (b.high_x - b.low_x) / sketch.radius == pytest.approx(0.4)
    assert b.x < sketch.width


def test_what_is_far_away_is_shown_at_the_edge() -> None:
    sketch = site_sketch(100, [Mark("A", 50), Mark("B", 12_000, 30)])
    assert [tick.is_beyond for tick in sketch.ticks] == [False, True]
    assert sketch.ticks[1].x == sketch.end_x <= sketch.width
    assert "B→" in svg(sketch, "<site>")
    assert "&lt;site&gt;" in svg(sketch, "<site>")


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        ("A", "A"),
        ("AB", "A, B"),
        ("ABCDEF", "A\u2013F"),
        ("FABC", "A\u2013C, F"),
        ("ACEGIKM", "A … M"),
        (["Z", "A2", "B2"], "Z\u2013B2"),
    ],
)
def test_letters_of_one_place_stand_together(letters: list[str], text: str) -> None:
    sketch = site_sketch(150, [Mark(letter, 30 + at / 10) for at, letter in enumerate(letters)])
    assert [label.text for label in sketch.labels] == [text]
    assert svg(sketch, "").count("<text") == 1


@pytest.mark.parametrize("step_m", [2, 5, 9, 40])
def test_no_label_covers_another(step_m: int) -> None:
    marks = [Mark(letter, at * step_m) for at, letter in enumerate("ABCDEFGHIJKLMNOP")]
    sketch = site_sketch(150, [*marks, Mark("Q", 9000), Mark("R", 9500)])
    assert sketch.labels[-1].text == "Q, R→"
    for one, other in combinations(sketch.labels, 2):
        is_apart = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert one.y != other.y or is_apart, (one, other)
    for label in sketch.labels:
        assert 0 <= label.x - label.width / 2 <= label.x + label.width / 2 <= sketch.width
        assert label.y < sketch.height


@pytest.mark.parametrize("marks", [[], [Mark("A", 0, 0)], [Mark("A", 1e7, 1e7)]])
@pytest.mark.parametrize("radius_m", [1, 150, 50_000])
def test_every_sketch_stays_in_its_box(radius_m: float, marks: list[Mark]) -> None:
    sketch = site_sketch(radius_m, marks)
    assert sketch.x - sketch.radius >= 0
    assert sketch.radius * 2 <= sketch.height
    assert sketch.end_x <= sketch.width
    for tick in sketch.ticks:
        assert sketch.x <= tick.low_x <= tick.high_x <= sketch.end_x
