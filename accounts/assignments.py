"""Who had which truck at a moment, and who carried which phone.

The database refuses two periods that overlap, also of two transactions at once; what is
done here is to say which one was in the way. The rows that a period belongs to are locked
first, in the order driver, truck, device: without that two inserts could each wait for the
other's exclusion constraint. The lock lets recording statements pass (FOR NO KEY UPDATE).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, TypeVar, Unpack

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import violated_by
from accounts.drivers import visible_id
from accounts.models import (
    AssignmentSource,
    Device,
    DeviceHolding,
    Driver,
    Truck,
    TruckAssignment,
)
from accounts.refusals import Conflict, Invalid, Overlaps
from accounts.trucks import TruckRetired

TRUCK_CONSTRAINTS: Final = ("one_driver_per_truck_at_a_time", "one_truck_per_driver_at_a_time")
HOLDING_CONSTRAINTS: Final = ("one_holder_per_device_at_a_time",)

Row = TypeVar("Row", TruckAssignment, DeviceHolding)


class AlreadyEnded(Conflict):
    """It has an end; moving that is a correction."""

    code = "already_ended"


class AlreadyHeld(Conflict):
    """This driver carries the phone already."""

    code = "already_held"


class DriverNotAvailable(Conflict):
    """Nothing is changed for an erased or frozen driver; which of them, is not said."""

    code = "driver_not_available"


class Correction(TypedDict, total=False):
    """What a correction says; a key that is missing stays as it is, None has no bound."""

    truck: Truck
    driver: Driver
    begin: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """A driver's time, half-open; None has no bound. Its fixes may need linking again."""

    driver: Driver
    begin: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """An assignment as it is now, and the spans whose fixes were linked by the old one."""

    assignment: TruckAssignment
    spans: tuple[Span, ...]


def truck_of(driver: Driver, at: datetime) -> Truck | None:
    """The truck assigned to a driver at a moment. One query."""
    found = (
        TruckAssignment.objects.select_related("truck")
        .filter(driver=driver, period__contains=at)
        .first()
    )
    return found.truck if found else None


def assign_truck(
    actor: Actor,
    truck: Truck,
    driver: Driver,
    *,
    begin: datetime,
    end: datetime | None = None,
    source: AssignmentSource = AssignmentSource.DISPATCHER,
) -> TruckAssignment:
    """Give a truck to a driver for `[begin, end)`. Overlaps when either has another."""
    period = _period(begin, end)
    with transaction.atomic():
        _available(Driver.objects.select_for_update(no_key=True).get(pk=driver.pk))
        _check_in_service(Truck.objects.select_for_update(no_key=True).get(pk=truck.pk), end)
        assignment = TruckAssignment(
            employer=actor.employer, truck=truck, driver=driver, period=period, source=source
        )
        _save(assignment, TRUCK_CONSTRAINTS, _assignments_in_the_way)
        record(actor, "truck.assigned", assignment, _truck_detail(assignment))
    return assignment


def end_assignment(actor: Actor, assignment: TruckAssignment, at: datetime) -> Corrected:
    """Give an open assignment its end. AlreadyEnded when it has one.

    An end in the past leaves fixes linked to the truck after it: they are in the spans.
    """
    with transaction.atomic():
        locked, driver = _locked_assignment(assignment)
        if locked.period.upper is not None:
            raise AlreadyEnded("This assignment has an end; correct it instead.")
        locked.period = _period(locked.period.lower, at)
        locked.save(update_fields=["period"])
        record(actor, "truck_assignment.ended", locked, _truck_detail(locked))
    return Corrected(locked, (Span(driver, at, None),))


def correct_assignment(
    actor: Actor, assignment: TruckAssignment, **changes: Unpack[Correction]
) -> Corrected:
    """Say what was true all along; what is not said stays as it is when this is stored.

    Overlaps when that runs into another assignment.

    The spans: the old driver's old period and the new driver's new one.
    """
    with transaction.atomic():
        locked, old_driver = _locked_assignment(
            assignment, changes.get("driver"), changes.get("truck")
        )
        old, before = locked.period, _truck_detail(locked)
        begin, end = changes.get("begin", old.lower), changes.get("end", old.upper)
        # Read again, now that they are locked.
        truck = Truck.objects.get(pk=changes.get("truck", locked.truck).pk)
        driver = _available(Driver.objects.get(pk=changes.get("driver", old_driver).pk))
        locked.truck, locked.driver, locked.period = truck, driver, _period(begin, end)
        _check_in_service(truck, end)
        _save(locked, TRUCK_CONSTRAINTS, _assignments_in_the_way)
        detail = {"before": before, "after": _truck_detail(locked)}
        record(actor, "truck_assignment.corrected", locked, detail)
    spans = [Span(old_driver, old.lower, old.upper)]
    new = Span(driver, begin, end)
    if new != spans[0]:
        spans.append(new)
    return Corrected(locked, tuple(spans))


