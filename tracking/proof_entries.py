"""What stands in a timeline beside the track: photos, signatures and the results of stops."""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import Driver, MarkSource, Truck
from missions.models import Attachment, Mission, Signature, StageEvent, Stop
from tracking.entries import Entry
from tracking.segmentation import Segment
from tracking.witnesses import clocks_apart


def entry_of_proof(
    proof: Attachment | Signature,
    *,
    stage: StageEvent | None,
    driver: Driver | None,
    truck: Truck | None,
    mission: Mission | None,
) -> Entry:
    """A photo or a signature at its own time, joined to its stage once that is here too."""
    is_photo = isinstance(proof, Attachment)
    clocks = clocks_apart(proof.recorded_at, proof.received_at)
    segment = Segment(
        type="attachment" if is_photo else "signature",
        started_at=proof.recorded_at,
        ended_at=proof.recorded_at,
        duration_s=0,
        source=MarkSource.DRIVER,
        kind=proof.kind if isinstance(proof, Attachment) else proof.outcome,
        stop=proof.stop_id,
        mission=proof.mission_id,
        device=(proof.driver_id, None),
        received_at=proof.received_at,
        latitude=proof.latitude,
        longitude=proof.longitude,
        uncertainty_m=proof.accuracy_m,
    )
    return Entry(
        segment=segment,
        driver=driver,
        truck=truck,
        mission=mission,
        stop=proof.stop or (stage.stop if stage is not None else None),
        event=stage,
        received_at=clocks.received_at,
        came_late_at=clocks.came_late_at,
        proof=proof,
    )


def result_entries(
    stops: Iterable[Stop], missions: dict[int, Mission], *, hides_drivers: bool
) -> list[Entry]:
    """How stops ended, and when. `hides_drivers`: only what a dispatcher said is shown."""
    return [
        _result(stop, stop.result_at, missions.get(stop.mission_id))
        for stop in stops
        if stop.result_at is not None
        and not (hides_drivers and stop.result_source == MarkSource.DRIVER)
    ]


def _result(stop: Stop, at: datetime, mission: Mission | None) -> Entry:
    segment = Segment(
        type="result",
        started_at=at,
        ended_at=at,
        duration_s=0,
        source=stop.result_source,
        kind=stop.result,
        stop=stop.pk,
        mission=stop.mission_id,
    )
    return Entry(segment=segment, stop=stop, mission=mission)
