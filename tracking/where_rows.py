"""The visits of a place in words: how surely somebody was there, from when to when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from missions.proof_words import STAGES, distance
from missions.stages import Stage
from tracking.day_rows import Clock
from tracking.mission_words import mission_name, person
from tracking.where_search import Sighting
from tracking.where_visits import Visit

VAGUE_M: Final = 200.0
HOW_SURE: Final = {
    "stage": gettext_lazy("the driver marked a stage there"),
    "around": gettext_lazy("stayed: the positions before and after are there"),
    "last_seen": gettext_lazy("the last position before is there, and nothing has come since"),
}


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit. `points`: (latitude, longitude, time in words), for the map."""

    key: str
    driver: str
    driver_id: UUID
    truck: str
    truck_name: str
    truck_id: UUID | None
    missions: list[tuple[UUID, str]]
    began: str
    ended: str
    nearest: str
    how: str
    is_sure: bool
    stages: list[tuple[str, str]]
    day: str
    at: str
    points: list[tuple[float, float, str]]


def visit_rows(found: Iterable[Sighting], clock: Clock, zone: ZoneInfo) -> list[VisitRow]:
    """In the order of the visits."""
    return [_row(number, one, clock, zone) for number, one in enumerate(found, 1)]


def _row(number: int, one: Sighting, clock: Clock, zone: ZoneInfo) -> VisitRow:
    visit = one.visit
    day = visit.began_at.astimezone(zone).date()
    return VisitRow(
        key=f"visit-{number}",
        driver=person(one.driver),
        driver_id=one.driver.uuid,
        truck=one.truck.plate if one.truck else "",
        truck_name=one.truck.name if one.truck else "",
        truck_id=one.truck.uuid if one.truck else None,
        missions=[(mission.uuid, mission_name(mission)) for mission in one.missions],
        began=_began(visit, clock),
        ended=_ended(visit, clock),
        nearest=_nearest(visit, clock),
        how=_how(visit),
        is_sure=visit.how in ("position", "stage", "around"),
        stages=[
            (clock.text(event.recorded_at), str(STAGES[Stage(event.stage).label]))
            for event in one.stages
        ],
        day=day.isoformat(),
        at=visit.began_at.isoformat(),
        points=_points(visit, clock),
    )


def _began(visit: Visit, clock: Clock) -> str:
    text = clock.text(visit.began_at)
    return _("before %(time)s") % {"time": text} if visit.is_there_before else text


def _ended(visit: Visit, clock: Clock) -> str:
    text = clock.text(visit.ended_at)
    return _("after %(time)s") % {"time": text} if visit.is_there_after else text


def _nearest(visit: Visit, clock: Clock) -> str:
    nearest = visit.nearest
    if nearest.away_m is None:
        return ""
    words = {"distance": distance(nearest.away_m), "time": clock.text(nearest.nearest_at)}
    return _("%(distance)s at %(time)s") % words


def _how(visit: Visit) -> str:
    said = _evidence(visit)
    if visit.is_last and visit.how != "last_seen":
        said = _("%(said)s; nothing has come since") % {"said": said}
    return said


def _evidence(visit: Visit) -> str:
    if visit.how == "position":
        count = sum(one.how == "position" for one in visit.positions)
        said = ngettext("%(count)s position there", "%(count)s positions there", count)
        said %= {"count": count}
        vague_m = min((one.accuracy_m or 0.0 for one in visit.positions), default=0.0)
        if vague_m > VAGUE_M:
            said = _("%(said)s, to within %(distance)s only") % {
                "said": said, "distance": distance(vague_m),
            }  # fmt: skip
        return said
    if visit.how == "between":
        apart = distance(visit.best.apart_m or 0.0)
        if visit.best.is_standing:
            return _("perhaps: stood or crawled between two positions %(distance)s apart") % {
                "distance": apart
            }
        return _("passed between two positions %(distance)s apart") % {"distance": apart}
    return str(HOW_SURE[visit.how])


def _points(visit: Visit, clock: Clock) -> list[tuple[float, float, str]]:
    shown = visit.positions or (visit.nearest,)
    return [(*one.point, clock.text(_said_at(visit, one.nearest_at))) for one in shown]


def _said_at(visit: Visit, at: datetime) -> datetime:
    return min(max(at, visit.began_at), visit.ended_at)
