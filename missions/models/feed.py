"""What changed, in order, and who is told: the feed of changes and the webhooks.

Rows name things by id only; who reads or receives one asks the API for the rest.
"""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Employer


class ChangeType(models.TextChoices):
    """What happened; the same words in the feed and in webhooks."""

    MISSION_CREATED = "mission.created", "mission created"
    MISSION_CHANGED = "mission.changed", "mission changed"
    MISSION_ASSIGNED = "mission.assigned", "mission assigned"
    MISSION_STARTED = "mission.started", "mission started"
    MISSION_COMPLETED = "mission.completed", "mission completed"
    MISSION_CANCELLED = "mission.cancelled", "mission cancelled"
    MISSION_DELAYED = "mission.delayed", "mission delayed"
    STAGE_RECORDED = "stage.recorded", "stage recorded"
    STAGE_CORRECTED = "stage.corrected", "stage corrected"
    EXCEPTION_RAISED = "exception.raised", "exception raised"
    ATTACHMENT_ADDED = "attachment.added", "attachment added"
    SIGNATURE_ADDED = "signature.added", "signature added"
    POD_READY = "pod.ready", "proof of delivery ready"


class Change(models.Model):
    """One change of one thing. Triggers write it, in the transaction of what it tells of.

    `seq` is NULL until it is numbered: only what has been committed is, one number after
    the other per employer, so that whoever has read up to a number has missed nothing.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    seq = models.BigIntegerField(null=True, blank=True)
    type = models.CharField(max_length=20, choices=ChangeType)
    object_uuid = models.UUIDField()
    mission_uuid = models.UUIDField(null=True, blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "seq"], name="one_change_per_number"),
            # Delivery and changes of a webhook join on it.
            models.UniqueConstraint(fields=["employer", "id"], name="change_of_its_employer"),
            models.UniqueConstraint(
                fields=["object_uuid"],
                condition=Q(type="mission.delayed"),
                name="a_stop_is_called_late_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["employer", "id"], condition=Q(seq__isnull=True), name="changes_to_number"
            ),
            # Read by the sweep that forgets old ones.
            models.Index(fields=["changed_at"], name="changes_by_age"),
        ]


class WebhookEndpoint(models.Model):
    """An address of the employer's systems that is told of changes."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    types = ArrayField(models.CharField(max_length=20, choices=ChangeType))
    created_at = models.DateTimeField(db_default=Now())
    # Since when every attempt has failed; NULL after a success.
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="endpoint_of_its_employer"),
        ]


class WebhookSecret(models.Model):
    """What signs the messages of an endpoint. Two are in force while one is replaced.

    Sealed with a key from the environment, since signing needs the secret itself.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting", "waiting"
    DELIVERED = "delivered", "delivered"
    GIVEN_UP = "given_up", "given up"


class WebhookDelivery(models.Model):
    """One change to tell to one endpoint. The row is the queue: due at `next_at`.

    `claimed_until` keeps two workers from sending it at once; past it, the worker that had
    claimed it was killed, and another may.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now(), null=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="delivery_of_its_employer"),
            models.UniqueConstraint(
                fields=["endpoint", "change"], name="a_change_is_told_once_per_endpoint"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_at"],
                condition=Q(state="waiting"),
                name="deliveries_due",
            ),
        ]


class WebhookAttempt(models.Model):
    """One try to deliver: what came back, or why nothing did. Never the body."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="attempt_log"
    )
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    attempted_at = models.DateTimeField(db_default=Now())
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True)
    duration_ms = models.PositiveIntegerField()
