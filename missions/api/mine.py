"""The missions of the driver who holds the phone that asks."""

from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.pagination import KeyPagination
from accounts.permissions import DRIVER, Allows
from missions.api.missions import IF_NONE_MATCH
from missions.models import Mission
from missions.my_serializers import MyMissionSerializer
from missions.reading import missions_of_driver
from missions.requests import MyMissionsFilter


class MyMissionsView(GenericAPIView[Mission]):
    permission_classes = [Allows(DRIVER)]
    queryset = Mission.objects.none()
    pagination_class = KeyPagination
    filter_backends = []

    @extend_schema(
        parameters=[MyMissionsFilter, IF_NONE_MATCH],
        responses={
            200: MyMissionSerializer(many=True),
            304: OpenApiResponse(description="Nothing new."),
        },
    )
    def get(self, request: Request) -> HttpResponse | Response:
        """What the driver has in hand, what is to do these days, and what was completed today."""
        actor = actor_of(request)
        if actor.driver is None:
            raise RuntimeError("the permission lets only phones with a driver through")
        wanted = MyMissionsFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        days = wanted.validated_data["days"]
        missions = missions_of_driver(actor.driver, actor.employer, timezone.now(), days=days)
        page = self.paginate_queryset(missions)
        answer = self.get_paginated_response(MyMissionSerializer(page, many=True).data)
        # Of the content: a site's new address does not change a mission's version.
        answer["ETag"] = _etag(answer.data)
        unchanged: Any = get_conditional_response(request, etag=answer["ETag"])
        return unchanged or answer


def _etag(content: object) -> str:
    return f'"{sha256(JSONRenderer().render(content)).hexdigest()[:32]}"'
