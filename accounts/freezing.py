"""Freeze a driver so that no phone can write for them any more."""

from django.db import transaction
from django.db.models.functions import Now

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Driver


def freeze_driver(driver: Driver, actor: Actor | None = None) -> Driver:
    """From the commit on nothing is stored for this driver and no read shows them.

    Takes SELECT … FOR UPDATE first: the recording statement holds the row FOR KEY SHARE,
    and a plain UPDATE would not wait for that. So a group in flight is stored before the
    freeze or refused after it, never in between. Tokens stay, for a freeze that is lifted.
    """
    with transaction.atomic():
        locked = Driver.objects.select_for_update().get(pk=driver.pk)
        if locked.frozen_at is None:
            Driver.objects.filter(pk=locked.pk).update(frozen_at=Now())
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
