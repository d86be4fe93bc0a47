"""The OsmAnd protocol, as three generations of Traccar Client speak it. (pure)

* apps up to 8: everything in the query, body empty; 10: the same as a form body. Speed in
  KNOTS, battery in percent, time in seconds (or milliseconds, or ISO; without a zone: UTC);
  an accuracy of 0 is unknown, and so is a battery of 0 that charges;
* 9: JSON, the record of the background-geolocation library, in m/s.

Without a place it is no fix: a heartbeat, a push token, a network report. Without a time it
is refused, never re-timed. Dropped on purpose: `id` (the token says who it is), `alarm`,
`hdop`, `driverUniqueId`, `cell`, `wifi`, `notificationToken`, `activity`, `extras`, and any
key of the sender's own. Answer: 200 with nothing in it, since what stands there may be
taken for a command.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from tracking.ingest.foreign import ForeignRequest, Health, Readings, first_of, posted_form
from tracking.ingest.http import Answer
from tracking.ingest.location_record import fix_of_record, health_of_record
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
KNOT_MPS: Final = 1852 / 3600

_SUCCESS: Final = Answer(200, b"", b"text/plain; charset=utf-8")
# One of these at least is in every request of the protocol; without them it is another's.
_KEYS: Final = frozenset({
    "id", "deviceid", "timestamp", "lat", "lon", "location", "cell", "wifi", "batt",
    "notificationToken",
})  # fmt: skip


def read(request: ForeignRequest) -> Readings:
    """The one fix of a request."""
    readings = Readings()
    raw = posted_form(request)
    is_form = raw is not request.body and "json" not in request.content_type.lower()
    if is_form or not is_json(request.content_type, request.body):
        readings.add_all(partial(_read_form, readings), raw, raw)
    else:
        readings.add_all(partial(_read_record, readings), request.body, request.body)
    return readings


def success(request: ForeignRequest) -> Answer:
    """What every Traccar client takes for done; none reads it."""
    return _SUCCESS


def _read_record(readings: Readings, raw: bytes) -> None:
    body = json_object(raw)
    if "location" not in body:
        if body.keys() & _KEYS:
            return  # a push token
        raise Unreadable("body_invalid", "the body holds no location")
    record = body["location"]
    readings.add(fix_of_record, record, body)
    readings.learn(health_of_record(record))


def _read_form(readings: Readings, raw: bytes) -> None:
    fields = form(raw)
    if raw and not fields.keys() & _KEYS:
        raise Unreadable("body_invalid", "no key of the OsmAnd protocol is in it")
    readings.add(_fix, fields, raw)
    battery = _battery(fields)
    readings.learn(
        Health(
            battery=battery,
            is_charging=None if battery is None else boolean(fields.get("charge")),
        )
    )


def _fix(fields: Mapping[str, str]) -> SentFix | None:
    at_place = _place(fields)
    if at_place is None:
        return None
    if boolean(fields.get("valid", "true")) is False:
        raise Unreadable("place_not_valid", "the sender says that the place is not valid")
    return SentFix(
        recorded_at=moment(fields.get("timestamp"), is_zoneless_utc=True),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=above_zero(fields.get("accuracy")),
        speed_mps=scaled(known(fields.get("speed"), 0.0), KNOT_MPS),
        heading_deg=known(first_of(fields, "bearing", "heading"), 0.0),
        altitude_m=known(fields.get("altitude")),
        battery=_battery(fields),
        is_mock=boolean(fields.get("mock")),
    )


def _place(fields: Mapping[str, str]) -> tuple[float, float] | None:
    pair = fields.get("location")
    if pair and "lat" not in fields and "lon" not in fields:
        latitude, _, longitude = pair.partition(",")
        return place(latitude, longitude)
    return place(fields.get("lat"), fields.get("lon"))


def _battery(fields: Mapping[str, str]) -> float | None:
    battery = percent(fields.get("batt"))
    if battery == 0.0 and boolean(fields.get("charge")):
        return None
    return battery
