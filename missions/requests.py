"""What the API of missions takes, checked field by field, and as a plan for the rules."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.models import Truck
from accounts.serializers import Form, begins, ends
from missions.fields import (
    AmountField,
    BoundedListField,
    DriverField,
    MomentField,
    OwnField,
    SiteField,
    StageField,
    WholeFields,
)
from missions.goods import GoodsPlan, numbered
from missions.models import MissionStatus, Site, StopPurpose, StopResult
from missions.planning import MOST_STOPS, MissionPlan, StopPlan
from missions.stages import EXCEPTION_REASONS, SAID_BY_DRIVERS

MOST_GOODS = 500
# Nobody is asked to stay longer; a number past it is milliseconds, or a slip.
LONGEST_VISIT_S = 7 * 86400


def _seconds(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_VISIT_S,
        required=False,
        allow_null=True,
        help_text=help_text,
    )


class GoodsFields(WholeFields):
    """A line of goods; without a number it has the one after the line before."""

    line_no = serializers.IntegerField(min_value=1, max_value=9999, required=False, allow_null=True)
    description = serializers.CharField(max_length=300)
    quantity = AmountField(least=Decimal("0.001"))
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    weight_kg = AmountField(least=Decimal(0), required=False, allow_null=True)
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True)


class StopFields(serializers.Serializer[Any]):
    """A stop as it is asked for. `goods` are all its lines: they replace those it has."""

    external_id = serializers.CharField(max_length=100, required=False, allow_null=True)
    site = SiteField(Site.objects.all(), required=False, allow_null=True)
    purpose = serializers.ChoiceField(StopPurpose.choices, required=False)
    window_start_at = MomentField(required=False, allow_null=True)
    window_end_at = MomentField(required=False, allow_null=True)
    planned_arrival_at = MomentField(required=False, allow_null=True)
    planned_departure_at = MomentField(required=False, allow_null=True)
    planned_service_s = _seconds("How long the visit may take.")
    free_time_s = _seconds("How much of the visit is not billed.")
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True)
    contact_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    contact_phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    requires_signature = serializers.BooleanField(required=False)
    requires_photo = serializers.BooleanField(required=False)
    remark = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    goods = BoundedListField(child=GoodsFields(), required=False, max_length=MOST_GOODS)

    def validate_goods(self, lines: list[dict[str, Any]]) -> list[GoodsPlan]:
        plans = [GoodsPlan(**line) for line in lines]
        seen: set[int] = set()
        for index, (line_no, _) in enumerate(numbered(plans)):
            if line_no in seen:
                detail = f"Another line has the number {line_no}."
                raise serializers.ValidationError({str(index): {"line_no": [detail]}})
            seen.add(line_no)
        return plans

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for first, then in (
            ("window_start_at", "window_end_at"),
            ("planned_arrival_at", "planned_departure_at"),
        ):
            stored = (getattr(self.instance, name, None) for name in (first, then))
            begin, end = map(attrs.get, (first, then), stored)
            if begin and end and end < begin:
                raise serializers.ValidationError({then: f"This is before {first}."})
        return attrs

    def plan(self) -> StopPlan:
        return StopPlan(**self.validated_data)


class MissionFields(serializers.Serializer[Any]):
    """What can be said of a mission, when it is made and later."""

    reference = serializers.CharField(max_length=200, required=False, allow_blank=True)
    driver = DriverField(required=False, allow_null=True)
    truck = OwnField(Truck.objects.all(), required=False, allow_null=True)
    planned_start_at = MomentField(required=False, allow_null=True)
    planned_end_at = MomentField(required=False, allow_null=True)
    ecmr_number = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_draft = serializers.BooleanField(required=False)


class NewMission(MissionFields):
    external_id = serializers.CharField(max_length=100, required=False, allow_null=True)
    stops = BoundedListField(child=StopFields(), required=False, max_length=MOST_STOPS)

    def validate_stops(self, stops: list[dict[str, Any]]) -> list[dict[str, Any]]:
        named = [stop["external_id"] for stop in stops if stop.get("external_id")]
        if len(named) != len(set(named)):
            raise serializers.ValidationError("Two stops have the same external_id.")
        return stops

    def plan(self) -> MissionPlan:
        fields = dict(self.validated_data)
        stops = fields.pop("stops", None)
        plans = None if stops is None else tuple(StopPlan(**stop) for stop in stops)
        return MissionPlan(stops=plans, **fields)


class AssignRequest(serializers.Serializer[Any]):
    """Without a truck, the planned one, else whatever truck the driver is assigned to."""

    driver = DriverField()
    truck = OwnField(Truck.objects.all(), required=False, allow_null=True)


class HandOverRequest(AssignRequest):
    """From `at` on, default now. Without `truck`, the truck goes along."""

    at = MomentField(required=False)


class TruckRequest(serializers.Serializer[Any]):
    truck = OwnField(Truck.objects.all(), allow_null=True)
    at = MomentField(required=False)


class MomentRequest(serializers.Serializer[Any]):
    """`at`, default now."""

    at = MomentField(required=False)


class ResultRequest(serializers.Serializer[Any]):
    """How a stop ended, at `at`, default now. Failed and partial results have a reason."""

    result = serializers.ChoiceField(StopResult.choices)
    reason = serializers.ChoiceField(EXCEPTION_REASONS, required=False, allow_blank=True)
    remark = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    at = MomentField(required=False)


class OrderRequest(serializers.Serializer[Any]):
    """All stops of the mission, in their new order."""

    stops = BoundedListField(child=serializers.UUIDField(), max_length=MOST_STOPS)


class NewStage(serializers.Serializer[Any]):
    """A stage that a dispatcher enters; `corrects` names the stage that it puts right.

    With `is_retraction` that stage did not happen, and nothing else need be said but why.
    """

    stage = StageField(required=False, help_text="Needed, except for a retraction.")
    recorded_at = MomentField(required=False, help_text="Needed, except for a retraction.")
    stop = serializers.UUIDField(required=False, allow_null=True)
    reason = serializers.ChoiceField(EXCEPTION_REASONS, required=False, allow_blank=True)
    remark = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    ends_mission = serializers.BooleanField(required=False)
    corrects = serializers.UUIDField(required=False, allow_null=True)
    is_retraction = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = ("corrects",) if attrs["is_retraction"] else ("stage", "recorded_at")
        missing = [name for name in needed if attrs.get(name) is None]
        if missing:
            required = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError(dict.fromkeys(missing, required), "required")
        return attrs


class NewCorrection(serializers.Serializer[Any]):
    """What a driver says of a stage of their own: what is not named stays as it was."""

    client_id = serializers.CharField(max_length=100, help_text="The phone's own, once each.")
    reason = serializers.CharField(max_length=2000, help_text="Why it is corrected.")
    is_retraction = serializers.BooleanField(default=False, help_text="It did not happen.")
    stage = StageField(required=False)
    recorded_at = MomentField(required=False)
    stop = serializers.UUIDField(required=False, allow_null=True)
    exception_reason = serializers.ChoiceField(EXCEPTION_REASONS, required=False)
    result = serializers.ChoiceField(SAID_BY_DRIVERS, required=False, allow_blank=True)
    ends_mission = serializers.BooleanField(required=False)


class AssignmentChange(Form):
    """What was true all along. `from` moves the end of the assignment before along."""

    driver = DriverField(required=False)
    truck = OwnField(Truck.objects.all(), required=False, allow_null=True)
    begin = begins(required=False)


class MissionFilter(Form):
    """Which missions; `from` and `to`: those open, else planned, at some moment between."""

    status = serializers.MultipleChoiceField(choices=MissionStatus.choices, required=False)
    driver = serializers.UUIDField(required=False)
    truck = serializers.UUIDField(required=False)
    begin = begins(required=False)
    end = ends(required=False)
    q = serializers.CharField(
        max_length=200,
        required=False,
        help_text="Part of a reference, an external id, a site, its address, a driver or a plate.",
    )


class MyMissionsFilter(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=0,
        max_value=31,
        default=7,
        help_text="How many days after today. What has started is there in any case.",
    )