def hold_device(device: Device, driver: Driver, begin: datetime | None) -> DeviceHolding:
    """A phone's first holding. Without `begin` the driver has always carried it."""
    holding = DeviceHolding(
        employer_id=device.employer_id,
        device=device,
        driver=driver,
        period=DateTimeTZRange(begin, None),
    )
    _save(holding, HOLDING_CONSTRAINTS, _holdings_in_the_way)
    return holding


def hand_over_device(actor: Actor, device: Device, driver: Driver, at: datetime) -> DeviceHolding:
    """From `at` on this driver carries the phone; whoever did until then no longer does.

    What the phone recorded before `at` and sends later still goes to the one before.
    """
    with transaction.atomic():
        _available(Driver.objects.select_for_update(no_key=True).get(pk=driver.pk))
        Device.objects.select_for_update(no_key=True).get(pk=device.pk)
        newest = DeviceHolding.objects.filter(device=device).order_by("period").last()
        if newest is not None and newest.period.upper is None:
            _end_holding(newest, driver, at)
        holding = hold_device(device, driver, at)
        # What it said while somebody else carried it is none of the new driver's.
        Device.objects.filter(pk=device.pk).update(health={})
        detail = {"driver": str(driver.uuid), "from": at.isoformat()}
        record(actor, "device.handed_over", device, detail)
    return holding


def _end_holding(newest: DeviceHolding, driver: Driver, at: datetime) -> None:
    if newest.driver_id == driver.pk:
        raise AlreadyHeld("This driver carries the phone already.")
    if newest.period.lower is not None and at <= newest.period.lower:
        raise _overlaps(newest)
    newest.period = DateTimeTZRange(newest.period.lower, at)
    newest.save(update_fields=["period"])


def _period(begin: datetime | None, end: datetime | None) -> DateTimeTZRange:
    if begin is not None and end is not None and end <= begin:
        raise Invalid("An assignment ends after it begins.", field="to")
    return DateTimeTZRange(begin, end)


def _check_in_service(truck: Truck, end: datetime | None) -> None:
    if truck.retired_at is not None and (end is None or end > truck.retired_at):
        raise TruckRetired(f"This truck went out of service at {truck.retired_at.isoformat()}.")


def _available(driver: Driver | None) -> Driver:
    if driver is None or driver.frozen_at is not None:
        raise DriverNotAvailable("This driver is not available; nothing was changed.")
    return driver


def _locked_assignment(
    assignment: TruckAssignment, driver: Driver | None = None, truck: Truck | None = None
) -> tuple[TruckAssignment, Driver]:
    """The assignment as it is now, locked with the old and the new driver and truck."""
    drivers = Q(pk=assignment.driver_id) | Q(pk=driver.pk if driver else None)
    trucks = Q(pk=assignment.truck_id) | Q(pk=truck.pk if truck else None)
    # The order of the keys is the order of the locks: two corrections cannot cross.
    list(Driver.objects.filter(drivers).order_by("pk").select_for_update(no_key=True))
    list(Truck.objects.filter(trucks).order_by("pk").select_for_update(no_key=True))
    locked = TruckAssignment.objects.select_for_update().get(pk=assignment.pk)
    return locked, _available(locked.driver)


def _save(
    row: Row, constraints: tuple[str, ...], in_the_way: Callable[[Row], QuerySet[Row]]
) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if violated_by(error) not in constraints:
            raise
        raise _overlaps(in_the_way(row).order_by("period").first()) from None


def _assignments_in_the_way(row: TruckAssignment) -> QuerySet[TruckAssignment]:
    same = Q(truck_id=row.truck_id) | Q(driver_id=row.driver_id)
    others = TruckAssignment.objects.exclude(pk=row.pk).filter(same)
    return others.filter(period__overlap=row.period).select_related("truck", "driver")


def _holdings_in_the_way(row: DeviceHolding) -> QuerySet[DeviceHolding]:
    others = DeviceHolding.objects.exclude(pk=row.pk).filter(device_id=row.device_id)
    return others.filter(period__overlap=row.period).select_related("driver")


def _overlaps(other: TruckAssignment | DeviceHolding | None) -> Overlaps:
    if other is None:  # taken away since: asking again will do
        return Overlaps("Another assignment was in the way a moment ago; try again.")
    begin, end = other.period.lower, other.period.upper
    what = "assignment" if isinstance(other, TruckAssignment) else "holding"
    since = begin.isoformat() if begin else "ever"
    until = end.isoformat() if end else "further notice"
    in_the_way = {
        "id": str(other.uuid),
        "driver": visible_id(other.driver),
        "truck": str(other.truck.uuid) if isinstance(other, TruckAssignment) else None,
        "from": begin.isoformat() if begin else None,
        "to": end.isoformat() if end else None,
    }
    return Overlaps(
        f"The {what} {other.uuid} is in the way: from {since} until {until}.",
        extra={"in_the_way": in_the_way},
    )


def _truck_detail(assignment: TruckAssignment) -> dict[str, str | None]:
    begin, end = assignment.period.lower, assignment.period.upper
    return {
        "truck": str(assignment.truck.uuid),
        "driver": str(assignment.driver.uuid) if assignment.driver else None,
        "from": begin.isoformat() if begin else None,
        "to": end.isoformat() if end else None,
    }
