"""One row for each stop of a mission: planned against actual, evidence, and what is amiss.

Read from the stages that stand; a correction takes the place of what it corrects. What a
driver who is not available marked is left out, as in the timeline.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, Protocol, TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.models import Employer
from missions.models import (
    Attachment,
    Mission,
    Signature,
    SignatureOutcome,
    SiteCheck,
    StageEvent,
    Stop,
    StopResult,
)
from missions.punctuality import Done, is_otif, plan_of, punctuality
from missions.stages import Stage


class AStage(Protocol):
    """A stage, as far as it says to which stop it belongs; a row may be read lean."""

    @property
    def pk(self) -> int: ...
    @property
    def stop_id(self) -> int | None: ...
    @property
    def driver_id(self) -> int | None: ...
    @property
    def erased_driver(self) -> UUID | str | None: ...
    @property
    def stage(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def client_id(self) -> str: ...
    @property
    def corrects_id(self) -> int | None: ...


class AProof(Protocol):
    """A photo or a signature, as far as it says to what it belongs."""

    @property
    def stop_id(self) -> int | None: ...
    @property
    def driver_id(self) -> int | None: ...
    @property
    def erased_driver(self) -> UUID | str | None: ...
    @property
    def stage_client_id(self) -> str: ...


class ASignature(Protocol):
    @property
    def outcome(self) -> str: ...


class Asking(Protocol):
    """A stop, as far as it says what is required there."""

    @property
    def requires_photo(self) -> bool: ...
    @property
    def requires_signature(self) -> bool: ...
    @property
    def result(self) -> str: ...


Event = TypeVar("Event", bound=AStage)
Proof = TypeVar("Proof", bound=AProof)
OfMission = TypeVar("OfMission", StageEvent, Attachment, Signature)

# Nobody signs for what was not handed over.
NOTHING_TO_SIGN: Final = frozenset({StopResult.FAILED, StopResult.CANCELLED})
# An answer from a person; of the other outcomes a photo is the evidence.
ANSWERED: Final = frozenset({SignatureOutcome.SIGNED, SignatureOutcome.REFUSED})


@dataclass(frozen=True, slots=True)
class StopTimes:
    """A stop as planned and as it was. Seconds are whole, deltas positive when late.

    The position is that of the arrival, else of the first stage there that has one. `stages`
    are all that stand at this stop, oldest first. `missing` names the required evidence
    ("photo", "signature") that is not there (yet).
    """

    stop: Stop
    planned_arrival_at: datetime | None = None
    planned_departure_at: datetime | None = None
    window_start_at: datetime | None = None
    window_end_at: datetime | None = None
    arrived_at: datetime | None = None
    departed_at: datetime | None = None
    arrival_delta_s: int | None = None
    departure_delta_s: int | None = None
    on_time: bool | None = None
    waiting_s: int | None = None
    loading_s: int | None = None
    unloading_s: int | None = None
    paperwork_s: int | None = None
    dwell_s: int | None = None
    detention_s: int | None = None
    end_inferred: bool = False
    visit_count: int = 0
    site_distance_m: float | None = None
    accuracy_m: float | None = None
    site_check: str = SiteCheck.UNKNOWN
    result: str = ""
    result_reason: str = ""
    remark: str = ""
    otif: bool | None = None
    photo_count: int = 0
    signature_count: int = 0
    missing: tuple[str, ...] = ()
    stages: tuple[StageEvent, ...] = ()
    photos: tuple[Attachment, ...] = ()
    signatures: tuple[Signature, ...] = ()


def stop_times_of(mission: Mission) -> list[StopTimes]:
    """The stops of a mission in their order. Four queries, and one for its employer."""
    return stop_times(
        mission.employer,
        stops_of(mission),
        stages_of_mission(mission),
        photos=list(mission.attachments.filter(driver__frozen_at=None)),
        signatures=list(mission.signatures.filter(driver__frozen_at=None)),
    )


def stop_times_of_many(
    missions: Sequence[Mission], employer: Employer
) -> dict[int, list[StopTimes]]:
    """The same of missions of one employer, by their key: three queries, however many.

    Their stops were read already, in order (reading.py).
    """
    ids = [mission.pk for mission in missions]
    events = StageEvent.objects.filter(mission__in=ids, driver__frozen_at=None)
    events = events.annotate(is_superseded=is_corrected()).order_by("recorded_at", "id")
    events_of = _by_mission(events)
    photos = _by_mission(Attachment.objects.filter(mission__in=ids, driver__frozen_at=None))
    signed = Signature.objects.filter(mission__in=ids, driver__frozen_at=None)
    # What was drawn and what was signed for is long, and nobody asks for it here.
    signatures = _by_mission(signed.defer("strokes", "document"))
    return {
        mission.pk: stop_times(
            employer,
            mission.stops.all(),
            events_of[mission.pk],
            photos=photos[mission.pk],
            signatures=signatures[mission.pk],
        )
        for mission in missions
    }


def _by_mission(rows: Iterable[OfMission]) -> defaultdict[int | None, list[OfMission]]:
    found: defaultdict[int | None, list[OfMission]] = defaultdict(list)
    for row in rows:
        found[row.mission_id].append(row)
    return found


def stops_of(mission: Mission) -> list[Stop]:
    return list(mission.stops.select_related("site").order_by("seq"))


def stages_of_mission(mission: Mission) -> list[StageEvent]:
    """Its stages, corrected ones too, less those of a driver who is not available."""
    events = mission.stage_events.filter(driver__frozen_at=None)
    return list(events.annotate(is_superseded=is_corrected()).order_by("recorded_at", "id"))


def is_corrected() -> Q:
    """Whether a stage stands for nothing: another took its place, or it takes one back."""
    return Q(Exists(StageEvent.objects.filter(corrects=OuterRef("pk")))) | Q(is_retraction=True)


def stop_times(
    employer: Employer,
    stops: Iterable[Stop],
    events: Sequence[StageEvent],
    *,
    photos: Iterable[Attachment] = (),
    signatures: Iterable[Signature] = (),
) -> list[StopTimes]:
    """The same from rows that were read already, `events` as stages_of_mission. No query."""
    at_stop = stages_by_stop(
        event for event in events if not getattr(event, "is_superseded", False)
    )
    photos_at, signatures_at = proofs_by_stop(photos, events), proofs_by_stop(signatures, events)
    return [
        _times(stop, employer, at_stop[stop.pk], photos_at[stop.pk], signatures_at[stop.pk])
        for stop in stops
    ]


def stages_by_stop(events: Iterable[Event]) -> defaultdict[int, list[Event]]:
    """Each stop's stages, oldest first. One that names no stop belongs to where its driver was.

    From an arrival to the departure all unnamed stages, the arrival too, belong to the stop
    that the first named one names.
    """
    found: defaultdict[int, list[Event]] = defaultdict(list)
    for run in _runs(events):
        there = next((event.stop_id for event in run if event.stop_id is not None), None)
        for event in run:
            stop_id = there if event.stop_id is None else event.stop_id
            if stop_id is not None:
                found[stop_id].append(event)
    for stages in found.values():
        stages.sort(key=attrgetter("recorded_at", "pk"))
    return found


def _runs(events: Iterable[Event]) -> list[list[Event]]:
    """Of each driver, from an arrival to the departure; between two visits one by one."""
    runs: list[list[Event]] = []
    present: dict[tuple[int | None, UUID | str | None], list[Event]] = {}
    for event in events:
        person = (event.driver_id, event.erased_driver)
        run = present.get(person)
        if run is None or event.stage == Stage.ARRIVAL:
            run = []
            runs.append(run)
        run.append(event)
        if event.stage == Stage.ARRIVAL:
            present[person] = run
        elif event.stage == Stage.DEPARTURE:
            present.pop(person, None)
    return runs


def proofs_by_stop(
    proofs: Iterable[Proof], events: Iterable[Event]
) -> defaultdict[int, list[Proof]]:
    """Photos or signatures of each stop; one that names only its stage is where that was."""
    found: defaultdict[int, list[Proof]] = defaultdict(list)
    rows = list(proofs)
    named = stages_named(events) if any(proof.stop_id is None for proof in rows) else {}
    for proof in rows:
        stage = named.get(naming(proof))
        stop_id = proof.stop_id or (stage.stop_id if stage is not None else None)
        if stop_id is not None:
            found[stop_id].append(proof)
    return found


Naming = tuple[int | None, UUID | str | None, str]


def naming(proof: AProof) -> Naming:
    """The stage that a photo or signature names: the phone's own id of it, of that driver."""
    return proof.driver_id, proof.erased_driver, proof.stage_client_id


