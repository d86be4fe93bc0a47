"""What is told of a mission as an OpenTripModel trip, as far as it may be shown.

Only the stages that stand: a correction in the place of what it corrects, and nothing that
did not happen. Of a driver who is not available nothing is told; of one who was erased no
number and no place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    Signature,
    SignatureOutcome,
    Site,
    StageEvent,
    Stop,
)
from missions.otm5_facts import Goods, Happened, Paper, Place, TripFacts, Visit
from missions.running import truck_of
from missions.stages import Stage
from tracking.stop_times import naming, stages_by_stop, stages_named, stages_of_mission


def trip_facts(mission: Mission) -> TripFacts:
    """Of one of `shown_missions`, with three queries and one for its employer."""
    events = stages_of_mission(mission)
    standing = [event for event in events if not (event.is_retraction or _is_superseded(event))]
    at_stop = stages_by_stop(standing)
    named = {event.pk for events_there in at_stop.values() for event in events_there}
    papers = _papers(mission, events)
    employer, truck = mission.employer, truck_of(mission)
    return TripFacts(
        id=mission.uuid,
        external_id=mission.external_id,
        reference=mission.reference,
        status=mission.status,
        created_at=mission.created_at,
        updated_at=mission.updated_at,
        carrier=(employer.uuid, employer.name),
        drivers=tuple(_drivers(mission.assignments.all())),
        vehicle=(truck.uuid, truck.plate) if truck else None,
        ecmr_number=mission.ecmr_number,
        planned=(mission.planned_start_at, mission.planned_end_at),
        visits=tuple(
            _visit(stop, at_stop[stop.pk], papers[stop.pk]) for stop in mission.stops.all()
        ),
        under_way=tuple(_happened(event) for event in standing if event.pk not in named),
    )


def _is_superseded(event: StageEvent) -> bool:
    return bool(getattr(event, "is_superseded", False))


def _drivers(assignments: Iterable[MissionAssignment]) -> list[tuple[UUID, str | None]]:
    seen = {
        row.driver.uuid: row.driver.number
        for row in assignments
        if row.driver is not None and row.driver.frozen_at is None
    }
    return list(seen.items())


def _visit(stop: Stop, events: Sequence[StageEvent], papers: Sequence[Paper]) -> Visit:
    return Visit(
        id=stop.uuid,
        external_id=stop.external_id,
        purpose=stop.purpose,
        place=_place(stop.site),
        window=(stop.window_start_at, stop.window_end_at),
        planned_arrival_at=stop.planned_arrival_at,
        planned_departure_at=stop.planned_departure_at,
        reference=stop.reference,
        contact_name=stop.contact_name,
        contact_phone=stop.contact_phone,
        remark=stop.remark,
        result=stop.result,
        result_reason=stop.result_reason,
        goods=tuple(
            Goods(
                id=line.uuid,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                weight_kg=line.weight_kg,
                reference=line.reference,
            )
            for line in stop.goods.all()
        ),
        happened=tuple(map(_happened, events)),
        papers=tuple(papers),
    )


def _place(site: Site | None) -> Place | None:
    if site is None:
        return None
    point = None
    if site.latitude is not None and site.longitude is not None:
        point = (site.latitude, site.longitude)
    return Place(
        id=site.uuid,
        name=site.name,
        kind=site.kind,
        address=site.address,
        country=site.country,
        point=point,
        external_id=site.external_id,
    )


def _happened(event: StageEvent) -> Happened:
    point = None
    # Of a driver who was erased no place is shown, even where one was left.
    if event.driver_id is not None and event.latitude is not None and event.longitude is not None:
        point = (event.latitude, event.longitude)
    return Happened(
        id=event.uuid,
        stage=Stage(event.stage).label,
        recorded_at=event.recorded_at,
        point=point,
    )


def _papers(mission: Mission, events: Sequence[StageEvent]) -> Mapping[int, list[Paper]]:
    """The photos and signatures of each stop; one that names only its stage is where that was."""
    named = stages_named(events)
    found: defaultdict[int, list[Paper]] = defaultdict(list)
    proofs: list[Attachment | Signature] = [
        *mission.attachments.filter(driver__frozen_at=None).order_by("recorded_at", "pk"),
        *mission.signatures.filter(driver__frozen_at=None).order_by("recorded_at", "pk"),
    ]
    for proof in proofs:
        stage = named.get(naming(proof))
        stop_id = proof.stop_id or (stage.stop_id if stage else None)
        if stop_id is not None:
            found[stop_id].append(_paper(proof))
    return found


def _paper(proof: Attachment | Signature) -> Paper:
    if isinstance(proof, Attachment):
        return Paper(
            id=proof.uuid,
            kind="photo",
            recorded_at=proof.recorded_at,
            media_type=proof.media_type,
            sha256=bytes(proof.content_sha256).hex(),
            remark=proof.remark,
        )
    is_signed = proof.outcome == SignatureOutcome.SIGNED
    return Paper(
        id=proof.uuid,
        kind="signature",
        recorded_at=proof.recorded_at,
        sha256=bytes(proof.document_sha256).hex(),
        remark=proof.reservations or ("" if is_signed else proof.get_outcome_display()),
        signer=proof.signer_name if is_signed else "",
    )
