"""Say of each sent fix whether it may be recorded, and why not. (pure)

Only the time, the place and the kind decide. An optional value that cannot be (a battery of
300 %, a negative speed) is left out and named as a warning: it must not cost the fix.
Times and places are never repaired. What depends on the driver or the employer (window,
spacing, route period) is decided in record.sql, with the rows locked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

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

# A phone's clock may run ahead by this much (network time is better; hand-set clocks are not).
MAX_AHEAD: Final = timedelta(minutes=10)

MAX_ACCURACY_M: Final = 100_000.0
MAX_SPEED_MPS: Final = 200.0  # 720 km/h: no truck; beyond it the sensor failed
MAX_ALTITUDE_M: Final = 10_000.0
MAX_ODOMETER_M: Final = 2_000_000_000.0  # two million kilometres, and fits the column
MAX_TEXT: Final = 100  # characters of an external id


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
        refusal = _refused_mark(sent, kind)
        if refusal is not None:
            return refusal
    latitude, longitude = sent.latitude, sent.longitude
    if latitude is None or longitude is None or kind >= FIRST_DUTY_MARK_KIND:
        return _judged_without_place(sent, kind, recorded_at_us)
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        return _refused_place(latitude)
    latitude_e7, longitude_e7 = round(latitude * 1e7), round(longitude * 1e7)
    if latitude_e7 == 0 and longitude_e7 == 0:
        return Refusal("place_unlikely", "latitude and longitude are both 0")
    fix_id = fix_id_at(kind, latitude_e7, longitude_e7)
    return _with_values(sent, JudgedFix(
        recorded_at_us, fix_id, kind, latitude_e7, longitude_e7,
        sent.accuracy_m, sent.speed_mps, sent.heading_deg, sent.battery, sent.altitude_m,
        None, FLAG_MOCK if sent.is_mock else None,
        sent.mission, sent.stop, sent.reason, sent.ends_mission is True, (),
    ))  # fmt: skip


def _with_values(sent: SentFix, fix: JudgedFix) -> JudgedFix:
    """The fix with its optional values where they can be, and a warning where they cannot."""
    accuracy_m, speed_mps, heading_deg = sent.accuracy_m, sent.speed_mps, sent.heading_deg
    battery, altitude_m, odometer_m = sent.battery, sent.altitude_m, sent.odometer_m
    if odometer_m is None and (
        (accuracy_m is None or 0.0 <= accuracy_m <= MAX_ACCURACY_M)
        and (speed_mps is None or 0.0 <= speed_mps <= MAX_SPEED_MPS)
        and (heading_deg is None or 0.0 <= heading_deg <= 360.0)
        and (battery is None or 0.0 <= battery <= 1.0)
        and (altitude_m is None or -MAX_ALTITUDE_M <= altitude_m <= MAX_ALTITUDE_M)
        and _is_short(sent.mission)
        and _is_short(sent.stop)
    ):
        return fix  # nearly every fix: all values can be, and nothing is copied
    return _with_checked_values(sent, fix)


def _with_checked_values(sent: SentFix, fix: JudgedFix) -> JudgedFix:
    kept: dict[str, float | None] = {}
    warnings = []
    for name, value, low, high in (
        ("accuracy_m", sent.accuracy_m, 0.0, MAX_ACCURACY_M),
        ("speed_mps", sent.speed_mps, 0.0, MAX_SPEED_MPS),
        ("heading_deg", sent.heading_deg, 0.0, 360.0),
        ("battery", sent.battery, 0.0, 1.0),
        ("altitude_m", sent.altitude_m, -MAX_ALTITUDE_M, MAX_ALTITUDE_M),
        ("odometer_m", sent.odometer_m, 0.0, MAX_ODOMETER_M),
    ):
        can_be = value is None or (isfinite(value) and low <= value <= high)
        kept[name] = value if can_be else None
        if not can_be:
            warnings.append(f"{name}_out_of_range")
    odometer_m = kept["odometer_m"]
    mission, stop = sent.mission, sent.stop
    if not _is_short(mission):
        mission = None
        warnings.append("mission_unknown")
    if not _is_short(stop):
        stop = None
        warnings.append("stop_unknown")
    return fix._replace(
        accuracy_m=kept["accuracy_m"],
        speed_mps=kept["speed_mps"],
        heading_deg=kept["heading_deg"],
        battery=kept["battery"],
        altitude_m=kept["altitude_m"],
        odometer_m=None if odometer_m is None else int(odometer_m),
        mission=mission,
        stop=stop,
        warnings=tuple(warnings),
    )


def _judged_without_place(sent: SentFix, kind: int, recorded_at_us: int) -> JudgedFix | Refusal:
    """A stage or duty mark without a position is taken and says so; a fix needs one."""
    if kind < FIRST_STAGE_KIND:
        missing = "latitude" if sent.latitude is None else "longitude"
        return Refusal(f"{missing}_missing", f"a fix of kind {sent.kind} needs a {missing}")
    if kind < FIRST_DUTY_MARK_KIND and (sent.latitude is None) != (sent.longitude is None):
        return Refusal("place_incomplete", "latitude and longitude go together")
    fix_id = fix_id_without_place(kind, (sent.id or "")[:MAX_TEXT])
    return _with_values(sent, JudgedFix(
        recorded_at_us, fix_id, kind, None, None, None, None, None, None, None, None, None,
        sent.mission, sent.stop, sent.reason, sent.ends_mission is True, (),
    ))._replace(accuracy_m=None, speed_mps=None, heading_deg=None, altitude_m=None)  # fmt: skip


def _refused_mark(sent: SentFix, kind: int) -> Refusal | None:
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


def _refused_place(latitude: float) -> Refusal:
    if -90.0 <= latitude <= 90.0:
        return Refusal("longitude_out_of_range", "longitude must be within -180 and 180 degrees")
    return Refusal("latitude_out_of_range", "latitude must be within -90 and 90 degrees")


def _is_short(name: str | None) -> bool:
    # PostgreSQL takes no NUL in text; no external id holds one either.
    return name is None or (len(name) <= MAX_TEXT and "\0" not in name)
