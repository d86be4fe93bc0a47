"""The rows of the list of drivers: each with the phones and the truck of now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings

from accounts.models import Device, DeviceHolding, Driver, Truck, TruckAssignment

OWN_NAMES: Final = dict(settings.LANGUAGES)


@dataclass(frozen=True, slots=True)
class DriverRow:
    """A driver as the list shows one."""

    driver: Driver
    phones: list[Device] = field(default_factory=list)
    truck: Truck | None = None

    @property
    def language(self) -> str:
        """As its speakers call it; empty when it is not known."""
        return OWN_NAMES.get(self.driver.language, "")


def driver_rows(drivers: Sequence[Driver], at: datetime) -> list[DriverRow]:
    """What each driver carries and drives at a moment. Two queries, however many they are."""
    holdings = (
        DeviceHolding.objects.filter(
            driver__in=drivers, period__contains=at, device__revoked_at__isnull=True
        )
        .select_related("device")
        .order_by("id")
    )
    phones: defaultdict[int, list[Device]] = defaultdict(list)
    for holding in holdings:
        phones[holding.driver_id].append(holding.device)
    assigned = TruckAssignment.objects.filter(
        driver__in=drivers, period__contains=at
    ).select_related("truck")
    trucks = {row.driver_id: row.truck for row in assigned}
    return [DriverRow(one, phones[one.pk], trucks.get(one.pk)) for one in drivers]
