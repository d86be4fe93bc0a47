"""The stages of a mission, and the way a dispatcher enters or corrects one."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IDEMPOTENCY_KEY, idempotent
from accounts.pagination import KeyPagination
from missions.api.mission_view import MissionView
from missions.api.missions import IF_MATCH
from missions.entering import enter_stage, stage_asked_for
from missions.models import StageEvent
from missions.requests import NewStage
from missions.serializers import StageSerializer


def shown_stages() -> QuerySet[StageEvent]:
    return StageEvent.objects.select_related("driver", "truck", "stop", "corrects", "author")


class StagesView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("recorded_at", "id")

    @extend_schema(responses=StageSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """What happened on a mission, in the order in which it happened.

        The stages of a driver who is not available are left out, as in the timeline.
        """
        own = shown_stages().filter(mission=self.mission(mission_id))
        stages = own.filter(driver__frozen_at=None)
        page = self.paginate_queryset(stages)
        return self.get_paginated_response(StageSerializer(page, many=True).data)

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=NewStage,
        responses={
            201: StageSerializer,
            200: OpenApiResponse(StageSerializer, "It was entered before, just so."),
        },
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Enter a stage for the driver of that moment, or correct one by another."""
        with transaction.atomic():
            mission = self.mission_to_change(mission_id)
            asked = NewStage(data=request.data)
            asked.is_valid(raise_exception=True)
            stage = stage_asked_for(mission, asked.validated_data)
            entered = enter_stage(mission, stage, actor=self.actor)
            shown = shown_stages().get(pk=entered.event.pk)
            return Response(StageSerializer(shown).data, status=201 if entered.is_new else 200)
