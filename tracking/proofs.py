"""Gather what a proof of delivery says of one stop: its times, evidence and distances.

Only what stands is said: a corrected stage is not, nor where a phone was, nor who drove.
"""

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import QuerySet

from accounts.actors import Actor
from accounts.assignments import DriverNotAvailable
from accounts.models import Driver
from missions.models import (
    Attachment,
    GoodsLine,
    Mission,
    ProofOfDelivery,
    Signature,
    StageEvent,
    Stop,
)
from missions.proof_pictures import Drawn, Pictures, scaled_photo
from missions.proof_values import (
    GoodsValues,
    PhotoValues,
    ProofValues,
    SignatureValues,
    StageValues,
    without_names,
)
from missions.proofs import MOST_PHOTOS, Gathered, Requested, issue, request_proof
from missions.signing import plain
from missions.stages import Stage
from missions.stored_files import content_of
from tracking.stop_times import StopTimes, naming, stages_named, stages_of_mission, stop_times_of

Row = TypeVar("Row", Attachment, Signature)


def ask_for_proof(stop: Stop, locale: str, *, actor: Actor | None = None) -> Requested:
    """Ask for a proof of what is known now. DriverNotAvailable while a driver is frozen."""
    if has_frozen_driver(stop.mission):
        raise DriverNotAvailable("A driver of this mission is not available; ask again later.")
    values = proof_values(stop)
    return request_proof(stop, values, locale, actor=actor)


def issue_proof(proof_id: int) -> bool:
    """Issue one that waits; whether it was."""
    return issue(proof_id, gather)


def gather(proof: ProofOfDelivery) -> Gathered | None:
    """The values and pictures of a proof. None while a driver is frozen: their part is hidden."""
    if has_frozen_driver(proof.mission):
        return None
    values = proof_values(proof.stop)
    return Gathered(values, _pictures(values))


def has_frozen_driver(mission: Mission) -> bool:
    """Whether somebody who drove is out of every read now."""
    return (
        mission.assignments.filter(driver__frozen_at__isnull=False).exists()
        or mission.stage_events.filter(driver__frozen_at__isnull=False).exists()
        or mission.signatures.filter(driver__frozen_at__isnull=False).exists()
        or mission.attachments.filter(driver__frozen_at__isnull=False).exists()
    )


def proof_values(stop: Stop) -> ProofValues:
    """What there is to say of a stop now."""
    mission = stop.mission
    times = next(row for row in stop_times_of(mission) if row.stop.pk == stop.pk)
    named = stages_named(stages_of_mission(mission))

    def is_here(proof: Attachment | Signature) -> bool:
        stage = named.get(naming(proof))
        return (proof.stop_id or (stage.stop_id if stage else None)) == stop.pk

    signatures = [row for row in _shown(mission.signatures.all()) if is_here(row)]
    photos = [row for row in _shown(mission.attachments.all()) if is_here(row)]
    return _values(times, signatures, photos, _Nameless(_names(mission)))


def _shown(rows: QuerySet[Row]) -> QuerySet[Row]:
    """In order; without what a driver who is not available sent."""
    return rows.filter(driver__frozen_at=None).order_by("recorded_at", "id")


