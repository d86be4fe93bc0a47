"""Trucks: one in service per plate."""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import violated_by
from accounts.models import Truck, TruckAssignment
from accounts.refusals import AlreadyTaken, Conflict, Invalid

MAX_PLATE: Final = 20  # characters


class TruckRetired(Conflict):
    """The truck was out of service then."""

    code = "truck_retired"


class StillAssigned(Conflict):
    """Somebody drives it still."""

    code = "still_assigned"


def plain_plate(plate: str) -> str:
    """A plate as it is compared: capitals, single blanks."""
    return " ".join(plate.upper().split())


def stored_plate(plate: str) -> str:
    """A plate as it is stored. Invalid when nothing is left, or too much."""
    plain = plain_plate(plate)
    if not plain:
        raise Invalid("A truck needs a plate.", field="plate")
    # Measured here too: capitals may be longer than what was sent, as of a sharp s.
    if len(plain) > MAX_PLATE:
        raise Invalid(f"A plate has up to {MAX_PLATE} characters.", field="plate")
    return plain


def create_truck(actor: Actor, *, plate: str, country: str = "BE", name: str = "") -> Truck:
    """A new truck in service. AlreadyTaken when one with this plate is."""
    plate = stored_plate(plate)
    try:
        with transaction.atomic():
            truck = Truck.objects.create(
                employer=actor.employer, plate=plate, country=country.upper(), name=name.strip()
            )
            record(actor, "truck.created", truck)
    except IntegrityError as error:
        raise _plate_taken(error, plate) from None
    return truck


def change_truck(actor: Actor, truck: Truck, changes: dict[str, Any]) -> Truck:
    """Change a truck's plate, country or name."""
    if "plate" in changes:
        changes = {**changes, "plate": stored_plate(changes["plate"])}
    if "country" in changes:
        changes = {**changes, "country": changes["country"].upper()}
    for field, value in changes.items():
        setattr(truck, field, value)
    try:
        with transaction.atomic():
            truck.save(update_fields=list(changes))
            record(actor, "truck.changed", truck, {"fields": sorted(changes)})
    except IntegrityError as error:
        raise _plate_taken(error, truck.plate) from None
    return truck


def retire_truck(actor: Actor, truck: Truck, at: datetime) -> Truck:
    """Take a truck out of service; its plate is free again and its history stays."""
    with transaction.atomic():
        locked = Truck.objects.select_for_update(no_key=True).get(pk=truck.pk)
        if locked.retired_at is not None:
            raise TruckRetired("This truck is retired already.")
        later = TruckAssignment.objects.filter(
            truck=locked, period__overlap=DateTimeTZRange(at, None)
        ).first()
        if later is not None:
            raise StillAssigned(
                f"End the assignment {later.uuid} first.",
                extra={"in_the_way": {"id": str(later.uuid)}},
            )
        locked.retired_at = at
        locked.save(update_fields=["retired_at"])
        record(actor, "truck.retired", locked)
    return locked


def _plate_taken(error: IntegrityError, plate: str) -> Exception:
    if violated_by(error) != "one_truck_in_service_per_plate":
        return error
    return AlreadyTaken(f"A truck with the plate {plate} is in service.")
