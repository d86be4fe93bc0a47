"""Enrol a phone for the length of a replay."""

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.audit import record
from accounts.models import Device, DeviceHolding, DeviceToken, Driver, TokenScope
from accounts.secrets import DEVICE_PREFIX, new_secret, secret_hash


def enrol_phone(driver: Driver) -> tuple[Device, str]:
    """A phone that the driver has always carried, and its token. The caller revokes it."""
    token = new_secret(DEVICE_PREFIX)
    with transaction.atomic():
        device = Device.objects.create(
            employer_id=driver.employer_id, name="replay", platform="replay"
        )
        DeviceHolding.objects.create(
            employer_id=driver.employer_id,
            device=device,
            driver=driver,
            period=DateTimeTZRange(None, None),
        )
        DeviceToken.objects.create(
            employer_id=driver.employer_id,
            device=device,
            scope=TokenScope.APP,
            token_hash=secret_hash(token),
        )
        record(None, "device.enrolled", device, {"for": "replay"})
    return device, token