def stages_named(events: Iterable[Event]) -> dict[Naming, Event]:
    """Stages by the phone's own id; of a corrected one what takes its place."""
    rows = list(events)
    corrections = {event.corrects_id: event for event in rows if event.corrects_id is not None}
    named: dict[Naming, Event] = {}
    for event in rows:
        standing = event
        while standing.pk in corrections:
            standing = corrections[standing.pk]
        if event.client_id:
            named[event.driver_id, event.erased_driver, event.client_id] = standing
    return named


def _times(
    stop: Stop,
    employer: Employer,
    events: Sequence[StageEvent],
    photos: Sequence[Attachment],
    signatures: Sequence[Signature],
) -> StopTimes:
    done = [Done(Stage(event.stage), event.recorded_at) for event in events]
    found = punctuality(plan_of(stop, employer), done)
    split = found.split
    placed = _placed(events, found.arrived_at)
    return StopTimes(
        stop=stop,
        planned_arrival_at=stop.planned_arrival_at,
        planned_departure_at=stop.planned_departure_at,
        window_start_at=stop.window_start_at,
        window_end_at=stop.window_end_at,
        arrived_at=found.arrived_at,
        departed_at=found.departed_at,
        arrival_delta_s=found.arrival_delta_s,
        departure_delta_s=found.departure_delta_s,
        on_time=found.on_time,
        waiting_s=split.waiting_s,
        loading_s=split.loading_s,
        unloading_s=split.unloading_s,
        paperwork_s=split.paperwork_s,
        dwell_s=found.dwell_s,
        detention_s=found.detention_s,
        end_inferred=split.end_inferred,
        visit_count=found.visit_count,
        site_distance_m=placed.site_distance_m if placed else None,
        accuracy_m=placed.accuracy_m if placed else None,
        site_check=placed.site_check if placed else SiteCheck.UNKNOWN,
        result=stop.result,
        result_reason=stop.result_reason,
        remark=stop.remark,
        otif=is_otif(found.on_time, stop.result),
        photo_count=len(photos),
        signature_count=len(signatures),
        missing=missing_of(stop, photos, signatures),
        stages=tuple(events),
        photos=tuple(photos),
        signatures=tuple(signatures),
    )


def _placed(events: Sequence[StageEvent], arrived_at: datetime | None) -> StageEvent | None:
    """The stage whose position says how far from the site the driver was.

    The distance is what counts: an erasure leaves it and takes the position.
    """
    measured = [event for event in events if event.site_distance_m is not None]
    there = (event for event in measured if event.recorded_at == arrived_at)
    return next(there, measured[0] if measured else None)


def missing_of(
    stop: Asking, photos: Sequence[AProof], signatures: Sequence[ASignature]
) -> tuple[str, ...]:
    """Required and not there. Nobody there to sign: then a photo is the evidence."""
    missing: list[str] = []
    if stop.requires_photo and not photos:
        missing.append("photo")
    if stop.requires_signature and stop.result not in NOTHING_TO_SIGN:
        answered = any(signature.outcome in ANSWERED for signature in signatures)
        if not answered and not (signatures and photos):
            missing.append("signature")
    return tuple(missing)
