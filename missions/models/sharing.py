"""What dispatchers keep for themselves and give away: searches with a name, links to a stop."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models import Employer, User
from missions.models.planned import Stop


class ShareLink(models.Model):
    """A link for a consignee: one stop of one mission, until it expires or is taken back.

    The link's token is shown once, when it is made; only its SHA-256 is stored. What it
    shows: the window always; the truck's position, while this stop is the next one, and the
    proof, each if the link says so.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    stop = models.ForeignKey(Stop, on_delete=models.CASCADE, related_name="share_links")
    token_hash = models.BinaryField(max_length=32, unique=True)
    shows_position = models.BooleanField(default=False)
    shows_proof = models.BooleanField(default=False)
    # None: until 24 hours after the stop's mission was completed.
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    views = models.PositiveIntegerField(default=0)
    last_viewed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())


class SavedFilter(models.Model):
    """The filters of a page of missions under a name that a user gave them."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)  # as it stands in the page's address
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employer", "user", "name"], name="one_filter_per_name_and_user"
            ),
        ]
