"""What a proof of delivery is made of, straight in the tables, and how one is read again."""

import io
import re
import zlib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pypdfium2
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import Driver
from missions.models import (
    Attachment,
    PositionSource,
    ProofOfDelivery,
    Signature,
    SignatureOutcome,
    StageEvent,
    Stop,
)
from missions.stages import Stage
from missions.stored_files import store

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATITUDE, LONGITUDE = 51.054321, 3.717171
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}")


def put_stage(stop: Stop, driver: Driver, stage: Stage, minutes: int) -> StageEvent:
    return StageEvent.objects.create(
        employer_id=stop.employer_id,
        driver=driver,
        mission_id=stop.mission_id,
        stop=stop,
        stage=stage,
        recorded_at=NINE + timedelta(minutes=minutes),
        latitude=LATITUDE,
        longitude=LONGITUDE,
        accuracy_m=12,
        position_source=PositionSource.AT_EVENT,
        site_distance_m=37.6,
        site_check="inside",
        note="Ada Peeters rang twice",
    )


def put_photo(stop: Stop, driver: Driver) -> Attachment:
    stream = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(stream, "JPEG")
    content = stream.getvalue()
    return Attachment.objects.create(
        employer_id=stop.employer_id,
        driver=driver,
        client_id=str(uuid4()),
        recorded_at=NINE + timedelta(minutes=40),
        mission_id=stop.mission_id,
        stop=stop,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        file=store(content, ".jpg"),
        media_type="image/jpeg",
        width_px=640,
        height_px=480,
        size_bytes=len(content),
        content_sha256=sha256(content).digest(),
        original_media_type="image/jpeg",
        original_size_bytes=len(content),
        original_sha256=sha256(content).digest(),
    )


def put_signature(stop: Stop, driver: Driver, **said: Any) -> Signature:
    line = {"description": "beer", "reference": "", "unit": "pallet", "planned": "4"}
    return Signature.objects.create(
        employer_id=stop.employer_id,
        driver=driver,
        client_id=str(uuid4()),
        recorded_at=NINE + timedelta(minutes=50),
        mission_id=stop.mission_id,
        stop=stop,
        **{
            "outcome": SignatureOutcome.SIGNED,
            "signer_name": "Żaneta Kowalska",
            "reservations": "ada peeters came late, one pallet wet",
            **said,
        },
        strokes=[[{"x": 0, "y": 0}, {"x": 40, "y": 12}]],
        latitude=LATITUDE,
        longitude=LONGITUDE,
        document={"goods": [{**line, "actual": "3", "is_counted": True}]},
        document_sha256=sha256(b"document").digest(),
    )


def pdf_of(proof: ProofOfDelivery) -> bytes:
    with default_storage.open(str(proof.pdf.name)) as file:
        content: bytes = file.read()
    return content


def text_of(proof: ProofOfDelivery) -> str:
    with pypdfium2.PdfDocument(pdf_of(proof)) as document:
        found = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join("\n".join(found).split())


def everything_in(content: bytes) -> bytes:
    """The bytes of a PDF, and what its compressed streams hold."""
    found = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    assert len(found) > 3
    return b"\n".join(found)
