"""What a mission's page shows, in words: its head, its stops, its timeline, its changes.

What somebody who is not available did is left out by every read below; the page says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import MarkSource
from missions.edits import ToldChange, changes_told
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    Signature,
    Stop,
    StopResult,
)
from missions.proof_words import (
    MISSING,
    OUTCOMES,
    PHOTO_KINDS,
    PURPOSES,
    REASONS,
    RESULTS,
    distance,
    duration,
    late,
)
from missions.reading import shown_stops
from missions.stages import Stage
from missions.strokes import svg_path
from tracking.amiss import Amiss
from tracking.day_rows import Clock, day_rows, track, whole_distance
from tracking.entries import Entry, Timeline
from tracking.floor_map import track_map
from tracking.histories import CLOCK_AHEAD, history_of
from tracking.mission_words import (
    STATUSES,
    amiss_text,
    day_text,
    distinct,
    mission_name,
    person,
    span_text,
)
from tracking.proofs import has_frozen_driver
from tracking.stop_times import StopTimes, stages_of_mission, stop_times
from tracking.timeline import timeline_of_mission

PAD_WIDTH: Final = 320
PAD_HEIGHT: Final = 120
# While it is to come or under way the page asks for what is new.
REFRESHED: Final = frozenset({MissionStatus.ASSIGNED, MissionStatus.STARTED})
CHANGES: Final[dict[str, Promise]] = {
    "mission.changed": gettext_lazy("changed"),
    "mission.planned": gettext_lazy("made from a draft to planned"),
    "mission.assigned": gettext_lazy("given to a driver"),
    "mission.unassigned": gettext_lazy("taken from its driver"),
    "mission.handed_over": gettext_lazy("handed over to another driver"),
    "mission.truck_changed": gettext_lazy("given another truck"),
    "mission.ended": gettext_lazy("ended"),
    "mission.cancelled": gettext_lazy("cancelled"),
    "mission.stops_reordered": gettext_lazy("stops put in another order"),
    "mission_assignment.corrected": gettext_lazy("driver or truck put right"),
    "stage.entered": gettext_lazy("stage entered"),
    "stage.corrected": gettext_lazy("stage corrected"),
    "stage.retracted": gettext_lazy("stage taken back"),
    "stop.added": gettext_lazy("stop added"),
    "stop.changed": gettext_lazy("stop changed"),
    "stop.removed": gettext_lazy("stop removed"),
    "stop.result_set": gettext_lazy("result of a stop said"),
}
ACTORS: Final[dict[str, Promise]] = {
    "user": gettext_lazy("somebody of the office"),
    "api_key": gettext_lazy("another system"),
    "device": gettext_lazy("the driver's phone"),
    "command": gettext_lazy("the administrator"),
    "system": gettext_lazy("the system"),
}


@dataclass(frozen=True, slots=True)
class PhotoView:
    """`is_small`: the worker has made its thumbnail."""

    uuid: UUID
    is_small: bool
    caption: str


@dataclass(frozen=True, slots=True)
class SignatureView:
    """Its strokes as a path, else its picture by `uuid`, else neither."""

    uuid: UUID
    path: str
    has_image: bool
    outcome: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop, planned against actual. Texts are blank where there is nothing to say."""

    stop: Stop
    place: str
    purpose: str
    planned: list[str]
    arrived: str
    departed: str
    delta: str
    is_late: bool
    spent: list[str]
    from_site: str
    is_far: bool
    result: str
    is_failed: bool
    notes: list[str]
    missing: list[str]
    goods: list[str]
    photos: list[PhotoView]
    signatures: list[SignatureView]


@dataclass(frozen=True, slots=True)
class AmissView:
    """An exception: when it showed, at which stop, and what it is."""

    when: str
    place: str
    words: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """Who changed what, when; `fields` by the names that the API has for them."""

    when: str
    who: str
    what: str
    fields: str


def mission_context(mission: Mission, now: datetime, language: str) -> dict[str, Any]:
    """All that the page names. The number of queries does not depend on what there is."""
    zone = ZoneInfo(mission.employer.timezone)
    timeline = timeline_of_mission(mission, now)
    begin_at = timeline.started_at or mission.planned_start_at or mission.created_at
    end_at = timeline.ended_at or now
    clock = Clock.of_period(zone, begin_at, end_at)
    rows = day_rows(timeline, clock, language)
    line = track(timeline, _fixes(mission, timeline, now))
    is_hidden = has_frozen_driver(mission)
    title = _("Map of the mission; the table says the same")
    return {
        "employer": mission.employer,
        "mission": mission,
        "name": mission_name(mission),
        "zone": zone,
        "day": begin_at.astimezone(zone).date(),
        "is_hidden": is_hidden,
        "is_refreshed": mission.status in REFRESHED,
        "stops": _stops(mission, clock, is_hidden=is_hidden),
        "amiss": [] if is_hidden else list(_amiss(timeline, clock)),
        "rows": rows,
        "track": line,
        "floor_map": track_map(title, line, rows, language),
        "is_past_its_period": _is_past(mission, now) and not line,
        **_head(mission, timeline, clock),
    }


