"""GPSLogger for Android, custom URL. (pure)

One fix a request in the query, or in the body as a form or JSON, under the names of the
template that we publish, of the app's own default, or of its `%ALL`. Degrees, metres, m/s
(`spd_kph`: km/h), battery in percent; time in Unix seconds or ISO. An accuracy of 0 is
unknown; other zeros cannot be told from real ones and stay.

Dropped on purpose: satellites, dilutions, distance, the start of the recording, the provider,
the user's note, Android id, serial, file and profile. A calendar date alone is no time.
Answer: 200 with nothing in it; the app asks for no more.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from tracking.ingest.foreign import ForeignRequest, Health, Readings, first_of, posted_form
from tracking.ingest.http import Answer
from tracking.ingest.sent import SentFix
from tracking.ingest.values import (
    Unreadable,
    above_zero,
    boolean,
    form,
    is_json,
    json_object,
    known,
    moment,
    percent,
    place,
    scaled,
)

METHODS: Final = frozenset({"GET", "POST", "PUT"})
KMH_MPS: Final = 1 / 3.6

_SUCCESS: Final = Answer(200, b"", b"text/plain; charset=utf-8")
_LATITUDE: Final = ("lat", "latitude")
_LONGITUDE: Final = ("lon", "longitude", "lng")
_TIME: Final = ("timestamp", "time", "timeoffset", "timeoff", "epoch")
_SPEED: Final = ("spd", "speed", "s")
_BATTERY: Final = ("batt", "battery")


def read(request: ForeignRequest) -> Readings:
    """The one fix of a request."""
    readings = Readings()
    raw = posted_form(request)
    if raw.strip():
        is_object = raw is request.body and is_json(request.content_type, raw)
        read_fields = json_object if is_object else form
        readings.add_all(partial(_read_fields, readings, read_fields), raw, raw)
    return readings


def _read_fields(
    readings: Readings, read_fields: Callable[[bytes], Mapping[str, Any]], raw: bytes
) -> None:
    fields = read_fields(raw)
    readings.add(_fix, fields, raw)
    readings.learn(
        Health(
            battery=percent(first_of(fields, *_BATTERY)),
            is_charging=boolean(first_of(fields, "ischarging", "charging")),
        )
    )


def success(request: ForeignRequest) -> Answer:
    """Done; nobody reads it."""
    return _SUCCESS


def _fix(fields: Mapping[str, Any]) -> SentFix:
    at_place = place(first_of(fields, *_LATITUDE), first_of(fields, *_LONGITUDE))
    if at_place is None:
        raise Unreadable("place_missing", "no name of a latitude and longitude is in it")
    speed_mps = known(first_of(fields, *_SPEED), 0.0)
    if speed_mps is None:
        speed_mps = scaled(known(fields.get("spd_kph"), 0.0), KMH_MPS)
    return SentFix(
        recorded_at=moment(first_of(fields, *_TIME)),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=above_zero(first_of(fields, "acc", "accuracy")),
        speed_mps=speed_mps,
        heading_deg=known(first_of(fields, "dir", "direction", "bearing"), 0.0),
        altitude_m=known(first_of(fields, "alt", "altitude")),
        battery=percent(first_of(fields, *_BATTERY)),
    )
