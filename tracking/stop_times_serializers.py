"""The times of stops as they leave through the API: the shape, and the rows themselves."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from missions.models import SiteCheck, StopResult
from tracking.amiss import Amiss
from tracking.stop_times import StopTimes
from tracking.timeline_serializers import ExceptionSerializer, exceptions_data, time_text


class StopTimesSerializer(serializers.Serializer[Any]):
    """A stop as planned and as it was.

    Of several visits the figures are those of the last one in which work was done. Seconds
    are whole; a delta is positive when late. null: not planned, not happened, or the stages
    contradict each other.
    """

    stop = serializers.UUIDField()
    seq = serializers.IntegerField()
    site = serializers.UUIDField(allow_null=True)
    window_start_at = serializers.DateTimeField(allow_null=True)
    window_end_at = serializers.DateTimeField(allow_null=True)
    planned_arrival_at = serializers.DateTimeField(allow_null=True)
    planned_departure_at = serializers.DateTimeField(allow_null=True)
    planned_service_s = serializers.IntegerField(allow_null=True)
    free_time_s = serializers.IntegerField(allow_null=True)
    arrived_at = serializers.DateTimeField(allow_null=True)
    departed_at = serializers.DateTimeField(allow_null=True)
    arrival_delta_s = serializers.IntegerField(allow_null=True)
    departure_delta_s = serializers.IntegerField(allow_null=True)
    on_time = serializers.BooleanField(
        allow_null=True, help_text="Within the window, else near the planned arrival."
    )
    waiting_s = serializers.IntegerField(
        allow_null=True, help_text="From the arrival to the first start of (un)loading."
    )
    loading_s = serializers.IntegerField(allow_null=True)
    unloading_s = serializers.IntegerField(allow_null=True)
    paperwork_s = serializers.IntegerField(
        allow_null=True, help_text="From the last end of (un)loading to the departure."
    )
    dwell_s = serializers.IntegerField(allow_null=True)
    detention_s = serializers.IntegerField(
        allow_null=True, help_text="What of the dwell goes beyond the free time."
    )
    end_inferred = serializers.BooleanField(
        help_text="An end of (un)loading was not marked: the signature, else the departure."
    )
    visit_count = serializers.IntegerField()
    site_distance_m = serializers.FloatField(allow_null=True)
    accuracy_m = serializers.FloatField(allow_null=True)
    site_check = serializers.ChoiceField(choices=SiteCheck.values)
    result = serializers.ChoiceField(choices=StopResult.choices, allow_blank=True)
    result_reason = serializers.CharField(allow_blank=True)
    remark = serializers.CharField(allow_blank=True)
    otif = serializers.BooleanField(allow_null=True, help_text="On time in full.")
    photo_count = serializers.IntegerField()
    signature_count = serializers.IntegerField()
    requires_photo = serializers.BooleanField()
    requires_signature = serializers.BooleanField()
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=["photo", "signature"]),
        help_text="Required and not there yet.",
    )
    exceptions = ExceptionSerializer(many=True)


class MissionTimesSerializer(serializers.Serializer[Any]):
    """All stops of a mission, in their order."""

    timezone = serializers.CharField(help_text="The employer's.")
    results = StopTimesSerializer(many=True)


def stop_times_data(row: StopTimes, found: Iterable[Amiss]) -> dict[str, object]:
    """One stop as in StopTimesSerializer, with what is amiss there."""
    stop = row.stop
    return {
        "stop": stop.uuid,
        "seq": stop.seq,
        "site": stop.site.uuid if stop.site else None,
        "window_start_at": time_text(row.window_start_at),
        "window_end_at": time_text(row.window_end_at),
        "planned_arrival_at": time_text(row.planned_arrival_at),
        "planned_departure_at": time_text(row.planned_departure_at),
        "planned_service_s": stop.planned_service_s,
        "free_time_s": stop.free_time_s,
        "arrived_at": time_text(row.arrived_at),
        "departed_at": time_text(row.departed_at),
        "arrival_delta_s": row.arrival_delta_s,
        "departure_delta_s": row.departure_delta_s,
        "on_time": row.on_time,
        "waiting_s": row.waiting_s,
        "loading_s": row.loading_s,
        "unloading_s": row.unloading_s,
        "paperwork_s": row.paperwork_s,
        "dwell_s": row.dwell_s,
        "detention_s": row.detention_s,
        "end_inferred": row.end_inferred,
        "visit_count": row.visit_count,
        "site_distance_m": row.site_distance_m,
        "accuracy_m": row.accuracy_m,
        "site_check": row.site_check,
        "result": row.result,
        "result_reason": row.result_reason,
        "remark": row.remark,
        "otif": row.otif,
        "photo_count": row.photo_count,
        "signature_count": row.signature_count,
        "requires_photo": stop.requires_photo,
        "requires_signature": stop.requires_signature,
        "missing": list(row.missing),
        "exceptions": exceptions_data(one for one in found if one.stop == stop),
    }