def _fixes(mission: Mission, timeline: Timeline, now: datetime) -> Sequence[Any]:
    if timeline.started_at is None:
        return []
    until = timeline.ended_at or now + CLOCK_AHEAD
    return history_of(mission, timeline.started_at, until).fixes()


def _is_past(mission: Mission, now: datetime) -> bool:
    # Inexact on purpose: it chooses between two sentences.
    period = timedelta(days=31 * mission.employer.route_months)
    return mission.ended_at is not None and mission.ended_at < now - period


def _head(mission: Mission, timeline: Timeline, clock: Clock) -> dict[str, Any]:
    rows = list(mission.assignments.select_related("driver", "truck").order_by("id"))
    trucks = distinct(row.truck.plate for row in rows if row.truck)
    if not trucks and mission.planned_truck:
        trucks = [mission.planned_truck.plate]
    zone = clock.zone
    return {
        "status": STATUSES[MissionStatus(mission.status)],
        "icon": f"icons/{mission.status}.html",
        "drivers": list(_drivers(rows, clock)),
        "trucks": trucks,
        "planned": span_text(mission.planned_start_at, mission.planned_end_at, zone, None),
        "driven": span_text(mission.opened_at, mission.ended_at, zone, None),
        "distance": whole_distance(timeline) if timeline.distance_m else "",
        "last_fix": clock.text(timeline.last_fix_at) if timeline.last_fix_at else "",
    }


def _drivers(rows: Sequence[MissionAssignment], clock: Clock) -> Iterator[tuple[str, UUID | None]]:
    """Each assignment's driver, with the time of a hand-over where there was one."""
    for row in rows:
        name = person(row.driver)
        lower = row.period.lower if row.period else None
        if lower is not None and len(rows) > 1:
            name = _("%(name)s from %(time)s") % {"name": name, "time": clock.text(lower)}
        is_shown = row.driver is not None and row.driver.frozen_at is None
        yield name, row.driver.uuid if row.driver is not None and is_shown else None


def _stops(mission: Mission, clock: Clock, *, is_hidden: bool) -> list[StopView]:
    times = stop_times(
        mission.employer,
        shown_stops().filter(mission=mission),
        stages_of_mission(mission),
        photos=mission.attachments.filter(driver__frozen_at=None).order_by("recorded_at", "id"),
        signatures=mission.signatures.filter(driver__frozen_at=None).order_by("recorded_at", "id"),
    )
    return [_stop(row, clock, is_hidden=is_hidden) for row in times]


def _stop(row: StopTimes, clock: Clock, *, is_hidden: bool) -> StopView:
    stop = row.stop
    result = row.result
    if is_hidden and stop.result_source == MarkSource.DRIVER:
        result = ""
    is_over = bool(row.departed_at or result) and result != StopResult.CANCELLED
    far = distance(row.site_distance_m) if row.site_distance_m is not None else ""
    return StopView(
        stop=stop,
        place=stop.site.name if stop.site else _("stop %(number)s") % {"number": stop.seq},
        purpose=str(PURPOSES[stop.purpose]),
        planned=list(_planned(row, clock)),
        arrived=clock.text(row.arrived_at) if row.arrived_at else "",
        departed=clock.text(row.departed_at) if row.departed_at else "",
        delta=_delta(row),
        is_late=_is_late(row),
        spent=list(_spent(row)),
        from_site=_("%(distance)s from the site") % {"distance": far} if far else "",
        is_far=row.site_check == "outside",
        result=str(RESULTS[result]) if result else "",
        is_failed=result in (StopResult.FAILED, StopResult.PARTIALLY_SUCCEEDED),
        notes=list(_notes(row)) if result or not is_hidden else [],
        missing=[str(MISSING[name]) for name in row.missing] if is_over and not is_hidden else [],
        goods=[_goods_text(line) for line in stop.goods.all()],
        photos=[_photo(photo) for photo in row.photos],
        signatures=[_signature(signature) for signature in row.signatures],
    )


def _planned(row: StopTimes, clock: Clock) -> Iterator[str]:
    window = (row.window_start_at, row.window_end_at)
    if any(window):
        text = span_text(*window, clock.zone, clock.day)
        yield _("window %(window)s") % {"window": text}
    arrival_at, departure_at = row.planned_arrival_at, row.planned_departure_at
    if arrival_at and departure_at is None:
        yield clock.text(arrival_at)
    elif departure_at:
        yield span_text(arrival_at, departure_at, clock.zone, clock.day)


