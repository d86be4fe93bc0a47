"""Whom and what the entries of a timeline concern, looked up once for all of them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.models import Driver, Employer, Truck
from missions.models import Attachment, Mission, Signature, StageEvent, Stop
from missions.punctuality import Compared, compared, detention_s, plan_of
from missions.stages import Stage
from tracking.entries import Entry, Shift
from tracking.evidence import named
from tracking.moments import ARRIVAL, DEPARTURE
from tracking.proof_entries import entry_of_proof, result_entries
from tracking.segmentation import Segment
from tracking.spans import Hand
from tracking.stop_times import naming, stages_named
from tracking.tracked import Period, clipped
from tracking.witnesses import Witnesses


def readable_drivers(hands: Iterable[Hand]) -> list[int]:
    return sorted({h.driver_id for h in hands if h.driver_id is not None and not h.is_frozen})


@dataclass(frozen=True, slots=True)
class People:
    """The rows that the entries name, looked up once for all of them."""

    witnesses: Witnesses
    drivers: Mapping[int, Driver]
    trucks: Mapping[int, Truck]
    missions: dict[int, Mission]
    employer: Employer

    @classmethod
    def of(
        cls,
        segments: Iterable[Segment],
        witnesses: Witnesses,
        hands: Collection[Hand],
        proofs: Iterable[Attachment | Signature],
        employer: Employer,
    ) -> "People":
        ids = witnesses.ids_in(segments)
        driver_ids = ids.drivers | set(readable_drivers(hands))
        for proof in proofs:
            ids.missions.add(proof.mission_id)
            if proof.driver_id is not None:
                driver_ids.add(proof.driver_id)
        return cls(witnesses, *named(driver_ids, ids.trucks, ids.missions), employer)

    def entry(self, segment: Segment) -> Entry:
        seen = self.witnesses.of(segment)
        stop = self.witnesses.stops.get(segment.stop)
        entry = Entry(
            segment=segment,
            driver=self.drivers.get(seen.driver_id or 0),
            truck=self.trucks.get(seen.truck_id or 0),
            mission=self.missions.get(seen.mission_id or 0),
            stop=stop,
            event=seen.event,
            received_at=seen.received_at,
            came_late_at=seen.came_late_at,
            compared=self._compared(segment, stop),
        )
        if segment.type != "dwell":
            return entry
        dwell_s = None if segment.is_open else segment.duration_s
        return replace(
            entry,
            split=self.witnesses.split_of(segment),
            detention_s=detention_s(dwell_s, stop.free_time_s if stop else None),
        )

    def _compared(self, segment: Segment, stop: Stop | None) -> Compared | None:
        if segment.kind not in (ARRIVAL, DEPARTURE) or stop is None:
            return None
        stage = Stage[segment.kind.upper()]
        return compared(plan_of(stop, self.employer), stage, segment.started_at)

    def superseded_entries(
        self, bounds: Period, corrections: Mapping[int, StageEvent]
    ) -> list[Entry]:
        return [
            replace(
                self.entry(self.witnesses.segment_of(event)),
                event=event,
                is_superseded=True,
                corrected_by=corrections.get(event.pk),
            )
            for event in self.witnesses.superseded
            if bounds[0] <= event.recorded_at < bounds[1]
        ]

    def proof_entries(
        self, proofs: Iterable[Attachment | Signature], events: Iterable[StageEvent]
    ) -> list[Entry]:
        stages = stages_named(events)
        return [self._proof_entry(proof, stages.get(naming(proof))) for proof in proofs]

    def _proof_entry(self, proof: Attachment | Signature, stage: StageEvent | None) -> Entry:
        truck_id = stage.truck_id if stage is not None else None
        return entry_of_proof(
            proof,
            stage=stage,
            driver=self.drivers.get(proof.driver_id or 0),
            truck=self.trucks.get(truck_id or 0),
            mission=self.missions.get(proof.mission_id),
        )

    def results(self, stops: Iterable[Stop], hands: Iterable[Hand]) -> list[Entry]:
        hides_drivers = any(hand.is_frozen for hand in hands)
        return result_entries(stops, self.missions, hides_drivers=hides_drivers)

    def shifts(self, hands: Iterable[Hand], bounds: Period) -> list[Shift]:
        """Who drove, in order; what touches or overlaps of one person is one shift."""
        runs: list[Hand] = []
        for hand in sorted(hands, key=lambda hand: hand.begin_at):
            last = runs[-1] if runs else None
            if last is None or not _is_one_shift(last, hand):
                runs.append(hand)
            elif hand.end_at > last.end_at:
                runs[-1] = hand._replace(begin_at=last.begin_at)
        return [
            self._shift(hand, began_at, ended_at)
            for hand in runs
            for began_at, ended_at in clipped([(hand.begin_at, hand.ended_at)], *bounds)
        ]

    def _shift(self, hand: Hand, began_at: datetime, ended_at: datetime) -> Shift:
        if hand.driver_id is None:
            return Shift(began_at, ended_at, None, "erased")
        if hand.is_frozen:
            return Shift(began_at, ended_at, None, "not_available")
        return Shift(began_at, ended_at, self.drivers.get(hand.driver_id), "available")


def _is_one_shift(last: Hand, hand: Hand) -> bool:
    who = last.driver_id, last.erased_driver
    return who == (hand.driver_id, hand.erased_driver) and hand.begin_at <= last.end_at
