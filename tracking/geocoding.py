"""Ask a geocoder of the operator's choice where an address is. Off unless GEOCODER is set.

What somebody typed goes to that server and to nobody else; not who asks, nor why. The server
asks, not the browser, through the one gate to the outside, so the page's policy stays as it is.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.exc import GeocoderParseError, GeocoderTimedOut, GeocoderUnavailable, GeopyError
from geopy.geocoders import Nominatim, Photon

from accounts.outbound import Gate, OutboundFailed, Outgoing, TimedOut
from tracking.where_place import Address

# Those of geopy's that need no key and can be hosted by oneself.
GEOCODERS: Final = {"nominatim": Nominatim, "photon": Photon}
# One answer with one place has a few kilobytes.
MOST_BYTES: Final = 65_536
_OK: Final = 200


class GeocoderAway(Exception):
    """It does not answer, or not as it should."""


class _ThroughTheGate(BaseSyncAdapter):  # type: ignore[misc]  # geopy ships no types
    """geopy's way out, by accounts/outbound.py."""

    def __init__(self, *, proxies: object, ssl_context: object) -> None:
        """Neither is used: the gate has its own trust, and no proxy."""

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        request = Outgoing(url, "GET", {**headers, "Accept": "application/json"})
        try:
            answer = Gate().send(request, max_bytes=MOST_BYTES)
        except TimedOut:
            raise GeocoderTimedOut("not in time") from None
        except OutboundFailed as error:
            raise GeocoderUnavailable(error.code) from None
        text = answer.body.decode("utf-8", "replace")
        if answer.status_code != _OK:
            raise AdapterHTTPError(
                "not found", status_code=answer.status_code, headers={}, text=None
            )
        return text

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        try:
            return json.loads(self.get_text(url, timeout=timeout, headers=headers))
        except ValueError:
            raise GeocoderParseError("no JSON") from None


def geocoder_host() -> str:
    """Who is asked; empty when nobody is."""
    return urlsplit(settings.GEOCODER_URL).netloc if settings.GEOCODER else ""


def geocoded(text: str, language: str) -> Address | None:
    """The best match for an address; None when it knows none, or none is set.

    Raises GeocoderAway. Blocks for at most the gate's deadline.
    """
    if not settings.GEOCODER:
        return None
    url = urlsplit(settings.GEOCODER_URL)
    geocoder = GEOCODERS[settings.GEOCODER](
        domain=url.netloc + url.path.rstrip("/"),
        scheme=url.scheme,
        user_agent="Milepost",
        adapter_factory=_ThroughTheGate,
    )
    try:
        found = geocoder.geocode(text, exactly_one=True, language=language)
        # geopy itself refuses what is no place on earth.
        return Address(str(found.address), found.latitude, found.longitude) if found else None
    except (GeopyError, KeyError, TypeError, ValueError, IndexError):
        raise GeocoderAway from None
