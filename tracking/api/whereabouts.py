"""Who was where: which drivers and trucks were in a circle or a box, and when."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.models import Role
from accounts.permissions import Allows
from accounts.refusals import Invalid
from accounts.serializers import Form, begins, ends
from missions.fields import DegreesField
from missions.stages import Stage
from tracking.api.tracks import NOT_STORED
from tracking.formats import rfc3339
from tracking.where_area import Area, Box, Circle
from tracking.where_bounds import LEAST_RADIUS_M, MOST_RADIUS_M, MOST_SIDE_M
from tracking.where_search import Sighting, looked_up
from tracking.where_visits import HOWS

EDGES: Final = ("west", "south", "east", "north")
POINT: Final = ("latitude", "longitude")


class WhereaboutsQuery(Form):
    """A circle (`latitude`, `longitude`, `radius_m`) or a box (four edges), and a time."""

    latitude = DegreesField(limit=90, required=False)
    longitude = DegreesField(limit=180, required=False)
    radius_m = serializers.IntegerField(
        min_value=LEAST_RADIUS_M, max_value=MOST_RADIUS_M, default=500
    )
    west = DegreesField(limit=180, required=False)
    south = DegreesField(limit=90, required=False)
    east = DegreesField(limit=180, required=False)
    north = DegreesField(
        limit=90,
        required=False,
        help_text=f"A box is at most {MOST_SIDE_M // 1000} km wide and high.",
    )
    begin = begins(help_text="Inclusive.")
    end = ends(help_text="Exclusive. 500 drivers can be searched for 24 hours, fewer for longer.")


class SeenDriverSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    number = serializers.CharField(allow_null=True)


class SeenStageSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    stage = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class VisitSerializer(serializers.Serializer[Any]):
    """One driver with one truck, without leaving in between."""

    driver = SeenDriverSerializer()
    truck = serializers.UUIDField(allow_null=True)
    truck_plate = serializers.CharField(allow_null=True)
    missions = serializers.ListField(child=serializers.UUIDField())
    began_at = serializers.DateTimeField(help_text="Never before `from`.")
    ended_at = serializers.DateTimeField(help_text="Never after `to`.")
    is_there_before = serializers.BooleanField()
    is_there_after = serializers.BooleanField()
    is_last = serializers.BooleanField(help_text="Nothing has come from the phone since.")
    evidence = serializers.ChoiceField(
        choices=HOWS,
        help_text="The best there is: a position inside, a stage marked inside, the positions "
        "around it inside, a leg between two positions that touches it, or the last position.",
    )
    positions = serializers.IntegerField(help_text="How many lie inside.")
    apart_m = serializers.FloatField(
        allow_null=True, help_text="How far the two positions of a leg are from each other."
    )
    nearest_m = serializers.FloatField(allow_null=True, help_text="Of a circle: to its centre.")
    nearest_at = serializers.DateTimeField()
    latitude = serializers.FloatField(help_text="Where it was nearest.")
    longitude = serializers.FloatField()
    stages = SeenStageSerializer(many=True)


class WhereaboutsSerializer(serializers.Serializer[Any]):
    results = VisitSerializer(many=True)


class Whereabouts(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    @extend_schema(
        operation_id="whereabouts", parameters=[WhereaboutsQuery], responses=WhereaboutsSerializer
    )
    def get(self, request: Request) -> Response:
        """Who was in a circle or a box between two moments, oldest first.

        Each driver in the answer is noted as looked at. Nothing is cut: more than 200 visits
        are a problem `too_many_visits`, and so is every other bound by its own name.
        """
        query = WhereaboutsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        if asked["begin"] >= asked["end"]:
            raise Invalid("to is not after from.", field="to")
        found = looked_up(
            actor_of(request), _area(asked), asked["begin"], asked["end"], timezone.now()
        )
        return Response({"results": [_visit(one) for one in found]}, headers=NOT_STORED)


def _area(asked: dict[str, Any]) -> Area:
    has_point = any(name in asked for name in POINT)
    has_box = any(name in asked for name in EDGES)
    if has_point == has_box:
        raise Invalid("Give latitude and longitude, or the four edges of a box.", field="latitude")
    missing = next((name for name in (POINT if has_point else EDGES) if name not in asked), None)
    if missing is not None:
        raise Invalid(f"{missing} is needed too.", field=missing, code="required")
    if has_point:
        return Circle(asked["latitude"], asked["longitude"], asked["radius_m"])
    if asked["west"] >= asked["east"]:
        raise Invalid("east is not east of west.", field="east")
    if asked["south"] >= asked["north"]:
        raise Invalid("north is not north of south.", field="north")
    return Box(*(asked[name] for name in EDGES))


def _visit(one: Sighting) -> dict[str, object]:
    visit, nearest = one.visit, one.visit.nearest
    return {
        "driver": {
            "id": one.driver.uuid,
            "name": one.driver.name,
            "number": one.driver.number,
        },
        "truck": one.truck.uuid if one.truck else None,
        "truck_plate": one.truck.plate if one.truck else None,
        "missions": [mission.uuid for mission in one.missions],
        "began_at": rfc3339(visit.began_at),
        "ended_at": rfc3339(visit.ended_at),
        "is_there_before": visit.is_there_before,
        "is_there_after": visit.is_there_after,
        "is_last": visit.is_last,
        "evidence": visit.how,
        "positions": sum(place.how == "position" for place in visit.positions),
        "apart_m": None if visit.best.apart_m is None else round(visit.best.apart_m, 1),
        "nearest_m": None if nearest.away_m is None else round(nearest.away_m, 1),
        "nearest_at": rfc3339(nearest.nearest_at),
        "latitude": round(nearest.point[0], 7),
        "longitude": round(nearest.point[1], 7),
        "stages": [
            {
                "id": event.uuid,
                "stage": Stage(event.stage).label,
                "recorded_at": rfc3339(event.recorded_at),
            }
            for event in one.stages
        ],
    }
