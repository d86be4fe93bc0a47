"""PhoneTrack for Android. (pure)

One fix as a form, or up to 200 as JSON `{"points": [[lat, lon, timestamp, alt, acc, bat, sat,
useragent, speed, bearing], …]}`; Unix seconds, metres, m/s, battery in percent; unknown is
null or an empty text, and an accuracy of 0. The path ends in a device name, which is the
user's text and is dropped, as are the satellites. Its jobs of another kind ("custom") speak
other dialects.

Answer: exactly 200 and `{"done":1}`; anything else keeps everything on the phone.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tracking.ingest.foreign import ForeignRequest, Health, Readings, first_of, posted_form
from tracking.ingest.http import Answer
from tracking.ingest.sent import SentFix
from tracking.ingest.values import (
    Unreadable,
    above_zero,
    form,
    is_json,
    json_object,
    known,
    moment,
    percent,
    place,
    text,
)

METHODS: Final = frozenset({"GET", "POST"})

_SUCCESS: Final = Answer(200, b'{"done":1}')
_COLUMNS: Final = (
    "lat", "lon", "timestamp", "alt", "acc", "bat", "sat", "useragent", "speed", "bearing",
)  # fmt: skip


def read(request: ForeignRequest) -> Readings:
    """The fix of a form, or the fixes of a list of points."""
    readings = Readings()
    raw = posted_form(request)
    if raw.strip():
        is_list = raw is request.body and is_json(request.content_type, raw)
        readings.add_all(partial(_read_points if is_list else _read_form, readings), raw, raw)
    return readings


def success(request: ForeignRequest) -> Answer:
    """Done; the points may be deleted on the phone."""
    return _SUCCESS


def _read_form(readings: Readings, raw: bytes) -> None:
    fields = form(raw)
    readings.add(_fix, fields, raw)
    readings.learn(_health(fields))


def _read_points(readings: Readings, raw: bytes) -> None:
    points = json_object(raw).get("points")
    if not isinstance(points, list):
        raise Unreadable("body_invalid", "points is no list")
    for point in points:
        readings.add(_fix_of_point, point, {"points": [point]})
        if isinstance(point, list):
            readings.learn(_health(_named(point)))


def _named(point: list[Any]) -> dict[str, Any]:
    return dict(zip(_COLUMNS, point, strict=False))


def _fix_of_point(point: Any) -> SentFix:
    if not isinstance(point, list):
        raise Unreadable("fix_invalid", "a point is a list")
    return _fix(_named(point))


def _fix(fields: Mapping[str, Any]) -> SentFix:
    at_place = place(fields.get("lat"), fields.get("lon"))
    if at_place is None:
        raise Unreadable("place_missing", "the point has no lat and lon")
    return SentFix(
        recorded_at=moment(first_of(fields, "timestamp", "time")),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=above_zero(fields.get("acc")),
        speed_mps=known(fields.get("speed"), 0.0),
        heading_deg=known(fields.get("bearing"), 0.0),
        altitude_m=known(fields.get("alt")),
        battery=percent(first_of(fields, "bat", "battery")),
    )


def _health(fields: Mapping[str, Any]) -> Health:
    return Health(
        battery=percent(first_of(fields, "bat", "battery")),
        app_version=text(fields.get("useragent")),
    )
