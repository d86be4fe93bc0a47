"""Timelines and the times of stops as they leave through the API: shapes and rows.

Rows are plain dictionaries, as in serializers.py; the classes say the same to the schema.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, get_args

from rest_framework import serializers

from accounts.models import MarkSource
from missions.models import Signature, SiteCheck, StageEvent, StopResult
from missions.punctuality import Split
from missions.stages import STAGE_BY_LABEL
from tracking.amiss import Amiss, AmissType
from tracking.entries import Entry, Shift, Timeline
from tracking.formats import rfc3339
from tracking.moments import DEPARTURE, INSTANTS, SegmentType


class ShiftSerializer(serializers.Serializer[Any]):
    """Who drove from when to when."""

    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    driver = serializers.UUIDField(allow_null=True)
    availability = serializers.ChoiceField(choices=["available", "not_available", "erased"])


class CorrectionSerializer(serializers.Serializer[Any]):
    """What takes the place of a stage, who said so and why."""

    stage_event = serializers.UUIDField()
    recorded_at = serializers.DateTimeField()
    author = serializers.UUIDField(allow_null=True)
    remark = serializers.CharField()


class EntrySerializer(serializers.Serializer[Any]):
    """One entry of a timeline. Fields that say nothing for a type are left out there."""

    type = serializers.ChoiceField(choices=list(get_args(SegmentType)))
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    duration_s = serializers.IntegerField(
        help_text="Of a standstill: how long it stood on its leg, the driving taken off."
    )
    distance_m = serializers.FloatField()
    distance_method = serializers.ChoiceField(choices=["fixes", "odometer"])
    source = serializers.ChoiceField(  # type: ignore[assignment]  # its own word, like ours
        choices=["fixes", "driver", "automatic", "dispatcher"]
    )
    stop = serializers.UUIDField(allow_null=True)
    driver = serializers.UUIDField(allow_null=True)
    truck = serializers.UUIDField(allow_null=True)
    mission = serializers.UUIDField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    uncertainty_m = serializers.FloatField(allow_null=True)
    continues_before = serializers.BooleanField(help_text="It began before the day did.")
    continues_after = serializers.BooleanField(help_text="It went on into the next day.")
    received_at = serializers.DateTimeField(
        required=False,
        help_text="When it came in, where the two clocks differ by more than a minute.",
    )
    flagged_legs = serializers.IntegerField(
        required=False, help_text="Not believable, and not in distance_m."
    )
    is_open = serializers.BooleanField(required=False, help_text="dwell: no departure is known.")
    is_crawling = serializers.BooleanField(
        required=False, help_text="standstill: standing or crawling, it cannot be told."
    )
    mean_speed_mps = serializers.FloatField(required=False, allow_null=True, help_text="gap")
    standstill_possible = serializers.BooleanField(required=False, help_text="gap")
    stage = serializers.ChoiceField(required=False, choices=sorted(STAGE_BY_LABEL))
    stage_event = serializers.UUIDField(required=False, allow_null=True)
    position_source = serializers.ChoiceField(
        required=False, choices=["at_event", "last_known", "none"]
    )
    site_distance_m = serializers.FloatField(required=False, allow_null=True)
    site_check = serializers.ChoiceField(required=False, choices=SiteCheck.values)
    position_recorded_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When a last known position was measured."
    )
    accuracy_m = serializers.FloatField(required=False, allow_null=True)
    odometer_m = serializers.IntegerField(required=False, allow_null=True)
    reason = serializers.CharField(required=False)
    note = serializers.CharField(required=False, help_text="stage: what the driver wrote.")
    remark = serializers.CharField(
        required=False, help_text="Of a correction: why. Of a photo, signature or result: as said."
    )
    author = serializers.UUIDField(
        required=False, allow_null=True, help_text="The dispatcher who entered or corrected it."
    )
    ends_mission = serializers.BooleanField(required=False)
    corrects = serializers.UUIDField(
        required=False, allow_null=True, help_text="The stage event that it takes the place of."
    )
    is_superseded = serializers.BooleanField(
        required=False, help_text="stage: a later correction takes its place."
    )
    corrected_by = CorrectionSerializer(required=False, allow_null=True)
    planned_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Arrival or departure as planned."
    )
    window_start_at = serializers.DateTimeField(required=False, allow_null=True)
    window_end_at = serializers.DateTimeField(required=False, allow_null=True)
    delta_s = serializers.IntegerField(
        required=False, allow_null=True, help_text="After the planned time; positive is late."
    )
    on_time = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="An arrival within its window, else near its plan.",
    )
    waiting_s = serializers.IntegerField(required=False, allow_null=True, help_text="dwell")
    loading_s = serializers.IntegerField(required=False, allow_null=True, help_text="dwell")
    unloading_s = serializers.IntegerField(required=False, allow_null=True, help_text="dwell")
    paperwork_s = serializers.IntegerField(required=False, allow_null=True, help_text="dwell")
    detention_s = serializers.IntegerField(
        required=False, allow_null=True, help_text="dwell: what goes beyond the free time."
    )
    end_inferred = serializers.BooleanField(
        required=False, help_text="dwell: an end of (un)loading was not marked."
    )
    attachment = serializers.UUIDField(required=False)
    signature = serializers.UUIDField(required=False)
    kind = serializers.CharField(required=False, help_text="attachment: what it shows.")
    outcome = serializers.CharField(required=False, help_text="signature: what came of asking.")
    result = serializers.ChoiceField(required=False, choices=StopResult.choices)


class ExceptionSerializer(serializers.Serializer[Any]):
    """What the system noticed by itself; a driver's own exceptions are stages."""

    type = serializers.ChoiceField(choices=list(get_args(AmissType)))
    source = serializers.ChoiceField(choices=["automatic"])  # type: ignore[assignment]  # our word
    started_at = serializers.DateTimeField(allow_null=True, help_text="null: not happened yet.")
    ended_at = serializers.DateTimeField(allow_null=True)
    stop = serializers.UUIDField(allow_null=True)
    stage_event = serializers.UUIDField(allow_null=True)
    delta_s = serializers.IntegerField(
        allow_null=True, help_text="late, early: beside the last or first moment on time."
    )
    distance_m = serializers.FloatField(
        allow_null=True, help_text="far_from_site: from the site's point; gap: between its ends."
    )
    missing = serializers.ListField(child=serializers.ChoiceField(choices=["photo", "signature"]))
    count = serializers.IntegerField(allow_null=True, help_text="How many positions show it.")


