"""What has been heard of a phone since it was set up: for the page that waits for its first fix."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, Sum

from accounts.models import Device, DeviceHolding
from tracking.ingest.outcomes import DRIVER_FROZEN, WORDS
from tracking.models import Fix, QuarantinedFix, UnstoredCount

# A phone that was set up brings what it recorded just now; older fixes prove nothing.
LOOK_BACK: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest fix's two clocks, when anything came at all, and what was not stored.

    `unstored` is pairs of reason and count, `quarantined` how many payloads were unreadable.
    """

    recorded_at: datetime | None
    received_at: datetime | None
    last_seen_at: datetime | None
    unstored: tuple[tuple[str, int], ...]
    quarantined: int

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come at all."""
        return not (self.received_at or self.last_seen_at or self.unstored or self.quarantined)


def heard_of(device: Device, now: datetime) -> Heard:
    """No position is read. Five queries; the fixes by the key of who carries the phone.

    That a driver is frozen shows nowhere, not even as a count.
    """
    drivers = DeviceHolding.objects.filter(device=device, driver__frozen_at__isnull=True)
    newest = (
        Fix.objects.filter(
            driver_id__in=list(drivers.values_list("driver_id", flat=True)),
            recorded_at__gte=now - LOOK_BACK,
            device_id=device.pk,
        )
        .order_by("-recorded_at")
        .values_list("recorded_at", "received_at")
        .first()
    )
    unstored = (
        UnstoredCount.objects.filter(device=device)
        .exclude(reason=WORDS[DRIVER_FROZEN])
        .values_list("reason")
        .annotate(total=Sum("count"))
        .order_by("reason")
    )
    seen = Device.objects.values_list("last_seen_at", flat=True).get(pk=device.pk)
    return Heard(
        recorded_at=newest[0] if newest else None,
        received_at=newest[1] if newest else None,
        last_seen_at=seen,
        unstored=tuple(unstored),
        quarantined=QuarantinedFix.objects.filter(device=device)
        .filter(Q(driver__isnull=True) | Q(driver__frozen_at__isnull=True))
        .count(),
    )
