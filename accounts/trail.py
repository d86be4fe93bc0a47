"""What was done here: changes, looks, and answers that are given again to who asks again.

Part of accounts/models.py, which is where other files find these.
"""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """Who changed what; append-only. Holds ids and field names, never names or places."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(
        "accounts.Employer", on_delete=models.PROTECT, null=True, related_name="audit_entries"
    )
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=10)  # user, api_key, command, system, device
    actor = models.UUIDField(null=True, blank=True)
    action = models.CharField(max_length=60)  # for example truck.assigned
    object_kind = models.CharField(max_length=40)
    object_id = models.UUIDField(null=True, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            # Read by the audit list of an employer, newest first.
            models.Index(fields=["employer", "-id"], name="audit_by_employer"),
            # Read when a mission was changed since somebody read it.
            models.Index(
                KT("detail__mission"),
                "id",
                condition=Q(detail__has_key="mission"),
                name="audit_by_mission",
            ),
        ]


class KeptAnswer(models.Model):
    """What was answered to a request that carried an Idempotency-Key; kept for a day.

    Only successes are: a request that was refused has changed nothing. `request_sha256` is
    of the method, the address and the body, so that one key cannot mean two requests.
    """

    employer = models.ForeignKey("accounts.Employer", on_delete=models.PROTECT, related_name="+")
    actor = models.UUIDField()
    key = models.CharField(max_length=200)
    request_sha256 = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict, blank=True)
    body = models.JSONField(null=True, blank=True)
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employer", "actor", "key"], name="one_answer_per_key_and_actor"
            ),
        ]
        indexes: ClassVar = [
            # Read by the sweep that forgets old ones.
            models.Index(fields=["answered_at"], name="kept_answers_by_age"),
        ]


class Look(models.Model):
    """Somebody was shown where a driver was: who, whose, which stretch of time; no place.

    Insert only. `actor` is a user, an API key, a phone or a share link, as `actor_kind` says.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey("accounts.Employer", on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey("accounts.Driver", on_delete=models.PROTECT, related_name="looks")
    actor_kind = models.CharField(max_length=10)
    actor = models.UUIDField(null=True, blank=True)
    roles = models.CharField(max_length=60, blank=True)
    page = models.CharField(max_length=40)  # for example where_was_who
    seen_period = DateTimeRangeField()
    looked_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            # Read by a driver, and by the DPO for one: who looked, newest first.
            models.Index(fields=["driver", "-id"], name="looks_at_a_driver"),
        ]
