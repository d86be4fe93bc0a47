"""Missions, stops, stages and sites as JSON: what the API answers."""

from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.drivers import visible_id
from accounts.employers import is_zone
from accounts.models import Driver, Truck
from accounts.serializers import LANGUAGES, Form, SpanSerializer, UuidOf
from missions.fields import (
    AmountField,
    DegreesField,
    OpeningHoursField,
    OwnField,
    StageField,
)
from missions.goods import LINE_FIELDS
from missions.models import GoodsLine, Mission, MissionAssignment, Site, StageEvent, Stop
from missions.running import running_of, truck_of
from missions.stop_warnings import OUTSIDE_HOURS, stop_warnings


class SiteSerializer(serializers.ModelSerializer[Site]):
    id = serializers.UUIDField(source="uuid", read_only=True)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, help_text="ISO 3166-1 alpha-2")
    latitude = DegreesField(limit=90, required=False, allow_null=True)
    longitude = DegreesField(limit=180, required=False, allow_null=True)
    radius_m = serializers.IntegerField(min_value=1, max_value=50_000, required=False)
    language = serializers.ChoiceField(
        LANGUAGES,
        required=False,
        allow_blank=True,
        help_text="Of the people there: the proof of delivery is written in it.",
    )
    opening_hours = OpeningHoursField(required=False)

    class Meta:
        model = Site
        fields: ClassVar = [
            "id",
            "external_id",
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
        extra_kwargs: ClassVar = {"external_id": {"allow_blank": False}}

    def validate_timezone(self, value: str) -> str:
        if value and not is_zone(value):
            raise serializers.ValidationError(f"There is no time zone {value!r}.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = ("latitude", "longitude")
        point = [attrs.get(name, getattr(self.instance, name, None)) for name in names]
        if point.count(None) == 1:
            raise serializers.ValidationError("A site has a latitude and a longitude, or neither.")
        return attrs


class GoodsSerializer(serializers.ModelSerializer[GoodsLine]):
    id = serializers.UUIDField(source="uuid", read_only=True)
    quantity = AmountField(least=Decimal(0), read_only=True)
    weight_kg = AmountField(least=Decimal(0), read_only=True, allow_null=True)

    class Meta:
        model = GoodsLine
        fields: ClassVar = ["id", *LINE_FIELDS]
        read_only_fields = fields


# Wants `site__employer` joined and `goods` prefetched.
class StopSerializer(serializers.ModelSerializer[Stop]):
    id = serializers.UUIDField(source="uuid", read_only=True)
    site = OwnField[Site](read_only=True, allow_null=True)
    # Plain text here: one list of reasons under two names would make two in the schema.
    result_reason = serializers.CharField(read_only=True)
    goods = GoodsSerializer(many=True, read_only=True)
    warnings = serializers.SerializerMethodField()

    class Meta:
        model = Stop
        fields: ClassVar = [
            "id",
            "seq",
            "external_id",
            "site",
            "purpose",
            "window_start_at",
            "window_end_at",
            "planned_arrival_at",
            "planned_departure_at",
            "planned_service_s",
            "free_time_s",
            "reference",
            "contact_name",
            "contact_phone",
            "requires_signature",
            "requires_photo",
            "goods",
            "result",
            "result_reason",
            "result_at",
            "result_source",
            "remark",
            "warnings",
        ]
        read_only_fields = fields

    @extend_schema_field(
        serializers.ListField(
            child=serializers.ChoiceField([OUTSIDE_HOURS]),
            help_text="What does not fit in the plan; nothing is refused for it.",
        )
    )
    def get_warnings(self, stop: Stop) -> list[str]:
        return stop_warnings(stop)


class AssignmentSerializer(Form):
    """Who drives in `[from, to)`; null has no bound.

    The driver is null when not available; after an erasure `erased_driver` keeps two
    erased ones apart.
    """

    id = serializers.UUIDField(source="uuid")
    driver = serializers.SerializerMethodField()
    erased_driver = serializers.UUIDField(allow_null=True)
    truck = UuidOf("truck", allow_null=True)
    begin = serializers.DateTimeField(source="period.lower", allow_null=True)
    end = serializers.DateTimeField(source="period.upper", allow_null=True)

    def get_driver(self, assignment: MissionAssignment) -> str | None:
        return visible_id(assignment.driver)


class CorrectedAssignmentSerializer(Form):
    """The assignment as it is now, and whose fixes were linked by the old one."""

    assignment = AssignmentSerializer()
    relink = SpanSerializer(source="spans", many=True)


# Wants `assignments` prefetched in the order of their ids, and `stops` in theirs.
class MissionSerializer(serializers.ModelSerializer[Mission]):
    """`driver` and `truck` are those of the newest assignment; `assignments` has them all."""

    id = serializers.UUIDField(source="uuid", read_only=True)
    driver = serializers.SerializerMethodField()
    truck = serializers.SerializerMethodField()
    assignments = AssignmentSerializer(many=True, read_only=True)
    stops = StopSerializer(many=True, read_only=True)

    class Meta:
        model = Mission
        fields: ClassVar = [
            "id",
            "external_id",
            "reference",
            "status",
            "driver",
            "truck",
            "planned_start_at",
            "planned_end_at",
            "opened_at",
            "ended_at",
            "ended_source",
            "ecmr_number",
            "assignments",
            "stops",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_driver(self, mission: Mission) -> str | None:
        running = running_of(mission)
        return visible_id(running.driver) if running else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_truck(self, mission: Mission) -> str | None:
        truck = truck_of(mission)
        return str(truck.uuid) if truck else None


class ChangedFieldSerializer(Form):
    """One field that somebody changed: a JSON pointer into `current`, who and when."""

    pointer = serializers.CharField()
    action = serializers.CharField()
    at = serializers.DateTimeField()
    version = serializers.IntegerField()
    actor_kind = serializers.CharField()
    actor = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(help_text="of the person or the API key")


class StageSerializer(serializers.ModelSerializer[StageEvent]):
    """A stage with its own position, as far as it may be shown.

    A driver who was erased, or is not available, is null and so are the places and the note.
    """

    id = serializers.UUIDField(source="uuid", read_only=True)
    stage = StageField(read_only=True)
    driver = OwnField[Driver](read_only=True, allow_null=True)
    truck = OwnField[Truck](read_only=True, allow_null=True)
    stop = OwnField[Stop](read_only=True, allow_null=True)
    corrects = OwnField[StageEvent](read_only=True, allow_null=True)
    author = OwnField[Any](read_only=True, allow_null=True)

    class Meta:
        model = StageEvent
        fields: ClassVar = [
            "id",
            "stage",
            "recorded_at",
            "received_at",
            "client_id",
            "driver",
            "truck",
            "stop",
            "latitude",
            "longitude",
            "accuracy_m",
            "odometer_m",
            "position_source",
            "position_recorded_at",
            "site_distance_m",
            "site_check",
            "reason",
            "result",
            "note",
            "remark",
            "ends_mission",
            "source",
            "corrects",
            "is_retraction",
            "author",
        ]
        read_only_fields = fields

    def to_representation(self, instance: StageEvent) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if instance.driver is None or instance.driver.frozen_at is not None:
            shown |= dict.fromkeys(("driver", "latitude", "longitude", "accuracy_m", "note"))
        return shown
