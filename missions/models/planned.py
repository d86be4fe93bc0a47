"""What was asked for: sites, missions, their stops and goods, and who drives them when."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now

from accounts.models import Driver, Employer, MarkSource, Truck
from accounts.periods import ends_at, never_two
from missions.stages import EXCEPTION_REASONS


class MissionStatus(models.TextChoices):
    """Where a mission stands; the allowed moves are in lifecycle.py."""

    DRAFT = "draft", "draft"
    PLANNED = "planned", "planned: no driver yet"
    ASSIGNED = "assigned", "assigned: has a driver"
    STARTED = "started", "started"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"


class StopPurpose(models.TextChoices):
    """What a stop is for."""

    LOAD = "load", "load"
    UNLOAD = "unload", "unload"
    BOTH = "both", "load and unload"
    HAND_OVER = "hand_over", "hand over"
    OTHER = "other", "other"


class StopResult(models.TextChoices):
    """How a stop ended. A failed delivery is a stop's result, never a mission's status."""

    SUCCEEDED = "succeeded", "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded", "partially succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class SiteKind(models.TextChoices):
    """What stands at a site; the words of OpenTripModel's location types."""

    CUSTOMER = "customer", "customer"
    WAREHOUSE = "warehouse", "warehouse"
    DEPOT = "depot", "depot"
    OTHER = "other", "other"


class Site(models.Model):
    """An address where missions stop: a customer, a depot, a warehouse."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="sites")
    external_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=SiteKind, default=SiteKind.CUSTOMER)
    address = models.CharField(max_length=300, blank=True)
    country = models.CharField(max_length=2, default="BE")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    radius_m = models.PositiveIntegerField(default=150)
    timezone = models.CharField(max_length=64, blank=True)
    # Of the people there: the proof of delivery is written in it. Blank: the employer's.
    language = models.CharField(max_length=5, blank=True)
    # [{"days": [1, …, 7], "opens": "08:00", "closes": "12:00"}], ISO weekdays, the site's zone.
    opening_hours = models.JSONField(default=list, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="site_of_its_employer"),
            models.UniqueConstraint(
                fields=["employer", "external_id"], name="one_site_per_external_id"
            ),
            models.CheckConstraint(
                name="a_site_has_a_whole_point_or_none",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            ),
        ]


class Mission(models.Model):
    """What a dispatcher asked for, and when it was open.

    `opened_at` is its first stage's `recorded_at`; `ended_at` is NULL while it is open.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="missions")
    external_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001
    reference = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=MissionStatus, default=MissionStatus.PLANNED)
    planned_start_at = models.DateTimeField(null=True, blank=True)
    planned_end_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_source = models.CharField(max_length=10, choices=MarkSource, blank=True)
    # The newest stage, kept by a trigger: the recording statement reads it with the row
    # locked, where a look at the stages would see them as they were before it waited.
    last_stage_at = models.DateTimeField(null=True, blank=True, editable=False)
    ecmr_number = models.CharField(max_length=100, blank=True)
    # The truck that was asked for while nobody drives yet; afterwards assignments say it.
    planned_truck = models.ForeignKey(
        Truck, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="mission_of_its_employer"),
            models.UniqueConstraint(
                fields=["employer", "external_id"], name="one_mission_per_external_id"
            ),
            models.CheckConstraint(
                name="a_mission_ends_after_it_opened",
                condition=Q(ended_at__isnull=True)
                | Q(opened_at__isnull=False, ended_at__gte=models.F("opened_at")),
            ),
        ]
        indexes: ClassVar = [
            # Read by the sweep that ends silent missions.
            models.Index(
                fields=["opened_at"],
                condition=Q(opened_at__isnull=False, ended_at__isnull=True),
                name="missions_still_open",
            ),
            # Read by the mission list, newest first.
            models.Index(fields=["employer", "-id"], name="missions_by_employer"),
            # Read by the board of the day: whatever ended, or is to end, since its midnight.
            # The same expression as in reading.py, or it is of no use.
            models.Index(
                F("employer"),
                Coalesce(
                    "ended_at",
                    "planned_end_at",
                    Coalesce("opened_at", "planned_start_at", "created_at"),
                ),
                name="missions_by_end",
            ),
        ]