def _delta(row: StopTimes) -> str:
    if row.arrived_at is None:
        return ""
    if row.on_time is False and row.arrival_delta_s is None:
        return _("outside its window")
    return late(row.arrival_delta_s) if row.arrival_delta_s is not None else ""


def _is_late(row: StopTimes) -> bool:
    if row.on_time is not False or row.arrived_at is None:
        return False
    begins = row.window_start_at or row.planned_arrival_at
    return begins is None or row.arrived_at > begins


def _spent(row: StopTimes) -> Iterator[str]:
    parts = (
        (row.dwell_s, _("there for %(duration)s")),
        (row.waiting_s, _("waiting %(duration)s")),
        (row.loading_s, _("loading %(duration)s")),
        (row.unloading_s, _("unloading %(duration)s")),
        (row.paperwork_s, _("paperwork %(duration)s")),
        (row.detention_s, _("%(duration)s beyond the free time")),
    )
    for seconds, text in parts:
        if seconds:
            yield text % {"duration": duration(seconds)}


def _notes(row: StopTimes) -> Iterator[str]:
    if row.result_reason:
        yield str(REASONS.get(row.result_reason, row.result_reason))
    if row.remark:
        yield f"“{row.remark}”"
    yield from (f"“{event.note}”" for event in row.stages if event.note)


def _goods_text(line: Any) -> str:
    amount = f"{line.quantity.normalize():f} {line.unit}".strip()
    return f"{amount} {line.description}"


def _photo(photo: Attachment) -> PhotoView:
    kind = str(PHOTO_KINDS.get(photo.kind, photo.kind))
    caption = _("Photo: %(kind)s") % {"kind": kind}
    return PhotoView(
        photo.uuid, bool(photo.thumbnail), f"{caption}. {photo.remark}" if photo.remark else caption
    )


def _signature(row: Signature) -> SignatureView:
    path = svg_path(row.strokes, width=PAD_WIDTH, height=PAD_HEIGHT, margin=8)
    facts = [", ".join(part for part in (row.signer_name, row.signer_role) if part)]
    if row.reservations:
        facts.append(_("reservation: %(text)s") % {"text": row.reservations})
    facts.append(row.remark)
    outcome = str(OUTCOMES.get(row.outcome, row.outcome))
    shown = [fact for fact in facts if fact]
    return SignatureView(row.uuid, path, bool(row.image) and not path, outcome, shown)


def _amiss(timeline: Timeline, clock: Clock) -> Iterator[AmissView]:
    """What the driver reported, and what nobody pressed."""
    for entry in timeline.entries:
        if entry.event is not None and entry.event.stage == Stage.EXCEPTION and _stands(entry):
            words = _("the driver reported: %(reason)s") % {
                "reason": REASONS.get(entry.event.reason, entry.event.reason)
            }
            when = clock.text(entry.event.recorded_at)
            yield AmissView(when, _place(entry.stop), words)
    for one in timeline.exceptions:
        yield AmissView(_when(one, clock), _place(one.stop), amiss_text(one))


def _stands(entry: Entry) -> bool:
    return entry.segment.type == "stage" and not entry.is_superseded


def _when(one: Amiss, clock: Clock) -> str:
    return clock.text(one.started_at) if one.started_at else ""


def _place(stop: Stop | None) -> str:
    if stop is None:
        return ""
    return stop.site.name if stop.site else _("stop %(number)s") % {"number": stop.seq}


def exports_of(mission: Mission) -> list[tuple[str, str]]:
    """Files of this one mission, by name."""
    return [
        (label, reverse(name, args=[mission.uuid]))
        for label, name in (
            ("GPX", "mission-fixes-gpx"),
            ("GeoJSON", "mission-fixes-geojson"),
            (_("positions (CSV)"), "mission-fixes-csv"),
            (_("stages (XLSX)"), "stages-xlsx"),
            (_("stages (CSV)"), "stages-csv"),
            ("OpenTripModel 5", "mission-otm5"),
        )
    ]


def changes_of(mission: Mission) -> list[ChangeView]:
    """The newest first. Four queries at most."""
    zone = ZoneInfo(mission.employer.timezone)
    stops = list(mission.stops.order_by("seq").values_list("uuid", flat=True))
    return [_change(told, zone) for told in reversed(changes_told(mission, stops))]


def _change(told: ToldChange, zone: ZoneInfo) -> ChangeView:
    local = told.at.astimezone(zone)
    what = str(CHANGES.get(told.action, told.action))
    if told.stop is not None:
        what = _("stop %(number)s: %(what)s") % {"number": told.stop, "what": what}
    who = told.name or str(ACTORS.get(told.actor_kind, told.actor_kind))
    return ChangeView(f"{day_text(local.date())} {local:%H:%M}", who, what, _fields(told.fields))


def _fields(names: Iterable[str]) -> str:
    return ", ".join(names)