class TimelineSerializer(serializers.Serializer[Any]):
    """A day or a mission: what it covers, how far, and its entries, oldest first."""

    timezone = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True, help_text="null: it never began.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="null: it is open.")
    distance_m = serializers.FloatField()
    distance_method = serializers.ChoiceField(
        choices=["fixes", "odometer"], help_text="By `fixes` it is a lower bound."
    )
    flagged_legs = serializers.IntegerField()
    last_fix_at = serializers.DateTimeField(allow_null=True)
    shifts = ShiftSerializer(many=True)
    entries = EntrySerializer(many=True)
    exceptions = ExceptionSerializer(many=True)


def timeline_data(timeline: Timeline) -> dict[str, object]:
    """A timeline as in TimelineSerializer."""
    return {
        "timezone": timeline.timezone,
        "started_at": time_text(timeline.started_at),
        "ended_at": time_text(timeline.ended_at),
        "distance_m": round(timeline.distance_m, 1),
        "distance_method": timeline.distance_method,
        "flagged_legs": timeline.flagged_legs,
        "last_fix_at": time_text(timeline.last_fix_at),
        "shifts": [_shift_data(shift) for shift in timeline.shifts],
        "entries": [_entry_data(entry) for entry in timeline.entries],
        "exceptions": exceptions_data(timeline.exceptions),
    }


def exceptions_data(found: Iterable[Amiss]) -> list[dict[str, object]]:
    """Exceptions as in ExceptionSerializer."""
    return [
        {
            "type": one.type,
            "source": MarkSource.AUTOMATIC,
            "started_at": time_text(one.started_at),
            "ended_at": time_text(one.ended_at),
            "stop": one.stop.uuid if one.stop else None,
            "stage_event": one.event.uuid if one.event else None,
            "delta_s": one.delta_s,
            "distance_m": None if one.distance_m is None else round(one.distance_m, 1),
            "missing": list(one.missing),
            "count": one.count,
        }
        for one in found
    ]


def time_text(at: datetime | None) -> str | None:
    """RFC 3339, or None."""
    return None if at is None else rfc3339(at)


def _shift_data(shift: Shift) -> dict[str, object]:
    return {
        "started_at": rfc3339(shift.started_at),
        "ended_at": rfc3339(shift.ended_at),
        "driver": shift.driver.uuid if shift.driver else None,
        "availability": shift.availability,
    }


