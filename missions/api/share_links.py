"""Links for consignees, for dispatchers."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import secret
from accounts.pagination import KeyPagination
from accounts.tenants import of_employer
from missions.api.mission_view import MissionView
from missions.models import ShareLink, Stop
from missions.share_serializers import (
    NewShareLinkSerializer,
    ShareLinkRequest,
    ShareLinkSerializer,
)
from missions.sharing import Shows, links_of, make_share_link, revoke_share_link, share_url


class ShareLinksView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("id",)

    @extend_schema(responses=ShareLinkSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """The links to stops of a mission, those that work no longer too."""
        page = self.paginate_queryset(links_of(self.mission(mission_id)))
        return self.get_paginated_response(ShareLinkSerializer(page, many=True).data)

    @extend_schema(request=ShareLinkRequest, responses={201: NewShareLinkSerializer})
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Make a link to a stop. Its `url` is in this answer and nowhere else.

        409 `share_disabled` while the employer does not share.
        """
        mission = self.mission(mission_id)
        asked = ShareLinkRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        stop = mission.stops.select_related("mission").filter(uuid=wanted["stop"]).first()
        if stop is None:
            raise NotFound("This mission has no such stop.")
        shows = Shows(position=wanted["shows_position"], proof=wanted["shows_proof"])
        link, token = make_share_link(self.actor, stop, shows, wanted["expires_at"])
        url = share_url(token, request.build_absolute_uri("/"))
        return secret({**ShareLinkSerializer(link).data, "url": url})


class ShareLinkRevocationView(MissionView):
    @extend_schema(request=None, responses=ShareLinkSerializer)
    def post(self, request: Request, mission_id: UUID, link_id: UUID) -> Response:
        """Take a link back: from the next request on it opens nothing."""
        own = ShareLink.objects.filter(
            stop__in=Stop.objects.filter(mission=self.mission(mission_id))
        )
        link = revoke_share_link(self.actor, of_employer(own, self.actor, link_id))
        return Response(ShareLinkSerializer(link).data)
