"""All missions of one day, read lean: each mission's flags, and how many there are of each.

A day may hold thousands of missions and many more stages. They are read as plain rows in a
fixed number of queries, with just the attributes that the rules of amiss.py read; a page of
them is read whole afterwards.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Now

from accounts.models import Employer
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    Signature,
    StageEvent,
    Stop,
)
from missions.punctuality import Done, came_and_went
from missions.stages import Stage
from tracking.fleet_now import FleetNow, fleet_now
from tracking.mission_flags import Known, as_stop_times, standing_of
from tracking.stop_times import missing_of, proofs_by_stop, stages_by_stop

# Those of whom somebody may be on the way: only their phones are asked after.
MAY_BE_DRIVEN: Final = (MissionStatus.ASSIGNED, MissionStatus.STARTED)


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


class LeanSite(NamedTuple):
    latitude: float | None
    longitude: float | None


class LeanStop(NamedTuple):
    """What the rules read of a stop, by the names of the model."""

    mission_id: int
    pk: int
    requires_photo: bool
    requires_signature: bool
    result: str
    remark: str
    window_start_at: datetime | None
    window_end_at: datetime | None
    planned_arrival_at: datetime | None
    planned_departure_at: datetime | None
    free_time_s: int | None
    latitude: float | None
    longitude: float | None

    @property
    def site(self) -> LeanSite:
        return LeanSite(self.latitude, self.longitude)


class LeanStage(NamedTuple):
    """What the rules read of a stage, by the names of the model."""

    mission_id: int
    pk: int
    stop_id: int | None
    driver_id: int | None
    erased_driver: UUID | None
    stage: int
    recorded_at: datetime
    site_check: str
    site_distance_m: float | None
    note: str
    client_id: str
    corrects_id: int | None
    is_retraction: bool
    corrected_by: int | None

    @property
    def is_superseded(self) -> bool:
        return self.is_retraction or self.corrected_by is not None


class LeanProof(NamedTuple):
    """A photo or a signature: which stop or stage it names. `outcome`: of a signature."""

    mission_id: int
    stop_id: int | None
    driver_id: int | None
    erased_driver: UUID | None
    stage_client_id: str
    outcome: str


class LeanVisit(NamedTuple):
    """A stop as it was, as far as the rules read a StopTimes."""

    stop: LeanStop
    arrived_at: datetime | None
    departed_at: datetime | None
    result: str
    missing: tuple[str, ...]
    stages: Sequence[LeanStage]


class Hand(NamedTuple):
    """Who drives, as a mission's assignment has it. `is_now`: at this moment."""

    mission_id: int
    driver_id: int | None
    is_frozen: bool
    is_now: bool


OfMission = TypeVar("OfMission", LeanStop, LeanStage, LeanProof, Hand)


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
    hands = _by_mission(_hands(ids))
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
        has_note=any(event.note for event in standing) or any(stop.remark for stop in stops),
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
        stops = _by_mission(_stops(ids))
        asking = [
            mission_id
            for mission_id, rows in stops.items()
            if any(stop.requires_photo or stop.requires_signature for stop in rows)
        ]
        photos = Attachment.objects.annotate(outcome=Value(""))
        return cls(
            stops,
            _by_mission(_stages(ids)),
            _by_mission(_proofs(photos, asking)),
            _by_mission(_proofs(Signature.objects.all(), asking)),
        )

    def visits(self, mission_id: int, standing: Sequence[LeanStage]) -> list[LeanVisit]:
        at_stop = stages_by_stop(standing)
        stages = self.stages[mission_id]
        photos = proofs_by_stop(self.photos[mission_id], stages)
        signatures = proofs_by_stop(self.signatures[mission_id], stages)
        found = []
        for stop in self.stops[mission_id]:
            events = at_stop[stop.pk]
            done = [Done(Stage(event.stage), event.recorded_at) for event in events]
            missing = missing_of(stop, photos[stop.pk], signatures[stop.pk])
            found.append(LeanVisit(stop, *came_and_went(done), stop.result, missing, events))
        return found


def _hands(ids: Collection[int]) -> Iterable[Hand]:
    rows = MissionAssignment.objects.filter(mission__in=ids).order_by("id")
    is_frozen = ExpressionWrapper(Q(driver__frozen_at__isnull=False), BooleanField())
    is_now = ExpressionWrapper(Q(period__contains=Now()), BooleanField())
    return map(Hand._make, rows.values_list("mission_id", "driver_id", is_frozen, is_now))


def _stops(ids: Collection[int]) -> Iterable[LeanStop]:
    rows = Stop.objects.filter(mission__in=ids).order_by("mission_id", "seq")
    names = [name for name in LeanStop._fields if name not in ("latitude", "longitude")]
    return map(LeanStop._make, rows.values_list(*names, "site__latitude", "site__longitude"))


def _stages(ids: Collection[int]) -> Iterable[LeanStage]:
    rows = StageEvent.objects.filter(mission__in=ids, driver__frozen_at=None)
    names = [name for name in LeanStage._fields if name != "corrected_by"]
    return map(
        LeanStage._make,
        rows.order_by("recorded_at", "id").values_list(*names, "corrections"),
    )


def _proofs(rows: "QuerySet[Any]", ids: Collection[int]) -> Iterable[LeanProof]:
    found = rows.filter(mission__in=ids, driver__frozen_at=None).order_by("id")
    return map(LeanProof._make, found.values_list(*LeanProof._fields))


def _by_mission(rows: "Iterable[OfMission]") -> "defaultdict[int, list[OfMission]]":
    found: defaultdict[int, list[OfMission]] = defaultdict(list)
    for row in rows:
        found[row.mission_id].append(row)
    return found
