"""Link fixes again after an assignment was corrected."""

from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.models import Driver, Role
from accounts.permissions import Allows
from missions.fields import MomentField
from tracking.api.tracks import driver_of
from tracking.histories import CLOCK_AHEAD
from tracking.relinking import relink

# Before the oldest fix that may be kept.
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


class RelinkRequest(serializers.Serializer[Any]):
    """Whose fixes, and recorded when: `[from, to)`.

    Null is no bound, as in an assignment's period: from the oldest one, until now.
    """

    driver = serializers.UUIDField()

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's and cannot be an attribute.
        bounds = {name: MomentField(allow_null=True) for name in ("from", "to")}
        return {**super().get_fields(), **bounds}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        begin_at = EARLIEST if attrs["from"] is None else attrs["from"]
        end_at = timezone.now() + CLOCK_AHEAD if attrs["to"] is None else attrs["to"]
        if end_at <= begin_at:
            raise serializers.ValidationError({"to": "This is not after from."})
        return {**attrs, "from": begin_at, "to": end_at}


class RelinkSerializer(serializers.Serializer[Any]):
    """How many fixes were looked at, and how many were linked to something else."""

    checked = serializers.IntegerField()
    changed = serializers.IntegerField()


class Relinks(GenericAPIView[Any]):
    permission_classes = [Allows(Role.DISPATCHER)]
    serializer_class = RelinkRequest
    queryset = Driver.objects.none()
    pagination_class = None
    filter_backends = []

    @extend_schema(operation_id="relink", request=RelinkRequest, responses=RelinkSerializer)
    def post(self, request: Request) -> Response:
        """Link a driver's fixes in a range by the assignments as they are now.

        What a phone named stays while that mission is the driver's; everything else is
        resolved as if it came in today. Doing it twice changes nothing more.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = asked.validated_data
        driver = driver_of(request, found["driver"])
        relinked = relink(driver, found["from"], found["to"], actor=actor_of(request))
        return Response({"checked": relinked.checked, "changed": relinked.changed})
