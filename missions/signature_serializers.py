"""Signatures and proofs as JSON: what a phone sends, and what is answered."""

import base64
import binascii
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.drivers import visible_id
from accounts.serializers import Form, UuidOf
from missions.fields import DegreesField, MomentField
from missions.models import PositionSource, Signature, SignatureOutcome
from missions.signing import SentSignature
from missions.strokes import MOST_POINTS, MOST_STROKES, NotDrawn, read_strokes

MOST_IMAGE_BYTES: Final = 300 * 1024
MOST_LINES: Final = 1000


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST_STROKES,
        "description": f"What the finger drew, at most {MOST_POINTS} points in all.",
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["x", "y"],
                "properties": {
                    "x": {"type": "number"},
                    "y": {"type": "number", "description": "downwards"},
                    "t_ms": {"type": "number", "description": "since the first point"},
                },
            },
        },
    }
)
class StrokesField(serializers.Field[Any, Any, Any, Any]):
    """Read as a whole: ten thousand points, each with a serializer of its own, take a second."""

    def to_internal_value(self, data: Any) -> list[list[dict[str, float]]]:
        try:
            return read_strokes(data)
        except NotDrawn as wrong:
            raise serializers.ValidationError(str(wrong), code="invalid_strokes") from None

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "contentEncoding": "base64", "description": "a PNG"})
class Base64Field(serializers.Field[Any, Any, Any, Any]):
    """Bytes as base64, bounded before they are decoded."""

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str):
            raise serializers.ValidationError("Not base64.", code="invalid_image")
        if len(data) > MOST_IMAGE_BYTES * 4 // 3 + 4:
            raise serializers.ValidationError(
                f"An image has at most {MOST_IMAGE_BYTES} bytes.", code="image_too_large"
            )
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("Not base64.", code="invalid_image") from None

    def to_representation(self, value: Any) -> Any:
        return value


class CountField(Form):
    line = serializers.UUIDField(help_text="a goods line of the stop")
    quantity = serializers.DecimalField(max_digits=12, decimal_places=3, min_value=0)


class NewSignature(Form):
    """A signature, or what came of asking for one. `client_id` is the phone's own id of it."""

    client_id = serializers.CharField(max_length=100)
    mission = serializers.CharField(max_length=100, help_text="its external_id, else its id")
    stop = serializers.CharField(max_length=100, help_text="its external_id, else its id")
    stage_client_id = serializers.CharField(
        max_length=100, allow_blank=True, default="", help_text="the stage's `id` as it was sent"
    )
    outcome = serializers.ChoiceField(SignatureOutcome.choices)
    signer_name = serializers.CharField(max_length=200, allow_blank=True, default="")
    signer_role = serializers.CharField(max_length=100, allow_blank=True, default="")
    reservations = serializers.CharField(max_length=2000, allow_blank=True, default="")
    remark = serializers.CharField(max_length=2000, allow_blank=True, default="")
    strokes = StrokesField(default=list)
    image = Base64Field(allow_null=True, default=None)
    recorded_at = MomentField()
    latitude = DegreesField(limit=90, allow_null=True, default=None)
    longitude = DegreesField(limit=180, allow_null=True, default=None)
    accuracy_m = serializers.FloatField(
        min_value=0, max_value=1_000_000, allow_null=True, default=None
    )
    position_source = serializers.ChoiceField(
        PositionSource.choices,
        required=False,
        help_text="default: at_event with a position, none without",
    )
    counts = serializers.ListField(
        child=CountField(),
        max_length=MOST_LINES,
        default=list,
        help_text="what was counted; a line that is not named has its planned quantity",
    )

    def sent(self) -> SentSignature:
        fields = dict(self.validated_data)
        with_position = PositionSource.AT_EVENT if fields["latitude"] is not None else None
        source = fields.pop("position_source", None) or with_position or PositionSource.NONE
        counts = {row["line"]: row["quantity"] for row in fields.pop("counts")}
        return SentSignature(
            **{**fields, "outcome": SignatureOutcome(fields["outcome"])},
            position_source=PositionSource(source),
            counts=counts,
        )


class HashField(serializers.Field[Any, Any, Any, Any]):
    """A SHA-256 in hexadecimal digits."""

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


@extend_schema_field({"type": "string", "pattern": "^[0-9a-f]{64}$"})
class Sha256Field(HashField):
    pass


class SignatureSerializer(Form):
    """What came of asking for a signature. Where it was is told as a distance only.

    The driver is null when erased or not available; `has_image` says that there is a
    picture to ask a link for.
    """

    id = serializers.UUIDField(source="uuid")
    client_id = serializers.CharField()
    stage_client_id = serializers.CharField()
    mission = UuidOf("mission")
    stop = UuidOf("stop")
    driver = serializers.SerializerMethodField()
    outcome = serializers.ChoiceField(SignatureOutcome.choices)
    signer_name = serializers.CharField()
    signer_role = serializers.CharField()
    reservations = serializers.CharField()
    remark = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    position_source = serializers.ChoiceField(PositionSource.choices)
    accuracy_m = serializers.FloatField(allow_null=True)
    site_distance_m = serializers.FloatField(allow_null=True)
    site_check = serializers.CharField()
    document = serializers.DictField(help_text="what was signed, frozen")
    document_sha256 = Sha256Field()
    has_image = serializers.SerializerMethodField()

    def get_driver(self, signature: Signature) -> str | None:
        return visible_id(signature.driver)

    def get_has_image(self, signature: Signature) -> bool:
        return bool(signature.image)


class MySignatureSerializer(SignatureSerializer):
    """With `warnings`: what the app may still do, for example photo_recommended."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        warnings = serializers.ListField(child=serializers.CharField(), source="warnings_now")
        return {**fields, "warnings": warnings}


class LinkSerializer(Form):
    """A path on this server that needs no session, and until when it answers."""

    url = serializers.CharField()
    expires_at = serializers.DateTimeField()
