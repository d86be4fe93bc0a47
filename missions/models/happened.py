"""What happened: the stages of missions, as drivers and dispatchers said them.

Stage events outlive their driver: after an erasure `driver` is NULL and `erased_driver`
holds a random value of that person alone.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Driver, Employer, MarkSource, Truck, User
from missions.models.planned import Mission, Stop, StopResult
from missions.stages import Stage


class PositionSource(models.TextChoices):
    """Where a stage event's position came from."""

    AT_EVENT = "at_event", "taken for the event"
    LAST_KNOWN = "last_known", "the latest fix before it"
    NONE = "none", "no position"


class SiteCheck(models.TextChoices):
    """Whether a stage was marked at its site, as far as accuracy lets one say."""

    INSIDE = "inside", "inside"
    OUTSIDE = "outside", "outside"
    UNKNOWN = "unknown", "unknown"


class StageEvent(models.Model):
    """One stage, once: append-only, with its own copy of the position; it outlives the fix.

    A correction is a new row that names the old one, with its author and reason. One that
    says "it did not happen" is a retraction: it repeats the old row and stands for nothing.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, related_name="stage_events"
    )
    erased_driver = models.UUIDField(null=True, blank=True)
    truck = models.ForeignKey(
        Truck, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    mission = models.ForeignKey(
        Mission, on_delete=models.PROTECT, null=True, blank=True, related_name="stage_events"
    )
    stop = models.ForeignKey(
        Stop, on_delete=models.PROTECT, null=True, blank=True, related_name="stage_events"
    )
    stage = models.PositiveSmallIntegerField(choices=[(stage, stage.label) for stage in Stage])
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    fix_id = models.BigIntegerField(null=True, blank=True)
    # The phone's own id of the stage: photos and signatures name it, before or after it.
    client_id = models.CharField(max_length=100, blank=True, db_default="")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    odometer_m = models.BigIntegerField(null=True, blank=True)
    position_source = models.CharField(
        max_length=10, choices=PositionSource, default=PositionSource.NONE
    )
    # When a last known position was measured; else NULL.
    position_recorded_at = models.DateTimeField(null=True, blank=True)
    site_distance_m = models.FloatField(null=True, blank=True)
    site_check = models.CharField(max_length=7, choices=SiteCheck, default=SiteCheck.UNKNOWN)
    reason = models.CharField(max_length=40, blank=True)
    # How the stop ended, if this stage said so: the stop's own result follows from it.
    result = models.CharField(max_length=20, choices=StopResult, blank=True, db_default="")
    ends_mission = models.BooleanField(default=False)
    is_retraction = models.BooleanField(db_default=False)
    source = models.CharField(max_length=10, choices=MarkSource, default=MarkSource.DRIVER)
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    author = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # `remark` is the author's reason; `note` is what the driver wrote.
    remark = models.TextField(blank=True)
    note = models.TextField(blank=True, db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["driver", "recorded_at", "fix_id"], name="a_stage_is_stored_once"
            ),
            # What was corrected already is corrected by correcting its correction.
            models.UniqueConstraint(
                fields=["corrects"],
                condition=Q(corrects__isnull=False),
                name="a_stage_is_corrected_once",
            ),
            models.CheckConstraint(
                name="a_retraction_names_what_it_takes_back",
                condition=Q(is_retraction=False) | Q(corrects__isnull=False),
            ),
            models.CheckConstraint(
                name="stage_event_has_a_driver_or_an_erased_one",
                condition=Q(driver__isnull=False) ^ Q(erased_driver__isnull=False),
            ),
            models.CheckConstraint(
                name="a_stage_has_a_whole_point_or_none",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # Read by a mission's timeline and by the rule that ends a mission.
            models.Index(fields=["mission", "recorded_at"], name="stages_of_a_mission"),
        ]
