"""The rows of the list of trucks: each with who drives it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Driver, Truck, TruckAssignment


@dataclass(frozen=True, slots=True)
class TruckRow:
    """A truck as the list shows one. `is_withheld`: somebody drives it whom no read shows."""

    truck: Truck
    driver: Driver | None = None
    is_withheld: bool = False


def truck_rows(trucks: Sequence[Truck], at: datetime) -> list[TruckRow]:
    """Who drives each truck at a moment. One query, however many they are."""
    found = TruckAssignment.objects.filter(truck__in=trucks, period__contains=at).select_related(
        "driver"
    )
    assigned = {row.truck_id: row for row in found}
    return [_row(truck, assigned.get(truck.pk)) for truck in trucks]


def _row(truck: Truck, assignment: TruckAssignment | None) -> TruckRow:
    if assignment is None:
        return TruckRow(truck)
    driver = assignment.driver
    if driver is None or driver.frozen_at is not None:
        return TruckRow(truck, is_withheld=True)
    return TruckRow(truck, driver)
