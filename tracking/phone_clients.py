"""The apps that can post to us, and how each is set up: link, settings, limits.

Aim for every one: a fix each 500 m, something while parked, and a queue of two weeks. The
settings are the apps' own names for things, so only the sentences around them are
translated. Where an app can be configured by a link, a QR code of it is shown as well.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DISTANCE_M: Final = 500
HEARTBEAT_S: Final = 600

Setting = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a page shows: a link that configures the app (None: by hand), and its settings."""

    link: str | None
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class PhoneClient:
    """One app. `setup` takes our base URL, the token and a name for the phone."""

    slug: str
    name: str
    setup: Callable[[str, str, str], Setup]
    limits: tuple[Promise, ...] = ()
    # A link that opens the app is worth nothing where the app wants typing.
    is_for_developers: bool = False


def _query(values: dict[str, object]) -> str:
    """With %20 for a space: an iPhone reads a plus as a plus."""
    return urlencode(values, quote_via=quote)


def _traccar_10(base: str, token: str, name: str) -> Setup:
    url = f"{base}/ingest/osmand/{token}"
    wanted: dict[str, object] = {
        "id": name,
        "distance": DISTANCE_M,
        "interval": 300,
        "angle": 0,
        "heartbeat": HEARTBEAT_S,
        "accuracy": "high",
        "buffer": "true",
        "stop_detection": "true",
    }
    return Setup(
        f"{url}?{_query(wanted)}",
        (
            ("Server URL", url),
            ("Distance", "500"),
            ("Interval", "300"),
            ("Angle", "0"),
            ("Heartbeat", str(HEARTBEAT_S)),
            ("Accuracy", "high"),
            ("Offline buffering", "on"),
        ),
    )


def _traccar_9(base: str, token: str, name: str) -> Setup:
    return Setup(
        None,
        (
            ("Server URL", f"{base}/ingest/osmand/{token}"),
            ("Device identifier", name),
            ("Location accuracy", "high"),
            ("Distance", "500"),
            ("Heartbeat", str(HEARTBEAT_S)),
            ("Offline buffering", "on"),
        ),
    )


def _traccar_8(base: str, token: str, name: str) -> Setup:
    return Setup(
        None,
        (
            ("Server URL", f"{base}/ingest/osmand/{token}"),
            ("Device identifier", name),
            ("Frequency", "300"),
            ("Distance", "500"),
            ("Angle", "0"),
            ("Offline buffering", "on"),
        ),
    )


def _owntracks(base: str, token: str, name: str, **platform: int) -> Setup:
    url = f"{base}/ingest/owntracks"
    configuration = {
        "_type": "configuration",
        "mode": 3,
        "url": url,
        "auth": True,
        "username": name,
        "password": token,
        "deviceId": name,
        "locatorDisplacement": DISTANCE_M,
        "extendedData": True,
        **platform,
    }
    inline = b64encode(json.dumps(configuration).encode()).decode()
    shown = {"monitoring": "monitoring", "locatorInterval": "locatorInterval", "ping": "ping"}
    return Setup(
        f"owntracks:///config?inline={quote(inline, safe='')}",
        (
            ("Mode", "HTTP"),
            ("URL", url),
            ("Username", name),
            ("Password", token),
            ("locatorDisplacement", str(DISTANCE_M)),
            *((shown[key], str(value)) for key, value in platform.items()),
            ("extendedData", "on"),
        ),
    )


def _owntracks_android(base: str, token: str, name: str) -> Setup:
    return _owntracks(base, token, name, monitoring=1, locatorInterval=30, ping=15)


def _owntracks_ios(base: str, token: str, name: str) -> Setup:
    return _owntracks(base, token, name, monitoring=2, locatorInterval=300)


def _overland(base: str, token: str, name: str) -> Setup:
    url = f"{base}/ingest/overland"
    link = "overland://setup?" + _query({"url": url, "token": token, "device_id": name})
    return Setup(
        link,
        (
            ("Receiver Endpoint", url),
            ("Access Token", token),
            ("Device ID", name),
            ("Logging Mode", "All Data"),
            ("Batch Size", "200"),
            ("Min Distance", "500m"),
            ("Tracking Mode", "Standard"),
            ("Activity Type", "Car"),
            ("Pause Automatically", "off"),
            ("Send Interval", "1m"),
            ("Tracking Stats, Unique ID", "off"),
        ),
    )


