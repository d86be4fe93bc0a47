"""The phones of an employer as a page shows them: whose, which app, how they are.

What is wrong is said in words: location not allowed at all times or switched off, a battery
below 15 % that is not being charged, and silence while its driver is tracked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.models import Device, DeviceHolding, DeviceToken, Driver, TokenScope
from tracking.api.quarantine import quarantined
from tracking.fleet_rows import SILENT_AFTER, age_text, driver_name, tracked_now
from tracking.phone_clients import CLIENT_BY_SLUG, PhoneClient

LOW_BATTERY: Final = 0.15
PERMISSIONS: Final[dict[str, Promise]] = {
    "always": gettext_lazy("Location always allowed"),
    "while_in_use": gettext_lazy("Location allowed only while the app is open"),
    "denied": gettext_lazy("Location not allowed"),
}


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One phone in words. `amiss` is what somebody should look at, `health` the rest.

    `driver` carries it now; None also when that driver is frozen. `client` is None for our
    own app and for a phone whose app nobody has named.
    """

    device: Device
    name: str
    driver: Driver | None
    driver_name: str
    client: PhoneClient | None
    app: str
    is_own_app: bool
    seen: str
    amiss: tuple[str, ...]
    health: tuple[str, ...]
    said: str
    quarantined: int

    @property
    def is_revoked(self) -> bool:
        """Whether it is shut out for good."""
        return self.device.revoked_at is not None

    @property
    def may_encrypt(self) -> bool:
        """Whether a passphrase makes sense: OwnTracks, or an app that nobody has named."""
        is_unknown = self.client is None and not self.is_own_app
        return is_unknown or bool(self.client and self.client.slug.startswith("owntracks"))


def phones_of(actor: Actor) -> QuerySet[Device]:
    """The employer's phones with the scope of their newest token, revoked ones last."""
    tokens = DeviceToken.objects.filter(device=OuterRef("pk")).order_by("-id")
    return (
        Device.objects.filter(employer=actor.employer)
        .annotate(scope=Subquery(tokens.values("scope")[:1]))
        .order_by(F("revoked_at").desc(nulls_first=True), "name", "id")
    )


def phone_rows(actor: Actor, devices: Sequence[Device], now: datetime) -> list[PhoneRow]:
    """Rows for phones of `phones_of`. Four queries: holders, marks, missions, quarantine."""
    ids = [device.pk for device in devices]
    holdings = DeviceHolding.objects.filter(
        device__in=ids, period__contains=Now(), driver__frozen_at__isnull=True
    ).select_related("driver")
    holders = {holding.device_id: holding.driver for holding in holdings}
    drivers = sorted({driver.pk for driver in holders.values()})
    tracked = tracked_now(actor.employer, drivers, now)
    counts = quarantined(actor).filter(device__in=ids).order_by().values_list("device")
    waiting = dict(counts.annotate(rows=Count("id")))
    return [
        _row(device, holders.get(device.pk), tracked, waiting.get(device.pk, 0), now)
        for device in devices
    ]


def _row(
    device: Device, driver: Driver | None, tracked: set[int], quarantined_rows: int, now: datetime
) -> PhoneRow:
    client = CLIENT_BY_SLUG.get(device.platform)
    is_own_app = getattr(device, "scope", None) == TokenScope.APP
    seen_at, is_revoked = device.last_seen_at, device.revoked_at is not None
    is_silent = (
        not is_revoked
        and driver is not None
        and driver.pk in tracked
        and (seen_at is None or now - seen_at >= SILENT_AFTER)
    )
    amiss = [] if is_revoked else list(_amiss(device.health))
    if is_silent:
        amiss.insert(0, _("Silent: on duty, nothing for 30 minutes or more"))
    return PhoneRow(
        device=device,
        name=device.name or _("Phone without a name"),
        driver=driver,
        driver_name=driver_name(driver.name, driver.number) if driver else "",
        client=client,
        app=client.name if client else _own_app(device, is_own_app),
        is_own_app=is_own_app,
        seen=age_text(max(now - seen_at, timedelta(0))) if seen_at else "",
        amiss=tuple(amiss),
        health=tuple(_well(device.health, all_of_it=is_revoked)),
        said=_said(device.health, now),
        quarantined=quarantined_rows,
    )


def _own_app(device: Device, is_own_app: bool) -> str:
    if not is_own_app:
        return device.platform or _("unknown app")
    own = _("Our own app")
    return f"{own} ({device.platform})" if device.platform else own


def _amiss(health: dict[str, Any]) -> Iterable[str]:
    permission = health.get("permission")
    if permission in PERMISSIONS and permission != "always":
        yield str(PERMISSIONS[permission])
    if health.get("is_location_on") is False:
        yield _("Location switched off")
    if _is_low(health):
        yield _battery(health)


def _well(health: dict[str, Any], *, all_of_it: bool) -> Iterable[str]:
    if "battery" in health and (all_of_it or not _is_low(health)):
        yield _battery(health)
    if health.get("permission") == "always":
        yield str(PERMISSIONS["always"])
    if health.get("app_version"):
        yield _("version %(version)s") % {"version": health["app_version"]}


def _is_low(health: dict[str, Any]) -> bool:
    battery = health.get("battery")
    return battery is not None and battery < LOW_BATTERY and not health.get("is_charging")


def _battery(health: dict[str, Any]) -> str:
    # Down, so that what is below 15 % never reads as 15 %.
    percent = {"percent": int(health["battery"] * 100 + 1e-6)}
    if health.get("is_charging"):
        return _("Battery %(percent)s %%, charging") % percent
    return _("Battery %(percent)s %%") % percent


def _said(health: dict[str, Any], now: datetime) -> str:
    """How long ago it said so; a phone's state of last week is no state."""
    try:
        at = datetime.fromisoformat(health["at"])
    except (KeyError, TypeError, ValueError):
        return ""
    return age_text(max(now - at, timedelta(0)))
