"""The stops of a mission as its page shows them: planned against actual, with the evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import MarkSource
from missions.models import (
    Attachment,
    Mission,
    ProofOfDelivery,
    Signature,
    Stop,
    StopResult,
)
from missions.proof_words import (
    MISSING,
    OUTCOMES,
    PHOTO_KINDS,
    PURPOSES,
    REASONS,
    RESULTS,
    distance,
    duration,
    late,
)
from missions.proofs import proofs_in_force
from missions.reading import shown_stops
from missions.strokes import svg_path
from tracking.day_rows import Clock
from tracking.mission_timeline import SiteClocks, with_zone
from tracking.stop_times import StopTimes, stages_of_mission, stop_times

PAD_WIDTH: Final = 320
PAD_HEIGHT: Final = 120


@dataclass(frozen=True, slots=True)
class PhotoView:
    """`is_small`: the worker has made its thumbnail."""

    uuid: UUID
    is_small: bool
    caption: str


@dataclass(frozen=True, slots=True)
class SignatureView:
    """Its strokes as a path, else its picture by `uuid`, else neither."""

    uuid: UUID
    path: str
    has_image: bool
    outcome: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop, planned against actual. Texts are blank where there is nothing to say."""

    stop: Stop
    place: str
    purpose: str
    planned: list[str]
    arrived: str
    departed: str
    delta: str
    is_late: bool
    spent: list[str]
    from_site: str
    is_far: bool
    result: str
    is_failed: bool
    notes: list[str]
    missing: list[str]
    goods: list[str]
    photos: list[PhotoView]
    signatures: list[SignatureView]
    proof: ProofOfDelivery | None


def times_of_stops(mission: Mission) -> list[StopTimes]:
    """In their order, with goods, photos and signatures. Five queries."""
    return stop_times(
        mission.employer,
        shown_stops().filter(mission=mission),
        stages_of_mission(mission),
        photos=mission.attachments.filter(driver__frozen_at=None).order_by("recorded_at", "id"),
        signatures=mission.signatures.filter(driver__frozen_at=None).order_by("recorded_at", "id"),
    )


def stop_views(
    mission: Mission, times: list[StopTimes], clocks: SiteClocks, *, is_hidden: bool
) -> list[StopView]:
    """Each in the time of the clocks at its site. One query, for the proofs."""
    proofs = _proofs(mission)
    return [
        _stop(row, clocks.at(row.stop), proofs.get(row.stop.pk), is_hidden=is_hidden)
        for row in times
    ]


def _proofs(mission: Mission) -> Mapping[int, ProofOfDelivery]:
    """Of each stop the newest proof in force."""
    issued = proofs_in_force().filter(mission=mission).only("uuid", "number", "stop_id")
    return {proof.stop_id: proof for proof in issued.order_by("issued_at", "id")}


def _stop(
    row: StopTimes, clock: Clock, proof: ProofOfDelivery | None, *, is_hidden: bool
) -> StopView:
    stop = row.stop
    result = row.result
    if is_hidden and stop.result_source == MarkSource.DRIVER:
        result = ""
    is_over = bool(row.departed_at or result) and result != StopResult.CANCELLED
    far = distance(row.site_distance_m) if row.site_distance_m is not None else ""
    return StopView(
        stop=stop,
        place=stop.site.name if stop.site else _("stop %(number)s") % {"number": stop.seq},
        purpose=str(PURPOSES[stop.purpose]),
        planned=list(_planned(row, clock)),
        arrived=clock.text(row.arrived_at) if row.arrived_at else "",
        departed=clock.text(row.departed_at) if row.departed_at else "",
        delta=_delta(row),
        is_late=_is_late(row),
        spent=list(_spent(row)),
        from_site=_("%(distance)s from the site") % {"distance": far} if far else "",
        is_far=row.site_check == "outside",
        result=str(RESULTS[result]) if result else "",
        is_failed=result in (StopResult.FAILED, StopResult.PARTIALLY_SUCCEEDED),
        notes=list(_notes(row)) if result or not is_hidden else [],
        missing=[str(MISSING[name]) for name in row.missing] if is_over and not is_hidden else [],
        goods=[_goods_text(line) for line in stop.goods.all()],
        photos=[_photo(photo) for photo in row.photos],
        signatures=[_signature(signature) for signature in row.signatures],
        proof=proof,
    )


def _planned(row: StopTimes, clock: Clock) -> Iterator[str]:
    window = (row.window_start_at, row.window_end_at)
    if any(window):
        yield _("window %(window)s") % {"window": with_zone(*window, clock)}
    arrival_at, departure_at = row.planned_arrival_at, row.planned_departure_at
    if arrival_at and departure_at is None:
        yield clock.text(arrival_at)
    elif departure_at:
        yield with_zone(arrival_at, departure_at, clock)
    if row.stop.planned_service_s:
        yield _("%(duration)s at the stop") % {"duration": duration(row.stop.planned_service_s)}


def _delta(row: StopTimes) -> str:
    if row.arrived_at is None:
        return ""
    if row.on_time is False and row.arrival_delta_s is None:
        return _("outside its window")
    return late(row.arrival_delta_s) if row.arrival_delta_s is not None else ""


def _is_late(row: StopTimes) -> bool:
    if row.on_time is not False or row.arrived_at is None:
        return False
    begins = row.window_start_at or row.planned_arrival_at
    return begins is None or row.arrived_at > begins


def _spent(row: StopTimes) -> Iterator[str]:
    parts = (
        (row.dwell_s, _("there for %(duration)s")),
        (row.waiting_s, _("waiting %(duration)s")),
        (row.loading_s, _("loading %(duration)s")),
        (row.unloading_s, _("unloading %(duration)s")),
        (row.paperwork_s, _("paperwork %(duration)s")),
        (row.detention_s, _("%(duration)s beyond the free time")),
    )
    for seconds, text in parts:
        if seconds:
            yield text % {"duration": duration(seconds)}


def _notes(row: StopTimes) -> Iterator[str]:
    if row.result_reason:
        yield str(REASONS.get(row.result_reason, row.result_reason))
    if row.remark:
        yield f"“{row.remark}”"
    yield from (f"“{event.note}”" for event in row.stages if event.note)


def _goods_text(line: Any) -> str:
    amount = f"{line.quantity.normalize():f} {line.unit}".strip()
    return f"{amount} {line.description}"


def _photo(photo: Attachment) -> PhotoView:
    kind = str(PHOTO_KINDS.get(photo.kind, photo.kind))
    caption = _("Photo: %(kind)s") % {"kind": kind}
    return PhotoView(
        photo.uuid, bool(photo.thumbnail), f"{caption}. {photo.remark}" if photo.remark else caption
    )


def _signature(row: Signature) -> SignatureView:
    path = svg_path(row.strokes, width=PAD_WIDTH, height=PAD_HEIGHT, margin=8)
    facts = [", ".join(part for part in (row.signer_name, row.signer_role) if part)]
    if row.reservations:
        facts.append(_("reservation: %(text)s") % {"text": row.reservations})
    facts.append(row.remark)
    outcome = str(OUTCOMES.get(row.outcome, row.outcome))
    shown = [fact for fact in facts if fact]
    return SignatureView(row.uuid, path, bool(row.image) and not path, outcome, shown)
