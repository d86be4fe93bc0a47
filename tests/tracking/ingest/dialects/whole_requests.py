"""Requests as each client sends them, for tests that mutate or post them."""

import json
from typing import Any

from tests.tracking.ingest.dialects.reads import FORM, JSON
from tracking.ingest.foreign import ForeignRequest

RECORD: dict[str, Any] = {
    "event": "motionchange",
    "is_moving": True,
    "uuid": "9b0a6c3e-5a3b-4a55-8a0c-0f5cf0f1a001",
    "timestamp": "2026-09-21T14:13:20.250Z",
    "odometer": 4386408.5,
    "coords": {
        "latitude": 51.0543, "longitude": 3.7174, "accuracy": 5.1, "speed": 13.9,
        "heading": 181.5, "altitude": 12.5,
    },
    "activity": {"type": "in_vehicle", "confidence": 92},
    "battery": {"is_charging": True, "level": 0.81},
    "provider": {"enabled": True, "status": 3, "network": True, "gps": True},
    "extras": {},
}  # fmt: skip
FEATURE: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [3.7174, 51.0543]},
    "properties": {
        "timestamp": "2026-09-21T14:13:20Z", "speed": 14, "course": 181, "altitude": 12,
        "horizontal_accuracy": 5, "battery_level": 0.83, "battery_state": "unplugged",
        "motion": ["driving"], "wifi": "depot",
    },
}  # fmt: skip
LOCATION: dict[str, Any] = {
    "_type": "location", "lat": 51.0543, "lon": 3.7174, "tst": 1790000000, "acc": 8, "alt": 12,
    "vel": 50, "cog": 181, "batt": 81, "bs": 2, "t": "u", "_id": "0571e18d", "SSID": "depot",
    "BSSID": "02:00:00:00:00:01", "tid": "ad",
}  # fmt: skip
POINT: list[Any] = [51.0543, 3.7174, 1790000000, None, 20, 43.0, 0, "PhoneTrack/1", 13.9, 181.0]


def _json(value: Any) -> ForeignRequest:
    return ForeignRequest(body=json.dumps(value).encode(), content_type=JSON)


def _form(text: str) -> ForeignRequest:
    return ForeignRequest(body=text.encode(), content_type=FORM)


def _query(text: str) -> ForeignRequest:
    return ForeignRequest(query=text.encode())


_TRACCAR = (
    "id=7&lat=51.0543&lon=3.7174&timestamp=1790000000&speed=27.0&bearing=181.5&altitude=12.0"
    "&accuracy=4.5&batt=81.0&charge=true"
)
_GPSLOGGER = (
    "lat=51.0543&lon=3.7174&timestamp=1790000000&alt=12.0&acc=8.0&dir=181.0&spd=13.9&sat=9"
    "&prov=gps&batt=81.0&ischarging=true"
)
_PHONETRACK = (
    "timestamp=1790000000&lat=51.0543&lon=3.7174&alt=&acc=20&speed=13.9&bearing=181.0&sat=0"
    "&bat=43.0&useragent=PhoneTrack%2F1"
)
_ULOGGER = (
    "action=addpos&trackid=1&time=1790000000&lat=51.0543&lon=3.7174&altitude=12.01&speed=13.9"
    "&bearing=181.5&accuracy=8&provider=gps&comment=a+note"
)
_ULOGGER_PARTS = b"".join(
    b'--B0undary\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    % tuple(pair.encode().split(b"="))
    for pair in _ULOGGER.split("&")
)

WHOLE_REQUESTS: dict[str, list[ForeignRequest]] = {
    "osmand": [
        _query(_TRACCAR),
        _form(_TRACCAR),
        _json({"location": RECORD, "device_id": "7"}),
    ],
    "owntracks": [_json(LOCATION), _json([LOCATION, LOCATION | {"t": "p"}])],
    "overland": [_json({"locations": [FEATURE, FEATURE], "current": FEATURE})],
    "background_geolocation": [
        _json({"location": [RECORD, RECORD], "device_id": "7"}),
        _json({"location": RECORD}),
        _json(RECORD),
    ],
    "gpslogger": [_query(_GPSLOGGER), _form(_GPSLOGGER)],
    "phonetrack": [_form(_PHONETRACK), _json({"points": [POINT, POINT]})],
    "ulogger": [
        _form(_ULOGGER),
        ForeignRequest(
            body=_ULOGGER_PARTS + b'--B0undary\r\nContent-Disposition: form-data; name="image"; '
            b'filename="upload"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--B0undary--\r\n',
            content_type="multipart/form-data; boundary=B0undary",
        ),
    ],
}