def _entry_data(entry: Entry) -> dict[str, object]:
    segment = entry.segment
    data: dict[str, object] = {
        "type": segment.type,
        "started_at": rfc3339(segment.started_at),
        "ended_at": rfc3339(segment.ended_at),
        "duration_s": segment.duration_s,
        "distance_m": round(segment.distance_m, 1),
        "distance_method": segment.distance_method,
        "source": segment.source,
        "stop": entry.stop.uuid if entry.stop else None,
        "driver": entry.driver.uuid if entry.driver else None,
        "truck": entry.truck.uuid if entry.truck else None,
        "mission": entry.mission.uuid if entry.mission else None,
        "latitude": segment.latitude,
        "longitude": segment.longitude,
        "uncertainty_m": segment.uncertainty_m,
        "continues_before": entry.continues_before,
        "continues_after": entry.continues_after,
    }
    if entry.received_at is not None:
        data["received_at"] = rfc3339(entry.received_at)
    if segment.type in INSTANTS:
        return data | _INSTANTS[segment.type](entry)
    data["flagged_legs"] = segment.flagged_legs
    return data | _figures(entry)


def _figures(entry: Entry) -> dict[str, object]:
    """What only one type of segment has."""
    segment = entry.segment
    if segment.type == "dwell":
        return {"is_open": segment.is_open, "detention_s": entry.detention_s} | _split_data(entry)
    if segment.type == "standstill":
        return {"is_crawling": segment.is_crawling}
    if segment.type == "gap":
        return {
            "mean_speed_mps": segment.mean_speed_mps,
            "standstill_possible": segment.standstill_possible,
        }
    return {}


def _split_data(entry: Entry) -> dict[str, object]:
    split = entry.split or Split()
    return {
        "waiting_s": split.waiting_s,
        "loading_s": split.loading_s,
        "unloading_s": split.unloading_s,
        "paperwork_s": split.paperwork_s,
        "end_inferred": split.end_inferred,
    }


def _stage_data(entry: Entry) -> dict[str, object]:
    segment, event = entry.segment, entry.event
    data: dict[str, object] = {"stage": segment.kind, "is_superseded": entry.is_superseded}
    if event is None:
        return data | {"stage_event": None, "position_source": "at_event"}
    return data | _event_data(event) | _compared_data(entry) | _correction_data(entry)


def _event_data(event: StageEvent) -> dict[str, object]:
    return {
        "latitude": event.latitude,
        "longitude": event.longitude,
        "uncertainty_m": event.accuracy_m,
        "accuracy_m": event.accuracy_m,
        "stage_event": event.uuid,
        "position_source": event.position_source,
        "position_recorded_at": time_text(event.position_recorded_at),
        "site_distance_m": event.site_distance_m,
        "site_check": event.site_check,
        "odometer_m": event.odometer_m,
        "reason": event.reason,
        "note": event.note,
        "remark": event.remark,
        "ends_mission": event.ends_mission,
        "author": event.author.uuid if event.author else None,
        "corrects": event.corrects.uuid if event.corrects else None,
    }


def _compared_data(entry: Entry) -> dict[str, object]:
    compared, stop = entry.compared, entry.stop
    if compared is None or stop is None:
        return {}
    data: dict[str, object] = {
        "planned_at": time_text(compared.planned_at),
        "delta_s": compared.delta_s,
    }
    if entry.segment.kind == DEPARTURE:
        return data
    return data | {
        "window_start_at": time_text(stop.window_start_at),
        "window_end_at": time_text(stop.window_end_at),
        "on_time": compared.on_time,
    }


def _correction_data(entry: Entry) -> dict[str, object]:
    by = entry.corrected_by
    if by is None:
        return {}
    return {
        "corrected_by": {
            "stage_event": by.uuid,
            "recorded_at": rfc3339(by.recorded_at),
            "author": by.author.uuid if by.author else None,
            "remark": by.remark,
        }
    }


def _proof_data(entry: Entry) -> dict[str, object]:
    """A photo or a signature, without its file: a link to that is made at the click."""
    proof = entry.proof
    if proof is None:
        return {}
    data: dict[str, object] = {
        "stage_event": entry.event.uuid if entry.event else None,
        "position_source": proof.position_source,
        "accuracy_m": proof.accuracy_m,
        "remark": proof.remark,
    }
    if not isinstance(proof, Signature):
        return data | {"attachment": proof.uuid, "kind": proof.kind}
    return data | {
        "signature": proof.uuid,
        "outcome": proof.outcome,
        "site_distance_m": proof.site_distance_m,
        "site_check": proof.site_check,
    }


def _result_data(entry: Entry) -> dict[str, object]:
    stop = entry.stop
    if stop is None:
        return {}
    return {"result": stop.result, "reason": stop.result_reason, "remark": stop.remark}


_INSTANTS: Final = {
    "stage": _stage_data,
    "attachment": _proof_data,
    "signature": _proof_data,
    "result": _result_data,
}
