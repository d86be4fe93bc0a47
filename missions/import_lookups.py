"""What a table of missions names, looked up at once: missions, sites, drivers, trucks, evidence.

A fixed number of queries, however many rows the table has.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.models import Driver, Employer, Truck
from accounts.trucks import plain_plate
from missions.import_grouping import AskedMission
from missions.models import Attachment, Mission, ProofOfDelivery, Signature, Site, StageEvent, Stop
from missions.reading import shown_missions

# What somebody did at a stop: such a stop is never removed.
EVIDENCE: Final[tuple[Any, ...]] = (StageEvent, Attachment, Signature, ProofOfDelivery)
Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
class Known:
    """The employer's rows that a table names, each by what it is named by."""

    employer: Employer
    missions: dict[str, Mission] = field(default_factory=dict)
    missions_by_uuid: dict[str, Mission] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    sites_by_uuid: dict[str, Site] = field(default_factory=dict)
    sites_by_name: dict[str, list[Site]] = field(default_factory=lambda: defaultdict(list))
    drivers: dict[str, Driver] = field(default_factory=dict)
    trucks: dict[str, list[Truck]] = field(default_factory=lambda: defaultdict(list))
    touched_stops: set[int] = field(default_factory=set)

    def mission(self, asked: AskedMission) -> Mission | None:
        external_id = asked.cells.get("external_id")
        if external_id is not None:
            return self.missions.get(external_id)
        return self.missions_by_uuid.get(asked.cells.get("mission_id", "").lower())


def known_to(employer: Employer, missions: Iterable[AskedMission]) -> Known:
    """Everything that the table names and the employer has."""
    asked = list(missions)
    of_missions, of_stops = _named(asked), _named(stop for one in asked for stop in one.stops)
    known = Known(employer)
    own = shown_missions().filter(employer=employer)
    known.missions = {
        str(row.external_id): row for row in own.filter(external_id__in=of_missions["external_id"])
    }
    known.missions_by_uuid = _by_uuid(own, of_missions["mission_id"])
    sites = Site.objects.filter(employer=employer)
    known.sites = {
        str(row.external_id): row
        for row in sites.filter(external_id__in=of_stops["site_external_id"])
    }
    known.sites_by_uuid = _by_uuid(sites, of_stops["site_id"])
    for site in sites.filter(name__in=of_stops["site_name"]).order_by("id"):
        known.sites_by_name[site.name].append(site)
    # A driver who is frozen is out of every read.
    drivers = Driver.objects.filter(employer=employer, frozen_at=None)
    known.drivers = {
        str(row.number): row for row in drivers.filter(number__in=of_missions["driver_number"])
    }
    plates = set(map(plain_plate, of_missions["truck_plate"]))
    for truck in Truck.objects.filter(employer=employer, plate__in=plates).order_by("id"):
        known.trucks[truck.plate].append(truck)
    known.touched_stops = _touched(known)
    return known


def _named(parts: Iterable[Any]) -> Mapping[str, set[str]]:
    """What the table says in each column."""
    named: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        for column, text in part.cells.items():
            named[column].add(text)
    return named


def _by_uuid(rows: QuerySet[Row], texts: Iterable[str]) -> dict[str, Row]:
    uuids = [uuid for uuid in map(_uuid, texts) if uuid is not None]
    return {str(row.uuid): row for row in rows.filter(uuid__in=uuids)}  # type: ignore[attr-defined]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _touched(known: Known) -> set[int]:
    """The stops of these missions that have a result, a stage, a photo, a signature or a proof."""
    missions = {row.pk for row in (*known.missions.values(), *known.missions_by_uuid.values())}
    stops = Stop.objects.filter(mission__in=missions)
    touched = set(stops.exclude(result="").values_list("id", flat=True))
    for evidence in EVIDENCE:
        of_stops = evidence.objects.filter(stop__in=stops)
        touched |= set(of_stops.values_list("stop_id", flat=True))
    return touched
