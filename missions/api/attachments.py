"""The photos of a mission, for dispatchers."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import SECRET_HEADERS
from accounts.pagination import KeyPagination
from accounts.refusals import Conflict
from accounts.tenants import of_employer
from missions.api.mission_view import MissionView
from missions.attachment_serializers import AttachmentSerializer, LinkRequest
from missions.file_links import new_link
from missions.models import Attachment, StageEvent
from missions.signature_serializers import LinkSerializer


class ThumbnailNotReady(Conflict):
    """The worker has not made it yet, or could not: ask for the full picture."""

    code = "thumbnail_not_ready"


def shown_attachments() -> QuerySet[Attachment]:
    """Photos with all that is shown of them, in one query.

    The stage is joined here: photo and stage come from the phone in any order.
    """
    stages = StageEvent.objects.filter(
        mission=OuterRef("mission"),
        driver=OuterRef("driver"),
        client_id=OuterRef("stage_client_id"),
    ).exclude(client_id="")
    return Attachment.objects.select_related("driver", "mission", "stop").annotate(
        stage=Subquery(stages.order_by("id").values("uuid")[:1])
    )


def link_to(attachment: Attachment, asked: Any) -> Response:
    """A link to one picture, made at the click."""
    form = LinkRequest(data=asked)
    form.is_valid(raise_exception=True)
    is_small = form.validated_data["size"] == "thumbnail"
    if is_small and not attachment.thumbnail:
        raise ThumbnailNotReady("There is no thumbnail yet.")
    link = new_link("thumbnail" if is_small else "attachment", attachment.uuid)
    return Response(LinkSerializer(link).data, headers=SECRET_HEADERS)


class AttachmentsView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("recorded_at", "id")

    @extend_schema(responses=AttachmentSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """In the order in which they were taken.

        Photos of the goods are the employer's record: those of a driver who is erased or
        not available stay, without the driver and the place.
        """
        own = shown_attachments().filter(mission=self.mission(mission_id))
        page = self.paginate_queryset(own)
        return self.get_paginated_response(AttachmentSerializer(page, many=True).data)


class AttachmentLinkView(MissionView):
    @extend_schema(request=LinkRequest, responses=LinkSerializer)
    def post(self, request: Request, mission_id: UUID, attachment_id: UUID) -> Response:
        """A link to the picture, good for five minutes, which needs no session."""
        own = Attachment.objects.filter(mission=self.mission(mission_id))
        return link_to(of_employer(own, self.actor, attachment_id), request.data)
