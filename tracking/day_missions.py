"""The missions of a day, each with its part of the day and of the day's kilometres."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from missions.models import Mission
from tracking.day_rows import Clock, kilometres
from tracking.floor_map import colour_of
from tracking.mission_words import mission_name
from tracking.timeline import Timeline
from tracking.tracked import Period


@dataclass(frozen=True, slots=True)
class DayMission:
    """`distance_m` is of this day alone: a mission over midnight has the rest on the other day."""

    pk: int
    uuid: UUID
    number: int
    name: str
    period: Period
    times: str
    distance_m: float
    distance: str
    continued: list[str]

    @property
    def colour(self) -> int:
        return colour_of(self.number)


def missions_of(timeline: Timeline, clock: Clock, bounds: Period) -> list[DayMission]:
    """In the order in which they appear. What is of no mission is in none of them."""
    missions: dict[int, Mission] = {}
    seen: defaultdict[int, list[datetime]] = defaultdict(list)
    driven_m: defaultdict[int, float] = defaultdict(float)
    for entry in timeline.entries:
        if entry.mission is None:
            continue
        missions.setdefault(entry.mission.pk, entry.mission)
        seen[entry.mission.pk] += [entry.segment.started_at, entry.segment.ended_at]
        driven_m[entry.mission.pk] += entry.segment.distance_m
    found = []
    for number, (pk, mission) in enumerate(missions.items(), start=1):
        period = min(seen[pk]), max(seen[pk])
        found.append(
            DayMission(
                pk=pk,
                uuid=mission.uuid,
                number=number,
                name=mission_name(mission),
                period=period,
                times=f"{clock.text(period[0])}\N{EN DASH}{clock.text(period[1])}",
                distance_m=driven_m[pk],
                distance=kilometres(driven_m[pk]),
                continued=_continued(mission, bounds),
            )
        )
    return found


def _continued(mission: Mission, bounds: Period) -> list[str]:
    said = []
    if mission.opened_at is not None and mission.opened_at < bounds[0]:
        said.append(_("continued from the day before"))
    if mission.ended_at is not None and mission.ended_at > bounds[1]:
        said.append(_("continued on the next day"))
    return said
