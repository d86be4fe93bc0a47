"""Fixes, what could not be read, and what privacy forbade to store (as counts).

The table of fixes is partitioned by UTC month of `recorded_at` and made in SQL by the
first migration; Django knows its columns but does not make it. It has no foreign keys and
one index, its primary key, so that it can be distributed by driver later.
"""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models.functions import Now

from accounts.models import Device, Driver, Employer

E7: Final = 10_000_000


class LinkSource(models.IntegerChoices):
    """Why a fix has its mission."""

    NONE = 0, "none"
    CLIENT = 1, "client"  # the phone said so and it is that driver's
    RESOLVED = 2, "resolved"  # the one mission open then
    CORRECTED = 3, "corrected"  # linked again by a dispatcher


class Fix(models.Model):
    """One reported position, linked as resolved when it was recorded."""

    pk = models.CompositePrimaryKey("driver_id", "recorded_at", "fix_id")
    driver_id = models.IntegerField()
    recorded_at = models.DateTimeField()
    fix_id = models.BigIntegerField()
    received_at = models.DateTimeField(db_default=Now())
    employer_id = models.IntegerField()
    device_id = models.IntegerField()
    latitude_e7 = models.IntegerField()
    longitude_e7 = models.IntegerField()
    kind = models.SmallIntegerField()
    link_source = models.SmallIntegerField(choices=LinkSource, default=LinkSource.NONE)
    truck_id = models.IntegerField(null=True)
    mission_id = models.IntegerField(null=True)
    accuracy_dm = models.SmallIntegerField(null=True)
    speed_cmps = models.SmallIntegerField(null=True)
    heading_ddeg = models.SmallIntegerField(null=True)
    battery_e4 = models.SmallIntegerField(null=True)
    altitude_m = models.FloatField(null=True)
    odometer_m = models.BigIntegerField(null=True)
    flags = models.SmallIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "tracking_fix"

    @property
    def latitude(self) -> float:
        return self.latitude_e7 / E7

    @property
    def longitude(self) -> float:
        return self.longitude_e7 / E7

    @property
    def accuracy_m(self) -> float | None:
        return None if self.accuracy_dm is None else self.accuracy_dm / 10

    @property
    def speed_mps(self) -> float | None:
        return None if self.speed_cmps is None else self.speed_cmps / 100

    @property
    def heading_deg(self) -> float | None:
        return None if self.heading_ddeg is None else self.heading_ddeg / 10

    @property
    def battery(self) -> float | None:
        return None if self.battery_e4 is None else self.battery_e4 / 10_000


class QuarantinedFix(models.Model):
    """What an authenticated phone sent and nobody could use; kept 14 days for a person to see.

    One row for each phone and payload, with a count. Never what privacy forbids to store.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="quarantined")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, null=True, related_name="+")
    dialect = models.CharField(max_length=30)
    reason = models.CharField(max_length=50)
    detail = models.CharField(max_length=300, blank=True)
    payload = models.BinaryField(max_length=8192)
    payload_hash = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField(default=1)
    first_received_at = models.DateTimeField(db_default=Now())
    last_received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "payload_hash"], name="one_row_per_phone_and_payload"
            ),
        ]
        indexes: ClassVar = [
            # Read by the quarantine list and by its expiry.
            models.Index(fields=["employer", "last_received_at"], name="quarantine_by_age"),
        ]


class UnstoredCount(models.Model):
    """How many fixes of a phone were not stored on a day, by reason; no place, no time."""

    employer = models.ForeignKey(Employer, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="unstored_counts")
    day_on = models.DateField()
    reason = models.CharField(max_length=50)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "day_on", "reason"], name="one_count_per_phone_day_and_reason"
            ),
        ]
