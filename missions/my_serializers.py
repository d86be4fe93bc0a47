"""Missions as the driver's phone gets them: where to go, and what is wanted there."""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Truck
from missions.fields import OpeningHoursField
from missions.models import Mission, Site
from missions.serializers import StopSerializer
from missions.stop_warnings import site_zone


class MySiteSerializer(serializers.ModelSerializer[Site]):
    """Where to go, when it is open (in `timezone`), and whom to ask for."""

    id = serializers.UUIDField(source="uuid", read_only=True)
    timezone = serializers.SerializerMethodField()
    opening_hours = OpeningHoursField(read_only=True)

    class Meta:
        model = Site
        fields: ClassVar = [
            "id",
            "name",
            "kind",
            "address",
            "country",
            "latitude",
            "longitude",
            "radius_m",
            "timezone",
            "language",
            "opening_hours",
            "contact_name",
            "contact_phone",
        ]
        read_only_fields = fields

    def get_timezone(self, site: Site) -> str:
        return str(site_zone(site))


# What is between the dispatcher and the customer.
NOT_FOR_DRIVERS: Final = frozenset({"free_time_s", "warnings"})


class MyStopSerializer(StopSerializer):
    site = MySiteSerializer(read_only=True, allow_null=True)  # type: ignore[assignment]

    class Meta(StopSerializer.Meta):
        fields: ClassVar = [
            name for name in StopSerializer.Meta.fields if name not in NOT_FOR_DRIVERS
        ]
        read_only_fields = fields


class MyTruckSerializer(serializers.ModelSerializer[Truck]):
    id = serializers.UUIDField(source="uuid", read_only=True)

    class Meta:
        model = Truck
        fields: ClassVar = ["id", "plate", "name"]
        read_only_fields = fields


# Wants `my_assignments` prefetched, the driver's own in the order of their ids, and `stops`.
class MyMissionSerializer(serializers.ModelSerializer[Mission]):
    """A mission as its driver sees it: where to go, and nobody else's part in it."""

    id = serializers.UUIDField(source="uuid", read_only=True)
    truck = serializers.SerializerMethodField()
    stops = MyStopSerializer(many=True, read_only=True)

    class Meta:
        model = Mission
        fields: ClassVar = [
            "id",
            "external_id",
            "reference",
            "status",
            "truck",
            "planned_start_at",
            "planned_end_at",
            "opened_at",
            "ended_at",
            "stops",
            "version",
        ]
        read_only_fields = fields

    @extend_schema_field(MyTruckSerializer(allow_null=True))
    def get_truck(self, mission: Mission) -> Any:
        truck = mission.my_assignments[-1].truck  # type: ignore[attr-defined]
        return MyTruckSerializer(truck).data if truck else None
