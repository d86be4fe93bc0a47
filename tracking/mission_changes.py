"""Below a mission's page: its files, and who changed what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Driver, Truck
from missions.edits import ToldChange, changes_told
from missions.models import Mission
from missions.proof_words import RESULTS, STAGES
from tracking.mission_words import day_text, person

CHANGES: Final[dict[str, Promise]] = {
    "mission.created": gettext_lazy("mission made"),
    "mission.changed": gettext_lazy("changed"),
    "mission.planned": gettext_lazy("made from a draft to planned"),
    "mission.assigned": gettext_lazy("given to a driver"),
    "mission.unassigned": gettext_lazy("taken from its driver"),
    "mission.handed_over": gettext_lazy("handed over to another driver"),
    "mission.truck_changed": gettext_lazy("given another truck"),
    "mission.ended": gettext_lazy("ended"),
    "mission.cancelled": gettext_lazy("cancelled"),
    "mission.stops_reordered": gettext_lazy("stops put in another order"),
    "mission_assignment.corrected": gettext_lazy("driver or truck put right"),
    "stage.entered": gettext_lazy("stage entered"),
    "stage.corrected": gettext_lazy("stage corrected"),
    "stage.retracted": gettext_lazy("stage taken back"),
    "stop.added": gettext_lazy("stop added"),
    "stop.changed": gettext_lazy("stop changed"),
    "stop.removed": gettext_lazy("stop removed"),
    "stop.result_set": gettext_lazy("result of a stop said"),
    "proof.requested": gettext_lazy("proof of delivery asked for"),
    "proof.issued": gettext_lazy("proof of delivery issued"),
    "share_link.made": gettext_lazy("link for a consignee made"),
    "share_link.revoked": gettext_lazy("link for a consignee taken back"),
    "site.moved": gettext_lazy("site moved to where drivers stood"),
}
FIELDS: Final[dict[str, Promise]] = {
    "contact_name": gettext_lazy("name of the contact"),
    "contact_phone": gettext_lazy("telephone of the contact"),
    "driver": gettext_lazy("driver"),
    "ecmr_number": gettext_lazy("e-CMR number"),
    "ended_at": gettext_lazy("end"),
    "external_id": gettext_lazy("your number"),
    "free_time_s": gettext_lazy("free time"),
    "goods": gettext_lazy("goods"),
    "latitude": gettext_lazy("latitude"),
    "longitude": gettext_lazy("longitude"),
    "planned_arrival_at": gettext_lazy("planned arrival"),
    "planned_departure_at": gettext_lazy("planned departure"),
    "planned_end_at": gettext_lazy("planned end"),
    "planned_service_s": gettext_lazy("planned time at the stop"),
    "planned_start_at": gettext_lazy("planned start"),
    "planned_truck": gettext_lazy("truck"),
    "purpose": gettext_lazy("purpose"),
    "reference": gettext_lazy("reference"),
    "requires_photo": gettext_lazy("photo required"),
    "requires_signature": gettext_lazy("signature required"),
    "site": gettext_lazy("site"),
    "stops": gettext_lazy("stops"),
    "truck": gettext_lazy("truck"),
    "window_end_at": gettext_lazy("end of the window"),
    "window_start_at": gettext_lazy("begin of the window"),
}
ACTORS: Final[dict[str, Promise]] = {
    "user": gettext_lazy("somebody of the office"),
    "api_key": gettext_lazy("another system"),
    "device": gettext_lazy("the driver's phone"),
    "command": gettext_lazy("the administrator"),
    "system": gettext_lazy("the system"),
}


@dataclass(frozen=True, slots=True)
class ChangeView:
    """Who changed what, when; `fields` by the names that the API has for them."""

    when: str
    who: str
    what: str
    fields: str


def exports_of(mission: Mission) -> list[tuple[str, str]]:
    """Files of this one mission, by name."""
    return [
        (label, reverse(name, args=[mission.uuid]))
        for label, name in (
            ("GPX", "mission-fixes-gpx"),
            ("GeoJSON", "mission-fixes-geojson"),
            (_("positions (CSV)"), "mission-fixes-csv"),
            (_("stages (XLSX)"), "stages-xlsx"),
            (_("stages (CSV)"), "stages-csv"),
            ("OpenTripModel 5", "mission-otm5"),
        )
    ]


def changes_of(mission: Mission, *, is_hidden: bool) -> list[ChangeView]:
    """The newest first. Six queries at most. `is_hidden`: without what phones corrected."""
    zone = ZoneInfo(mission.employer.timezone)
    stops = list(mission.stops.order_by("seq").values_list("uuid", flat=True))
    told = [
        one
        for one in reversed(changes_told(mission, stops))
        if not (is_hidden and one.actor_kind == "device")
    ]
    names = _names(mission, told)
    return [_change(one, names, zone) for one in told]


def _names(mission: Mission, told: Sequence[ToldChange]) -> dict[str, str]:
    """The drivers and trucks that entries name by id. Two queries, or none.

    A driver only while an assignment of the mission names them: the trail outlives an erasure.
    """
    drivers = {str(one.detail["driver"]) for one in told if one.detail.get("driver")}
    trucks = {str(one.detail["truck"]) for one in told if one.detail.get("truck")}
    names: dict[str, str] = {}
    if drivers:
        known = Driver.objects.filter(uuid__in=drivers, mission_assignments__mission=mission)
        names |= {str(row.uuid): person(row) for row in known}
    if trucks:
        names |= {str(row.uuid): row.plate for row in Truck.objects.filter(uuid__in=trucks)}
    return names


def _change(told: ToldChange, names: Mapping[str, str], zone: ZoneInfo) -> ChangeView:
    local = told.at.astimezone(zone)
    what = str(CHANGES.get(told.action, told.action))
    if told.stop is not None:
        what = _("stop %(number)s: %(what)s") % {"number": told.stop, "what": what}
    who = told.name or str(ACTORS.get(told.actor_kind, told.actor_kind))
    facts = [*_facts(told, names), *([_fields(told.fields)] if told.fields else [])]
    return ChangeView(
        f"{day_text(local.date())} {local:%H:%M}", who, what, "; ".join(fact for fact in facts)
    )


def _facts(told: ToldChange, names: Mapping[str, str]) -> Iterator[str]:
    """What an entry says besides: to whom, which truck, which stage, how a stop ended."""
    detail = told.detail
    for of in ("driver", "truck"):
        name = names.get(str(detail.get(of)))
        if name:
            yield name
    if detail.get("stage"):
        yield str(STAGES.get(str(detail["stage"]), detail["stage"]))
    if detail.get("result"):
        yield str(RESULTS.get(str(detail["result"]), detail["result"]))
    if detail.get("number"):
        yield _("number %(number)s") % {"number": detail["number"]}


def _fields(names: Iterable[str]) -> str:
    """In words where there are words; a field that is new here by its own name."""
    return ", ".join(str(FIELDS.get(name, name)) for name in names)
