"""The feed of changes, for an employer's own systems."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.http import ActorView
from accounts.models import Role
from accounts.pagination import DEFAULT_LIMIT, MAX_LIMIT
from accounts.permissions import Allows
from missions.feed import changes_after
from missions.models import ChangeType

MAX_SEQ: Final = 2**63 - 1


class ChangeDataSerializer(serializers.Serializer[Any]):
    """What a change is about, by its id; ask for the rest."""

    id = serializers.UUIDField(source="object_uuid")
    mission = serializers.UUIDField(source="mission_uuid", allow_null=True)


class ChangeSerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    id = serializers.UUIDField(source="uuid", help_text="also the webhook-id of its deliveries")
    type = serializers.ChoiceField(ChangeType.choices)
    changed_at = serializers.DateTimeField()
    # DRF takes declared fields out of the class, so this hides no attribute of it.
    data = ChangeDataSerializer(source="*")  # type: ignore[assignment]


class ChangesQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_SEQ,
        help_text="The last number that you have; without it, from the oldest that is kept.",
    )
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)


ChangesPage = inline_serializer(
    "Changes",
    {
        "results": ChangeSerializer(many=True),
        "next": serializers.URLField(allow_null=True, help_text="null: nothing follows yet"),
        "last_seq": serializers.IntegerField(help_text="the newest number there is"),
    },
)


class ChangesView(ActorView):
    """What changed, in order."""

    allows = {"GET": Allows(Role.DISPATCHER)}

    @extend_schema(parameters=[ChangesQuery], responses=ChangesPage)
    def get(self, request: Request) -> Response:
        """The changes after a number; whoever asks on from the last one misses none.

        Kept for 90 days. A number that is older, or was never given, gets 410
        `changes_expired` with `last_seq`: read everything anew, then go on from there.
        """
        asked = self.asked(ChangesQuery)
        page = changes_after(self.actor.employer, asked.get("after"), asked["limit"])
        following = None
        if page.has_more:
            here = request.build_absolute_uri()
            following = replace_query_param(here, "after", str(page.changes[-1].seq))
        headers = {"Link": f'<{following}>; rel="next"'} if following else {}
        return Response(
            {
                "results": ChangeSerializer(page.changes, many=True).data,
                "next": following,
                "last_seq": page.last_seq,
            },
            headers=headers,
        )