class MissionAssignment(models.Model):
    """Who drives a mission, in which truck, during a half-open period.

    The first assignment has no lower bound; a hand-over ends it and begins the next.

    `open_period` is the part of `period` in which the mission was open: a trigger keeps it,
    so that neither the recording statement nor the ORM can forget it, and one index answers
    "which missions had this driver open at this moment" however many lie in the past.
    `linked_period` spans the fixes that name the mission while it was not open, so that its
    history and its truck's find them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="assignments")
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, related_name="mission_assignments"
    )
    erased_driver = models.UUIDField(null=True, blank=True)
    truck = models.ForeignKey(
        Truck, on_delete=models.PROTECT, null=True, blank=True, related_name="mission_assignments"
    )
    period = DateTimeRangeField()
    open_period = DateTimeRangeField(null=True, blank=True, editable=False)
    linked_period = DateTimeRangeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            # Read by the recording statement: the missions a driver has open since a moment.
            # `+ 0` keeps its planner, which knows no sizes, from taking the foreign key's
            # index instead and reading every mission the driver ever had.
            models.Index(
                F("driver_id") + Value(0),
                ends_at("open_period"),
                name="open_missions_of_a_driver",
                condition=Q(open_period__isnull=False),
            ),
            # Read by a truck's history.
            models.Index(
                F("truck"),
                ends_at("open_period"),
                name="open_missions_of_a_truck",
                condition=Q(open_period__isnull=False),
            ),
            # Read by a truck's history: fixes that named a mission that was not open.
            models.Index(
                fields=["truck"],
                name="named_missions_of_a_truck",
                condition=Q(linked_period__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            never_two("one_assignment_per_mission_at_a_time", "mission_id"),
            models.CheckConstraint(
                name="mission_assignment_has_a_driver_or_an_erased_one",
                condition=Q(driver__isnull=False) ^ Q(erased_driver__isnull=False),
            ),
        ]


class Stop(models.Model):
    """A planned visit of a site in a mission."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    mission = models.ForeignKey(Mission, on_delete=models.CASCADE, related_name="stops")
    seq = models.PositiveSmallIntegerField()
    external_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, blank=True, related_name="stops"
    )
    purpose = models.CharField(max_length=10, choices=StopPurpose, default=StopPurpose.UNLOAD)
    window_start_at = models.DateTimeField(null=True, blank=True)
    window_end_at = models.DateTimeField(null=True, blank=True)
    planned_arrival_at = models.DateTimeField(null=True, blank=True)
    planned_departure_at = models.DateTimeField(null=True, blank=True)
    # What the visit may take, and what of it is not billed. NULL: nobody said.
    planned_service_s = models.PositiveIntegerField(null=True, blank=True)
    free_time_s = models.PositiveIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    requires_signature = models.BooleanField(default=False)
    requires_photo = models.BooleanField(default=False)
    result = models.CharField(max_length=20, choices=StopResult, blank=True)
    result_reason = models.CharField(
        max_length=40, choices=[(reason, reason) for reason in EXCEPTION_REASONS], blank=True
    )
    # When it ended so, and by whose word. `result_said_at` is when that was said: by the
    # phone's clock for a driver, by ours for a dispatcher. The latest word holds (results.py).
    result_at = models.DateTimeField(null=True, blank=True)
    result_said_at = models.DateTimeField(null=True, blank=True)
    result_source = models.CharField(max_length=10, choices=MarkSource, blank=True)
    remark = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["mission", "seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="stop_of_its_employer"),
            # Deferrable, so that stops can be reordered in one transaction.
            models.UniqueConstraint(
                fields=["mission", "seq"],
                name="one_stop_per_place_in_the_order",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["mission", "external_id"], name="one_stop_per_external_id"
            ),
        ]


class GoodsLine(models.Model):
    """What is to be loaded or unloaded at a stop: one line of the order."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    stop = models.ForeignKey(Stop, on_delete=models.CASCADE, related_name="goods")
    line_no = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=12, decimal_places=3)
    unit = models.CharField(max_length=20, blank=True)
    weight_kg = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    reference = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar = ["stop", "line_no"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stop", "line_no"], name="one_goods_line_per_number"),
            models.CheckConstraint(
                name="a_goods_line_counts_something", condition=Q(quantity__gt=0)
            ),
        ]


class MissionImport(models.Model):
    """An uploaded table of missions: checked first, stored only once somebody confirms.

    `rows` holds what was read, `problems` what is wrong: [{"row", "column", "code", "detail"}].
    It is forgotten a day after the check.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=200)
    rows = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    # Of each mission that it was compared with, by its id: one changed since is not overwritten.
    versions = models.JSONField(default=dict, db_default={})
    checked_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # What the confirmation did: {"created", "changed", "unchanged", "sites_created"}, and what
    # the check expected: {"expected": {"new", "changed", "unchanged", "new_sites"}}.
    outcome = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["checked_at"], name="imports_by_age")]