def _background_geolocation(base: str, token: str, name: str) -> Setup:
    wanted: dict[str, object] = {
        "url": f"{base}/ingest/background_geolocation",
        "headers": {"Authorization": f"Bearer {token}"},
        "params": {"device_id": name},
        "distanceFilter": DISTANCE_M,
        "disableElasticity": True,
        "stopTimeout": 5,
        "autoSync": True,
        "batchSync": True,
        "maxBatchSize": 100,
        "maxDaysToPersist": 14,
        "maxRecordsToPersist": -1,
        "locationsOrderDirection": "ASC",
        "stopOnTerminate": False,
        "startOnBoot": True,
        "heartbeatInterval": HEARTBEAT_S,
    }
    return Setup(None, tuple((key, json.dumps(value)) for key, value in wanted.items()))


def _gpslogger(base: str, token: str, name: str) -> Setup:
    asked = (
        "lat=%LAT&lon=%LON&timestamp=%TIMESTAMP&alt=%ALT&acc=%ACC&dir=%DIR&spd=%SPD&sat=%SAT"
        "&prov=%PROV&batt=%BATT&ischarging=%ISCHARGING"
    )
    return Setup(
        None,
        (
            ("Log to custom URL", "on"),
            ("URL", f"{base}/ingest/gpslogger/{token}?{asked}"),
            ("HTTP Method", "GET"),
            ("Distance filter", "500 m"),
            ("Log to CSV", "on"),
            ("Auto send", "on"),
        ),
    )


def _phonetrack(base: str, token: str, name: str) -> Setup:
    return Setup(
        None,
        (
            ("Server address", f"{base}/ingest/phonetrack"),
            ("Token", token),
            ("Device name", name),
            ("Minimum distance", "500 m"),
        ),
    )


def _ulogger(base: str, token: str, name: str) -> Setup:
    return Setup(
        None,
        (
            ("Server URL", f"{base}/ingest/ulogger/{token}"),
            ("User", name),
            ("Password", "-"),
            ("Minimum distance", "500 m"),
            ("Live synchronization", "on"),
        ),
    )


_NO_STAGES: Final = _(
    "It sends positions only: departures, arrivals and signatures are entered by the office."
)
_NEW_TOKEN: Final = _(
    "While the old token still works, put in a new one: a refused token costs it its queue."
)

CLIENTS: Final[tuple[PhoneClient, ...]] = (
    PhoneClient("traccar", "Traccar Client 10", _traccar_10, (_NO_STAGES,)),
    PhoneClient(
        "traccar9",
        "Traccar Client 9",
        _traccar_9,
        (_("Accuracy “highest” records every fix: choose “high”."), _NO_STAGES),
    ),
    PhoneClient(
        "traccar8",
        "Traccar Client 8 (Android)",
        _traccar_8,
        (
            _("Not on an iPhone: there version 8 loses a fix at every error of the server."),
            _NO_STAGES,
        ),
    ),
    PhoneClient(
        "owntracks-android",
        "OwnTracks (Android)",
        _owntracks_android,
        (
            _("Recent versions open the link only after “configuration by URI” is allowed."),
            _("A changed address or user empties its queue; a changed password does not."),
            _NO_STAGES,
        ),
    ),
    PhoneClient(
        "owntracks-ios",
        "OwnTracks (iPhone)",
        _owntracks_ios,
        (_("A refused message is deleted by the app."), _NEW_TOKEN, _NO_STAGES),
    ),
    PhoneClient(
        "overland",
        "Overland (iPhone)",
        _overland,
        (_("It sends every minute, so the live map is up to a minute behind."), _NO_STAGES),
    ),
    PhoneClient(
        "gpslogger",
        "GPSLogger (Android)",
        _gpslogger,
        (
            _("After three retries it drops a fix; “Auto send” brings it later from its file."),
            _NO_STAGES,
        ),
    ),
    PhoneClient("phonetrack", "PhoneTrack (Android)", _phonetrack, (_NO_STAGES,)),
    PhoneClient(
        "ulogger",
        "μlogger (Android)",
        _ulogger,
        (_("A photo sent with a position is not kept."), _NO_STAGES),
    ),
    PhoneClient(
        "background-geolocation",
        "background-geolocation SDK",
        _background_geolocation,
        (
            _("These are options of ready(): for the developer of an app."),
            _("Without maxDaysToPersist 14 it keeps what waits for one day only."),
        ),
        is_for_developers=True,
    ),
)
CLIENT_BY_SLUG: Final = {client.slug: client for client in CLIENTS}
