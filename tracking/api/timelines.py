"""A driver's day, a truck's day, a mission: what happened, in order."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Driver, Role
from accounts.permissions import DRIVER, Allows
from tracking.api.tracks import NOT_STORED, driver_of, mission_of, own_driver, truck_of
from tracking.parameters import asked_day
from tracking.timeline import (
    Timeline,
    timeline_of_driver,
    timeline_of_mission,
    timeline_of_truck,
)
from tracking.timeline_serializers import TimelineSerializer, timeline_data

DAY: Final = [
    OpenApiParameter(
        "date",
        OpenApiTypes.DATE,
        description="A day in the employer's zone, 23 to 25 h long; default: today.",
    )
]


class TimelineView(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    def answer(self, timeline: Timeline) -> Response:
        return Response(timeline_data(timeline), headers=NOT_STORED)

    def day_of(self, request: Request, driver: Driver) -> Response:
        now = timezone.now()
        day = asked_day(request, ZoneInfo(driver.employer.timezone), now)
        return self.answer(timeline_of_driver(driver, day, now))


class DriverTimeline(TimelineView):
    @extend_schema(operation_id="driver_timeline", parameters=DAY, responses=TimelineSerializer)
    def get(self, request: Request, driver_id: UUID) -> Response:
        """One day of a driver, across trucks and missions."""
        return self.day_of(request, driver_of(request, driver_id))


class TruckTimeline(TimelineView):
    @extend_schema(operation_id="truck_timeline", parameters=DAY, responses=TimelineSerializer)
    def get(self, request: Request, truck_id: UUID) -> Response:
        """One day of a truck, its drivers one after the other."""
        truck = truck_of(request, truck_id)
        now = timezone.now()
        day = asked_day(request, ZoneInfo(truck.employer.timezone), now)
        return self.answer(timeline_of_truck(truck, day, now))


class MissionTimeline(TimelineView):
    @extend_schema(operation_id="mission_timeline", responses=TimelineSerializer)
    def get(self, request: Request, mission_id: UUID) -> Response:
        """A mission from its first moment to its last, across its drivers."""
        return self.answer(timeline_of_mission(mission_of(request, mission_id), timezone.now()))


class MyTimeline(TimelineView):
    permission_classes = [Allows(DRIVER)]

    @extend_schema(operation_id="my_timeline", parameters=DAY, responses=TimelineSerializer)
    def get(self, request: Request) -> Response:
        """One day of the driver who carries the phone that asks."""
        return self.day_of(request, own_driver(request))
