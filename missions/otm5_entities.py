"""The entities of an OpenTripModel trip: locations, goods, vehicles, actors, documents. (pure)"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from accounts.moments import rfc3339
from missions.otm5_facts import Goods, Paper, TripFacts, Visit

LOCATION_TYPE: Final = {
    "customer": "customer",
    "warehouse": "warehouse",
    "depot": "operationalBase",
}
Json = dict[str, Any]


def filled(entity: Mapping[str, Any]) -> Json:
    """Without what nobody said: OTM knows no null."""
    return {name: value for name, value in entity.items() if value not in (None, "", [], {})}


def attributes(**values: str | None) -> Json:
    return filled(values)


def inline(entity: Json, **more: Any) -> Json:
    return {"associationType": "inline", "entity": entity, **more}


def reference(kind: str, uuid: UUID) -> Json:
    return {"associationType": "reference", "entityType": kind, "uuid": str(uuid)}


def vehicle(vehicle: tuple[UUID, str] | None) -> Json | None:
    if vehicle is None:
        return None
    uuid, plate = vehicle
    return inline({"entityType": "vehicle", "id": str(uuid), "licensePlate": plate})


def carrier(facts: TripFacts) -> Json:
    uuid, name = facts.carrier
    return inline({"entityType": "actor", "id": str(uuid), "name": name}, roles=["carrier"])


def driver(driver: tuple[UUID, str | None]) -> Json:
    """By id and number: no person's name leaves in a trip."""
    uuid, number = driver
    entity = filled(
        {
            "entityType": "actor",
            "id": str(uuid),
            "externalAttributes": attributes(number=number),
        }
    )
    return inline(entity, roles=["driver"])


def time_window(window: tuple[datetime | None, datetime | None]) -> Json | None:
    begin, end = window
    if begin is None and end is None:
        return None
    value = {"type": "timeWindowConstraint", "startTime": time(begin), "endTime": time(end)}
    return inline({"entityType": "constraint", "value": filled(value)})


def time(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def head(uuid: UUID, kind: str, lifecycle: str) -> Json:
    return {"entityType": kind, "id": str(uuid), "actionType": kind, "lifecycle": lifecycle}


def location(visit: Visit, seen: set[UUID]) -> Json | None:
    place = visit.place
    if place is None:
        return None
    if place.id in seen:
        return reference("location", place.id)
    seen.add(place.id)
    address = filled({"name": place.name, "street": place.address, "country": place.country})
    contacts = (("name", visit.contact_name), ("phone", visit.contact_phone))
    return inline(
        filled(
            {
                "entityType": "location",
                "id": str(place.id),
                "name": place.name,
                "type": LOCATION_TYPE.get(place.kind),
                "externalAttributes": attributes(externalId=place.external_id),
                "geoReference": geo(place.point) or {"type": "addressGeoReference", **address},
                "administrativeReference": address,
                "contactDetails": [
                    {"type": kind, "value": value} for kind, value in contacts if value
                ],
            }
        )
    )


def geo(point: tuple[float, float] | None) -> Json | None:
    if point is None:
        return None
    return {"type": "latLonPointGeoReference", "lat": point[0], "lon": point[1]}


def consignment_id(visit: Visit) -> UUID:
    return uuid5(visit.id, "consignment")


def consignment(visit: Visit) -> Json | None:
    if not visit.goods:
        return None
    entity = {
        "entityType": "consignment",
        "id": str(consignment_id(visit)),
        "externalAttributes": attributes(reference=visit.reference),
        "goods": [inline(_item(line)) for line in visit.goods],
    }
    return inline(filled(entity))


def _item(line: Goods) -> Json:
    each_kg = None if line.weight_kg is None else round(float(line.weight_kg / line.quantity), 3)
    return filled(
        {
            "type": "items",
            "id": str(line.id),
            "description": line.description,
            "quantity": float(line.quantity),
            "packagingMaterial": line.unit,
            "grossWeight": None if each_kg is None else {"value": each_kg, "unit": "kg"},
            "externalAttributes": attributes(reference=line.reference),
        }
    )


def document(paper: Paper) -> Json:
    """What was made as proof, and how to know it again; the file itself is asked for apart."""
    return inline(
        filled(
            {
                "entityType": "document",
                "id": str(paper.id),
                "creationDate": rfc3339(paper.recorded_at),
                "documentType": paper.kind,
                "mimeType": paper.media_type,
                "description": paper.remark,
                "externalAttributes": attributes(sha256=paper.sha256),
            }
        )
    )
