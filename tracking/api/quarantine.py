"""What phones sent and nobody could use, for a person to see."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor, actor_of
from accounts.models import Role
from accounts.pagination import KeyPagination
from accounts.permissions import Allows
from accounts.tenants import of_employer
from tracking.models import QuarantinedFix
from tracking.retrying import retry


class QuarantinedFixSerializer(serializers.ModelSerializer[QuarantinedFix]):
    """One payload of one phone. `payload` is text; bytes that are none show as `\\xff`."""

    id = serializers.UUIDField(source="uuid")
    device = serializers.UUIDField(source="device.uuid")
    device_name = serializers.CharField(source="device.name")
    driver = serializers.UUIDField(source="driver.uuid", allow_null=True, default=None)
    payload = serializers.SerializerMethodField()

    class Meta:
        model = QuarantinedFix
        fields: ClassVar = [
            "id",
            "device",
            "device_name",
            "driver",
            "dialect",
            "reason",
            "detail",
            "count",
            "first_received_at",
            "last_received_at",
            "payload",
        ]

    def get_payload(self, row: QuarantinedFix) -> str:
        return shown_payload(row)


class RetriedSerializer(serializers.Serializer[Any]):
    """`stored` fixes are recorded, or were before; else `reason` says what is still wrong."""

    stored = serializers.IntegerField()
    reason = serializers.CharField()
    detail = serializers.CharField()


def quarantined(actor: Actor) -> QuerySet[QuarantinedFix]:
    """What the employer's phones sent; nothing of a driver who is not available."""
    return (
        QuarantinedFix.objects.filter(employer=actor.employer)
        .filter(Q(driver__isnull=True) | Q(driver__frozen_at__isnull=True))
        .select_related("device", "driver")
    )


def shown_payload(row: QuarantinedFix) -> str:
    """The payload as text; bytes that are none show as `\\xff`."""
    text = bytes(row.payload).decode("utf-8", "backslashreplace")
    # Control characters would move a terminal's cursor; PostgreSQL's NUL is one of them.
    return "".join(
        letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}"
        for letter in text
    )


class QuarantineRetry(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    @extend_schema(operation_id="quarantine_retry", request=None, responses=RetriedSerializer)
    def post(self, request: Request, quarantined_id: UUID) -> Response:
        """Read the same bytes again by today's rules; what can be recorded leaves the list."""
        actor = actor_of(request)
        row = of_employer(quarantined(actor), actor, quarantined_id)
        return Response(RetriedSerializer(retry(row, actor=actor)).data)


class Quarantine(ListAPIView[QuarantinedFix]):
    permission_classes = [Allows(Role.DISPATCHER)]
    serializer_class = QuarantinedFixSerializer
    pagination_class = KeyPagination
    filter_backends = []
    cursor_key = ("-id",)
    queryset = QuarantinedFix.objects.none()

    def get_queryset(self) -> QuerySet[QuarantinedFix]:
        actor = self.request.auth
        if not isinstance(actor, Actor):
            return QuarantinedFix.objects.none()
        return quarantined(actor)

    @extend_schema(operation_id="quarantine")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first; each row disappears after 14 days."""
        return self.list(request, *args, **kwargs)
