"""All missions of one day: each mission's flags, and how many there are of each.

They are read lean (day_reads.py) in a fixed number of queries and judged by the rules of
amiss.py; a page of them is read whole afterwards.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import F, QuerySet

from accounts.models import Employer
from missions.models import Mission, MissionStatus
from missions.punctuality import Done, came_and_went
from missions.stages import Stage
from tracking.day_reads import (
    Hand,
    LeanProof,
    LeanStage,
    LeanStop,
    hands_of,
    photos_of,
    signatures_of,
    stages_of,
    stops_of,
)
from tracking.fleet_now import FleetNow, fleet_now
from tracking.mission_flags import Known, as_stop_times, standing_of
from tracking.stop_times import missing_of, proofs_by_stop, stages_by_stop

# Those of whom somebody may be on the way: only their phones are asked after.
MAY_BE_DRIVEN: Final = (MissionStatus.ASSIGNED, MissionStatus.STARTED)
_STAGES: Final = {int(stage): stage for stage in Stage}


class LeanMission(NamedTuple):
    """A mission of the day. `began_at`: as driven, else as planned, else as made."""

    pk: int
    status: str
    began_at: datetime
    planned_start_at: datetime | None
    ended_at: datetime | None
    reference: str
    external_id: str | None

    @property
    def due_at(self) -> datetime:
        """When it is to begin; without a plan when it began or was made."""
        return self.planned_start_at or self.began_at

    @property
    def name(self) -> str:
        return self.reference or self.external_id or ""


class LeanVisit(NamedTuple):
    """A stop as it was, as far as the rules read a StopTimes."""

    stop: LeanStop
    arrived_at: datetime | None
    departed_at: datetime | None
    result: str
    missing: tuple[str, ...]
    stages: Sequence[LeanStage]


@dataclass(frozen=True, slots=True)
class Day:
    """Every mission of a day with its flags, in no order."""

    missions: list[LeanMission]
    flags: dict[int, frozenset[str]]
    fleet: FleetNow

    def by_status(self) -> Counter[str]:
        return Counter(mission.status for mission in self.missions)

    def by_flag(self) -> Counter[str]:
        return Counter(name for flags in self.flags.values() for name in flags)


def read_day(employer: Employer, missions: QuerySet[Mission], now: datetime) -> Day:
    """`missions` as reading.matching leaves them for a day. Nine queries, however many."""
    found = [
        LeanMission._make(row)
        for row in missions.annotate(began=F("began_at")).values_list(
            "id",
            "status",
            "began",
            "planned_start_at",
            "ended_at",
            "reference",
            "external_id",
        )
    ]
    ids = [mission.pk for mission in found]
    hands = hands_of(ids)
    driven = {
        hand.driver_id
        for mission in found
        if mission.status in MAY_BE_DRIVEN
        for hand in hands[mission.pk]
        if hand.is_now and hand.driver_id is not None
    }
    fleet = fleet_now(employer, driven, now)
    evidence = _Evidence.of(ids)
    flags = {
        mission.pk: _flags(mission, hands[mission.pk], evidence, employer, fleet)
        for mission in found
    }
    return Day(found, flags, fleet)


def _flags(
    mission: LeanMission,
    hands: Iterable[Hand],
    evidence: "_Evidence",
    employer: Employer,
    fleet: FleetNow,
) -> frozenset[str]:
    stages = evidence.stages[mission.pk]
    stops = evidence.stops[mission.pk]
    standing = [event for event in stages if not event.is_superseded]
    known = Known(
        status=mission.status,
        is_over=mission.ended_at is not None,
        is_hidden=any(hand.is_frozen for hand in hands),
        driver_id=next((hand.driver_id for hand in hands if hand.is_now), None),
        begins_at=mission.began_at,
        is_raised=any(event.stage == Stage.EXCEPTION for event in standing),
        has_note=any(event.has_note for event in standing) or any(one.has_remark for one in stops),
    )
    visits = evidence.visits(mission.pk, standing)
    return standing_of(as_stop_times(visits), known, employer, fleet).flags


@dataclass(frozen=True, slots=True)
class _Evidence:
    """By mission: its stops in order, its stages oldest first, its photos and signatures."""

    stops: "defaultdict[int, list[LeanStop]]"
    stages: "defaultdict[int, list[LeanStage]]"
    photos: "defaultdict[int, list[LeanProof]]"
    signatures: "defaultdict[int, list[LeanProof]]"

    @classmethod
    def of(cls, ids: Collection[int]) -> "_Evidence":
        """Four queries. Photos and signatures only where some stop requires one."""
        stops = stops_of(ids)
        asking = [
            mission_id
            for mission_id, rows in stops.items()
            if any(stop.requires_photo or stop.requires_signature for stop in rows)
        ]
        return cls(stops, stages_of(ids), photos_of(asking), signatures_of(asking))

    def visits(self, mission_id: int, standing: Sequence[LeanStage]) -> list[LeanVisit]:
        at_stop = stages_by_stop(standing)
        stages = self.stages[mission_id]
        photos = proofs_by_stop(self.photos[mission_id], stages)
        signatures = proofs_by_stop(self.signatures[mission_id], stages)
        found = []
        for stop in self.stops[mission_id]:
            events = at_stop[stop.pk]
            done = [Done(_STAGES[event.stage], event.recorded_at) for event in events]
            missing = missing_of(stop, photos[stop.pk], signatures[stop.pk])
            found.append(LeanVisit(stop, *came_and_went(done), stop.result, missing, events))
        return found
