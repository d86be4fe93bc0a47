"""Overland on iOS. (pure)

JSON `{"locations": [Feature, …], "current": Feature?}`: [longitude, latitude], whole metres
and m/s, battery 0 to 1, -1 unknown. `current` is the newest fix and comes again in a later
batch; it is the same fix then.

Features that are no fixes and are dropped on purpose: trip records (`type` = trip), visits
and log actions (anything with `action`), the running `trip`; of a fix its network name,
device id, motion, trip id and tracking statistics. Answer: JSON with `"result": "ok"`, or
the phone keeps everything; never a text of ours, which it would show.
"""

from functools import partial
from typing import Any, Final

from tracking.ingest.foreign import NOTHING_KNOWN, ForeignRequest, Health, Readings
from tracking.ingest.http import Answer
from tracking.ingest.sent import SentFix
from tracking.ingest.values import (
    Unreadable,
    inner,
    json_object,
    known,
    moment,
    place,
    text,
)

METHODS: Final = frozenset({"POST"})

_SUCCESS: Final = Answer(200, b'{"result":"ok"}')
_KEYS: Final = frozenset({"locations", "current", "trip"})
_CHARGING: Final = {"charging": True, "full": True, "unplugged": False}


def read(request: ForeignRequest) -> Readings:
    """The fixes of a batch and its newest one."""
    readings = Readings()
    if request.body.strip():
        readings.add_all(partial(_read_batch, readings), request.body, request.body)
    return readings


def success(request: ForeignRequest) -> Answer:
    """The batch may be deleted on the phone."""
    return _SUCCESS


def _read_batch(readings: Readings, raw: bytes) -> None:
    body = json_object(raw)
    features = body.get("locations", [])
    if not isinstance(features, list) or not body.keys() & _KEYS:
        raise Unreadable("body_invalid", "the body holds no list of locations")
    current = body.get("current")
    for feature in features if current is None else [*features, current]:
        _read_feature(feature, readings)


def _read_feature(feature: Any, readings: Readings) -> None:
    properties = inner(feature, "properties")
    readings.learn(_health(properties))
    if "action" in properties or properties.get("type") == "trip":
        return
    readings.add(_fix, feature, {"locations": [feature]})


def _fix(feature: Any) -> SentFix:
    if not isinstance(feature, dict):
        raise Unreadable("fix_invalid", "a location is a GeoJSON feature")
    properties = inner(feature, "properties")
    coordinates = inner(feature, "geometry").get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        raise Unreadable("place_missing", "the feature has no point")
    at_place = place(coordinates[1], coordinates[0])
    if at_place is None:
        raise Unreadable("place_missing", "the feature has no point")
    return SentFix(
        recorded_at=moment(properties.get("timestamp")),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=known(properties.get("horizontal_accuracy"), 0.0),
        speed_mps=known(properties.get("speed"), 0.0),
        heading_deg=known(properties.get("course"), 0.0),
        altitude_m=known(properties.get("altitude")),
        battery=known(properties.get("battery_level"), 0.0),
    )


def _health(properties: dict[str, Any]) -> Health:
    level = known(properties.get("battery_level"), 0.0)
    state = text(properties.get("battery_state"))
    if level is None and state is None:
        return NOTHING_KNOWN
    return Health(battery=level, is_charging=_CHARGING.get(state or ""))
