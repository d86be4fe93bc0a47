"""A mission for another transport system: as an OpenTripModel 5 trip."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.models import Role
from accounts.permissions import Allows
from accounts.tenants import of_employer
from missions.otm5 import trip
from missions.reading import shown_missions
from tracking.otm5_trip import trip_facts


class MissionTrip(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    @extend_schema(
        responses=OpenApiResponse(OpenApiTypes.OBJECT, "A trip with all it names, inline.")
    )
    def get(self, request: Request, mission_id: UUID) -> Response:
        """The mission as an OpenTripModel 5.6 trip: planned and realized, without any file.

        Not in it, since OTM has no word for it: distances from the site, the clock of the
        server, corrections, and exceptions that a driver reported.
        """
        missions = shown_missions().select_related("employer")
        mission = of_employer(missions, actor_of(request), mission_id)
        return Response(trip(trip_facts(mission)), headers={"Cache-Control": "no-store"})
