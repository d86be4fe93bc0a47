"""A driver's phone brings in photos, and looks at its own."""

from contextlib import suppress
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from kombu.exceptions import OperationalError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import ActorView
from accounts.models import Device, Driver
from accounts.parsers import SturdyJSONParser, SturdyMultiPartParser
from accounts.permissions import DRIVER, Allows
from accounts.tenants import of_employer
from missions.api.attachments import link_to, shown_attachments
from missions.attaching import attach_photo
from missions.attachment_serializers import AttachmentSerializer, LinkRequest, NewAttachment
from missions.models import Attachment
from missions.signature_serializers import LinkSerializer
from missions.signing import own_mission
from missions.tasks import make_thumbnail

MISSION = OpenApiParameter("mission", str, description="Its external_id, else its id.")


class PhoneView(ActorView):
    def phone(self) -> tuple[Device, Driver]:
        device, driver = self.actor.device, self.actor.driver
        if device is None or driver is None:
            raise RuntimeError("the permission lets only phones with a driver through")
        return device, driver


class MyAttachmentsView(PhoneView):
    allows = {"GET": Allows(DRIVER), "POST": Allows(DRIVER)}
    parser_classes = [SturdyMultiPartParser]
    cursor_key = ("id",)

    @extend_schema(parameters=[MISSION], responses=AttachmentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The photos that this driver took and that are stored, in the order they came in."""
        _, driver = self.phone()
        own = shown_attachments().filter(driver=driver)
        if name := request.query_params.get("mission"):
            own = own.filter(mission=own_mission(driver, name))
        return self.paged(own, AttachmentSerializer)

    @extend_schema(
        request={"multipart/form-data": NewAttachment},
        responses={
            201: AttachmentSerializer,
            200: OpenApiResponse(AttachmentSerializer, "It was stored before, just so."),
        },
    )
    def post(self, request: Request) -> Response:
        """Store a photo, before or after its stage. Without an answer, send it again as it is."""
        device, _ = self.phone()
        asked = NewAttachment(data=request.data)
        asked.is_valid(raise_exception=True)
        attached = attach_photo(device, asked.sent())
        if attached.is_new:
            # The row is the queue: a message that cannot be sent is made up for by the sweep.
            with suppress(OperationalError):
                make_thumbnail.delay(attached.attachment.pk)
        shown = shown_attachments().get(pk=attached.attachment.pk)
        status = 201 if attached.is_new else 200
        return Response(AttachmentSerializer(shown).data, status=status)


class MyAttachmentLinkView(PhoneView):
    allows = {"POST": Allows(DRIVER)}
    parser_classes = [SturdyJSONParser]

    @extend_schema(request=LinkRequest, responses=LinkSerializer)
    def post(self, request: Request, attachment_id: UUID) -> Response:
        """A link to a photo that this driver took, good for five minutes."""
        _, driver = self.phone()
        own = Attachment.objects.filter(driver=driver)
        return link_to(of_employer(own, self.actor, attachment_id), request.data)
