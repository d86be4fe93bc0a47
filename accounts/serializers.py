"""Employers, people and fleet as JSON: what comes in is checked, what goes out is named."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from rest_framework import serializers

from accounts.drivers import visible_id
from accounts.duty_marks import MARK_BY_LABEL
from accounts.models import AssignmentSource, MarkSource, Role, TokenScope, TrackingWindow
from accounts.moments import moment
from accounts.trucks import MAX_PLATE

KEYWORDS: Final = {"begin": "from", "end": "to"}
LANGUAGES: Final = [code for code, _ in settings.LANGUAGES]


class MomentField(serializers.DateTimeField):
    """An RFC 3339 time with its zone; one without a zone is refused, never guessed."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return moment(str(value))
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid_time") from None


class Form(serializers.Serializer[Any]):
    """A serializer that calls its fields `begin` and `end` what the API does: from, to."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {KEYWORDS.get(name, name): field for name, field in super().get_fields().items()}


def begins(**kwargs: Any) -> MomentField:
    """The field `from` of a Form."""
    return MomentField(source="begin", **kwargs)


def ends(**kwargs: Any) -> MomentField:
    """The field `to` of a Form."""
    return MomentField(source="end", **kwargs)


class UuidOf(serializers.UUIDField):
    """The id of a row that another row points to; null when there is none."""

    def __init__(self, source: str, **kwargs: Any) -> None:
        super().__init__(source=f"{source}.uuid", read_only=True, **kwargs)


# --- People -----------------------------------------------------------------------------


class MembershipSerializer(Form):
    id = serializers.UUIDField(source="uuid", read_only=True)
    user = serializers.UUIDField(source="user.uuid")
    role = serializers.ChoiceField(Role.choices)


class NewMembership(Form):
    user = serializers.UUIDField(help_text="a user who has a role here already")
    role = serializers.ChoiceField(Role.choices)


class UserSerializer(Form):
    id = serializers.UUIDField(source="uuid")
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    last_login_at = serializers.DateTimeField(source="last_login", allow_null=True)
    created_at = serializers.DateTimeField()
    memberships = MembershipSerializer(source="own_memberships", many=True)


class NewUser(Form):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    role = serializers.ChoiceField(Role.choices)
    password = serializers.CharField(
        max_length=1000,
        required=False,
        trim_whitespace=False,
        help_text="without one the user asks for one by mail",
    )


class DriverSerializer(Form):
    id = serializers.UUIDField(source="uuid", read_only=True)
    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    number = serializers.CharField(
        max_length=50, allow_null=True, allow_blank=True, default=None, help_text="used once"
    )
    language = serializers.ChoiceField(LANGUAGES, allow_blank=True, default="")
    adult_attested_on = serializers.DateField(
        read_only=True, help_text="when the employer said that this person is 18 or older"
    )
    created_at = serializers.DateTimeField(read_only=True)


class DriverQuery(Form):
    q = serializers.CharField(
        required=False, allow_blank=True, help_text="part of a name or number, accents ignored"
    )


# --- Fleet ------------------------------------------------------------------------------


class TruckSerializer(Form):
    id = serializers.UUIDField(source="uuid", read_only=True)
    plate = serializers.CharField(max_length=MAX_PLATE)
    country = serializers.RegexField(r"^[A-Za-z]{2}$", default="BE")
    name = serializers.CharField(max_length=100, allow_blank=True, default="")
    retired_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class TruckQuery(Form):
    q = serializers.CharField(required=False, allow_blank=True, help_text="part of the plate")
    in_service = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="false: the retired ones"
    )


class AtSerializer(Form):
    at = MomentField(required=False, help_text="default: now")


class TruckAssignmentSerializer(Form):
    id = serializers.UUIDField(source="uuid")
    truck = UuidOf("truck")
    driver = serializers.SerializerMethodField()
    begin = serializers.DateTimeField(source="period.lower", allow_null=True)
    end = serializers.DateTimeField(source="period.upper", allow_null=True)
    source = serializers.ChoiceField(AssignmentSource.choices)  # type: ignore[assignment]
    created_at = serializers.DateTimeField()

    def get_driver(self, row: Any) -> str | None:
        """Null when the driver is erased, or frozen and so out of every read."""
        return visible_id(row.driver)


class NewTruckAssignment(Form):
    truck = serializers.UUIDField()
    driver = serializers.UUIDField()
    begin = begins()
    end = ends(required=False, allow_null=True, default=None)
    source = serializers.ChoiceField(AssignmentSource.choices, default=AssignmentSource.DISPATCHER)  # type: ignore[assignment]


class TruckAssignmentChange(Form):
    truck = serializers.UUIDField(required=False)
    driver = serializers.UUIDField(required=False)
    begin = begins(required=False, allow_null=True)
    end = ends(required=False, allow_null=True)


class SpanSerializer(Form):
    """A driver's time whose fixes were linked by the old assignment; null has no bound."""

    driver = UuidOf("driver")
    begin = begins(allow_null=True)
    end = ends(allow_null=True)


class CorrectedSerializer(Form):
    assignment = TruckAssignmentSerializer()
    relink = SpanSerializer(source="spans", many=True)


class TruckAssignmentQuery(Form):
    truck = serializers.UUIDField(required=False)
    driver = serializers.UUIDField(required=False)
    begin = begins(required=False, help_text="those that go on after this moment")
    end = ends(required=False, help_text="those that begin before this moment")


# --- Duties -----------------------------------------------------------------------------


