"""What a stage says beyond its time and kind, word by word: what cannot be is left out. (pure)

A word that cannot be kept costs a warning, never the stage: the driver is owed the moment.
"""

from typing import Final

from missions.stages import SAID_BY_DRIVERS, UNDELIVERED
from tracking.ingest.sent import (
    EPOCH,
    MICROSECOND,
    LastKnown,
    Refusal,
    SentFix,
    StageWords,
)

MAX_TEXT: Final = 100  # characters of an external id, and of a phone's own id
MAX_NOTE: Final = 2_000
# Worse than this is as good as nowhere, and the column of a fix ends here.
WORST_ACCURACY_M: Final = 3_276.7

AT_EVENT: Final = "at_event"
LAST_KNOWN: Final = "last_known"
NONE: Final = "none"

PLACE_UNLIKELY: Final = Refusal("place_unlikely", "latitude and longitude are both 0")

Place = tuple[int, int]


def is_short(name: str | None) -> bool:
    """Whether it can be an id: PostgreSQL takes no NUL in text, and no id holds one either."""
    return name is None or (len(name) <= MAX_TEXT and "\0" not in name)


def place_e7(latitude: float, longitude: float) -> Place | Refusal:
    """A place in 1e-7 degrees, or why it is none. (A fix's is judged in line, for speed.)"""
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        return refused_place(latitude)
    place = round(latitude * 1e7), round(longitude * 1e7)
    return PLACE_UNLIKELY if place == (0, 0) else place


def refused_place(latitude: float) -> Refusal:
    """Which of the two is out of range."""
    if -90.0 <= latitude <= 90.0:
        return Refusal("longitude_out_of_range", "longitude must be within -180 and 180 degrees")
    return Refusal("latitude_out_of_range", "latitude must be within -90 and 90 degrees")


def place_at_event(sent: SentFix) -> Place | Refusal | None:
    """The place that was measured for a stage; None when it has none of its own.

    One that cannot be refuses the stage, as it would a fix: it is part of its key.
    """
    if sent.position_source not in (None, AT_EVENT):
        return None
    if sent.latitude is None and sent.longitude is None:
        return None
    if sent.latitude is None or sent.longitude is None:
        return Refusal("place_incomplete", "latitude and longitude go together")
    return place_e7(sent.latitude, sent.longitude)


def stage_words(sent: SentFix) -> tuple[StageWords, list[str]]:
    """What is kept of a stage's words, and a warning for each that is not."""
    warnings: list[str] = []
    last_known = None
    if sent.position_source not in (None, AT_EVENT, NONE):
        last_known = _last_known(sent, warnings)
    elif sent.position_source == NONE and sent.latitude is not None:
        warnings.append("position_left_out")
    words = StageWords(
        stop=_id(sent.stop, "stop_unknown", warnings),
        reason=sent.reason,
        ends_mission=sent.ends_mission is True,
        client_id=_id(sent.id, "id_invalid", warnings),
        note=_note(sent.note, warnings),
        result=_result(sent, warnings),
        last_known=last_known,
    )
    return words, warnings


def _id(name: str | None, warning: str, warnings: list[str]) -> str | None:
    if is_short(name):
        return name
    warnings.append(warning)
    return None


def _note(note: str | None, warnings: list[str]) -> str | None:
    """Never cut: half a sentence can say the opposite."""
    if note is None or (len(note) <= MAX_NOTE and "\0" not in note):
        return note
    warnings.append("note_too_long" if len(note) > MAX_NOTE else "note_invalid")
    return None


def _result(sent: SentFix, warnings: list[str]) -> str | None:
    """How the stop ended. It needs the stop, and unless all went well its reason."""
    warning = None
    if sent.result is None:
        return None
    if sent.result not in SAID_BY_DRIVERS:
        warning = "result_unknown"
    elif sent.stop is None:
        warning = "result_without_stop"
    elif sent.result in UNDELIVERED and sent.reason is None:
        warning = "result_without_reason"
    if warning is None:
        return sent.result
    warnings.append(warning)
    return None


def _last_known(sent: SentFix, warnings: list[str]) -> LastKnown | None:
    """A place that was measured before: without the moment of that it would pass for new."""
    latitude, longitude, measured_at = sent.latitude, sent.longitude, sent.position_recorded_at
    if (
        sent.position_source == LAST_KNOWN
        and latitude is not None
        and longitude is not None
        and measured_at is not None
        and EPOCH <= measured_at <= sent.recorded_at
    ):
        place = place_e7(latitude, longitude)
        if not isinstance(place, Refusal):
            measured_at_us = (measured_at - EPOCH) // MICROSECOND
            return LastKnown(measured_at_us, place[0], place[1], _accuracy_dm(sent.accuracy_m))
    warnings.append("position_left_out")
    return None


def _accuracy_dm(accuracy_m: float | None) -> int | None:
    if accuracy_m is None or not accuracy_m >= 0:  # NaN is neither
        return None
    return round(min(accuracy_m, WORST_ACCURACY_M) * 10)
