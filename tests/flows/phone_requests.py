"""What each off-the-shelf client sends for a fix, with its own units and rounding. (pure)

Written from CLIENTS.md, sections 3 to 9. A fix without a time, with a latitude of 95 or NaN
is sent as the client would, had its phone made such a thing.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
JSON: Final = {"content-type": "application/json"}
DEVICE_NAME: Final = "Ada's téléphone"  # PhoneTrack's user may call it anything
KNOTS_ANDROID: Final = 1.943844
KNOTS_IOS: Final = 1.94384
PHONETRACK_SINGLE: Final = 5  # with more of them waiting it sends a list


class PhoneFix(NamedTuple):
    """What the phone measured: milliseconds since 1970, degrees, metres, m/s, battery 0 to 1."""

    at_ms: int | None
    latitude: float
    longitude: float
    accuracy_m: float
    altitude_m: float
    speed_mps: float
    heading_deg: float
    battery: float

    @property
    def at_s(self) -> int | None:
        return None if self.at_ms is None else self.at_ms // 1000

    @property
    def at_iso(self) -> str | None:
        """With milliseconds and Z."""
        if self.at_ms is None:
            return None
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return at.replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Wire:
    """One HTTP request; `path` holds its query."""

    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"

    def as_bytes(self) -> bytes:
        headers = {"host": "localhost", **self.headers, "content-length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Encode = Callable[[Sequence[PhoneFix], str], Wire]


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what the client does not know."""
    return {name: value for name, value in fields.items() if value is not None}


def _form(fields: dict[str, Any]) -> bytes:
    return urlencode(_sent(fields)).encode()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _iso_s(fix: PhoneFix) -> str | None:
    return None if fix.at_iso is None else fix.at_iso[:19] + "Z"


def _cut(value: float, digits: int) -> float:
    """Without the further decimals, as a formatter that does not round."""
    step = 10**digits
    return int(value * step + 1e-4) / step if isfinite(value) else value


def _traccar(fix: PhoneFix, knots: float) -> dict[str, Any]:
    return {
        "id": 123456, "timestamp": fix.at_s, "lat": fix.latitude, "lon": fix.longitude,
        "speed": fix.speed_mps * knots, "bearing": fix.heading_deg, "altitude": fix.altitude_m,
        "accuracy": fix.accuracy_m, "batt": fix.battery * 100,
    }  # fmt: skip


