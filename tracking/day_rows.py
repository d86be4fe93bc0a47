"""A timeline as the rows and lines that a day's page shows: words, not rules.

Times are written in the zone that the page names, and stay there for machines too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from missions.models import Attachment, Site
from missions.proof_words import STAGES
from tracking.geometry import KMH_IN_MPS, distance_m
from tracking.histories import StoredFix
from tracking.models import E7
from tracking.moments import INSTANTS
from tracking.nearby import nearby
from tracking.row_notes import evidence_of, warnings_of
from tracking.segmentation import Segment
from tracking.stays import SAME_YARD_M
from tracking.timeline import Entry, Timeline

SEGMENT_NAMES: Final = {
    "move": pgettext_lazy("a part of the day", "Driving"),
    "dwell": pgettext_lazy("a part of the day", "At a stop"),
    "standstill": pgettext_lazy("a part of the day", "Standing still"),
    "gap": pgettext_lazy("a part of the day", "No positions"),
    "attachment": pgettext_lazy("a part of the day", "Photo"),
    "signature": pgettext_lazy("a part of the day", "Signature"),
    "result": pgettext_lazy("a part of the day", "Result"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `where`, `notes` and `warnings` are sentences or empty.

    `mission`, `stop` and `driver` are ids, for links; `photo` is the id of one that has a
    thumbnail. Of type `driver`: somebody took a truck over.
    """

    type: str
    what: str
    started_at: datetime
    started: str
    ended_at: datetime | None = None
    ended: str = ""
    where: str = ""
    duration: str = ""
    distance: str = ""
    notes: list[str] = field(default_factory=list)
    received_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_superseded: bool = False
    warnings: list[str] = field(default_factory=list)
    mission: UUID | None = None
    stop: UUID | None = None
    photo: UUID | None = None
    driver: UUID | None = None

    @property
    def last_at(self) -> datetime:
        """When it ended, or its own instant."""
        return self.ended_at or self.started_at

    @property
    def lasts(self) -> bool:
        return self.type not in INSTANTS


