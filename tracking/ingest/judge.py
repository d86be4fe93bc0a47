"""Say of each sent fix whether it may be recorded, and why not. (pure)

Only the time, the place and the kind decide. An optional value that cannot be (a battery of
300 %, a negative speed) is left out and named as a warning: it must not cost the fix.
Times and places are never repaired. What depends on the driver or the employer (window,
spacing, route period) is decided in record.sql, with the rows locked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

from missions.stages import EXCEPTION_REASONS, Stage
from tracking.ingest.sent import (
    EPOCH,
    FIRST_DUTY_MARK_KIND,
    FIRST_STAGE_KIND,
    FLAG_MOCK,
    KIND_BY_LABEL,
    MICROSECOND,
    JudgedFix,
    Refusal,
    SentFix,
    fix_id_at,
    fix_id_without_place,
)
from tracking.ingest.stage_words import (
    MAX_TEXT,
    PLACE_UNLIKELY,
    WORST_ACCURACY_M,
    is_short,
    place_at_event,
    refused_place,
    stage_words,
)

# A phone's clock may run ahead by this much (network time is better; hand-set clocks are not).
MAX_AHEAD: Final = timedelta(minutes=10)

MAX_ACCURACY_M: Final = 1_000_000.0
MAX_SPEED_MPS: Final = 200.0  # 720 km/h: no truck; beyond it the sensor failed
MAX_ALTITUDE_M: Final = 10_000.0
MAX_ODOMETER_M: Final = 2_000_000_000.0  # two million kilometres, and fits the column


@dataclass(frozen=True, slots=True)
class AcceptedSpan:
    """The accepted range of `recorded_at`, in microseconds since 1970."""

    oldest_us: int
    newest_us: int


def accepted_span(now: datetime, max_fix_age_days: int) -> AcceptedSpan:
    """What is accepted at a moment: `max_fix_age_days` back and ten minutes ahead."""
    oldest = now - timedelta(days=max_fix_age_days)
    return AcceptedSpan((oldest - EPOCH) // MICROSECOND, (now + MAX_AHEAD - EPOCH) // MICROSECOND)


def judged(sent: SentFix, span: AcceptedSpan) -> JudgedFix | Refusal:
    """The fix as it may be recorded, or why it may not."""
    kind = KIND_BY_LABEL.get(sent.kind)
    if kind is None:
        return Refusal("kind_unknown", "kind is none of the documented kinds")
    recorded_at_us = (sent.recorded_at - EPOCH) // MICROSECOND
    if not span.oldest_us <= recorded_at_us <= span.newest_us:
        return _refused_time(recorded_at_us, span)
    if kind >= FIRST_STAGE_KIND:
        return _judged_mark(sent, kind, recorded_at_us)
    latitude, longitude = sent.latitude, sent.longitude
    if latitude is None or longitude is None:
        missing = "latitude" if latitude is None else "longitude"
        return Refusal(f"{missing}_missing", f"a fix of kind {sent.kind} needs a {missing}")
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        return refused_place(latitude)
    latitude_e7, longitude_e7 = round(latitude * 1e7), round(longitude * 1e7)
    if latitude_e7 == 0 and longitude_e7 == 0:
        return PLACE_UNLIKELY
    return _new_judged((
        recorded_at_us,
        fix_id_at(kind, latitude_e7, longitude_e7),
        kind,
        latitude_e7,
        longitude_e7,
        *_values(sent),
    ))  # fmt: skip


# Past the named constructor of the tuple, which takes a third of the whole judgement.
_new_judged: Final = JudgedFix._make


def _values(sent: SentFix) -> tuple[Any, ...]:
    """The rest of a JudgedFix: optional values in the units of the columns, and warnings."""
    accuracy_m, speed_mps, heading_deg = sent.accuracy_m, sent.speed_mps, sent.heading_deg
    battery, altitude_m, mission = sent.battery, sent.altitude_m, sent.mission
    if (
        (accuracy_m is None or 0.0 <= accuracy_m <= WORST_ACCURACY_M)
        and (speed_mps is None or 0.0 <= speed_mps <= MAX_SPEED_MPS)
        and (heading_deg is None or 0.0 <= heading_deg <= 360.0)
        and (battery is None or 0.0 <= battery <= 1.0)
        and (altitude_m is None or -MAX_ALTITUDE_M <= altitude_m <= MAX_ALTITUDE_M)
        and (mission is None or is_short(mission))
        and sent.odometer_m is None
    ):
        # Nearly every fix: all values can be.
        return (
            None if accuracy_m is None else round(accuracy_m * 10),
            None if speed_mps is None else round(speed_mps * 100),
            None if heading_deg is None else round(heading_deg * 10),
            None if battery is None else round(battery * 10_000),
            None if altitude_m is None else round(altitude_m, 1),
            None, FLAG_MOCK if sent.is_mock else None,
            mission, None, (),
        )  # fmt: skip
    return _checked_values(sent)


def _checked_values(sent: SentFix) -> tuple[Any, ...]:
    warnings: list[str] = []

    def scaled(name: str, value: float | None, *, low: float, high: float, by: int) -> int | None:
        if value is None:
            return None
        if isfinite(value) and low <= value <= high:
            return round(value * by)
        warnings.append(f"{name}_out_of_range")
        return None

    accuracy_m = sent.accuracy_m
    if accuracy_m is not None and WORST_ACCURACY_M < accuracy_m <= MAX_ACCURACY_M:
        accuracy_m = WORST_ACCURACY_M
    altitude_dm = scaled(
        "altitude_m", sent.altitude_m, low=-MAX_ALTITUDE_M, high=MAX_ALTITUDE_M, by=10
    )
    mission = sent.mission
    if not is_short(mission):
        mission = None
        warnings.append("mission_unknown")
    return (
        scaled("accuracy_m", accuracy_m, low=0, high=WORST_ACCURACY_M, by=10),
        scaled("speed_mps", sent.speed_mps, low=0, high=MAX_SPEED_MPS, by=100),
        scaled("heading_deg", sent.heading_deg, low=0, high=360, by=10),
        scaled("battery", sent.battery, low=0, high=1, by=10_000),
        None if altitude_dm is None else altitude_dm / 10,
        scaled("odometer_m", sent.odometer_m, low=0, high=MAX_ODOMETER_M, by=1),
        FLAG_MOCK if sent.is_mock else None,
        mission,
        None,
        tuple(warnings),
    )


def _judged_mark(sent: SentFix, kind: int, recorded_at_us: int) -> JudgedFix | Refusal:
    """A stage or duty mark: each is taken without a position too, and a duty mark has none."""
    refusal = _refused_reason(sent, kind)
    if refusal is not None:
        return refusal
    is_stage = kind < FIRST_DUTY_MARK_KIND
    place = place_at_event(sent) if is_stage else None
    if isinstance(place, Refusal):
        return place
    fix_id = (
        fix_id_at(kind, *place) if place else fix_id_without_place(kind, (sent.id or "")[:MAX_TEXT])
    )
    fix = JudgedFix(recorded_at_us, fix_id, kind, *(place or (None, None)), *_values(sent))
    if place is None:
        # The accuracy of a place that is not the fix's says nothing of it.
        fix = fix._replace(accuracy_dm=None)
    if not is_stage:
        return fix
    words, warnings = stage_words(sent)
    return fix._replace(stage=words, warnings=(*fix.warnings, *warnings))


def _refused_reason(sent: SentFix, kind: int) -> Refusal | None:
    if kind == Stage.EXCEPTION and sent.reason not in EXCEPTION_REASONS:
        return Refusal(
            "reason_unknown", f"an exception needs one of: {', '.join(EXCEPTION_REASONS)}"
        )
    if sent.reason is not None and sent.reason not in EXCEPTION_REASONS:
        return Refusal("reason_unknown", f"reason is none of: {', '.join(EXCEPTION_REASONS)}")
    return None


def _refused_time(recorded_at_us: int, span: AcceptedSpan) -> Refusal:
    if recorded_at_us > span.newest_us:
        return Refusal("recorded_at_in_future", "recorded_at is more than 10 minutes ahead")
    return Refusal("recorded_at_too_old", "recorded_at is older than this server accepts")
