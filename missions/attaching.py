"""Store a photo of a mission, once, whatever the phone's connection does in between.

1. The bytes are those the phone meant: their SHA-256 is compared with the one it sent.
2. A client id that this phone used before gives the stored row back, or is refused when it
   was of other bytes.
3. The photo is decoded, one at a time in a process, and its file is written.
4. One transaction: the driver is locked and not frozen, the row is inserted unless an
   equal upload was first. Only then does the phone get its answer.

An upload is retried as a whole: a photo is at most 25 MB, and a phone in a dead zone loses
less by sending it again than by keeping the state of a resumable one.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import IO, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Device
from accounts.refusals import Conflict, Invalid, Problem
from missions.lifecycle import AHEAD_AT_MOST, refuse_future
from missions.models import Attachment, AttachmentKind, PositionSource
from missions.photos import KEPT_MEDIA_TYPE, KEPT_SUFFIX, Photo, PhotoEmpty, Taken, read_photo
from missions.signing import holder_at, own_mission, own_stop, position_may_be_kept
from missions.stored_files import stored

# A photo takes a second or so: who waits longer is told to come again.
PATIENCE_S: Final = 20
RETRY_AFTER_S: Final = 15

# Decoding takes hundreds of megabytes for a large photo: never two at once in a process, and
# always in the same thread, since what the allocator keeps it keeps for each thread.
_decoder = ThreadPoolExecutor(1, thread_name_prefix="photos")


class Sha256Differs(Problem):
    """The bytes are not those that the phone took the hash of: they changed on the way."""

    status = 422
    code = "sha256_differs"


class ClientIdTaken(Conflict):
    """This phone used this client id for another photo."""

    code = "client_id_taken"


class PhotosBusy(Problem):
    """Too many photos at this moment; Retry-After says when to send it again."""

    status = 503
    code = "photos_busy"

    def __init__(self) -> None:
        super().__init__(
            "Too many photos are coming in at this moment.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPhoto:
    """What a phone sends. A moment or a place of None: what the photo itself says, if it does."""

    file: IO[bytes]
    size_bytes: int
    sha256: bytes
    client_id: str
    mission: str
    stop: str = ""
    stage_client_id: str = ""
    kind: str = AttachmentKind.GOODS
    recorded_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """The stored row, and whether this very request stored it."""

    attachment: Attachment
    is_new: bool


def attach_photo(device: Device, sent: SentPhoto) -> Attached:
    """Store a photo for the driver who carried the phone when it was taken.

    The refusals are those above, those of photos.py, Invalid, DriverFrozen and NotHeld;
    Http404 for a mission or stop that is not that driver's.
    """
    received_at = timezone.now()
    _refuse_altered(sent)
    before = _stored_before(device, sent)
    if before is not None:
        return Attached(before, is_new=False)
    photo = _decoded(sent)
    recorded_at = _recorded_at(sent, photo.taken, received_at)
    try:
        with stored(photo.content, KEPT_SUFFIX) as name:
            row = _row(device, sent, photo, name, (recorded_at, received_at))
            return Attached(_inserted(row, sent, photo.taken), is_new=True)
    except _AnotherWasFirst:
        before = _stored_before(device, sent)
        if before is None:
            raise
        return Attached(before, is_new=False)


class _AnotherWasFirst(Exception):
    """An equal upload was stored meanwhile: takes this one's file and transaction back."""


@transaction.atomic
def _inserted(row: Attachment, sent: SentPhoto, taken: Taken) -> Attachment:
    device = row.device
    if device is None:
        raise RuntimeError("a photo comes from a phone")
    driver = holder_at(device, row.recorded_at)
    row.driver = driver
    row.mission = own_mission(driver, sent.mission)
    row.stop = own_stop(row.mission, sent.stop) if sent.stop else None
    if position_may_be_kept(row.mission, driver, row.recorded_at):
        _place(row, sent, taken)
    # An equal one in flight is waited for; then this does nothing, without an error that
    # would end the transaction.
    Attachment.objects.bulk_create([row], ignore_conflicts=True)
    inserted = Attachment.objects.filter(uuid=row.uuid).first()
    if inserted is None:
        raise _AnotherWasFirst
    phone = Actor("device", device.employer, device=device, driver=driver)
    detail = {"mission": str(row.mission.uuid), "kind": str(row.kind)}
    record(phone, "attachment.added", inserted, detail)
    return inserted


def _refuse_altered(sent: SentPhoto) -> None:
    if sent.size_bytes == 0:
        raise PhotoEmpty("The file is empty: send it again.")
    digest = sha256()
    while chunk := sent.file.read(1024 * 1024):
        digest.update(chunk)
    if digest.digest() != sent.sha256:
        raise Sha256Differs("The bytes do not have this SHA-256: send the photo again.")
    sent.file.seek(0)


def _stored_before(device: Device | None, sent: SentPhoto) -> Attachment | None:
    before = Attachment.objects.filter(device=device, client_id=sent.client_id).first()
    if before is not None and bytes(before.original_sha256) != sent.sha256:
        raise ClientIdTaken("This client id is of another photo.")
    return before


def _decoded(sent: SentPhoto) -> Photo:
    """In its turn. PhotosBusy when that does not come in time."""
    decoding = _decoder.submit(read_photo, sent.file, sent.size_bytes)
    try:
        return decoding.result(timeout=PATIENCE_S)
    except TimeoutError:
        # One that has begun runs to its end, for nobody: the phone sends it again.
        decoding.cancel()
        raise PhotosBusy from None


def _recorded_at(sent: SentPhoto, taken: Taken, received_at: datetime) -> datetime:
    """The phone's word, else the camera's where it is sure and can be, else when it came in.

    Invalid when the phone's word cannot be: it is never repaired.
    """
    oldest_at = received_at - timedelta(days=settings.MAX_FIX_AGE_DAYS)
    if sent.recorded_at is None:
        newest_at = received_at + AHEAD_AT_MOST
        can_be = taken.at is not None and oldest_at <= taken.at <= newest_at
        return taken.at if can_be and taken.at else received_at
    refuse_future(sent.recorded_at, "recorded_at")
    if sent.recorded_at < oldest_at:
        detail = f"This is more than {settings.MAX_FIX_AGE_DAYS} days ago."
        raise Invalid(detail, field="recorded_at", code="recorded_at_too_old")
    return sent.recorded_at


def _row(
    device: Device,
    sent: SentPhoto,
    photo: Photo,
    name: str,
    clocks: tuple[datetime, datetime],
) -> Attachment:
    """Everything but whose it is, of which mission, and where it was."""
    recorded_at, received_at = clocks
    return Attachment(
        employer_id=device.employer_id,
        device=device,
        client_id=sent.client_id,
        stage_client_id=sent.stage_client_id,
        kind=sent.kind,
        remark=sent.remark,
        recorded_at=recorded_at,
        received_at=received_at,
        file=name,
        media_type=KEPT_MEDIA_TYPE,
        width_px=photo.width_px,
        height_px=photo.height_px,
        size_bytes=len(photo.content),
        content_sha256=sha256(photo.content).digest(),
        original_media_type=photo.original_media_type,
        original_size_bytes=sent.size_bytes,
        original_sha256=sent.sha256,
    )


def _place(row: Attachment, sent: SentPhoto, taken: Taken) -> None:
    """The phone's place, else the camera's: a whole one, never half of each."""
    said = sent if sent.latitude is not None else taken
    if said.latitude is not None and said.longitude is not None:
        row.latitude, row.longitude = said.latitude, said.longitude
        row.accuracy_m = said.accuracy_m
        row.position_source = PositionSource.AT_EVENT