@dataclass(frozen=True, slots=True)
class Clock:
    """Writes times as the clock on the wall shows them in one zone.

    On a day on which clocks change 02:30 may come twice: then each time says which. What is
    not on `day` says its date too; without one, nothing does.
    """

    zone: ZoneInfo
    says_offset: bool
    day: date | None = None

    @classmethod
    def of_day(cls, zone: ZoneInfo, begin_at: datetime, end_at: datetime) -> "Clock":
        return cls(zone, end_at - begin_at != timedelta(days=1))

    @classmethod
    def of_period(cls, zone: ZoneInfo, begin_at: datetime, end_at: datetime) -> "Clock":
        """Of what may go on past midnight: the first day is named elsewhere."""
        first, last = begin_at.astimezone(zone), end_at.astimezone(zone)
        return cls(zone, first.utcoffset() != last.utcoffset(), first.date())

    def text(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        text = f"{local:%H:%M} {local.tzname()}" if self.says_offset else f"{local:%H:%M}"
        if self.day is None or local.date() == self.day:
            return text
        day = date_format(local, _("j M"))
        return f"{day} {text}"


def day_rows(timeline: Timeline, clock: Clock, language: str) -> list[Row]:
    """Every entry of a day or a mission, in order."""
    sites = sites_of(timeline)
    return [row_of(entry, clock, sites, language) for entry in timeline.entries]


def sites_of(timeline: Timeline) -> list[Site]:
    """Those of its stops, each once: their names may stand for places."""
    sites = {
        entry.stop.site_id: entry.stop.site
        for entry in timeline.entries
        if entry.stop is not None and entry.stop.site is not None
    }
    return list(sites.values())


def duration_text(seconds: int) -> str:
    """For example `40 s`, `12 min`, `1 h 05 min`."""
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(minutes)s min") % {"minutes": minutes}
    return _("%(hours)s h %(minutes)s min") % {
        "hours": minutes // 60,
        "minutes": f"{minutes % 60:02d}",
    }


def kilometres(metres: float) -> str:
    """With one decimal, as the language writes it: `258.4 km`."""
    return _("%(distance)s km") % {"distance": number_format(round(metres / 1000, 1), 1)}


def whole_distance(timeline: Timeline) -> str:
    """What the day's distance is worth."""
    return distance_text(timeline.distance_m, timeline.distance_method)


def distance_text(distance_m: float, method: str) -> str:
    """With how it is known: positions 500 m apart cut off every bend."""
    distance = kilometres(distance_m)
    if method == "odometer":
        return _("%(distance)s (from the odometer)") % {"distance": distance}
    return _("at least %(distance)s (from positions)") % {"distance": distance}


def row_of(entry: Entry, clock: Clock, sites: Sequence[Site], language: str) -> Row:
    """One entry; `sites` are those whose name may stand for a place."""
    segment = entry.segment
    is_instant = segment.type in INSTANTS
    ended_at = None if is_instant or segment.is_open else segment.ended_at
    return Row(
        type=segment.type,
        what=_what(segment),
        started_at=segment.started_at,
        started=clock.text(segment.started_at),
        ended_at=ended_at,
        ended=clock.text(ended_at) if ended_at else "",
        where=_where(entry, sites, language),
        duration="" if is_instant else _duration(segment),
        distance=kilometres(segment.distance_m) if segment.type in ("move", "gap") else "",
        notes=[*evidence_of(entry, clock.text), *notes_of(entry)],
        warnings=list(warnings_of(entry)),
        mission=entry.mission.uuid if entry.mission else None,
        stop=entry.stop.uuid if entry.stop else None,
        photo=_photo(entry),
        received_at=entry.came_late_at,
        latitude=segment.latitude,
        longitude=segment.longitude,
        is_superseded=entry.is_superseded,
    )


def _photo(entry: Entry) -> UUID | None:
    """Once the worker has made the thumbnail."""
    proof = entry.proof
    return proof.uuid if isinstance(proof, Attachment) and proof.thumbnail else None


def _what(segment: Segment) -> str:
    if segment.type == "stage":
        kind = segment.kind or ""
        return str(STAGES.get(kind, kind))
    if segment.is_crawling:
        return _("Standing or crawling")
    return str(SEGMENT_NAMES[segment.type])


def _duration(segment: Segment) -> str:
    text = duration_text(segment.duration_s)
    return _("at least %(duration)s") % {"duration": text} if segment.is_open else text


def _where(entry: Entry, sites: Sequence[Site], language: str) -> str:
    """The stop's site, else a site of the day that the place lies in, else a town's name."""
    if entry.stop is not None and entry.stop.site is not None:
        return entry.stop.site.name
    segment = entry.segment
    if segment.type in ("move", "gap") or segment.latitude is None or segment.longitude is None:
        return ""
    for site in sites:
        if _is_at(segment.latitude, segment.longitude, site):
            return site.name
    return _town(segment.latitude, segment.longitude, language)


def _is_at(latitude: float, longitude: float, site: Site) -> bool:
    return (
        site.latitude is not None
        and site.longitude is not None
        and distance_m(latitude, longitude, site.latitude, site.longitude) <= site.radius_m
    )


def _town(latitude: float, longitude: float, language: str) -> str:
    found = nearby(latitude, longitude)
    if found is None:
        return f"{latitude:.3f}, {longitude:.3f}"
    name = found.place.names.get(language, found.place.english)
    if found.distance_m < 3_000:
        return _("in or near %(place)s") % {"place": name}
    distance = number_format(round(found.distance_m / 1000))
    return _("about %(distance)s km from %(place)s") % {"distance": distance, "place": name}


def notes_of(entry: Entry) -> Iterator[str]:
    """What the track itself says of an entry: how exactly, how fast, where it was cut off."""
    yield from _figures(entry.segment)
    said = (
        (entry.continues_before, _("began the day before")),
        (entry.continues_after, _("goes on the next day")),
        (entry.segment.is_open, _("departure not known yet")),
        (entry.segment.standstill_possible, _("a standstill is possible")),
        (entry.segment.flagged_legs, _("doubtful positions left out")),
        (entry.is_superseded and entry.corrected_by is None, _("corrected later")),
    )
    yield from (text for holds, text in said if holds)


def _figures(segment: Segment) -> Iterator[str]:
    uncertainty_m = segment.uncertainty_m or 0.0
    if segment.type == "standstill" and uncertainty_m > SAME_YARD_M:
        metres = number_format(round(uncertainty_m))
        yield _("somewhere on this leg, ±%(metres)s m") % {"metres": metres}
    if segment.type in ("gap", "move") and segment.mean_speed_mps is not None:
        speed = number_format(round(segment.mean_speed_mps / KMH_IN_MPS))
        yield _("%(speed)s km/h on average") % {"speed": speed}


def track(
    timeline: Timeline,
    fixes: Sequence[StoredFix],
    numbers: Mapping[int | None, int] | None = None,
) -> list[dict[str, Any]]:
    """The day's line in parts: `driven`, or `missing` where a straight line is all we know.

    A point is its latitude, its longitude, and when: whole seconds since 1970. Nothing joins
    two fixes between which nobody was tracked. With `numbers` of missions a part is of one
    mission, by its number; 0 is outside all of them.
    """
    parts: list[dict[str, Any]] = []
    covers = _Covers(entry.segment for entry in timeline.entries)
    before: StoredFix | None = None
    for fix in fixes:
        at_s = int(fix.recorded_at.timestamp())
        point = [round(fix.latitude_e7 / E7, 5), round(fix.longitude_e7 / E7, 5), at_s]
        kind = covers.between(before, fix) if before else ""
        sort: dict[str, Any] = {"kind": kind or "driven"}
        if numbers is not None:
            sort["mission"] = _number(before, fix, numbers)
        if before is not None and kind and parts and _is_of(parts[-1], sort):
            parts[-1]["points"].append(point)
        elif before is not None and kind:
            parts.append({**sort, "points": [parts[-1]["points"][-1], point]})
        else:
            parts.append({**sort, "points": [point]})
        before = fix
    return parts


def _is_of(part: dict[str, Any], sort: Mapping[str, Any]) -> bool:
    if len(part["points"]) == 1:
        part.update(sort)  # a lone point is of whatever leg leaves it
    return all(part[name] == value for name, value in sort.items())


def _number(before: StoredFix | None, fix: StoredFix, numbers: Mapping[int | None, int]) -> int:
    """The mission of a leg is that of both its ends."""
    if before is not None and before.mission_id != fix.mission_id:
        return 0
    return numbers.get(fix.mission_id, 0)


class _Covers:
    """Which part of the timeline lies between two fixes."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._lasting = sorted(
            (one for one in segments if one.type not in INSTANTS), key=lambda one: one.started_at
        )
        self._starts = [one.started_at for one in self._lasting]

    def between(self, before: StoredFix, after: StoredFix) -> str:
        """`driven`, `missing`, or empty: not tracked, or another phone."""
        if before.device_id != after.device_id:
            return ""
        middle = before.recorded_at + (after.recorded_at - before.recorded_at) / 2
        index = bisect_right(self._starts, middle) - 1
        if index < 0 or self._lasting[index].ended_at < middle:
            return "driven" if before.recorded_at == after.recorded_at else ""
        return "missing" if self._lasting[index].type == "gap" else "driven"
