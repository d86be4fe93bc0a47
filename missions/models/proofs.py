"""What proves it: photos, signatures and the proofs of delivery made of them.

They outlive their driver, as stage events do: `driver` is NULL then and `erased_driver` a
random value of that person alone. Files lie in private storage, named at random.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Device, Driver, Employer, User
from missions.models.happened import PositionSource, SiteCheck
from missions.models.planned import Mission, Stop


class AttachmentKind(models.TextChoices):
    """What a photo shows, as the driver says."""

    GOODS = "goods", "goods"
    DAMAGE = "damage", "damage"
    PLACE = "place", "the place where it was left, or could not be"
    DOCUMENT = "document", "document"
    OTHER = "other", "other"


class SignatureOutcome(models.TextChoices):
    """What came of asking for a signature."""

    SIGNED = "signed", "signed"
    REFUSED = "refused", "refused to sign"
    NOBODY_THERE = "nobody_there", "nobody there"
    LEFT_WITH_NEIGHBOUR = "left_with_neighbour", "left with a neighbour"


class Evidence(models.Model):
    """What a photo and a signature have in common: who sent it, about what, when and where.

    `client_id` is the phone's own id: sent again, nothing is stored twice. `stage_client_id`
    names the stage (StageEvent.client_id) it belongs to, which may come later or never.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, null=True, related_name="+")
    erased_driver = models.UUIDField(null=True, blank=True)
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    client_id = models.CharField(max_length=100)
    stage_client_id = models.CharField(max_length=100, blank=True)
    # By the phone's clock, and by ours.
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    position_source = models.CharField(
        max_length=10, choices=PositionSource, default=PositionSource.NONE
    )
    remark = models.TextField(blank=True)

    class Meta:
        abstract = True


class Attachment(Evidence):
    """A photo: upright, without metadata, as it may be shown.

    `original_sha256` is of the bytes that the phone sent, `content_sha256` of those that are
    kept. The worker makes the thumbnail: `thumbnail` is blank until then, and
    `thumbnail_failed_at` says that it gave up.
    """

    mission = models.ForeignKey(Mission, on_delete=models.PROTECT, related_name="attachments")
    stop = models.ForeignKey(
        Stop, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    kind = models.CharField(max_length=10, choices=AttachmentKind, default=AttachmentKind.GOODS)
    file = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200, blank=True)
    thumbnail_failed_at = models.DateTimeField(null=True, blank=True)
    media_type = models.CharField(max_length=50)
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    content_sha256 = models.BinaryField(max_length=32)
    original_media_type = models.CharField(max_length=50)
    original_size_bytes = models.PositiveBigIntegerField()
    original_sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "client_id"], name="an_attachment_is_stored_once"
            ),
            models.CheckConstraint(
                name="attachment_has_a_driver_or_an_erased_one",
                condition=Q(driver__isnull=False) ^ Q(erased_driver__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mission", "recorded_at"], name="attachments_of_a_mission"),
            # Read by the sweep that makes thumbnails.
            models.Index(
                fields=["id"],
                condition=Q(thumbnail="", thumbnail_failed_at__isnull=True),
                name="attachments_not_thumbnailed",
            ),
            # Read by the sweep of files that no row names; so are those of the other files.
            models.Index(fields=["file"], name="attachments_by_file"),
            models.Index(
                fields=["thumbnail"], condition=~Q(thumbnail=""), name="attachments_by_thumbnail"
            ),
        ]


class Signature(Evidence):
    """Somebody signed for what was delivered, or did not, and why.

    `strokes` is what the finger drew, as sent: [[{"x", "y", "t_ms"}, …], …]. `document` is
    what was signed, frozen: the goods lines and counts of that moment; `document_sha256` is
    of its canonical JSON (sorted keys, no spaces, UTF-8).
    """

    mission = models.ForeignKey(Mission, on_delete=models.PROTECT, related_name="signatures")
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="signatures")
    outcome = models.CharField(max_length=20, choices=SignatureOutcome)
    signer_name = models.CharField(max_length=200, blank=True)
    signer_role = models.CharField(max_length=100, blank=True)
    reservations = models.TextField(blank=True)
    strokes = models.JSONField(default=list, blank=True)
    image = models.FileField(max_length=200, blank=True)
    site_distance_m = models.FloatField(null=True, blank=True)
    site_check = models.CharField(max_length=7, choices=SiteCheck, default=SiteCheck.UNKNOWN)
    document = models.JSONField()
    document_sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "client_id"], name="a_signature_is_stored_once"
            ),
            models.CheckConstraint(
                name="signature_has_a_driver_or_an_erased_one",
                condition=Q(driver__isnull=False) ^ Q(erased_driver__isnull=False),
            ),
            models.CheckConstraint(
                name="who_signs_has_a_name",
                condition=~Q(outcome="signed") | ~Q(signer_name=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mission", "recorded_at"], name="signatures_of_a_mission"),
            models.Index(fields=["image"], condition=~Q(image=""), name="signatures_by_image"),
        ]


class ProofOfDelivery(models.Model):
    """One proof of one stop, in one language; once issued it never changes.

    The row is the queue: asked for, then issued by the worker (or failed, with a code). A
    later one of the same stop supersedes it. `printed` holds the values on it: neither the
    driver's name nor a position is among them. The verification code stands on the PDF
    alone; the row keeps its hash.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    mission = models.ForeignKey(Mission, on_delete=models.PROTECT, related_name="proofs")
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="proofs")
    number = models.PositiveIntegerField(null=True, blank=True)
    locale = models.CharField(max_length=5)
    requested_at = models.DateTimeField(db_default=Now())
    requested_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    issued_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=40, blank=True)
    printed = models.JSONField(default=dict, blank=True)
    pdf = models.FileField(max_length=200, blank=True)
    content_sha256 = models.BinaryField(max_length=32, null=True, blank=True)
    code_hash = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="proof_of_its_employer"),
            models.UniqueConstraint(fields=["employer", "number"], name="one_proof_per_number"),
            models.CheckConstraint(
                name="an_issued_proof_is_whole",
                condition=Q(issued_at__isnull=True)
                | (
                    Q(number__isnull=False)
                    & Q(content_sha256__isnull=False)
                    & Q(code_hash__isnull=False)
                    & ~Q(pdf="")
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["stop", "-id"], name="proofs_of_a_stop"),
            # Read by the sweep that issues them.
            models.Index(
                fields=["id"],
                condition=Q(issued_at__isnull=True, failure=""),
                name="proofs_to_issue",
            ),
            models.Index(fields=["pdf"], condition=~Q(pdf=""), name="proofs_by_pdf"),
        ]
