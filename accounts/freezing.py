"""Freeze a driver so that no phone can write for them any more."""

from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import is_deadlock
from accounts.models import Device, DeviceHolding, Driver

TRIES: Final = 5


def freeze_driver(driver: Driver, actor: Actor | None = None) -> Driver:
    """From the commit on nothing is stored for this driver and no read shows them.

    Takes SELECT … FOR UPDATE first: the recording statement holds the row FOR KEY SHARE,
    and a plain UPDATE would not wait for that. So a group in flight is stored before the
    freeze or refused after it, never in between. Tokens stay, for a freeze that is lifted.

    A freeze waits for everybody who holds the row, and who wants it next queues behind: where
    these wait for each other too, the database may end the freeze. Then it is tried again,
    unless it is part of a greater transaction, whose work is lost with it.
    """
    for _ in range(TRIES - 1):
        try:
            return _freeze(driver, actor)
        except OperationalError as error:
            if connection.in_atomic_block or not is_deadlock(error):
                raise
    return _freeze(driver, actor)


def _freeze(driver: Driver, actor: Actor | None) -> Driver:
    with transaction.atomic():
        locked = Driver.objects.select_for_update().get(pk=driver.pk)
        if locked.frozen_at is None:
            Driver.objects.filter(pk=locked.pk).update(frozen_at=Now())
            # What their phones say is of them; while frozen, nothing new is written.
            carried = DeviceHolding.objects.filter(driver=locked, period__contains=Now())
            Device.objects.filter(pk__in=carried.values("device")).update(health={})
            record(actor, "driver.frozen", locked)
        locked.refresh_from_db()
    return locked


def unfreeze_driver(driver: Driver, actor: Actor | None = None) -> Driver:
    """Lift a freeze; phones write again with the tokens they have."""
    with transaction.atomic():
        locked = Driver.objects.select_for_update().get(pk=driver.pk)
        if locked.frozen_at is not None:
            locked.frozen_at = None
            locked.save(update_fields=["frozen_at"])
            record(actor, "driver.unfrozen", locked)
    return locked
