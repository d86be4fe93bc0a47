"""Missions: list, make, read, change."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IDEMPOTENCY_KEY, idempotent
from accounts.pagination import KeyPagination
from missions.api.mission_view import MissionView, etag_of
from missions.changing import change_mission
from missions.lifecycle import create_mission
from missions.reading import matching, shown_missions
from missions.requests import MissionFields, MissionFilter, NewMission
from missions.serializers import MissionSerializer

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of what was read."
)
IF_MATCH_REQUIRED = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of what was read.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that is known."
)


class MissionsView(MissionView):
    pagination_class = KeyPagination
    cursor_key = ("-id",)

    @extend_schema(parameters=[MissionFilter], responses=MissionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The employer's missions, the newest first."""
        wanted = MissionFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        missions = shown_missions().filter(employer=self.actor.employer)
        page = self.paginate_queryset(matching(missions, wanted.validated_data))
        return self.get_paginated_response(MissionSerializer(page, many=True).data)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewMission,
        responses={
            201: MissionSerializer,
            200: OpenApiResponse(MissionSerializer, "It was asked for before, just so."),
            409: OpenApiResponse(description="The external_id is another mission's."),
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a mission, assigned if it has a driver. Its external_id makes it safe to repeat."""
        asked = NewMission(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        made = create_mission(self.actor.employer, asked.plan(), actor=self.actor)
        answer = self.answer(made.mission, status=201 if made.is_new else 200)
        answer["Location"] = reverse("mission", args=[made.mission.uuid])
        return answer


class OneMissionView(MissionView):
    @extend_schema(
        parameters=[IF_NONE_MATCH],
        responses={200: MissionSerializer, 304: OpenApiResponse(description="Nothing new.")},
    )
    def get(self, request: Request, mission_id: UUID) -> HttpResponse | Response:
        """One mission, with its assignments and stops."""
        mission = self.mission(mission_id)
        unchanged = _unchanged(request, etag_of(mission))
        return unchanged or self.answer(mission)

    @extend_schema(
        parameters=[IF_MATCH_REQUIRED],
        request=MissionFields,
        responses={
            200: MissionSerializer,
            412: OpenApiResponse(description="Stale; `current` is how it is now."),
            428: OpenApiResponse(description="If-Match is missing."),
        },
    )
    def patch(self, request: Request, mission_id: UUID) -> Response:
        """Change a mission; its driver only before it starts."""
        with transaction.atomic():
            mission = self.mission_to_change(mission_id, is_required=True)
            asked = MissionFields(
                data=request.data, partial=True, context=self.get_serializer_context()
            )
            asked.is_valid(raise_exception=True)
            change_mission(mission, asked.validated_data, actor=self.actor)
            return self.answer(mission)


def _unchanged(request: Request, etag: str) -> Any:
    """The answer to an If-None-Match that names this tag: 304, else None."""
    return get_conditional_response(request, etag=etag)
