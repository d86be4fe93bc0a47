"""OwnTracks over HTTP, on Android and iOS. (pure)

One JSON object a request (an array is taken as well): `_type` says what. A `location` is a
fix: time in Unix seconds, speed in km/h, battery in percent, accuracy 0 and -1 unknown; `t`
= `p` is a heartbeat. An `encrypted` message holds another one, sealed with the phone's key.

Overland's OwnTracks mode counts its seconds from 2001 and is known by its Basic credentials,
which it does not encode; from it the seconds are taken as what they are.

Of `status` the permission and version are kept. Dropped on purpose: transition, waypoint,
waypoints, lwt, card, steps, beacon, cmd, request, configuration; regions, network names,
tracker id, topic, pressure, motion, points of interest and images of a location.
Answer: an empty array, since every element would be executed.
"""

from base64 import b64decode
from functools import partial
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from tracking.ingest.foreign import (
    ALWAYS,
    DENIED,
    WHILE_IN_USE,
    ForeignRequest,
    Health,
    Readings,
)
from tracking.ingest.http import Answer
from tracking.ingest.sent import SentFix
from tracking.ingest.values import (
    Unreadable,
    above_zero,
    counted_moment,
    inner,
    json_value,
    known,
    moment,
    number,
    percent,
    place,
    scaled,
    text,
)

METHODS: Final = frozenset({"POST"})
KMH_MPS: Final = 1 / 3.6
SECONDS_UNTIL_2001: Final = 978_307_200
# Sealed messages inside sealed messages: no client makes them.
MAX_LAYERS: Final = 3

_SUCCESS: Final = Answer(200, b"[]")
_OTHER_TYPES: Final = (
    "transition", "waypoint", "waypoints", "lwt", "card", "steps", "beacon", "cmd", "request",
    "configuration",
)  # fmt: skip
_BATTERY_STATES: Final = {1: False, 2: True, 3: True}
# What iOS calls its answers to "may this app see the location?".
_PERMISSIONS: Final = {
    "kCLAuthorizationStatusAuthorizedAlways": ALWAYS,
    "kCLAuthorizationStatusAuthorizedWhenInUse": WHILE_IN_USE,
    "kCLAuthorizationStatusDenied": DENIED,
    "kCLAuthorizationStatusRestricted": DENIED,
}


def read(request: ForeignRequest) -> Readings:
    """The fixes of a message or of an array of them; an empty body is a removed friend."""
    readings = Readings()
    if request.body.strip():
        readings.add_all(partial(_read_messages, request, readings), request.body, request.body)
    return readings


def success(request: ForeignRequest) -> Answer:
    """Nothing to execute."""
    return _SUCCESS


def key_of(passphrase: str) -> bytes:
    """The key of a passphrase as both apps make it: its bytes, cut or filled up to 32."""
    return passphrase.encode()[: SecretBox.KEY_SIZE].ljust(SecretBox.KEY_SIZE, b"\0")


def opened(data: str, key: bytes) -> bytes | None:
    """What is inside the `data` of an encrypted message; None when the key does not fit."""
    try:
        return SecretBox(key).decrypt(b64decode(data, validate=True))
    except (CryptoError, ValueError):
        return None


def _read_messages(request: ForeignRequest, readings: Readings, body: bytes) -> None:
    value = json_value(body)
    for message in value if isinstance(value, list) else [value]:
        readings.add_all(partial(_read_message, request, readings), message, message)


def _read_message(
    request: ForeignRequest, readings: Readings, message: Any, *, layers: int = 0
) -> None:
    kind = message.get("_type") if isinstance(message, dict) else None
    if kind == "location":
        read_fix = _fix_counted_from_2001 if request.is_basic_unencoded else _fix
        readings.add(read_fix, message, message)
        readings.learn(_health_of_location(message))
    elif kind == "encrypted" and layers < MAX_LAYERS:
        plain = json_value(_unsealed(request, readings, message.get("data")))
        _read_message(request, readings, plain, layers=layers + 1)
    elif kind == "status":
        readings.learn(_health_of_status(message))
    elif kind not in _OTHER_TYPES:
        raise Unreadable("type_unknown", "the message has no known _type")


def _unsealed(request: ForeignRequest, readings: Readings, data: object) -> bytes:
    if not isinstance(data, str):
        raise Unreadable("sealed_invalid", "the encrypted message has no data")
    if request.open_sealed is None:
        readings.is_sealed = True
        raise Unreadable("key_missing", "no key is known for this phone")
    plain = request.open_sealed(data)
    if plain is None:
        raise Unreadable("key_wrong", "the phone's key does not open it")
    return plain


def _fix(message: dict[str, Any]) -> SentFix:
    at_place = place(message.get("lat"), message.get("lon"))
    if at_place is None:
        raise Unreadable("place_missing", "the location has no lat and lon")
    return SentFix(
        recorded_at=moment(message.get("tst")),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=above_zero(message.get("acc")),
        speed_mps=scaled(known(message.get("vel"), 0.0), KMH_MPS),
        heading_deg=known(message.get("cog"), 0.0),
        altitude_m=known(message.get("alt")),
        battery=percent(message.get("batt")),
        kind="heartbeat" if message.get("t") == "p" else "distance",
        id=text(message.get("_id")),
    )


def _fix_counted_from_2001(message: dict[str, Any]) -> SentFix:
    try:
        seconds = number(message.get("tst"))
    except ValueError:
        seconds = None
    if seconds is None:
        return _fix(message)  # which says what is wrong with it
    at = counted_moment(seconds + SECONDS_UNTIL_2001)
    return _fix(message | {"tst": at.timestamp()})


def _health_of_location(message: dict[str, Any]) -> Health:
    state = message.get("bs")
    return Health(
        battery=percent(message.get("batt")),
        is_charging=_BATTERY_STATES.get(state) if isinstance(state, int) else None,
    )


def _health_of_status(message: dict[str, Any]) -> Health:
    ios = inner(message, "iOS")
    status = ios.get("locationManagerAuthorizationStatus")
    return Health(
        permission=_PERMISSIONS.get(status) if isinstance(status, str) else None,
        app_version=text(ios.get("version")),
    )
