"""Apps built with transistorsoft's background-geolocation library. (pure)

JSON: a record, or a list of them, under a key that the app chose (`rootProperty`, by default
`location`) or at the root, beside parameters of the app's own. So: the record is the object
at the root when it has `coords` or a place, else the value under `location`, else the first
value that is such an object or a list. Records are read as location_record.py says; a
template that we publish keeps those names.

Dropped on purpose: activity, geofence (the fix at it stays), extras, `age`, `is_moving`,
`sample`, registrations of a phone, and the JWT's refresh (our tokens do not end by
themselves). Answer: an empty object, since anything in it may be executed.
"""

from functools import partial
from typing import Any, Final

from tracking.ingest.foreign import ForeignRequest, Readings
from tracking.ingest.http import Answer
from tracking.ingest.location_record import fix_of_record, health_of_record
from tracking.ingest.values import Unreadable, json_value

METHODS: Final = frozenset({"POST", "PUT", "PATCH", "OPTIONS"})

_SUCCESS: Final = Answer(200, b"{}")
_PLACE: Final = frozenset({"coords", "latitude", "longitude"})
# What a phone says of itself when an app registers it, and a request for a new JWT.
_REGISTRATION: Final = frozenset({"framework", "manufacturer", "model", "platform"})
_REFRESH: Final = b"grant_type="


def read(request: ForeignRequest) -> Readings:
    """The fixes of a record, a list or a body around either."""
    readings = Readings()
    if request.body.strip() and not request.body.startswith(_REFRESH):
        readings.add_all(partial(_read_records, readings), request.body, request.body)
    return readings


def success(request: ForeignRequest) -> Answer:
    """Nothing to execute."""
    return _SUCCESS


def _read_records(readings: Readings, raw: bytes) -> None:
    for record in _records(json_value(raw)):
        readings.add(fix_of_record, record, {"location": record})
        readings.learn(health_of_record(record))


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.keys() & _PLACE or "timestamp" in value)


def _records(body: Any) -> list[Any]:
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise Unreadable("body_invalid", "the body is neither an object nor a list")
    if body.keys() & _PLACE:
        return [body]
    found = _found(body)
    if found is not None:
        return found
    # An old build of the library sends `{}` for a batch of one; a heartbeat has no place.
    if not body or body.keys() & _REGISTRATION or body.get("event") == "heartbeat":
        return []
    raise Unreadable("body_invalid", "the body holds no record")


def _found(body: dict[str, Any]) -> list[Any] | None:
    for value in (body.get("location"), *body.values()):
        if isinstance(value, list) and any(map(_is_record, value)):
            return value
        if _is_record(value):
            return [value]
    # A list without any: only where it cannot be one of the app's own beside the records.
    if isinstance(body.get("location"), list):
        return list(body["location"])
    lists = [value for value in body.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None
