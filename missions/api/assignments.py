"""Who drives a mission, and how it ends when a dispatcher says so."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.idempotency import IDEMPOTENCY_KEY, idempotent
from accounts.models import Truck
from accounts.pagination import KeyPagination
from missions.api.mission_view import MissionView
from missions.api.missions import IF_MATCH
from missions.correcting import correct_assignment
from missions.lifecycle import (
    assign_mission,
    cancel_mission,
    end_mission,
    hand_over_mission,
    running_assignment,
    unassign_mission,
)
from missions.models import Mission
from missions.requests import (
    AssignmentChange,
    AssignRequest,
    HandOverRequest,
    MomentRequest,
    TruckRequest,
)
from missions.serializers import (
    AssignmentSerializer,
    CorrectedAssignmentSerializer,
    MissionSerializer,
)
from missions.trucks import reassign_truck


class AssignmentsView(MissionView):
    pagination_class = KeyPagination

    @extend_schema(responses=AssignmentSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """Who drove when, in order; a hand-over adds one."""
        mission = self.mission(mission_id)
        page = self.paginate_queryset(mission.assignments.select_related("driver", "truck"))
        return self.get_paginated_response(AssignmentSerializer(page, many=True).data)


class OneAssignmentView(MissionView):
    @extend_schema(
        parameters=[IF_MATCH], request=AssignmentChange, responses=CorrectedAssignmentSerializer
    )
    def patch(self, request: Request, mission_id: UUID, assignment_id: UUID) -> Response:
        """Correct an assignment: say what was true all along, also of a mission that is over.

        Fixes keep the links of when they were recorded: `relink` names the spans whose
        fixes may need to be linked again, which is a step of its own.
        """
        with transaction.atomic():
            mission = self.mission_to_change(mission_id)
            old = get_object_or_404(mission.assignments.all(), uuid=assignment_id)
            asked = AssignmentChange(data=request.data, context=self.get_serializer_context())
            asked.is_valid(raise_exception=True)
            same = {"truck": old.truck, "begin": old.period.lower}
            corrected = correct_assignment(
                old, **{**same, **asked.validated_data}, actor=self.actor
            )
            return Response(CorrectedAssignmentSerializer(corrected).data)


class MissionAction(MissionView):
    """A POST that does one thing to a mission and answers with it."""

    takes: type[Serializer[Any]] | None = None

    def done(self, mission_id: UUID, act: Callable[[Mission, dict[str, Any]], object]) -> Response:
        with transaction.atomic():
            mission = self.mission_to_change(mission_id)
            act(mission, self.asked())
            return self.answer(mission)

    def asked(self) -> dict[str, Any]:
        if self.takes is None:
            return {}
        asked = self.takes(data=self.request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)


class AssignView(MissionAction):
    takes = AssignRequest

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=AssignRequest, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Give a mission that has not started to a driver, in place of any driver before."""
        return self.done(mission_id, lambda m, asked: assign_mission(m, **asked, actor=self.actor))


class UnassignView(MissionAction):
    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=None, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Take a mission that has not started back from its driver."""
        return self.done(mission_id, lambda m, _: unassign_mission(m, actor=self.actor))


class HandOverView(MissionAction):
    takes = HandOverRequest

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=HandOverRequest, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Give a mission to another driver at a moment; both parts of its history stay.

        Fixes that came in already keep their links; `/relinks` is a step of its own.
        """

        def hand_over(mission: Mission, asked: dict[str, Any]) -> object:
            running = running_assignment(mission)
            at_hand = running.truck if running else mission.planned_truck
            truck: Truck | None = asked.get("truck", at_hand)
            at = asked.get("at") or timezone.now()
            return hand_over_mission(mission, asked["driver"], truck=truck, at=at, actor=self.actor)

        return self.done(mission_id, hand_over)


class TruckView(MissionAction):
    takes = TruckRequest

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=TruckRequest, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Change a mission's truck: in place before it starts, from a moment on afterwards."""
        return self.done(
            mission_id,
            lambda m, asked: reassign_truck(
                m, asked["truck"], at=asked.get("at"), actor=self.actor
            ),
        )


class EndView(MissionAction):
    takes = MomentRequest

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=MomentRequest, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """End a started mission, never before its latest stage."""
        return self.done(
            mission_id,
            lambda m, asked: end_mission(m, at=asked.get("at") or timezone.now(), actor=self.actor),
        )


class CancelView(MissionAction):
    takes = MomentRequest

    @extend_schema(
        parameters=[IF_MATCH, IDEMPOTENCY_KEY], request=MomentRequest, responses=MissionSerializer
    )
    @idempotent
    def post(self, request: Request, mission_id: UUID) -> Response:
        """Call a mission off."""
        return self.done(
            mission_id, lambda m, asked: cancel_mission(m, at=asked.get("at"), actor=self.actor)
        )
