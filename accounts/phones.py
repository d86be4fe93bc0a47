"""Phones and their tokens: enrol one, give it a new token, shut it out."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.actors import Actor
from accounts.assignments import hold_device
from accounts.audit import record
from accounts.models import Device, DeviceToken, Driver, TokenScope
from accounts.refusals import Conflict, DriverFrozen
from accounts.sealing import seal
from accounts.secrets import DEVICE_PREFIX, new_secret, secret_hash

# A phone whose answer was lost in a tunnel still knows only the old token; two weeks cover
# a holiday with the phone switched off.
ROTATION_OVERLAP: Final = timedelta(days=14)


class DeviceRevoked(Conflict):
    """The phone is shut out for good; enrol it again."""

    code = "device_revoked"


def enrol_device(
    actor: Actor,
    driver: Driver,
    *,
    name: str = "",
    scope: str = TokenScope.APP,
    platform: str = "",
    begin: datetime | None = None,
) -> tuple[Device, str]:
    """A new phone that this driver carries, and its token, which nobody can read again.

    `platform` is the system of a phone with our app, else which off-the-shelf app it has.
    Without `begin` its first holding has no lower bound: a phone may have recorded before
    anybody enrolled it.
    """
    with transaction.atomic():
        device, token = new_phone(driver, name=name, scope=scope, platform=platform, begin=begin)
        detail = {"driver": str(driver.uuid), "scope": scope}
        record(actor, "device.enrolled", device, detail)
    return device, token


def new_phone(
    driver: Driver, *, name: str, scope: str, platform: str = "", begin: datetime | None = None
) -> tuple[Device, str]:
    """The rows of a new phone and its token, in the caller's transaction and audit entry."""
    # Read again under the lock that a freeze waits for, or is waited for here.
    driver = Driver.objects.select_for_update(no_key=True).get(pk=driver.pk)
    if driver.frozen_at is not None:
        raise DriverFrozen("This driver's data is frozen.")
    device = Device.objects.create(
        employer_id=driver.employer_id, name=name.strip(), platform=platform
    )
    hold_device(device, driver, begin)
    return device, _new_token(device, scope)


def rotate_token(actor: Actor, device: Device, platform: str = "") -> tuple[str, datetime]:
    """A new token of the same scope; every older one ends in 14 days. The token and that end.

    With `platform` the phone has that app from now on.
    """
    with transaction.atomic():
        locked = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
        if locked.revoked_at is not None:
            raise DeviceRevoked("This phone is revoked; enrol it again.")
        newest = locked.tokens.order_by("id").last()
        ends_at = timezone.now() + ROTATION_OVERLAP
        longer = Q(expires_at__isnull=True) | Q(expires_at__gt=ends_at)
        locked.tokens.filter(longer).update(expires_at=ends_at)
        token = _new_token(locked, newest.scope if newest else TokenScope.APP)
        if platform and platform != locked.platform:
            locked.platform = platform
            locked.save(update_fields=["platform"])
        record(actor, "device.token_rotated", locked)
    return token, ends_at


def revoke_device(actor: Actor, device: Device) -> Device:
    """Refused from the next request on, with every token. A second time changes nothing."""
    with transaction.atomic():
        if Device.objects.filter(pk=device.pk, revoked_at__isnull=True).update(revoked_at=Now()):
            record(actor, "device.revoked", device)
        device.refresh_from_db()
    return device


def set_payload_key(actor: Actor, device: Device, passphrase: str | None) -> None:
    """The passphrase with which this phone encrypts what it sends; None: it does not."""
    with transaction.atomic():
        locked = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
        locked.payload_key = None if passphrase is None else seal(passphrase)
        locked.save(update_fields=["payload_key"])
        record(
            actor, "device.payload_key_set" if passphrase else "device.payload_key_removed", locked
        )


def _new_token(device: Device, scope: str) -> str:
    token = new_secret(DEVICE_PREFIX)
    DeviceToken.objects.create(
        employer_id=device.employer_id, device=device, scope=scope, token_hash=secret_hash(token)
    )
    return token
