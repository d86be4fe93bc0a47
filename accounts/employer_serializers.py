"""What the API reads and writes of an employer: its settings, its keys, its audit trail."""

from rest_framework import serializers

from accounts.models import Role, TrackingWindow
from accounts.serializers import LANGUAGES, Form


class EmployerSerializer(Form):
    id = serializers.UUIDField(source="uuid", read_only=True)
    name = serializers.CharField(max_length=200)
    country = serializers.RegexField(r"^[A-Z]{2}$", help_text="ISO 3166-1 alpha-2")
    timezone = serializers.CharField(max_length=64, help_text="for example Europe/Brussels")
    language = serializers.ChoiceField(LANGUAGES)
    tracking_window = serializers.ChoiceField(TrackingWindow.choices)
    window_justification = serializers.CharField(allow_blank=True, max_length=5000)
    min_spacing_m = serializers.IntegerField(min_value=0, max_value=100_000)
    route_months = serializers.IntegerField(min_value=1, max_value=12)
    early_s = serializers.IntegerField(
        min_value=0,
        max_value=86_400,
        help_text="an arrival so long before its planned time, without a window, is on time",
    )
    late_s = serializers.IntegerField(
        min_value=0,
        max_value=86_400,
        help_text="an arrival so long after its planned time, without a window, is on time",
    )
    staff_informed_on = serializers.DateField(allow_null=True)
    is_share_enabled = serializers.BooleanField(
        help_text="whether a consignee may be sent a link to one stop"
    )
    is_shared_position_exact = serializers.BooleanField(
        help_text="whether such a link may show the exact position of the truck"
    )
    is_two_factor_required = serializers.BooleanField(
        help_text="whether users must have a second factor to get in; keys are not affected"
    )
    created_at = serializers.DateTimeField(read_only=True)


class ApiKeySerializer(Form):
    id = serializers.UUIDField(source="uuid", read_only=True)
    name = serializers.CharField(max_length=100, allow_blank=True, default="")
    role = serializers.ChoiceField(Role.choices)
    prefix = serializers.CharField(read_only=True, help_text="how the key begins")
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class NewApiKeySerializer(ApiKeySerializer):
    token = serializers.CharField(read_only=True, help_text="the key; shown this once")


class AuditEntrySerializer(Form):
    id = serializers.UUIDField(source="uuid")
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField(help_text="user, api_key, device, command or system")
    actor = serializers.UUIDField(allow_null=True)
    action = serializers.CharField(help_text="for example truck.assigned")
    object_kind = serializers.CharField()
    object = serializers.UUIDField(source="object_id", allow_null=True)
    detail = serializers.DictField(help_text="ids, names of fields and times")


class AuditQuery(Form):
    action = serializers.CharField(required=False)
    object = serializers.UUIDField(required=False, help_text="of one object only")
    actor = serializers.UUIDField(required=False, help_text="by one actor only")
