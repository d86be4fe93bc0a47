"""What the demo's drivers and consignees leave behind at a stop: signatures, photos, a proof.

Made for rounds that have ended and whose stages have come in, by the same functions that a
phone's upload goes through. Everything has a client id that follows from its stop, so that a
second start makes nothing twice.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import pi, sin
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw

from accounts.models import Device
from missions.attaching import SentPhoto, attach_photo
from missions.models import AttachmentKind, Mission, PositionSource, SignatureOutcome
from missions.signing import SentSignature, sign
from missions.thumbnails import make_thumbnail
from tracking.demo_fleet import Fleet
from tracking.demo_rounds import (
    DRIVERS,
    PlannedFix,
    mission_key,
    planned_round,
    result_of,
    rounds_from,
)
from tracking.proofs import ask_for_proof, issue_proof

# Rounds that ended longer ago have their evidence, or never get it.
LOOKS_BACK: Final = timedelta(hours=36)
PHOTO_PX: Final = (640, 480)
SIGNERS: Final = (
    ("An Willems", "reception"),
    ("Karim Haddad", "warehouse"),
    ("Els Vermeulen", "warehouse"),
    ("Luc Renard", "gate"),
    ("Nadia Fontaine", "reception"),
)


def add_evidence(fleet: Fleet, began_at: datetime, now: datetime) -> int:
    """Sign and photograph at the stops of rounds that ended without; returns how many rounds.

    Of the first driver's rounds a proof is issued too.
    """
    ended = Mission.objects.filter(
        employer=fleet.employer, ended_at__gte=now - LOOKS_BACK, signatures=None
    )
    waiting = {mission.external_id: mission for mission in ended}
    if not waiting:
        return 0
    done = 0
    for driver in DRIVERS:
        for index in rounds_from(driver, began_at, since=now - 2 * LOOKS_BACK, until=now):
            mission = waiting.get(mission_key(driver, began_at, index))
            if mission is None:
                continue
            device = Device.objects.filter(
                holdings__driver__number=driver.number, employer=fleet.employer
            )
            for delivery in _deliveries(planned_round(driver, began_at, index)):
                _deliver(device.latest("id"), mission, delivery)
            if driver == DRIVERS[0]:
                _prove(mission)
            done += 1
    return done


@dataclass(frozen=True, slots=True)
class _Delivery:
    """The end of unloading and the signature at one stop, as the phone said them."""

    unloaded: dict[str, Any]
    signed: dict[str, Any]

    @property
    def stop(self) -> str:
        return str(self.signed["stop"])


def _deliveries(said: list[PlannedFix]) -> Iterator[_Delivery]:
    unloaded: dict[str, Any] = {}
    for fix in said:
        if fix.body["kind"] == "unloading_ended":
            unloaded = fix.body
        elif fix.body["kind"] == "signature":
            yield _Delivery(unloaded, fix.body)


def _deliver(device: Device, mission: Mission, delivery: _Delivery) -> None:
    draw = Random(delivery.stop)  # noqa: S311 (a demo, not a secret)
    name, role = draw.choice(SIGNERS)
    is_damaged = result_of(delivery.stop)[1] == "damage"
    photo = _photo(draw, is_damaged=is_damaged)
    attached = attach_photo(
        device,
        SentPhoto(
            file=io.BytesIO(photo),
            size_bytes=len(photo),
            sha256=sha256(photo).digest(),
            client_id=f"{delivery.stop}/photo",
            mission=str(mission.uuid),
            stop=delivery.stop,
            stage_client_id=str(delivery.unloaded["id"]),
            kind=AttachmentKind.DAMAGE if is_damaged else AttachmentKind.GOODS,
            recorded_at=_at(delivery.unloaded) + timedelta(seconds=20),
            **_place(delivery.unloaded),
        ),
    )
    make_thumbnail(attached.attachment.pk)
    sign(
        device,
        SentSignature(
            client_id=f"{delivery.stop}/signature",
            mission=str(mission.uuid),
            stop=delivery.stop,
            outcome=SignatureOutcome.SIGNED,
            recorded_at=_at(delivery.signed),
            stage_client_id=str(delivery.signed["id"]),
            signer_name=name,
            signer_role=role,
            reservations="1 pallet damaged" if is_damaged else "",
            strokes=_strokes(draw),
            position_source=PositionSource.AT_EVENT,
            **_place(delivery.signed),
        ),
    )


def _at(body: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(body["recorded_at"])


def _place(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("latitude", "longitude", "accuracy_m")}


def _prove(mission: Mission) -> None:
    stop = mission.stops.select_related("site", "mission__employer").filter(seq=2).get()
    asked = ask_for_proof(stop, mission.employer.language)
    issue_proof(asked.proof.pk)


def _photo(draw: Random, *, is_damaged: bool) -> bytes:
    """Boxes on a pallet on a dock, drawn; one is crushed where something was damaged."""
    width, height = PHOTO_PX
    image = Image.new("RGB", PHOTO_PX, "#8f9aa0")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, height * 0.7, width, height), fill="#6d6a66")
    pen.rectangle((110, 390, 530, 415), fill="#8a5a2b")
    for row in range(3):
        for column in range(4):
            left, top = 120 + column * 102, 300 - row * 92
            shade = draw.randrange(-14, 14)
            pen.rectangle(
                (left, top, left + 96, top + 88),
                fill=(190 + shade, 150 + shade, 100 + shade),
                outline="#5b4226",
                width=2,
            )
            pen.rectangle((left + 40, top, left + 56, top + 88), fill="#d9c7a5")
    if is_damaged:
        pen.polygon([(426, 116), (530, 116), (530, 170), (478, 150), (440, 196)], fill="#3d3226")
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def _strokes(draw: Random) -> list[list[dict[str, float]]]:
    """A scribble that looks signed: a wave that grows smaller, and a line under it."""
    turns, size = draw.uniform(4, 7), draw.uniform(26, 40)
    wave = [
        {"x": 20 + step * 2.4, "y": 60 + size * (1 - step / 130) * sin(step / 100 * turns * 2 * pi)}
        for step in range(101)
    ]
    return [wave, [{"x": 30, "y": 104}, {"x": 240, "y": draw.uniform(92, 108)}]]
