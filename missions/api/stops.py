"""The stops of a mission."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IDEMPOTENCY_KEY, idempotent
from accounts.pagination import KeyPagination
from missions.api.mission_view import MissionView, etag_of
from missions.api.missions import IF_MATCH
from missions.models import Mission, Stop, StopResult
from missions.reading import shown_stops
from missions.requests import OrderRequest, ResultRequest, StopFields
from missions.serializers import MissionSerializer, StopSerializer
from missions.stops import add_stop, change_stop, remove_stop, reorder_stops, set_stop_result


class StopsView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("seq",)

    @extend_schema(responses=StopSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """The stops of a mission, in order."""
        stops = shown_stops().filter(mission=self.mission(mission_id))
        page = self.paginate_queryset(stops)
        return self.get_paginated_response(StopSerializer(page, many=True).data)

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=StopFields, responses={201: StopSerializer}
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Add a stop at the end."""
        with transaction.atomic():
            mission = self.mission_to_change(mission_id)
            asked = StopFields(data=request.data, context=self.get_serializer_context())
            asked.is_valid(raise_exception=True)
            return _shown(add_stop(mission, asked.plan(), actor=self.actor), status=201)


def _shown(stop: Stop, status: int = 200) -> Response:
    """A stop under the tag of its mission: that is what a change of a stop is judged by."""
    tag = etag_of(Mission.objects.get(pk=stop.mission_id))
    return Response(StopSerializer(stop).data, status=status, headers={"ETag": tag})


class StopView(MissionView):
    """What is about one stop."""

    def stop(self, mission: Mission, stop_id: UUID) -> Stop:
        return get_object_or_404(mission.stops.select_related("site", "mission"), uuid=stop_id)


class OneStopView(StopView):
    @extend_schema(responses=StopSerializer)
    def get(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """One stop."""
        return _shown(self.stop(self.mission(mission_id), stop_id))

    @extend_schema(parameters=[IF_MATCH], request=StopFields, responses=StopSerializer)
    def patch(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """Change what was planned for a stop."""
        with transaction.atomic():
            stop = self.stop(self.mission_to_change(mission_id), stop_id)
            asked = StopFields(
                stop, data=request.data, partial=True, context=self.get_serializer_context()
            )
            asked.is_valid(raise_exception=True)
            return _shown(change_stop(stop, asked.validated_data, actor=self.actor))

    @extend_schema(
        parameters=[IF_MATCH], responses={204: OpenApiResponse(description="It is gone.")}
    )
    def delete(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """Take a stop out that has neither a stage nor a result."""
        with transaction.atomic():
            remove_stop(self.stop(self.mission_to_change(mission_id), stop_id), actor=self.actor)
            return Response(status=204)


class StopResultView(StopView):
    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=ResultRequest, responses=StopSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """Say how a stop ended; the last one's result ends the mission."""
        with transaction.atomic():
            stop = self.stop(self.mission_to_change(mission_id), stop_id)
            asked = ResultRequest(data=request.data)
            asked.is_valid(raise_exception=True)
            return _shown(self.with_result(stop, asked.validated_data))

    def with_result(self, stop: Stop, asked: dict[str, Any]) -> Stop:
        return set_stop_result(
            stop,
            StopResult(asked["result"]),
            reason=asked.get("reason", ""),
            remark=asked.get("remark"),
            at=asked.get("at") or timezone.now(),
            actor=self.actor,
        )


class StopOrderView(MissionView):
    @extend_schema(parameters=[IF_MATCH], request=OrderRequest, responses=MissionSerializer)
    def put(self, request: Request, mission_id: UUID) -> Response:
        """Put all stops of a mission in another order."""
        with transaction.atomic():
            mission = self.mission_to_change(mission_id)
            asked = OrderRequest(data=request.data)
            asked.is_valid(raise_exception=True)
            reorder_stops(mission, asked.validated_data["stops"], actor=self.actor)
            return self.answer(mission)
