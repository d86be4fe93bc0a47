"""Tracks for tests: on the equator, where metres east are degrees, in seconds after eight."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import pi
from typing import Any

from tracking.geometry import EARTH_RADIUS_M
from tracking.segmentation import Moment, Segment, Window

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
DEGREES_PER_M = 180 / (pi * EARTH_RADIUS_M)

# type, from second, to second, duration_s, distance_m
Entry = tuple[str, int, int, int, int]


def at(seconds: float, metres: float | None, kind: str = "distance", **values: Any) -> Moment:
    """A moment on the equator; None metres = without a place."""
    moment = Moment(EIGHT + timedelta(seconds=seconds), kind, **{"device": "phone", **values})
    if metres is None:
        return moment
    return replace(moment, latitude=0.0, longitude=metres * DEGREES_PER_M)


def window(start: float, end: float) -> Window:
    return EIGHT + timedelta(seconds=start), EIGHT + timedelta(seconds=end)


def drive(start: int, metres: int, legs: int) -> list[Moment]:
    """Fixes every 36 s and 500 m: 50 km/h."""
    return [at(start + 36 * n, metres + 500 * n) for n in range(legs + 1)]


def entries(found: Sequence[Segment], *, stages: bool = False) -> list[Entry]:
    return [
        (
            s.type if s.type != "stage" else str(s.kind),
            round((s.started_at - EIGHT).total_seconds()),
            round((s.ended_at - EIGHT).total_seconds()),
            s.duration_s,
            round(s.distance_m),
        )
        for s in found
        if stages or s.type != "stage"
    ]
