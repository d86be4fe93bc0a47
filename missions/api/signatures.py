"""The signatures of a mission, for dispatchers."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import SECRET_HEADERS
from accounts.pagination import KeyPagination
from accounts.refusals import Conflict
from accounts.tenants import of_employer
from missions.api.mission_view import MissionView
from missions.file_links import new_link
from missions.models import Signature
from missions.signature_serializers import LinkSerializer, SignatureSerializer


class NoImage(Conflict):
    """Nothing was drawn: refused, nobody there, or left with a neighbour."""

    code = "no_image"


class SignaturesView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("recorded_at", "id")

    @extend_schema(responses=SignatureSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """In the order in which they were asked for."""
        own = Signature.objects.filter(mission=self.mission(mission_id))
        page = self.paginate_queryset(own.select_related("mission", "stop", "driver"))
        return self.get_paginated_response(SignatureSerializer(page, many=True).data)


class SignatureLinkView(MissionView):
    @extend_schema(request=None, responses=LinkSerializer)
    def post(self, request: Request, mission_id: UUID, signature_id: UUID) -> Response:
        """A link to the picture, good for five minutes."""
        own = Signature.objects.filter(mission=self.mission(mission_id))
        signature = of_employer(own, self.actor, signature_id)
        if not signature.image:
            raise NoImage("Nothing was drawn.")
        link = new_link("signature", signature.uuid)
        return Response(LinkSerializer(link).data, headers=SECRET_HEADERS)
