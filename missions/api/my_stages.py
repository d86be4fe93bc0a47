"""The stages of the driver who holds the phone that asks, and how they correct one."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.models import Driver
from accounts.pagination import KeyPagination
from accounts.permissions import DRIVER, Allows
from accounts.refusals import Invalid
from missions.api.stages import shown_stages
from missions.models import StageEvent, Stop
from missions.my_corrections import Correction, correct_own_stage, own_missions
from missions.requests import NewCorrection
from missions.serializers import StageSerializer
from missions.stages import Stage


class MyStagesView(GenericAPIView[StageEvent]):
    permission_classes = [Allows(DRIVER)]
    queryset = StageEvent.objects.none()
    pagination_class = KeyPagination
    cursor_key = ("recorded_at", "id")
    filter_backends = []

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def driver(self) -> Driver:
        if self.actor.driver is None:
            raise RuntimeError("the permission lets only phones with a driver through")
        return self.actor.driver


class MyMissionStagesView(MyStagesView):
    @extend_schema(responses=StageSerializer(many=True))
    def get(self, request: Request, mission_id: UUID) -> Response:
        """The driver's own stages on a mission, corrections beside what they correct.

        `client_id` is the `id` that the phone gave it.
        """
        mission = get_object_or_404(own_missions(self.driver()), uuid=mission_id)
        own = shown_stages().filter(mission=mission, driver=self.driver())
        page = self.paginate_queryset(own)
        return self.get_paginated_response(StageSerializer(page, many=True).data)


class MyCorrectionsView(MyStagesView):
    @extend_schema(
        request=NewCorrection,
        responses={
            201: StageSerializer,
            200: OpenApiResponse(StageSerializer, "It was sent before, just so."),
        },
    )
    def post(self, request: Request, stage_id: UUID) -> Response:
        """Say how a stage was in truth, or that it did not happen.

        What is not named stays as it was. The corrected stage stays too, for both to be
        seen; who asks again with the same `client_id` gets the stored correction.
        """
        own = StageEvent.objects.select_related("mission").filter(driver=self.driver())
        wrong = get_object_or_404(own, uuid=stage_id)
        asked = NewCorrection(data=request.data)
        asked.is_valid(raise_exception=True)
        correction = _correction(wrong, asked.validated_data)
        entered = correct_own_stage(wrong, correction, actor=self.actor)
        shown = shown_stages().get(pk=entered.event.pk)
        return Response(StageSerializer(shown).data, status=201 if entered.is_new else 200)


def _correction(wrong: StageEvent, asked: dict[str, Any]) -> Correction:
    """What was asked, and for the rest what the stage said."""
    is_retraction = asked["is_retraction"]
    return Correction(
        client_id=asked["client_id"],
        why=asked["reason"],
        stage=asked.get("stage", Stage(wrong.stage)),
        recorded_at=asked.get("recorded_at", wrong.recorded_at),
        stop=_stop(wrong, asked["stop"]) if "stop" in asked else wrong.stop,
        reason=asked.get("exception_reason", wrong.reason),
        # What did not happen said nothing of its stop.
        result="" if is_retraction else asked.get("result", wrong.result),
        ends_mission=asked.get("ends_mission", wrong.ends_mission),
        is_retraction=is_retraction,
    )


def _stop(wrong: StageEvent, uuid: UUID | None) -> Stop | None:
    if uuid is None:
        return None
    stop = Stop.objects.filter(mission=wrong.mission, uuid=uuid).first()
    if stop is None:
        detail = "There is no such id on this mission."
        raise Invalid(detail, field="stop", code="does_not_exist")
    return stop
