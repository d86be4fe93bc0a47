"""The Traccar server's own cases of moving and standing, beside what we make of them.

Read from the shared vectors at test time; without them the table of tests/tracking/dwell_cases.py
holds equivalents of our own. Their positions become distance fixes on the equator: we look at
places and times only, never at a speed the phone claims.
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from tests.tracking.tracks import DEGREES_PER_M
from tracking.segmentation import Moment, segments

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "trips.json"
Found = list[tuple[str, int, int, int, int]]


class Verdict(NamedTuple):
    """What we make of a case (type, from and to in s, duration_s, metres), and who is right."""

    ours: Found
    right: Literal["both", "ours", "theirs", "not comparable"]
    why: str


SIMPLE: Found = [("move", 0, 300, 300, 3000), ("standstill", 300, 1500, 1200, 0)]
FLUCTUATING: Found = [("move", 0, 540, 540, 7000), ("standstill", 540, 1740, 1200, 0)]
BY_GAP: Found = [
    ("move", 0, 240, 240, 600),
    ("standstill", 240, 1380, 1140, 0),
    ("move", 1380, 1500, 120, 200),
]
TWO_MINUTES = (
    "Same drive, same distance, same 20 minutes at its end. They also report two minutes before "
    "the drive, from the phone's speed; on places alone two minutes are a red light."
)
SILENCE = (
    "Ours: 19 minutes without moving are a standstill of 19 minutes, and the 200 m afterwards "
    "are driven. They let the stop swallow the drive that follows it."
)
ZERO_METRES = (
    "Theirs, by a second: exactly five minutes in one place are a stop for them. For us it takes "
    "more than five, or a phone that says with heartbeats that it stands."
)
TOO_SHORT = "A step of their state machine: it is shorter than anything we call a standstill."
VERDICTS: dict[str, Verdict] = {
    "testDetectTripsSimple": Verdict(SIMPLE, "both", TWO_MINUTES),
    "testDetectStopsSimple": Verdict(SIMPLE, "both", TWO_MINUTES),
    "testDetectTripsSimpleWithIgnition": Verdict(SIMPLE, "both", TWO_MINUTES),
    "testDetectStopsSimpleWithIgnition": Verdict(SIMPLE, "both", TWO_MINUTES),
    "testDetectTripsWithFluctuation": Verdict(FLUCTUATING, "both", TWO_MINUTES),
    "testDetectStopsWithFluctuation": Verdict(FLUCTUATING, "both", TWO_MINUTES),
    "testDetectStopsOnly": Verdict([("move", 0, 300, 300, 0)], "theirs", ZERO_METRES),
    "testDetectStopsWithTripCut": Verdict([("move", 0, 300, 300, 0)], "theirs", ZERO_METRES),
    "testDetectStopsStartedFromTrip": Verdict(
        [("standstill", 0, 1920, 1920, 0)],
        "ours",
        "A trip of two minutes and no metres is noise of the speed; it stood all the time.",
    ),
    "testDetectStopsMoving": Verdict(
        [("move", 0, 300, 300, 0)],
        "both",
        "Five minutes of speed and no metres: not standing long.",
    ),
    "testDetectTripByGap": Verdict(BY_GAP, "ours", SILENCE),
    "testDetectStopByGap": Verdict(BY_GAP, "ours", SILENCE),
    "testMotionDetected": Verdict(
        [("move", 0, 300, 300, 599)],
        "both",
        "They start the move at the last position before it; on so few seconds all of it is one.",
    ),
    "testStopDetected": Verdict(
        [("move", 0, 360, 360, 100)],
        "theirs",
        ZERO_METRES + " And their stop begins when it was noticed, six minutes late.",
    ),
    "testNoStopBeforeDuration": Verdict([("move", 0, 120, 120, 100)], "both", TOO_SHORT),
    "testNoEventWhenAlreadyMoving": Verdict([("move", 0, 180, 180, 599)], "both", TOO_SHORT),
    "testMotionWithFastAverageSpeed": Verdict(
        [("gap", 0, 600, 600, 1199)],
        "ours",
        "1,200 m in ten minutes with fixes missing: it may have stood for eight. They call the "
        "last instant moving and the ten minutes a stop.",
    ),
    "testGapSplitsTrip": Verdict(
        [("gap", 0, 7200, 7200, 12_985)],
        "ours",
        "13 km in two hours of silence. They make a trip of two hours; we say what is known.",
    ),
    "testGapSplitsTripWhileStopped": Verdict(
        [("gap", 0, 7200, 7200, 12_985)], "ours", "As before: the state before makes no difference."
    ),
    "testGapBelowDistanceDoesNotSplitTrip": Verdict(
        [("standstill", 0, 7200, 7188, 100)],
        "ours",
        "100 m in two hours is standing from the beginning; their stop begins two hours later.",
    ),
    "testTripStartBacktrack": Verdict(
        [("move", 0, 300, 300, 599)],
        "both",
        "They find the minute in which it started; two minutes of standing are no entry of ours.",
    ),
    "testEventsAreChronological": Verdict([("move", 0, 420, 420, 759)], "both", TOO_SHORT),
    "testMotionWithPosition": Verdict(
        [("move", 0, 120, 120, 100), ("standstill", 120, 600, 480, 0)],
        "ours",
        "Two places in one second, 600 m apart: nobody drove that, so it is not counted. They "
        "start the trip there. The stop is the same but for a minute.",
    ),
    "testMotionFluctuation": Verdict(
        [("move", 0, 360, 360, 1400)], "both", "One minute without motion ends no move."
    ),
    "testStopWithPositionIgnition": Verdict(
        [("move", 0, 120, 120, 0)], "not comparable", "It turns on the ignition; phones have none."
    ),
    "testStopWithGap": Verdict(
        [("standstill", 0, 600, 600, 0)], "both", "Ten silent minutes in one place are a stop."
    ),
    "testStopWithDoubleGap": Verdict(
        [("standstill", 0, 1200, 1200, 0)], "both", "Twenty silent minutes are one stop, not two."
    ),
}


@cache
def cases() -> dict[str, list[dict[str, Any]]]:
    """The positions of each case, by its name."""
    groups = json.loads(VECTORS.read_text(encoding="utf-8"))
    return {
        case["name"]: [*case.get("start", {}).get("earlier_positions", []), *case["positions"]]
        for group in ("trips_and_stops", "motion_window", "motion_streak")
        for case in groups[group]
    }


def moment(position: dict[str, Any]) -> Moment:
    along = position.get("lon", position.get("total_distance_m", 0) * DEGREES_PER_M)
    at = datetime.fromisoformat(position["time"])
    return Moment(at, "distance", latitude=0.0, longitude=along, device="phone")


needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="the shared vectors are not beside this repository"
)


@needs_vectors
@pytest.mark.parametrize("name", VERDICTS)
def test_what_we_make_of_a_traccar_case(name: str) -> None:
    moments = [moment(position) for position in cases()[name]]
    begin_at = moments[0].recorded_at
    found = [
        (
            one.type,
            round((one.started_at - begin_at).total_seconds()),
            round((one.ended_at - begin_at).total_seconds()),
            one.duration_s,
            round(one.distance_m),
        )
        for one in segments(moments)
    ]
    assert found == VERDICTS[name].ours, VERDICTS[name].why


@needs_vectors
def test_every_case_has_a_verdict() -> None:
    assert set(cases()) == set(VERDICTS)


@needs_vectors
@pytest.mark.parametrize("name", ["testDetectStopsOnly", "testDetectStopsWithTripCut"])
def test_as_heartbeats_the_standing_phone_stands(name: str) -> None:
    moments = [moment(position) for position in cases()[name]]
    (found,) = segments([one.__class__(one.recorded_at, "heartbeat", one.latitude, one.longitude)
                         for one in moments])  # fmt: skip
    assert (found.type, found.duration_s) == ("standstill", 300)