def traccar_android_8(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """Everything in the query, in knots."""
    query = _form(_traccar(fixes[0], KNOTS_ANDROID)).decode()
    return Wire(f"/ingest/osmand/{token}?{query}")


def traccar_ios_8(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """The same with six decimals."""
    (fix,) = fixes
    place = {"lat": f"{fix.latitude:.6f}", "lon": f"{fix.longitude:.6f}"}
    query = _form(_traccar(fix, KNOTS_IOS) | place).decode()
    return Wire(f"/ingest/osmand/{token}?{query}")


def traccar_9(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """A record of the background-geolocation library, without a uuid."""
    record = _record(fixes[0]) | {"extras": {}, "_": "&id=48241179"}
    body = {"location": record, "device_id": "48241179"}
    return Wire(f"/ingest/osmand/{token}", _json(body), JSON)


def traccar_10(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """A form: knots with two decimals, a whole battery."""
    (fix,) = fixes
    fields = _traccar(fix, KNOTS_ANDROID) | {
        "speed": round(fix.speed_mps * KNOTS_ANDROID, 2),
        "batt": round(fix.battery * 100),
        "charge": "false",
    }
    return Wire(f"/ingest/osmand/{token}", _form(fields), FORM)


def _owntracks(message: dict[str, Any], token: str, user: str) -> Wire:
    basic = b64encode(f"{user}:{token}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "x-limit-u": user, "x-limit-d": "phone"}
    return Wire("/ingest/owntracks", _json(_sent(message)), headers | JSON)


def _location(fix: PhoneFix) -> dict[str, Any]:
    return {
        "_type": "location", "tid": "ad", "tst": fix.at_s, "acc": round(fix.accuracy_m),
        "alt": round(fix.altitude_m), "cog": round(fix.heading_deg),
        "batt": round(fix.battery * 100), "conn": "m", "t": "u", "BSSID": "02:00:00:00:00:01",
    }  # fmt: skip


def owntracks_android(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """km/h with the decimals cut off, and an id that stays the same on every retry."""
    (fix,) = fixes
    own = {
        "lat": fix.latitude, "lon": fix.longitude, "vel": int(fix.speed_mps * 3.6),
        "_id": f"{hash((fix.at_ms, fix.longitude)) & 0xFFFFFFFF:08x}",
    }  # fmt: skip
    return _owntracks(_location(fix) | own, token, "ada")


def owntracks_ios(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """Six decimals, whole km/h."""
    (fix,) = fixes
    own = {
        "lat": round(fix.latitude, 6), "lon": round(fix.longitude, 6),
        "vel": round(fix.speed_mps * 3.6),
    }  # fmt: skip
    return _owntracks(_location(fix) | own, token, "user")


def overland(fixes: Sequence[PhoneFix], token: str, *, current: PhoneFix | None = None) -> Wire:
    """A batch with a Bearer; `current` is the newest while more than a batch waits."""
    body: dict[str, Any] = {"locations": [_feature(fix) for fix in fixes]}
    if current is not None:
        body["current"] = _feature(current)
    return Wire("/ingest/overland", _json(body), {"authorization": f"Bearer {token}"} | JSON)


def _feature(fix: PhoneFix) -> dict[str, Any]:
    properties = {
        "timestamp": _iso_s(fix), "speed": round(fix.speed_mps), "course": round(fix.heading_deg),
        "altitude": round(fix.altitude_m), "horizontal_accuracy": round(fix.accuracy_m),
        "battery_level": round(fix.battery, 2), "battery_state": "unplugged", "wifi": "depot",
        "motion": ["driving"],
    }  # fmt: skip
    point = [_cut(fix.longitude, 7), _cut(fix.latitude, 7)]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": point},
        "properties": _sent(properties),
    }


def transistorsoft(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """batchSync: a list under `location`."""
    return _transistorsoft([_with_uuid(fix) for fix in fixes], token)


def transistorsoft_single(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """As it is set up at first: one record a request."""
    return _transistorsoft(_with_uuid(fixes[0]), token)


def _transistorsoft(location: Any, token: str) -> Wire:
    headers = {"authorization": f"Bearer {token}"} | JSON
    return Wire("/ingest/background_geolocation", _json({"location": location}), headers)


def _with_uuid(fix: PhoneFix) -> dict[str, Any]:
    return _record(fix) | {"uuid": f"9b0a6c3e-5a3b-4a55-8a0c-{(fix.at_ms or 0) % 10**12:012d}"}


def _record(fix: PhoneFix) -> dict[str, Any]:
    record = {
        "timestamp": fix.at_iso,
        "coords": {
            "latitude": fix.latitude, "longitude": fix.longitude, "accuracy": fix.accuracy_m,
            "speed": fix.speed_mps, "heading": fix.heading_deg, "altitude": fix.altitude_m,
        },
        "is_moving": True,
        "odometer": 0,
        "battery": {"level": fix.battery, "is_charging": False},
        "activity": {"type": "in_vehicle", "confidence": 90},
    }  # fmt: skip
    return _sent(record)


def gpslogger(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """A GET with the template that we publish."""
    (fix,) = fixes
    fields = {
        "lat": fix.latitude, "lon": fix.longitude, "timestamp": fix.at_s, "alt": fix.altitude_m,
        "acc": fix.accuracy_m, "dir": fix.heading_deg, "spd": fix.speed_mps, "sat": 9,
        "prov": "gps", "batt": fix.battery * 100, "ischarging": "false",
    }  # fmt: skip
    return Wire(f"/ingest/gpslogger/{token}?{_form(fields).decode()}", method="GET")


def phonetrack(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """A form for one, a list of points for more."""
    base = "/ingest/phonetrack/index.php/apps/phonetrack"
    rest = f"{token}/{quote(DEVICE_NAME)}"
    if len(fixes) > 1:
        body = {"points": [_point(fix) for fix in fixes]}
        return Wire(f"{base}/logPostMultiple/{rest}", _json(body), JSON)
    (fix,) = fixes
    fields = {
        "timestamp": "" if fix.at_s is None else fix.at_s, "lat": fix.latitude,
        "lon": fix.longitude, "alt": fix.altitude_m, "acc": fix.accuracy_m,
        "speed": fix.speed_mps, "bearing": fix.heading_deg, "sat": "",
        "bat": fix.battery * 100, "useragent": "PhoneTrack/1",
    }  # fmt: skip
    return Wire(f"{base}/logPost/{rest}", _form(fields), FORM)


def _point(fix: PhoneFix) -> list[Any]:
    return [
        fix.latitude, fix.longitude, fix.at_s, fix.altitude_m, fix.accuracy_m,
        fix.battery * 100, None, "PhoneTrack/1", fix.speed_mps, fix.heading_deg,
    ]  # fmt: skip


def ulogger(fixes: Sequence[PhoneFix], token: str) -> Wire:
    """`addpos` to the address that holds the token."""
    return ulogger_action(f"/ingest/ulogger/{token}", position_of(fixes[0]))


def position_of(fix: PhoneFix) -> dict[str, Any]:
    return {
        "action": "addpos", "trackid": 1, "time": fix.at_s, "lat": fix.latitude,
        "lon": fix.longitude, "altitude": fix.altitude_m, "speed": fix.speed_mps,
        "bearing": fix.heading_deg, "accuracy": fix.accuracy_m, "provider": "gps",
    }  # fmt: skip


def ulogger_action(base: str, fields: dict[str, Any], cookie: str | None = None) -> Wire:
    headers = FORM | ({"cookie": cookie} if cookie else {})
    return Wire(f"{base}/client/index.php", _form(fields), headers)


ENCODERS: Final[dict[str, Encode]] = {
    "traccar_android_8": traccar_android_8,
    "traccar_ios_8": traccar_ios_8,
    "traccar_9": traccar_9,
    "traccar_10": traccar_10,
    "owntracks_android": owntracks_android,
    "owntracks_ios": owntracks_ios,
    "overland": overland,
    "transistorsoft": transistorsoft,
    "transistorsoft_single": transistorsoft_single,
    "gpslogger": gpslogger,
    "phonetrack": phonetrack,
    "ulogger": ulogger,
}
# How many fixes a request holds at most; all others send one.
BATCHES: Final = {"overland": 200, "transistorsoft": 100, "phonetrack": 200}
