"""What a link shows a consignee: one stop, where it stands, and of the truck no more than that.

No driver, no plate, no other stop. The truck's position only while this stop is the next
one, only from after the stop before it was left, and coarse unless the employer says exact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from accounts.models import Driver
from missions.models import Mission, MissionStatus, ProofOfDelivery, ShareLink, Stop, StopResult
from missions.proofs import proofs_in_force
from missions.stop_warnings import site_zone
from tracking.coarse import coarse
from tracking.histories import CLOCK_AHEAD, history_of_mission
from tracking.models import E7
from tracking.proofs import has_frozen_driver
from tracking.stop_times import StopTimes, stop_times_of
from tracking.where_area import Circle

StateOfStop = Literal[
    "planned", "on_the_way", "arrived", "done", "cancelled", "not_visited", "no_news"
]
NEVER: Final = StopTimes(Stop())
# A position as exact as the phone gave it still has a size.
EXACT_M: Final = 50.0


@dataclass(frozen=True, slots=True)
class SharedPosition:
    """Where the truck was at a moment; `driver` is for the log of looks alone."""

    area: Circle
    is_exact: bool
    recorded_at: datetime
    driver: Driver


@dataclass(frozen=True, slots=True)
class SharedStop:
    """One stop of one mission, as far as a link shows it."""

    link: ShareLink
    zone: ZoneInfo
    state: StateOfStop
    times: StopTimes
    position: SharedPosition | None
    proof: ProofOfDelivery | None
    photos: tuple[UUID, ...]


def shared_stop(link: ShareLink, now: datetime) -> SharedStop:
    """What there is to show at this moment. At most 16 queries, however long the mission."""
    stop = link.stop
    mission = stop.mission
    is_hidden = has_frozen_driver(mission)
    rows = [] if is_hidden else stop_times_of(mission)
    times = next((row for row in rows if row.stop.pk == stop.pk), NEVER)
    since = next_since(rows, stop, mission)
    shows_proof = link.shows_proof and not is_hidden
    is_placed = link.shows_position and since is not None
    return SharedStop(
        link=link,
        zone=site_zone(stop.site) if stop.site else ZoneInfo(link.employer.timezone),
        state="no_news" if is_hidden else _state(mission, times, is_next=since is not None),
        times=times,
        position=_position(link, since, now) if is_placed and since else None,
        proof=_proofs(stop).first() if shows_proof else None,
        photos=tuple(photo.uuid for photo in times.photos) if shows_proof else (),
    )


def next_since(rows: Iterable[StopTimes], stop: Stop, mission: Mission) -> datetime | None:
    """Since when the driver has been on the way to this stop; None: they are not.

    Every stop before it has a departure or a result, and it has none of its own, nor an
    arrival. A stop that somebody forgot to finish keeps the later ones waiting.
    """
    if mission.status != MissionStatus.STARTED or mission.ended_at or not mission.opened_at:
        return None
    since = mission.opened_at
    for row in rows:
        if row.stop.pk == stop.pk:
            is_new = not (row.arrived_at or row.departed_at or row.result)
            return since if is_new else None
        if not (row.departed_at or row.result):
            return None
        since = max(since, row.departed_at or row.stop.result_at or since)
    return None


def _state(mission: Mission, times: StopTimes, *, is_next: bool) -> StateOfStop:
    if times.result == StopResult.CANCELLED or mission.status == MissionStatus.CANCELLED:
        return "cancelled"
    if times.result or times.departed_at:
        return "done"
    if times.arrived_at:
        return "arrived"
    if mission.status == MissionStatus.COMPLETED:
        return "not_visited"
    return "on_the_way" if is_next else "planned"


def _position(link: ShareLink, since: datetime, now: datetime) -> SharedPosition | None:
    """The newest fix after the stop before was left, where its own fix would name that stop."""
    begin_at = since + timedelta(microseconds=1)
    fix = history_of_mission(link.stop.mission, begin_at, now + CLOCK_AHEAD).newest()
    if fix is None:
        return None
    driver = Driver.objects.filter(pk=fix.driver_id, frozen_at=None).first()
    if driver is None:
        return None
    latitude, longitude = fix.latitude_e7 / E7, fix.longitude_e7 / E7
    is_exact = link.employer.is_shared_position_exact
    area = Circle(latitude, longitude, EXACT_M) if is_exact else coarse(latitude, longitude)
    return SharedPosition(area, is_exact, fix.recorded_at, driver)


def _proofs(stop: Stop) -> QuerySet[ProofOfDelivery]:
    """Those in force, the newest first."""
    return proofs_in_force().filter(stop=stop).order_by("-issued_at", "-id")


def may_open(shown: SharedStop, kind: str, file_id: UUID) -> bool:
    """Whether a file is one of those that the link shows."""
    if kind == "proof":
        return shown.proof is not None and shown.proof.uuid == file_id
    return kind in ("photo", "thumbnail") and file_id in shown.photos


def photos_with_thumbnail(shown: SharedStop) -> Sequence[tuple[UUID, bool]]:
    """Each photo, and whether the worker has made its thumbnail."""
    return [(photo.uuid, bool(photo.thumbnail)) for photo in shown.times.photos if shown.photos]
