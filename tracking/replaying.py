"""Read a recorded track from a GPX or CSV file, and say it again as a phone would.

A file is read as it is: order, doubles and odd places stay, since a replay is there to show
what the server makes of them. Only what is no fix at all (no time, no number) is an error.
"""

import csv
import gzip
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import gpxpy
from gpxpy.gpx import GPX, GPXTrackPoint

from tracking.geometry import distance_m

TIME_COLUMNS: Final = ("recorded_at", "time", "timestamp")
LATITUDE_COLUMNS: Final = ("latitude", "lat")
LONGITUDE_COLUMNS: Final = ("longitude", "lon", "lng")
OPTIONAL_COLUMNS: Final = ("speed_mps", "accuracy_m", "heading_deg", "altitude_m")
GZIP_MAGIC: Final = b"\x1f\x8b"
# A file of one truck's year is about 10 MB; this bounds what a wrong file can unpack to.
MAX_BYTES: Final = 512 * 1024 * 1024


class NoTrack(Exception):
    """The file holds no track that we can read; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One place of a track: aware time, WGS 84 degrees, and what else the file knew."""

    recorded_at: datetime
    latitude: float
    longitude: float
    values: dict[str, float]
    device: str = ""

    def body(self, mission: str | None) -> dict[str, Any]:
        """The fix as our app would send it."""
        body: dict[str, Any] = {
            "recorded_at": self.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "latitude": self.latitude,
            "longitude": self.longitude,
            **self.values,
        }
        if mission:
            body["mission"] = mission
        return body


def read_track(path: Path) -> list[TrackPoint]:
    """The points of a file in its own order. NoTrack when there is none."""
    text = _text(path)
    points = _from_gpx(text) if text.lstrip("\ufeff \r\n\t").startswith("<") else _from_csv(text)
    if not points:
        raise NoTrack(f"{path.name} holds no point with a time.")
    return points


def thinned(points: Iterable[TrackPoint], spacing_m: float) -> Iterator[TrackPoint]:
    """The first point, and each one at least `spacing_m` from the last one kept."""
    kept: TrackPoint | None = None
    for point in points:
        if kept is None or spacing_m <= distance_m(
            kept.latitude, kept.longitude, point.latitude, point.longitude
        ):
            kept = point
            yield point


def shifted_to(points: Sequence[TrackPoint], now: datetime) -> list[TrackPoint]:
    """The track moved by whole days, so that its newest point lies within the last day."""
    newest_at = max(point.recorded_at for point in points)
    days = timedelta(days=(now - newest_at) // timedelta(days=1))
    return [replace(point, recorded_at=point.recorded_at + days) for point in points]


def batches(points: Sequence[TrackPoint], size: int) -> Iterator[Sequence[TrackPoint]]:
    """The points cut into batches of at most `size`, in the same order."""
    for start in range(0, len(points), size):
        yield points[start : start + size]


def paced(
    points: Sequence[TrackPoint],
    *,
    speed: float,
    size: int,
    clock_s: Callable[[], float],
    wait: Callable[[float], object],
) -> Iterator[Sequence[TrackPoint]]:
    """Batches of what has fallen due, `speed` seconds of the track in each second.

    In order of time. A second is waited between two batches, so that a fast replay sends
    batches and not one request for each fix.
    """
    waiting = sorted(points, key=lambda point: point.recorded_at)
    begin_at, begin_s = waiting[0].recorded_at, clock_s()
    sent = 0
    while sent < len(waiting):
        reached_at = begin_at + timedelta(seconds=(clock_s() - begin_s) * speed)
        due = sent
        while due < len(waiting) and due - sent < size and waiting[due].recorded_at <= reached_at:
            due += 1
        if due > sent:
            yield waiting[sent:due]
            sent = due
        if sent < len(waiting):
            ahead_s = (waiting[sent].recorded_at - reached_at).total_seconds() / speed
            if ahead_s > 0:
                wait(max(1.0, ahead_s))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            content = (gzip.GzipFile(fileobj=file) if is_packed else file).read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise NoTrack(f"{path} is a folder, not a file.") from None
    except FileNotFoundError:
        raise NoTrack(f"There is no file {path}.") from None
    except (OSError, EOFError) as error:
        raise NoTrack(f"{path.name} cannot be read: {error}.") from None
    if len(content) > MAX_BYTES:
        raise NoTrack(f"{path.name} is larger than {MAX_BYTES // 2**20} MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoTrack(f"{path.name} is no text in UTF-8: neither GPX nor CSV.") from None


def _from_gpx(text: str) -> list[TrackPoint]:
    try:
        gpx = gpxpy.parse(io.StringIO(text))
    except (gpxpy.gpx.GPXException, ValueError) as error:
        raise NoTrack(f"This is no GPX file: {str(error).splitlines()[0]}") from None
    return [_of_gpx(point) for point in _gpx_points(gpx) if point.time is not None]


def _gpx_points(gpx: GPX) -> Iterator[GPXTrackPoint]:
    for track in gpx.tracks:
        for segment in track.segments:
            yield from segment.points


def _of_gpx(point: GPXTrackPoint) -> TrackPoint:
    values = {"altitude_m": point.elevation, "speed_mps": point.speed}
    return TrackPoint(
        recorded_at=_aware(point.time) if point.time else datetime.min.replace(tzinfo=UTC),
        latitude=point.latitude,
        longitude=point.longitude,
        values={name: float(value) for name, value in values.items() if value is not None},
    )


def _aware(moment: datetime) -> datetime:
    """GPX has only UTC, also where a file left the Z out."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_csv(text: str) -> list[TrackPoint]:
    rows = csv.DictReader(io.StringIO(text))
    columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
    wanted = (TIME_COLUMNS, LATITUDE_COLUMNS, LONGITUDE_COLUMNS)
    found = [next((columns[name] for name in names if name in columns), "") for names in wanted]
    if not all(found):
        needed = ", ".join(" or ".join(names) for names in wanted)
        raise NoTrack(f"This is no GPX, and as CSV it lacks a column: needed are {needed}.")
    time_name, latitude_name, longitude_name = found
    try:
        return [
            TrackPoint(
                recorded_at=_moment(row[time_name]),
                latitude=float(row[latitude_name]),
                longitude=float(row[longitude_name]),
                values=_values(row, columns),
                device=row.get(columns.get("device", "")) or "",
            )
            for row in rows
        ]
    except (ValueError, TypeError, OverflowError, AttributeError, csv.Error) as error:
        raise NoTrack(f"Line {rows.line_num} is no fix: {error}.") from None


def _values(row: dict[str, Any], columns: dict[str, str]) -> dict[str, float]:
    found = ((name, row.get(columns.get(name, ""))) for name in OPTIONAL_COLUMNS)
    numbers = {name: float(value) for name, value in found if value}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _moment(text: str) -> datetime:
    """RFC 3339 with an offset, or seconds since 1970. ValueError for anything else."""
    text = text.strip()
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), tz=UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text!r} says no offset from UTC")
    return moment