class _Nameless:
    """Takes drivers' names out of what people wrote."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    def __call__(self, text: str) -> str:
        return without_names(text, self._names)


def _names(mission: Mission) -> list[str]:
    drivers = Driver.objects.filter(mission_assignments__mission=mission)
    return list(drivers.distinct().values_list("name", flat=True))


def _values(
    times: StopTimes,
    signatures: list[Signature],
    photos: list[Attachment],
    nameless: _Nameless,
) -> ProofValues:
    stop, site = times.stop, times.stop.site
    mission = stop.mission
    employer = mission.employer
    has_point = site is not None and site.latitude is not None
    return ProofValues(
        employer=employer.name,
        consignee=site.name if site else "",
        address=site.address if site else "",
        country=site.country if site else "",
        timezone=(site.timezone if site else "") or employer.timezone,
        mission=nameless(mission.reference or mission.external_id or ""),
        ecmr_number=nameless(mission.ecmr_number),
        stop_seq=stop.seq,
        stop_reference=nameless(stop.reference or stop.external_id or ""),
        purpose=stop.purpose,
        result=times.result,
        result_reason=times.result_reason,
        window_start_at=times.window_start_at,
        window_end_at=times.window_end_at,
        planned_arrival_at=times.planned_arrival_at,
        planned_departure_at=times.planned_departure_at,
        arrived_at=times.arrived_at,
        departed_at=times.departed_at,
        arrival_delta_s=times.arrival_delta_s,
        departure_delta_s=times.departure_delta_s,
        on_time=times.on_time,
        waiting_s=times.waiting_s,
        loading_s=times.loading_s,
        unloading_s=times.unloading_s,
        dwell_s=times.dwell_s,
        end_inferred=times.end_inferred,
        radius_m=site.radius_m if site and has_point else None,
        goods=tuple(_goods(stop, signatures, nameless)),
        stages=tuple(map(_stage, times.stages)),
        signatures=tuple(_signature(row, nameless) for row in signatures),
        photos=tuple(map(_photo, photos)),
        missing=times.missing,
    )


def _goods(stop: Stop, signatures: list[Signature], nameless: _Nameless) -> list[GoodsValues]:
    """As signed for, else as ordered: what was signed does not change with the order."""
    if signatures:
        return [
            GoodsValues(
                description=nameless(line["description"]),
                reference=nameless(line["reference"]),
                unit=line["unit"],
                planned=line["planned"],
                actual=line["actual"],
                is_counted=line["is_counted"],
            )
            for line in signatures[-1].document["goods"]
        ]
    return [
        GoodsValues(
            description=nameless(line.description),
            reference=nameless(line.reference),
            unit=line.unit,
            planned=plain(line.quantity),
        )
        for line in GoodsLine.objects.filter(stop=stop).order_by("line_no")
    ]


def _stage(event: StageEvent) -> StageValues:
    return StageValues(
        stage=Stage(event.stage).label,
        at=event.recorded_at,
        source=event.source,
        check=event.site_check,
        distance_m=None if event.site_distance_m is None else round(event.site_distance_m),
        # Kept only as long as the position: after an erasure it is not known any more.
        accuracy_m=None if event.accuracy_m is None else round(event.accuracy_m),
        reason=event.reason,
    )


def _signature(row: Signature, nameless: _Nameless) -> SignatureValues:
    return SignatureValues(
        id=str(row.uuid),
        outcome=row.outcome,
        at=row.recorded_at,
        document_sha256=bytes(row.document_sha256).hex(),
        signer_name=nameless(row.signer_name),
        signer_role=nameless(row.signer_role),
        reservations=nameless(row.reservations),
    )


def _photo(row: Attachment) -> PhotoValues:
    return PhotoValues(
        id=str(row.uuid),
        kind=row.kind,
        at=row.recorded_at,
        sha256=bytes(row.content_sha256).hex(),
    )


def _pictures(values: ProofValues) -> Pictures:
    """One photo at a time in memory at its full size."""
    wanted = [photo.id for photo in values.photos[:MOST_PHOTOS]]
    names = dict(Attachment.objects.filter(uuid__in=wanted).values_list("uuid", "file"))
    found = {str(uuid): _small(name) for uuid, name in names.items()}
    signatures = Signature.objects.filter(uuid__in=[row.id for row in values.signatures])
    return Pictures(
        photos={uuid: content for uuid, content in found.items() if content is not None},
        signatures={str(row.uuid): _drawn(row) for row in signatures},
    )


def _small(name: str) -> bytes | None:
    """None when the file is gone or no picture. StorageAway."""
    try:
        content = content_of(name)
    except FileNotFoundError:
        return None
    try:
        return scaled_photo(content)
    except (OSError, ValueError):
        return None


def _drawn(row: Signature) -> Drawn:
    if row.strokes or not row.image:
        return Drawn(row.strokes)
    try:
        return Drawn(png=content_of(str(row.image.name)))
    except FileNotFoundError:
        return Drawn()
