"""One fix as each off-the-shelf client posts it, for the tests of their answers."""

import json
from datetime import datetime
from typing import Any

from accounts.duty_marks import MARK_BY_LABEL
from accounts.models import Driver
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import Answered, AsgiPhone
from tracking.models import Fix, UnstoredCount

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


def stamp(at: datetime) -> int:
    return int(at.timestamp())


def location(at: datetime, latitude: float = 50.85, **more: Any) -> dict[str, Any]:
    return {"_type": "location", "lat": latitude, "lon": 4.35, "tst": stamp(at), **more}


def record(at: datetime, latitude: float = 50.85, **more: Any) -> dict[str, Any]:
    coords = {"latitude": latitude, "longitude": 4.35, "accuracy": 5}
    return {"timestamp": at.isoformat(), "coords": coords, **more}


def feature(at: datetime, latitude: float = 50.85, **more: Any) -> dict[str, Any]:
    return {
        "geometry": {"type": "Point", "coordinates": [4.35, latitude]},
        "properties": {"timestamp": at.isoformat(), **more},
    }


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies(at: datetime, latitude: float = 50.85) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """The same fix as each client posts it: what follows the token, body, headers."""
    s = stamp(at)
    form = f"lat={latitude}&lon=4.35&timestamp={s}".encode()
    return {
        "osmand": ("", form, FORM),
        "owntracks": ("", as_json(location(at, latitude)), JSON),
        "overland": ("", as_json({"locations": [feature(at, latitude)]}), JSON),
        "background_geolocation": ("", as_json({"location": record(at, latitude)}), JSON),
        "gpslogger": ("", form, FORM),
        "phonetrack": ("/my%20phone", form, FORM),
        "ulogger": (
            "/client/index.php",
            f"action=addpos&lat={latitude}&lon=4.35&time={s}".encode(),
            FORM,
        ),
    }


SUCCESS = {
    "osmand": b"",
    "owntracks": b"[]",
    "overland": b'{"result":"ok"}',
    "background_geolocation": b"{}",
    "gpslogger": b"",
    "phonetrack": b'{"done":1}',
    "ulogger": b'{"error":false}',
}
NAMES = sorted(SUCCESS)


def post(ingest: AsgiPhone, name: str, token: str, at: datetime, **more: Any) -> Answered:
    rest, body, headers = bodies(at, **more)[name]
    return ingest.send(body, headers, path=f"/ingest/{name}/{token}{rest}")


def is_success(name: str, answer: Answered) -> bool:
    return (answer.status, answer.body) == (200, SUCCESS[name])


def fixes(phone: Phone) -> int:
    return Fix.objects.filter(driver_id=phone.driver.pk).count()


def unstored(phone: Phone) -> dict[str, int]:
    rows = UnstoredCount.objects.filter(device=phone.device)
    return dict(rows.values_list("reason", "count"))


def mark(driver: Driver, kind: str, at: datetime) -> None:
    driver.duty_marks.create(employer=driver.employer, kind=MARK_BY_LABEL[kind], recorded_at=at)