class DutyQuery(Form):
    driver = serializers.UUIDField()
    begin = begins(required=False, help_text="default: 24 h before `to`")
    end = ends(required=False, help_text="default: now; at most 366 days after `from`")


class DutyPeriodSerializer(Form):
    kind = serializers.ChoiceField(["duty", "private"])
    started_at = serializers.DateTimeField(source="started.recorded_at")
    started_source = serializers.ChoiceField(MarkSource.choices, source="started.source")
    ended_at = serializers.DateTimeField(
        source="ended.recorded_at", allow_null=True, default=None, help_text="null: still on"
    )
    ended_source = serializers.ChoiceField(
        MarkSource.choices, source="ended.source", allow_null=True, default=None
    )


class DutyMarkSerializer(Form):
    driver = serializers.UUIDField()
    kind = serializers.ChoiceField(list(MARK_BY_LABEL))
    recorded_at = MomentField()
    source = serializers.ChoiceField(MarkSource.choices, read_only=True)  # type: ignore[assignment]


# --- Phones -----------------------------------------------------------------------------


class Health(Form):
    """What a phone last said of itself; what is unknown is left out."""

    battery = serializers.FloatField(required=False, help_text="0 to 1")
    is_charging = serializers.BooleanField(required=False)
    permission = serializers.ChoiceField(["always", "while_in_use", "denied"], required=False)
    is_location_on = serializers.BooleanField(required=False, help_text="the location service")
    app_version = serializers.CharField(required=False)
    at = serializers.DateTimeField(required=False)


class DeviceSerializer(Form):
    id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    platform = serializers.CharField()
    scope = serializers.ChoiceField(TokenScope.choices, allow_null=True)
    holder = serializers.UUIDField(allow_null=True, help_text="the driver who carries it now")
    last_seen_at = serializers.DateTimeField(allow_null=True)
    health = Health()
    revoked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class HoldingSerializer(Form):
    id = serializers.UUIDField(source="uuid")
    driver = serializers.SerializerMethodField()
    begin = serializers.DateTimeField(source="period.lower", allow_null=True)
    end = serializers.DateTimeField(source="period.upper", allow_null=True)

    def get_driver(self, row: Any) -> str | None:
        """Null when the driver is frozen and so out of every read."""
        return visible_id(row.driver)


class DeviceDetailSerializer(DeviceSerializer):
    has_payload_key = serializers.SerializerMethodField(
        help_text="it encrypts what it sends, and we can read it"
    )
    holdings = HoldingSerializer(source="holdings_in_order", many=True)

    def get_has_payload_key(self, row: Any) -> bool:
        return row.payload_key is not None


class PayloadKey(Form):
    passphrase = serializers.CharField(
        max_length=100, trim_whitespace=False, help_text="as typed into OwnTracks; never shown"
    )


class DeviceQuery(Form):
    driver = serializers.UUIDField(required=False, help_text="that this driver carries now")


class NewDevice(Form):
    driver = serializers.UUIDField()
    name = serializers.CharField(max_length=100, allow_blank=True, default="")
    scope = serializers.ChoiceField(TokenScope.choices, default=TokenScope.INGEST)
    begin = begins(required=False, allow_null=True, default=None, help_text="default: always")


class NewDeviceToken(Form):
    id = serializers.UUIDField(help_text="of the device")
    token = serializers.CharField(help_text="shown this once")
    older_tokens_end_at = serializers.DateTimeField(required=False)


class HandOver(Form):
    driver = serializers.UUIDField()
    at = MomentField(required=False, help_text="default: now")


class NewPairingCode(Form):
    driver = serializers.UUIDField()
    device_name = serializers.CharField(max_length=100, allow_blank=True, default="")


class PairingCodeSerializer(Form):
    id = serializers.UUIDField()
    code = serializers.CharField(help_text="8 characters; capitals, hyphens, O for 0 do not matter")
    expires_at = serializers.DateTimeField()
    qr_text = serializers.CharField(help_text="the address to pair at, then # and the code")
    qr_svg = serializers.CharField(help_text="`qr_text` as a picture: an <svg> element")


class PairingSerializer(Form):
    code = serializers.CharField(max_length=50)
    platform = serializers.CharField(max_length=20, allow_blank=True, default="")


class NamedSerializer(Form):
    id = serializers.UUIDField()
    name = serializers.CharField()


class AppSettingsSerializer(Form):
    """What the app needs to know to do its work."""

    employer = NamedSerializer()
    driver = NamedSerializer()
    device = NamedSerializer()
    timezone = serializers.CharField()
    language = serializers.CharField()
    tracking_window = serializers.ChoiceField(TrackingWindow.choices)
    min_spacing_m = serializers.IntegerField(help_text="send a fix each time it has moved so far")
    stages = serializers.ListField(child=serializers.CharField())
    duty_marks = serializers.ListField(child=serializers.CharField())
    exception_reasons = serializers.ListField(child=serializers.CharField())
    ingest_url = serializers.CharField(help_text="relative to this server")
    max_batch = serializers.IntegerField(help_text="fixes in one request")
    max_fix_age_days = serializers.IntegerField(help_text="older fixes are refused")


class PairedSerializer(Form):
    token = serializers.CharField(help_text="shown this once")
    settings = AppSettingsSerializer()


class MeSerializer(Form):
    employer = NamedSerializer()
    driver = DriverSerializer()
    device = NamedSerializer()


class RotatedSerializer(Form):
    token = serializers.CharField(help_text="shown this once")
    older_tokens_end_at = serializers.DateTimeField(help_text="until then both are good")
