"""The fleet: where each driver was last, and how long ago."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.models import Role
from accounts.pagination import decode_cursor, encode_cursor, limit_of
from accounts.permissions import Allows
from accounts.refusals import Invalid
from tracking.api.tracks import NOT_STORED, PAGE
from tracking.fleet import NewestFix, newest_fixes
from tracking.formats import rfc3339
from tracking.ingest.sent import LABEL_BY_KIND
from tracking.models import E7

_INT4 = 1 << 31


class FleetDriverSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    number = serializers.CharField(allow_null=True)


class FleetRowSerializer(serializers.Serializer[Any]):
    """A driver's newest fix."""

    driver = FleetDriverSerializer()
    recorded_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    age_s = serializers.IntegerField(help_text="Since recorded_at.")
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    kind = serializers.CharField()
    accuracy_m = serializers.FloatField(allow_null=True)
    speed_mps = serializers.FloatField(allow_null=True)
    heading_deg = serializers.FloatField(allow_null=True)
    battery = serializers.FloatField(allow_null=True)
    truck = serializers.UUIDField(allow_null=True)
    truck_plate = serializers.CharField(allow_null=True)
    mission = serializers.UUIDField(allow_null=True)


class FleetSerializer(serializers.Serializer[Any]):
    results = FleetRowSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class Fleet(APIView):
    permission_classes = [Allows(Role.DISPATCHER)]

    @extend_schema(operation_id="fleet", parameters=PAGE, responses=FleetSerializer)
    def get(self, request: Request) -> Response:
        """The newest fix of each driver by `recorded_at`; drivers without any are left out."""
        limit, after = limit_of(request), _after(request)
        employer = actor_of(request).employer
        rows = newest_fixes(employer, timezone.now(), limit=limit + 1, after=after)
        url = None
        if len(rows) > limit:
            del rows[limit:]
            cursor = encode_cursor([rows[-1].driver_id])
            url = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        return Response(
            {"results": [_row(newest) for newest in rows], "next": url},
            headers=NOT_STORED | ({"Link": f'<{url}>; rel="next"'} if url else {}),
        )


def _after(request: Request) -> int:
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return 0
    (driver_id,) = decode_cursor(cursor, 1)
    if not isinstance(driver_id, int) or abs(driver_id) >= _INT4:
        raise Invalid("This is not a cursor of this list.", field="cursor")
    return driver_id


def _row(newest: NewestFix) -> dict[str, object]:
    fix = newest.fix
    return {
        "driver": {
            "id": newest.driver,
            "name": newest.driver_name,
            "number": newest.driver_number,
        },
        "recorded_at": rfc3339(fix.recorded_at),
        "received_at": rfc3339(fix.received_at),
        "age_s": newest.age_s,
        "latitude": fix.latitude_e7 / E7,
        "longitude": fix.longitude_e7 / E7,
        "kind": LABEL_BY_KIND[fix.kind],
        "accuracy_m": fix.accuracy_m,
        "speed_mps": fix.speed_mps,
        "heading_deg": fix.heading_deg,
        "battery": fix.battery,
        "truck": newest.truck,
        "truck_plate": newest.truck_plate,
        "mission": newest.mission,
    }
