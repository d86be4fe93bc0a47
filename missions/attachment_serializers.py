"""Photos as JSON: what a phone sends with one, and what is answered."""

from typing import Any, Final

from rest_framework import serializers

from accounts.drivers import visible_id
from accounts.serializers import Form, UuidOf
from missions.attaching import SentPhoto
from missions.fields import DegreesField, MomentField
from missions.models import Attachment, AttachmentKind, PositionSource
from missions.signature_serializers import Sha256Field

# What the driver wrote or where the driver was: not shown of one who is not available.
PERSONAL: Final = ("latitude", "longitude", "accuracy_m")


class NewAttachment(Form):
    """A photo as a form with a file. What is not said of time and place is read off the photo."""

    file = serializers.FileField(allow_empty_file=True, max_length=255)
    sha256 = serializers.RegexField(
        r"^[0-9A-Fa-f]{64}$", help_text="of the file's bytes, in hexadecimal digits"
    )
    client_id = serializers.CharField(max_length=100, help_text="the phone's own id of it")
    mission = serializers.CharField(max_length=100, help_text="its external_id, else its id")
    stop = serializers.CharField(
        max_length=100, allow_blank=True, default="", help_text="its external_id, else its id"
    )
    stage_client_id = serializers.CharField(
        max_length=100,
        allow_blank=True,
        default="",
        help_text="the stage's `id` as it was sent, or will be",
    )
    kind = serializers.ChoiceField(AttachmentKind.choices, default=AttachmentKind.GOODS)
    recorded_at = MomentField(required=False)
    latitude = DegreesField(limit=90, required=False)
    longitude = DegreesField(limit=180, required=False)
    accuracy_m = serializers.FloatField(min_value=0, max_value=1_000_000, required=False)
    remark = serializers.CharField(max_length=2000, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("latitude" in attrs) != ("longitude" in attrs):
            detail = "A position has a latitude and a longitude, or neither."
            raise serializers.ValidationError({"latitude": [detail]})
        return attrs

    def sent(self) -> SentPhoto:
        fields = dict(self.validated_data)
        fields["sha256"] = bytes.fromhex(fields["sha256"])
        return SentPhoto(**fields, size_bytes=fields["file"].size)


class AttachmentSerializer(Form):
    """A photo as it is kept: upright, without metadata.

    `stage` is the stage that `stage_client_id` names, once it has come. `thumbnail` says
    whether there is one to ask a link for. The driver is null when erased or not available,
    and so is the place.
    """

    id = serializers.UUIDField(source="uuid")
    client_id = serializers.CharField()
    mission = UuidOf("mission")
    stop = UuidOf("stop", allow_null=True)
    stage = serializers.UUIDField(allow_null=True)
    stage_client_id = serializers.CharField()
    driver = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(AttachmentKind.choices)
    remark = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.FloatField(allow_null=True)
    position_source = serializers.ChoiceField(PositionSource.choices)
    media_type = serializers.CharField()
    width_px = serializers.IntegerField()
    height_px = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    content_sha256 = Sha256Field(help_text="of the photo as it is kept")
    original_sha256 = Sha256Field(help_text="of the bytes that the phone sent")
    thumbnail = serializers.SerializerMethodField()

    def get_driver(self, attachment: Attachment) -> str | None:
        return visible_id(attachment.driver)

    def get_thumbnail(self, attachment: Attachment) -> str:
        """ready, waiting, or failed."""
        if attachment.thumbnail:
            return "ready"
        return "failed" if attachment.thumbnail_failed_at else "waiting"

    def to_representation(self, instance: Attachment) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if shown["driver"] is None:
            shown |= dict.fromkeys(PERSONAL)
        return shown


class LinkRequest(Form):
    """Which picture of it: as it is kept, or the thumbnail."""

    size = serializers.ChoiceField(
        [("full", "as it is kept"), ("thumbnail", "at most 512 px")], default="full"
    )
