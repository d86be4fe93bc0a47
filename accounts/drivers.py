"""Drivers: who reports, and the employer's word that they are adults."""

from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import violated_by
from accounts.folding import folded
from accounts.models import Driver
from accounts.refusals import AlreadyTaken


def visible_drivers(actor: Actor) -> QuerySet[Driver]:
    """The employer's drivers, less the frozen ones: a freeze takes them out of every read."""
    return Driver.objects.filter(employer=actor.employer, frozen_at__isnull=True)


def visible_id(driver: Driver | None) -> str | None:
    """A driver's id for an answer; None when the driver is erased, or frozen."""
    return None if driver is None or driver.frozen_at is not None else str(driver.uuid)


def drivers_like(drivers: QuerySet[Driver], words: str) -> QuerySet[Driver]:
    """Those whose name or number holds what was typed, without accents and capitals."""
    wanted = folded(words)
    typed = words.replace("\0", "").strip()
    return drivers.filter(Q(name_folded__contains=wanted) | Q(number__icontains=typed))


def create_driver(
    actor: Actor, *, name: str = "", number: str | None = None, language: str = ""
) -> Driver:
    """A new driver; making one is the employer's attestation that the person is 18 or older."""
    name = name.strip()
    try:
        with transaction.atomic():
            driver = Driver.objects.create(
                employer=actor.employer,
                name=name,
                name_folded=folded(name)[:200],
                number=(number or "").strip() or None,
                language=language,
                adult_attested_on=datetime.now(UTC).date(),
            )
            record(actor, "driver.created", driver, {"is_adult_attested": True})
    except IntegrityError as error:
        raise _number_taken(error, number) from None
    return driver


def change_driver(actor: Actor, driver: Driver, changes: dict[str, Any]) -> Driver:
    """Change a driver's name, number or language."""
    sent = sorted(changes)
    if "name" in changes:
        changes = {**changes, "name_folded": folded(changes["name"])[:200]}
    if "number" in changes:
        changes = {**changes, "number": (changes["number"] or "").strip() or None}
    for field, value in changes.items():
        setattr(driver, field, value)
    try:
        with transaction.atomic():
            driver.save(update_fields=list(changes))
            record(actor, "driver.changed", driver, {"fields": sent})
    except IntegrityError as error:
        raise _number_taken(error, driver.number) from None
    return driver


def _number_taken(error: IntegrityError, number: str | None) -> Exception:
    if violated_by(error) != "one_driver_per_number":
        return error
    return AlreadyTaken(f"The number {number} is another driver's.")
