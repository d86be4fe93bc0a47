"""A driver's phone brings in a signature, or what came of asking for one."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import ActorView
from accounts.permissions import DRIVER, Allows
from missions.signature_serializers import MySignatureSerializer, NewSignature
from missions.signing import sign


class MySignaturesView(ActorView):
    allows = {"POST": Allows(DRIVER)}

    @extend_schema(
        request=NewSignature,
        responses={
            201: MySignatureSerializer,
            200: OpenApiResponse(MySignatureSerializer, "It was sent before, just so."),
        },
    )
    def post(self, request: Request) -> Response:
        """Keep it, and freeze what it is about. Sent again, nothing is stored twice."""
        asked = NewSignature(data=request.data)
        asked.is_valid(raise_exception=True)
        device = self.actor.device
        if device is None:
            raise RuntimeError("the permission lets only phones through")
        signed = sign(device, asked.sent())
        signed.signature.warnings_now = list(signed.warnings)  # type: ignore[attr-defined]
        body = MySignatureSerializer(signed.signature).data
        return Response(body, status=201 if signed.is_new else 200)
