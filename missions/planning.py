"""What a dispatcher or another system asks for, and how it differs from what is stored.

A value of None or "" means that the request does not say, so it cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import AuditEntry, Driver, Truck
from accounts.refusals import Invalid
from missions.goods import GoodsPlan, are_same
from missions.models import Mission, MissionStatus, Site, Stop, StopPurpose

STOP_FIELDS = (
    "external_id",
    "purpose",
    "window_start_at",
    "window_end_at",
    "planned_arrival_at",
    "planned_departure_at",
    "planned_service_s",
    "free_time_s",
    "reference",
    "contact_name",
    "contact_phone",
    "requires_signature",
    "requires_photo",
    "remark",
)
# More are no round that anybody drives, and no list that anybody puts in order.
MOST_STOPS: Final = 200
MISSION_FIELDS = ("reference", "planned_start_at", "planned_end_at", "ecmr_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlan:
    """One visit as it was asked for; its place in the list is its place in the order."""

    site: Site | None = None
    external_id: str | None = None
    purpose: str = ""
    window_start_at: datetime | None = None
    window_end_at: datetime | None = None
    planned_arrival_at: datetime | None = None
    planned_departure_at: datetime | None = None
    planned_service_s: int | None = None
    free_time_s: int | None = None
    reference: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    requires_signature: bool | None = None
    requires_photo: bool | None = None
    remark: str = ""
    goods: Sequence[GoodsPlan] | None = None

    def stop_of(self, mission: Mission, seq: int) -> Stop:
        """The row for it, not saved; its goods are rows of their own."""
        return Stop(
            employer_id=mission.employer_id,
            mission=mission,
            seq=seq,
            site=self.site,
            external_id=self.external_id or None,
            purpose=self.purpose or StopPurpose.UNLOAD,
            window_start_at=self.window_start_at,
            window_end_at=self.window_end_at,
            planned_arrival_at=self.planned_arrival_at,
            planned_departure_at=self.planned_departure_at,
            planned_service_s=self.planned_service_s,
            free_time_s=self.free_time_s,
            reference=self.reference,
            contact_name=self.contact_name,
            contact_phone=self.contact_phone,
            requires_signature=bool(self.requires_signature),
            requires_photo=bool(self.requires_photo),
            remark=self.remark,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionPlan:
    """A mission as it was asked for. `stops` of None: the request does not speak of stops."""

    external_id: str | None = None
    reference: str = ""
    driver: Driver | None = None
    truck: Truck | None = None
    planned_start_at: datetime | None = None
    planned_end_at: datetime | None = None
    ecmr_number: str = ""
    is_draft: bool = False
    stops: tuple[StopPlan, ...] | None = None

    @property
    def status(self) -> MissionStatus:
        """Where a mission made from this begins."""
        if self.is_draft:
            return MissionStatus.DRAFT
        return MissionStatus.ASSIGNED if self.driver else MissionStatus.PLANNED


def refuse_reversed(mission: Mission) -> None:
    """Invalid when the plan ends before it starts."""
    start, end = mission.planned_start_at, mission.planned_end_at
    if start and end and end < start:
        raise Invalid("The plan ends before it starts.", field="planned_end_at")


def differences(plan: MissionPlan, mission: Mission) -> list[str]:
    """JSON pointers of what a repeated request asks for and the stored mission has not.

    Driver and truck may also be those that were asked for at first: whoever took the mission
    over since then, or took it back, does not make the request another one.
    """
    differing = [f"/{name}" for name in MISSION_FIELDS if _differs(plan, mission, name)]
    differing += _other_people(plan, mission)
    if plan.stops is not None:
        stops = mission.stops.order_by("seq").prefetch_related("goods")
        differing += _stop_differences(plan.stops, list(stops))
    return differing


def _other_people(plan: MissionPlan, mission: Mission) -> list[str]:
    first = mission.assignments.order_by("id").first()
    truck_id = first.truck_id if first else mission.planned_truck_id
    others: dict[str, Driver | Truck] = {}
    if plan.driver and plan.driver.pk != (first and first.driver_id):
        others["driver"] = plan.driver
    if plan.truck and plan.truck.pk != truck_id:
        others["truck"] = plan.truck
    at_first = _asked_at_first(mission) if others else {}
    return [f"/{name}" for name, other in others.items() if at_first.get(name) != str(other.uuid)]


def _asked_at_first(mission: Mission) -> dict[str, str | None]:
    """The ids of the driver and the truck that it was made with: only its entry keeps them."""
    made = AuditEntry.objects.filter(
        employer_id=mission.employer_id, action="mission.created", object_id=mission.uuid
    )
    detail: dict[str, str | None] = made.values_list("detail", flat=True).first() or {}
    return detail


def _stop_differences(plans: tuple[StopPlan, ...], stops: list[Stop]) -> list[str]:
    if len(plans) != len(stops):
        return ["/stops"]
    differing = []
    for index, (plan, stop) in enumerate(zip(plans, stops, strict=True)):
        differing += [
            f"/stops/{index}/{name}" for name in STOP_FIELDS if _differs(plan, stop, name)
        ]
        if plan.site and plan.site.pk != stop.site_id:
            differing.append(f"/stops/{index}/site")
        if plan.goods is not None and not are_same(plan.goods, list(stop.goods.all()), stop):
            differing.append(f"/stops/{index}/goods")
    return differing


def _differs(plan: MissionPlan | StopPlan, stored: Mission | Stop, name: str) -> bool:
    asked = getattr(plan, name)
    return asked not in (None, "") and asked != getattr(stored, name)
