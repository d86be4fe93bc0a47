"""Write fixes as GeoJSON, GPX or CSV, row by row. (pure)

A format is a head, any number of batches of rows, and a tail, each as bytes. Nothing is kept
between two batches but the last row, so memory does not grow with the history, and the caller
may be synchronous or not:

    yield written.head()
    async for batch in batches:
        yield written.rows(batch)
    yield written.tail()
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from json import dumps
from math import isfinite
from typing import Final, NamedTuple, Protocol
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from accounts.moments import rfc3339 as rfc3339
from tracking.geometry import distance_m
from tracking.legs import LONGEST_DRIVING_S, WIDEST_STANDSTILL, spacing_or_least_m


class FixRow(NamedTuple):
    """One fix as it leaves the product: UUIDs as text, code names, places in 1e-7 degrees."""

    recorded_at: datetime
    received_at: datetime
    latitude_e7: int
    longitude_e7: int
    kind: str
    driver: str | None = None
    truck: str | None = None
    mission: str | None = None
    link_source: str = "none"
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    odometer_m: float | None = None
    battery: float | None = None
    is_mock: bool = False


class Format(Protocol):
    """How fixes are written; `media_type` and `ending` are for whoever answers with it."""

    media_type: str
    ending: str

    def head(self) -> bytes: ...
    def rows(self, batch: Iterable[FixRow]) -> bytes: ...
    def tail(self) -> bytes: ...


def chunks(written: Format, batches: Iterable[Iterable[FixRow]]) -> Iterator[bytes]:
    """A whole document, chunk by chunk."""
    yield written.head()
    for batch in batches:
        yield written.rows(batch)
    yield written.tail()


def degrees(e7: int) -> str:
    """1e-7 degrees as a decimal, exact and never with an exponent: 508500000 -> 50.85."""
    # A division of integers is rounded once, and repr() then gives back the shortest decimal,
    # which is the exact one: 10 digits are far fewer than a float keeps.
    return repr(e7 / 1e7) if e7 >= 1000 or e7 <= -1000 else f"{e7 / 1e7:.7f}"


class GeoJson:
    """A FeatureCollection (RFC 7946) with one point for each fix, [longitude, latitude]."""

    media_type = "application/geo+json"
    ending = "geojson"

    def __init__(self) -> None:
        self._separator = ""

    def head(self) -> bytes:
        return b'{"type":"FeatureCollection","features":['

    def rows(self, batch: Iterable[FixRow]) -> bytes:
        features = ",\n".join(map(_feature, batch))
        if not features:
            return b""
        separator, self._separator = self._separator, ",\n"
        return f"{separator}{features}".encode()

    def tail(self) -> bytes:
        return b"]}\n"


def _feature(row: FixRow) -> str:
    (accuracy_m, speed_mps, heading_deg, altitude_m, odometer_m, battery) = row[9:15]
    return (
        '{"type":"Feature","geometry":{"type":"Point","coordinates":['
        f'{degrees(row.longitude_e7)},{degrees(row.latitude_e7)}]}},"properties":{{'
        f'"recorded_at":"{rfc3339(row.recorded_at)}","received_at":"{rfc3339(row.received_at)}",'
        f"{_json_links(*row[4:9])},"
        f'"accuracy_m":{_json_number(accuracy_m)},"speed_mps":{_json_number(speed_mps)},'
        f'"heading_deg":{_json_number(heading_deg)},"altitude_m":{_json_number(altitude_m)},'
        f'"odometer_m":{_json_number(odometer_m)},"battery":{_json_number(battery)},'
        f'"is_mock":{"true" if row.is_mock else "false"}}}}}'
    )


# The same few links come thousands of times: one driver, a truck, some missions.
@lru_cache(maxsize=1024)
def _json_links(
    kind: str, driver: str | None, truck: str | None, mission: str | None, link_source: str
) -> str:
    return (
        f'"kind":{dumps(kind)},"driver":{dumps(driver)},"truck":{dumps(truck)},'
        f'"mission":{dumps(mission)},"link_source":{dumps(link_source)}'
    )


def _json_number(value: float | None) -> str:
    return "null" if value is None or not isfinite(value) else repr(value)


class Gpx:
    """One GPX 1.1 track; a new segment after a gap and where the driver changes.

    The rows come oldest first. `title` becomes the name of the track.
    """

    media_type = "application/gpx+xml"
    ending = "gpx"

    def __init__(self, title: str, *, min_spacing_m: float = 0.0) -> None:
        self._title = title
        self._gap_m = WIDEST_STANDSTILL * spacing_or_least_m(min_spacing_m)
        self._last: FixRow | None = None

    def head(self) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<gpx version="1.1" creator="Milepost" xmlns="http://www.topografix.com/GPX/1/1">\n'
            f"<trk><name>{_xml_text(self._title)}</name>\n"
        ).encode()

    def rows(self, batch: Iterable[FixRow]) -> bytes:
        points: list[str] = []
        last = self._last
        for row in batch:
            if last is None:
                points.append("<trkseg>\n")
            elif self._is_apart(last, row):
                points.append("</trkseg>\n<trkseg>\n")
            points.append(_point(row))
            last = row
        self._last = last
        return "".join(points).encode()

    def tail(self) -> bytes:
        return b"</trk>\n</gpx>\n" if self._last is None else b"</trkseg>\n</trk>\n</gpx>\n"

    def _is_apart(self, last: FixRow, row: FixRow) -> bool:
        if row.driver != last.driver:
            return True
        if row.recorded_at - last.recorded_at <= _LONGEST_DRIVING:
            return False
        apart_m = distance_m(
            last.latitude_e7 / 1e7,
            last.longitude_e7 / 1e7,
            row.latitude_e7 / 1e7,
            row.longitude_e7 / 1e7,
        )
        return apart_m > self._gap_m


_LONGEST_DRIVING: Final = timedelta(seconds=LONGEST_DRIVING_S)


def _point(row: FixRow) -> str:
    # The order of elements is the schema's: ele, time, type. What most fixes are goes unsaid.
    altitude_m, kind = row.altitude_m, row.kind
    ele = "" if altitude_m is None or not isfinite(altitude_m) else f"<ele>{altitude_m:.2f}</ele>"
    named = "" if kind == "distance" else f"<type>{_xml_text(kind)}</type>"
    return (
        f'<trkpt lat="{degrees(row.latitude_e7)}" lon="{degrees(row.longitude_e7)}">'
        f"{ele}<time>{rfc3339(row.recorded_at)}</time>{named}</trkpt>\n"
    )


# XML has no way to write a control character, not even escaped.
_NOT_IN_XML: Final = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


@lru_cache(maxsize=256)
def _xml_text(text: str) -> str:
    return escape(text.translate(_NOT_IN_XML))


class Csv:
    """RFC 4180 with code names in the header; `local_time` is in the zone given.

    Text that a spreadsheet would take for a formula gets a leading apostrophe.
    """

    media_type = "text/csv; charset=utf-8; header=present"
    ending = "csv"

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def head(self) -> bytes:
        return (
            b"recorded_at,received_at,local_time,timezone,latitude,longitude,kind,driver,truck,"
            b"mission,link_source,accuracy_m,speed_mps,heading_deg,altitude_m,odometer_m,battery,"
            b"is_mock\r\n"
        )

    def rows(self, batch: Iterable[FixRow]) -> bytes:
        return "".join(map(self._line(), batch)).encode()

    def tail(self) -> bytes:
        return b""

    def _line(self) -> Callable[[FixRow], str]:
        zone, zone_name = self._zone, csv_text(self._zone.key)

        def line(row: FixRow) -> str:
            (accuracy_m, speed_mps, heading_deg, altitude_m, odometer_m, battery) = row[9:15]
            local_time = row.recorded_at.astimezone(zone).isoformat()
            return (
                f"{rfc3339(row.recorded_at)},{rfc3339(row.received_at)},{local_time},{zone_name},"
                f"{degrees(row.latitude_e7)},{degrees(row.longitude_e7)},{_csv_links(*row[4:9])},"
                f"{_csv_number(accuracy_m)},{_csv_number(speed_mps)},{_csv_number(heading_deg)},"
                f"{_csv_number(altitude_m)},{_csv_number(odometer_m)},{_csv_number(battery)},"
                f"{'true' if row.is_mock else 'false'}\r\n"
            )

        return line


def csv_text(text: str | None) -> str:
    """A text cell, quoted where RFC 4180 asks for it and never a formula; empty for None."""
    if text is None:
        return ""
    if text.startswith(("=", "+", "-", "@", "\t", "\r")):
        text = f"'{text}"
    if any(mark in text for mark in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text


# Cached for the same reason as in GeoJSON.
@lru_cache(maxsize=1024)
def _csv_links(*texts: str | None) -> str:
    return ",".join(map(csv_text, texts))


def _csv_number(value: float | None) -> str:
    return "" if value is None else repr(value)
