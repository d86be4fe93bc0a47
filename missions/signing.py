"""Somebody signs for a stop, or does not: what was sent is kept, and what it was about is frozen.

The document that is signed holds the goods lines and their counts of that moment. Its hash
is of its canonical JSON, so that anybody can compute it again from what the API shows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.duty_marks import PRIVATE_KINDS, DutyMarkKind
from accounts.models import Device, DeviceHolding, Driver, DutyMark
from accounts.refusals import Conflict, DriverFrozen, Invalid, NotHeld
from missions.lifecycle import refuse_future
from missions.models import (
    GoodsLine,
    Mission,
    MissionStatus,
    PositionSource,
    Signature,
    SignatureOutcome,
    Site,
    Stop,
)
from missions.site_check import site_check, site_distance_m
from missions.stored_files import stored
from missions.strokes import NotDrawn, clean_png, png

# Whoever takes the goods has a name; a refusal and an empty house have none.
NAMED: Final = frozenset({SignatureOutcome.SIGNED, SignatureOutcome.LEFT_WITH_NEIGHBOUR})
# A month of a route period is counted as its shortest: no place is kept a day too long.
SHORTEST_MONTH: Final = timedelta(days=28)
PHOTO_RECOMMENDED: Final = "photo_recommended"


class SignatureDiffers(Conflict):
    """The phone sent another signature under this client id before."""

    code = "request_differs"


@dataclass(frozen=True, slots=True)
class SentSignature:
    """What a phone says of a signature. `counts`: what was counted, by a goods line's id."""

    client_id: str
    mission: str
    stop: str
    outcome: SignatureOutcome
    recorded_at: datetime
    stage_client_id: str = ""
    signer_name: str = ""
    signer_role: str = ""
    reservations: str = ""
    remark: str = ""
    strokes: list[list[dict[str, float]]] = field(default_factory=list)
    image: bytes | None = None
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    position_source: PositionSource = PositionSource.NONE
    counts: Mapping[UUID, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, whether this request made it, and what the app may still do."""

    signature: Signature
    is_new: bool
    warnings: tuple[str, ...]


def sign(device: Device, sent: SentSignature) -> Signed:
    """Keep a signature for the driver who carried the phone at that moment.

    `client_id` is the natural key: sent again, the stored one comes back and nothing
    changes. The picture is not compared: it is encoded anew, and shows the strokes.
    Http404 for a mission or stop that is not that driver's; SignatureDiffers, DriverFrozen,
    NotHeld, Invalid.
    """
    _refuse_impossible(sent)
    repeated = _sent_before(device, sent)
    if repeated is not None:
        return repeated
    drawn = _picture(sent)
    try:
        if drawn is None:
            return _sign(device, sent, image="")
        with stored(drawn, ".png") as name:
            return _sign(device, sent, image=name)
    except IntegrityError:
        # The same signature twice at the same moment: the other was first.
        repeated = _sent_before(device, sent)
        if repeated is None:
            raise
        return repeated


def _refuse_impossible(sent: SentSignature) -> None:
    refuse_future(sent.recorded_at, "recorded_at")
    if sent.outcome in NAMED and not sent.signer_name.strip():
        raise Invalid("Say who took it.", field="signer_name", code="required")
    if sent.outcome == SignatureOutcome.SIGNED and not sent.strokes and sent.image is None:
        raise Invalid("A signature has strokes or an image.", field="strokes", code="required")
    if (sent.latitude is None) != (sent.longitude is None):
        raise Invalid("A position has a latitude and a longitude, or neither.", field="latitude")
    if (sent.latitude is None) != (sent.position_source == PositionSource.NONE):
        raise Invalid(
            "position_source is none without a position, and only then.", field="position_source"
        )


def _picture(sent: SentSignature) -> bytes | None:
    try:
        if sent.image is not None:
            return clean_png(sent.image)
        return png(sent.strokes) if sent.strokes else None
    except NotDrawn as wrong:
        raise Invalid(str(wrong), field="image", code="invalid_image") from None


@transaction.atomic
def _sign(device: Device, sent: SentSignature, *, image: str) -> Signed:
    driver = holder_at(device, sent.recorded_at)
    mission = own_mission(driver, sent.mission)
    stop = own_stop(mission, sent.stop)
    document = document_of(mission, stop, sent)
    if not position_may_be_kept(mission, driver, sent.recorded_at):
        sent = _without_place(sent)
    distance_m = _distance_m(sent, stop.site)
    signature = Signature.objects.create(
        employer_id=device.employer_id,
        driver=driver,
        device=device,
        mission=mission,
        stop=stop,
        image=image,
        **_said(sent),
        latitude=sent.latitude,
        longitude=sent.longitude,
        accuracy_m=sent.accuracy_m,
        site_distance_m=distance_m,
        site_check=site_check(
            distance_m,
            accuracy_m=sent.accuracy_m,
            radius_m=stop.site.radius_m if stop.site else 0,
        ),
        document=document,
        document_sha256=document_hash(document),
    )
    phone = Actor("device", device.employer, device=device, driver=driver)
    record(phone, "signature.added", signature, {"outcome": sent.outcome.value})
    return Signed(signature, is_new=True, warnings=_warnings(signature))


def holder_at(device: Device, moment: datetime) -> Driver:
    """Who carried the phone then, locked until the end, so that a freeze waits or wins."""
    holding = DeviceHolding.objects.filter(device=device, period__contains=moment).first()
    if holding is None:
        raise NotHeld("Nobody carried this phone at that moment.")
    driver = Driver.objects.select_for_update(no_key=True).get(pk=holding.driver_id)
    if driver.frozen_at is not None:
        raise DriverFrozen("This driver's data is frozen.")
    return driver


def position_may_be_kept(mission: Mission, driver: Driver, at: datetime) -> bool:
    """Whether the place of what a driver did for a mission may be stored.

    As for a stage that names its mission: only while the mission was that driver's and not
    cancelled, never in private time, and never past the employer's route period.
    """
    is_theirs = mission.assignments.filter(driver=driver, period__contains=at).exists()
    if not is_theirs or mission.status == MissionStatus.CANCELLED:
        return False
    mark = (
        DutyMark.objects.filter(driver=driver, kind__in=PRIVATE_KINDS, recorded_at__lte=at)
        .order_by("-recorded_at", "-kind")
        .first()
    )
    if mark is not None and mark.kind == DutyMarkKind.PRIVATE_STARTED:
        return False
    return at >= timezone.now() - mission.employer.route_months * SHORTEST_MONTH


def own_mission(driver: Driver, name: str) -> Mission:
    """A mission that this driver has or had, by its external id, else its id. Http404."""
    own = Mission.objects.filter(employer_id=driver.employer_id, assignments__driver=driver)
    found = own.filter(external_id=name).first() or own.filter(uuid=_uuid(name)).first()
    if found is None:
        raise Http404
    return found


def own_stop(mission: Mission, name: str) -> Stop:
    """A stop of a mission, by its external id, else its id. Http404."""
    stops = mission.stops.select_related("site")
    found = stops.filter(external_id=name).first() or stops.filter(uuid=_uuid(name)).first()
    if found is None:
        raise Http404
    return found


def _uuid(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        raise Http404 from None


def document_of(mission: Mission, stop: Stop, sent: SentSignature) -> dict[str, object]:
    """What is signed for. Invalid when something was counted that is not of this stop.

    Numbers of goods are text, so that they stay exactly what they were.
    """
    goods = list(GoodsLine.objects.filter(stop=stop).order_by("line_no"))
    unknown = set(sent.counts) - {line.uuid for line in goods}
    if unknown:
        raise Invalid(
            "There is no such goods line at this stop.", field="counts", code="does_not_exist"
        )
    return {
        "mission": mission.reference or mission.external_id or str(mission.uuid),
        "stop": {"seq": stop.seq, "reference": stop.reference or stop.external_id or ""},
        "site": stop.site.name if stop.site else "",
        "goods": [_line(line, sent.counts.get(line.uuid)) for line in goods],
        "outcome": sent.outcome.value,
        "signer_name": sent.signer_name,
        "reservations": sent.reservations,
    }


def _line(line: GoodsLine, counted: Decimal | None) -> dict[str, object]:
    return {
        "id": str(line.uuid),
        "line_no": line.line_no,
        "description": line.description,
        "reference": line.reference,
        "unit": line.unit,
        "planned": plain(line.quantity),
        "actual": plain(line.quantity if counted is None else counted),
        "is_counted": counted is not None,
    }


def plain(number: Decimal) -> str:
    """Without trailing zeros and without an exponent: 12.500 is 12.5, 100 stays 100."""
    return format(number.normalize(), "f")


def document_hash(document: Mapping[str, object]) -> bytes:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).digest()


def _distance_m(sent: SentSignature, site: Site | None) -> float | None:
    position = _point(sent.latitude, sent.longitude)
    return site_distance_m(position, _point(site.latitude, site.longitude) if site else None)


def _point(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    return None if latitude is None or longitude is None else (latitude, longitude)


def _without_place(sent: SentSignature) -> SentSignature:
    return replace(
        sent,
        latitude=None,
        longitude=None,
        accuracy_m=None,
        position_source=PositionSource.NONE,
    )


def _said(sent: SentSignature) -> dict[str, object]:
    """What is stored just as it was sent, and compared when it is sent again."""
    return {
        "client_id": sent.client_id,
        "stage_client_id": sent.stage_client_id,
        "recorded_at": sent.recorded_at,
        "outcome": sent.outcome,
        "signer_name": sent.signer_name,
        "signer_role": sent.signer_role,
        "reservations": sent.reservations,
        "remark": sent.remark,
        "strokes": sent.strokes,
        "position_source": sent.position_source,
    }


def _sent_before(device: Device, sent: SentSignature) -> Signed | None:
    """The stored signature of this client id. SignatureDiffers when it says something else."""
    signatures = Signature.objects.select_related("mission", "stop", "driver")
    row = signatures.filter(device=device, client_id=sent.client_id).first()
    if row is None:
        return None
    if row.driver is None or row.driver.frozen_at is not None:
        raise DriverFrozen("This driver's data is frozen.")
    may_differ = row.latitude is None and sent.latitude is not None
    if may_differ and not position_may_be_kept(row.mission, row.driver, row.recorded_at):
        sent = _without_place(sent)  # as it was stored
    is_same = (
        all(getattr(row, name) == value for name, value in _said(sent).items())
        and (row.latitude, row.longitude, row.accuracy_m)
        == (sent.latitude, sent.longitude, sent.accuracy_m)
        and sent.mission in (row.mission.external_id, str(row.mission.uuid))
        and sent.stop in (row.stop.external_id, str(row.stop.uuid))
        and _counted(row.document) == {str(line): plain(n) for line, n in sent.counts.items()}
    )
    if not is_same:
        raise SignatureDiffers("Another signature was sent under this client_id.")
    return Signed(row, is_new=False, warnings=_warnings(row))


def _counted(document: Mapping[str, list[dict[str, object]]]) -> dict[object, object]:
    return {line["id"]: line["actual"] for line in document["goods"] if line["is_counted"]}


def _warnings(signature: Signature) -> tuple[str, ...]:
    """A photo says what a missing signature does not; but nothing is refused without one."""
    if signature.outcome == SignatureOutcome.SIGNED or signature.stop.attachments.exists():
        return ()
    return (PHOTO_RECOMMENDED,)
