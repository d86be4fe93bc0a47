"""μlogger for Android. (pure)

A form whose `action` says what: `auth` signs in, `addtrack` begins a track, `addpos` is a
fix: Unix seconds, metres, m/s; unknown is absent, and an accuracy of 0. With a photo the
same form comes as multipart, the photo as the part `image`. HEAD asks whether anybody is
there.

Dropped on purpose: the photo (it never costs its fix), the track and its name, the provider,
the user's comment. Answer: exactly 200 and `"error": false`, for a new track also its
number; the phone keeps anything else and tries again for ever.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import urlencode

from tracking.ingest.foreign import ForeignRequest, Readings
from tracking.ingest.http import Answer
from tracking.ingest.sent import SentFix
from tracking.ingest.values import Unreadable, above_zero, form, known, moment, place

METHODS: Final = frozenset({"POST", "HEAD"})
MAX_PARTS: Final = 50

_DONE: Final = Answer(200, b'{"error":false}')
# The phone only sends the number back; tracks are not ours.
_NEW_TRACK: Final = Answer(200, b'{"error":false,"trackid":1}')
_REACHED: Final = Answer(200, b"")
_BOUNDARY: Final = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)
_PART_NAME: Final = re.compile(rb'[;\s]name="?([^";\r\n]{1,100})"?', re.IGNORECASE)
_FILE_NAME: Final = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)
_OTHER_ACTIONS: Final = frozenset({"auth", "addtrack", "adduser"})


def read(request: ForeignRequest) -> Readings:
    """The one fix of an `addpos`."""
    readings = Readings()
    if request.method != "HEAD" and request.body.strip():
        # Of a multipart body that cannot be cut, no part may be kept: one is a photo.
        source = b"" if _is_multipart(request) else request.body
        readings.add_all(partial(_read_form, readings), request, source)
    return readings


def success(request: ForeignRequest) -> Answer:
    """Done, in the form that the action asks for."""
    if request.method == "HEAD":
        return _REACHED
    if b"addtrack" not in request.body:
        return _DONE
    try:
        action = fields_of(request).get("action")
    except Unreadable:
        action = None
    return _NEW_TRACK if action == "addtrack" else _DONE


def _read_form(readings: Readings, request: ForeignRequest) -> None:
    fields = fields_of(request)
    action = fields.get("action")
    if action == "addpos":
        source = urlencode(fields).encode() if _is_multipart(request) else request.body
        readings.add(_fix, fields, source)
    elif action not in _OTHER_ACTIONS:
        raise Unreadable("body_invalid", "the form has no known action")


def _is_multipart(request: ForeignRequest) -> bool:
    return "multipart/" in request.content_type.lower() or request.body.startswith(b"--")


def password_of(request: ForeignRequest) -> str | None:
    """What stands as password in a sign-in: the phone's token."""
    try:
        fields = fields_of(request)
    except Unreadable:
        return None
    return fields.get("pass") or None if fields.get("action") == "auth" else None


def fields_of(request: ForeignRequest) -> dict[str, str]:
    """The texts of the form, without its files; raises Unreadable."""
    if not _is_multipart(request):
        return form(request.body)
    boundary = _BOUNDARY.search(request.content_type)
    if boundary is None:
        raise Unreadable("body_invalid", "the multipart body has no boundary")
    parts = request.body.split(b"--" + boundary[1].encode(), MAX_PARTS)
    if len(parts) > MAX_PARTS:
        raise Unreadable("body_invalid", f"the form has more than {MAX_PARTS} parts")
    fields = {}
    for part in parts[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if name and not _FILE_NAME.search(head) and len(content) <= 10_000:
            value = content.removesuffix(b"\r\n").decode("utf-8", "replace")
            fields[name[1].decode("utf-8", "replace")] = value
    return fields


def _fix(fields: Mapping[str, str]) -> SentFix:
    at_place = place(fields.get("lat"), fields.get("lon"))
    if at_place is None:
        raise Unreadable("place_missing", "the form has no lat and lon")
    return SentFix(
        recorded_at=moment(fields.get("time")),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=above_zero(fields.get("accuracy")),
        speed_mps=known(fields.get("speed"), 0.0),
        heading_deg=known(fields.get("bearing"), 0.0),
        altitude_m=known(fields.get("altitude")),
    )
