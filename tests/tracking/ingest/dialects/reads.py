"""Reading through a dialect, for its tests."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tracking.ingest.dialects import (
    background_geolocation,
    gpslogger,
    osmand,
    overland,
    owntracks,
    phonetrack,
    ulogger,
)
from tracking.ingest.foreign import Dialect, ForeignRequest, Readings
from tracking.ingest.sent import Refusal, SentFix

DIALECTS: dict[str, Dialect] = {
    "background_geolocation": background_geolocation,
    "gpslogger": gpslogger,
    "osmand": osmand,
    "overland": overland,
    "owntracks": owntracks,
    "phonetrack": phonetrack,
    "ulogger": ulogger,
}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def fixes_in(readings: Readings) -> list[SentFix]:
    """The fixes; fails when something could not be read."""
    assert reasons_in(readings) == []
    return [reading.fix for reading in readings.readings if isinstance(reading.fix, SentFix)]


def reasons_in(readings: Readings) -> list[str]:
    """Why what could not be read could not."""
    return [r.fix.reason for r in readings.readings if isinstance(r.fix, Refusal)]


def posted(value: Any, **more: Any) -> ForeignRequest:
    """A JSON body."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return ForeignRequest(body=body, content_type=JSON, **more)


def form(body: str, **more: Any) -> ForeignRequest:
    return ForeignRequest(body=body.encode(), content_type=FORM, **more)


def query(text: str, method: str = "POST") -> ForeignRequest:
    return ForeignRequest(method=method, query=text.encode())


def utc(text: str) -> datetime:
    """A UTC time from its ISO form without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def near(value: float, abs: float | None = None) -> Any:
    """A number within the resolution of floats, or within `abs`."""
    return pytest.approx(value, abs=abs)
