"""Planned against actual: one row for each stop of a mission."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Role
from accounts.permissions import Allows
from missions.models import MissionStatus
from tracking.amiss import amiss_at_stops
from tracking.api.tracks import NOT_STORED, mission_of
from tracking.stop_times import stop_times_of
from tracking.stop_times_serializers import MissionTimesSerializer, stop_times_data


class StopTimesView(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    @extend_schema(operation_id="mission_stop_times", responses=MissionTimesSerializer)
    def get(self, request: Request, mission_id: UUID) -> Response:
        """Each stop as planned and as it was, with its evidence and what is amiss: all of them."""
        mission = mission_of(request, mission_id)
        rows = stop_times_of(mission)
        found = []
        if mission.status != MissionStatus.CANCELLED:
            is_over = mission.ended_at is not None
            now = timezone.now()
            found = amiss_at_stops(rows, mission.employer, now=now, is_over=is_over)
        results = [stop_times_data(row, found) for row in rows]
        body = {"timezone": mission.employer.timezone, "results": results}
        return Response(body, headers=NOT_STORED)
