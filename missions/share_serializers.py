"""Links for consignees as the API takes and shows them."""

from datetime import datetime

from django.utils import timezone
from rest_framework import serializers

from accounts.serializers import Form, UuidOf
from missions.fields import MomentField
from missions.models import ShareLink
from missions.sharing import ends_at, state_of


class ShareLinkRequest(Form):
    """What a link shall show, and until when."""

    stop = serializers.UUIDField()
    shows_position = serializers.BooleanField(
        required=False, default=False, help_text="while this stop is the next one, and coarse"
    )
    shows_proof = serializers.BooleanField(required=False, default=False)
    expires_at = MomentField(
        required=False,
        allow_null=True,
        default=None,
        help_text="30 days from now at most; null: 24 hours after the mission is completed",
    )


class ShareLinkSerializer(Form):
    id = serializers.UUIDField(source="uuid")
    stop = UuidOf("stop")
    shows_position = serializers.BooleanField()
    shows_proof = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="as it was asked for")
    ends_at = serializers.SerializerMethodField(
        help_text="null while the mission's completion is to come"
    )
    state = serializers.SerializerMethodField(
        help_text="in_force, expired, revoked, or off while the employer does not share"
    )
    revoked_at = serializers.DateTimeField(allow_null=True)
    views = serializers.IntegerField()
    last_viewed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_ends_at(self, link: ShareLink) -> datetime | None:
        return ends_at(link)

    def get_state(self, link: ShareLink) -> str:
        return state_of(link, timezone.now())


class NewShareLinkSerializer(ShareLinkSerializer):
    url = serializers.CharField(read_only=True, help_text="the link; shown this once")
