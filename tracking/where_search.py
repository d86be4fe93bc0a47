"""Who was where: the visits of an area within a stretch of time, of all drivers of an employer.

One statement reads the positions near the area: for each driver a range of the key, less what
lies far away, and the newest position before it, each with the next one of the same phone. A
truck that stood there all the while has no position inside the asked time, but one before
it and one after it. What a position or a leg says is decided by where_visits.py.

Frozen drivers are left out by the statement itself. Who is shown is written down before
anybody is (`looked_up`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q

from accounts import audit
from accounts.actors import Actor
from accounts.looks import record_looks
from accounts.models import Driver, Employer, MarkSource, Truck, TruckAssignment
from missions.models import Mission, PositionSource, StageEvent
from tracking.evidence import marks_of, open_missions_of
from tracking.histories import CLOCK_AHEAD
from tracking.legs import Window, continuous, spacing_or_least_m
from tracking.stop_times import is_corrected
from tracking.tracked import tracked_periods
from tracking.where_area import E7, Area, Circle
from tracking.where_bounds import (
    MOST_POSITIONS,
    MOST_VISITS,
    TooManyPositions,
    TooManyVisits,
    check_bounds,
)
from tracking.where_visits import (
    WIDEST_PASSING_M,
    Asked,
    Place,
    Presence,
    Step,
    Visit,
    of_drivers,
    visits,
)

# A truck that stands over a weekend is still found by its positions before and after.
BEYOND: Final = timedelta(hours=72)
PAGE: Final = "where_was_who"

# What comes after a position, and before the asked time, is first looked for without its phone:
# one step along the key. Only where several phones report it is looked for by phone, too.
_NEAR: Final = """
WITH several AS MATERIALIZED (
    SELECT DISTINCT h.driver_id, h.device_id
      FROM accounts_deviceholding h
     WHERE h.employer_id = %(employer)s AND h.period && tstzrange(%(from)s, %(begin)s)
       AND EXISTS (SELECT FROM accounts_deviceholding g
                    WHERE g.driver_id = h.driver_id AND g.device_id <> h.device_id
                      AND g.period && tstzrange(%(from)s, %(begin)s))
)
SELECT f.driver_id, f.truck_id, f.mission_id,
       f.recorded_at, f.latitude_e7, f.longitude_e7, f.accuracy_dm,
       CASE WHEN n.device_id = f.device_id THEN n.recorded_at ELSE o.recorded_at END,
       CASE WHEN n.device_id = f.device_id THEN n.latitude_e7 ELSE o.latitude_e7 END,
       CASE WHEN n.device_id = f.device_id THEN n.longitude_e7 ELSE o.longitude_e7 END,
       CASE WHEN n.device_id = f.device_id THEN n.accuracy_dm ELSE o.accuracy_dm END,
       coalesce(n.device_id <> f.device_id, false)
  FROM accounts_driver d
 CROSS JOIN LATERAL (
    SELECT i.driver_id, i.device_id, i.truck_id, i.mission_id, i.recorded_at, i.fix_id,
           i.latitude_e7, i.longitude_e7, i.accuracy_dm
      FROM tracking_fix i
     WHERE i.driver_id = d.id AND i.recorded_at >= %(begin)s AND i.recorded_at < %(end)s
     UNION ALL
    (SELECT b.driver_id, b.device_id, b.truck_id, b.mission_id, b.recorded_at, b.fix_id,
            b.latitude_e7, b.longitude_e7, b.accuracy_dm
       FROM tracking_fix b
      WHERE b.driver_id = d.id AND b.recorded_at >= %(from)s AND b.recorded_at < %(begin)s
      ORDER BY b.recorded_at DESC, b.fix_id DESC LIMIT 1)
     UNION ALL
    SELECT b.*
      FROM several h
     CROSS JOIN LATERAL (
        SELECT b.driver_id, b.device_id, b.truck_id, b.mission_id, b.recorded_at, b.fix_id,
               b.latitude_e7, b.longitude_e7, b.accuracy_dm
          FROM tracking_fix b
         WHERE b.driver_id = d.id AND b.device_id = h.device_id
           AND b.recorded_at >= %(from)s AND b.recorded_at < %(begin)s
         ORDER BY b.recorded_at DESC, b.fix_id DESC LIMIT 1) b
     WHERE h.driver_id = d.id) f
  LEFT JOIN LATERAL (
    SELECT n.recorded_at, n.device_id, n.latitude_e7, n.longitude_e7, n.accuracy_dm
      FROM tracking_fix n
     WHERE n.driver_id = f.driver_id AND (n.recorded_at, n.fix_id) > (f.recorded_at, f.fix_id)
       AND n.recorded_at >= %(from)s AND n.recorded_at < %(until)s
     ORDER BY n.recorded_at, n.fix_id LIMIT 1) n ON true
  LEFT JOIN LATERAL (
    SELECT o.recorded_at, o.latitude_e7, o.longitude_e7, o.accuracy_dm
      FROM tracking_fix o
     WHERE n.device_id <> f.device_id
       AND o.driver_id = f.driver_id AND o.device_id = f.device_id
       AND (o.recorded_at, o.fix_id) > (f.recorded_at, f.fix_id)
       AND o.recorded_at >= %(from)s AND o.recorded_at < %(until)s
     ORDER BY o.recorded_at, o.fix_id LIMIT 1) o ON true
 WHERE d.employer_id = %(employer)s AND d.frozen_at IS NULL
   AND f.latitude_e7 BETWEEN %(south)s AND %(north)s
   AND f.longitude_e7 BETWEEN %(west)s AND %(east)s
 LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A visit with the rows it names, and the stages that were marked there meanwhile."""

    visit: Visit
    driver: Driver
    truck: Truck | None
    missions: tuple[Mission, ...]
    stages: list[StageEvent] = field(default_factory=list)


def looked_up(
    actor: Actor, area: Area, begin_at: datetime, end_at: datetime, now: datetime
) -> list[Sighting]:
    """Who was there, oldest first. 11 queries at most, however many.

    Written down before it is answered: one look for each driver shown, and the search itself
    without its place. Raises SearchTooWide by the name of the bound that is passed.
    """
    found = sightings(actor.employer, area, begin_at, end_at, now)
    drivers = {one.driver.pk: one.driver for one in found}
    with transaction.atomic():
        if drivers:
            record_looks(actor, PAGE, drivers.values(), begin_at, end_at)
        audit.record(actor, "whereabouts.searched", actor.employer, _without_place(
            area, begin_at, end_at, len(drivers)))  # fmt: skip
    return found


def _without_place(
    area: Area, begin_at: datetime, end_at: datetime, drivers: int
) -> dict[str, object]:
    shape: dict[str, object] = {"shape": "circle" if isinstance(area, Circle) else "box"}
    if isinstance(area, Circle):
        shape["radius_m"] = round(area.radius_m)
    return shape | {"from": begin_at.isoformat(), "to": end_at.isoformat(), "drivers": drivers}


def sightings(
    employer: Employer, area: Area, begin_at: datetime, end_at: datetime, now: datetime
) -> list[Sighting]:
    """The visits of an area in `[begin_at, end_at)` with their rows."""
    check_bounds(employer, area, begin_at, end_at)
    asked = Asked(area, begin_at, end_at, spacing_or_least_m(employer.min_spacing_m))
    steps = _steps_near(employer, asked)
    windows = _windows(employer, {step.driver_id for step in steps}, asked, now)
    stages = _stages_inside(employer, asked)
    found = visits(
        asked, [*of_drivers(asked, steps, windows), *map(_marked(asked), _measured(stages))]
    )
    if len(found) > MOST_VISITS:
        raise TooManyVisits(
            f"There are more than {MOST_VISITS} visits. Choose a shorter time or a smaller place.",
            "from", "to",
        )  # fmt: skip
    return _named(found, stages)


def _steps_near(employer: Employer, asked: Asked) -> list[Step]:
    """Positions near the area, each with the next of its phone. One query."""
    # Both ends of a leg that touches the area are at most its length away from it.
    bounds = asked.area.bounds(WIDEST_PASSING_M)
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAR,
            {
                "employer": employer.pk,
                "begin": asked.begin_at, "end": asked.end_at,
                "from": asked.begin_at - BEYOND, "until": asked.end_at + BEYOND,
                "south": bounds.south_e7, "north": bounds.north_e7,
                "west": bounds.west_e7, "east": bounds.east_e7,
                "limit": MOST_POSITIONS + 1,
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    if len(rows) > MOST_POSITIONS:
        raise TooManyPositions(
            f"More than {MOST_POSITIONS:,} positions lie there. Choose a shorter time or a "
            "smaller place.", "from", "to",
        )  # fmt: skip
    return [_step(row) for row in rows]


def _step(row: tuple[Any, ...]) -> Step:
    driver_id, truck_id, mission_id, *places, is_contradicted = row
    start, end = _place(*places[:4]), None if places[4] is None else _place(*places[4:])
    return Step(driver_id, truck_id, mission_id, start, end, is_contradicted)


def _place(
    recorded_at: datetime, latitude_e7: int, longitude_e7: int, accuracy_dm: int | None
) -> Place:
    accuracy_m = None if accuracy_dm is None else accuracy_dm / 10
    return Place(recorded_at, latitude_e7 / E7, longitude_e7 / E7, accuracy_m)


def _windows(
    employer: Employer, driver_ids: set[int], asked: Asked, now: datetime
) -> dict[int, list[Window]]:
    """When each of these drivers was tracked, around the asked time. Two queries."""
    if not driver_ids:
        return {}
    begin_at, end_at = asked.begin_at - BEYOND, min(asked.end_at + BEYOND, now + CLOCK_AHEAD)
    marks = marks_of(driver_ids, begin_at, end_at)
    missions = open_missions_of(driver_ids, begin_at, end_at)
    return {
        driver_id: continuous(
            tracked_periods(
                employer.tracking_window,
                marks.get(driver_id, ()), missions.get(driver_id, ()), begin_at, end_at,
            )
        )
        for driver_id in driver_ids
    }  # fmt: skip


def _stages_inside(employer: Employer, asked: Asked) -> list[StageEvent]:
    """Stages with a place of their own inside, that stand. One query."""
    bounds = asked.area.bounds()
    events = (
        StageEvent.objects.filter(
            ~is_corrected(),
            # Named driver by driver, as the index has them.
            driver__in=list(
                Driver.objects.filter(employer=employer, frozen_at=None).values_list(
                    "pk", flat=True
                )
            ),
            employer=employer,
            recorded_at__gte=asked.begin_at,
            recorded_at__lt=asked.end_at,
            latitude__range=(bounds.south_e7 / E7, bounds.north_e7 / E7),
            longitude__range=(bounds.west_e7 / E7, bounds.east_e7 / E7),
        )
        .select_related("stop__site")
        .order_by("recorded_at", "id")
    )
    return [event for event in events if asked.area.holds(_point_of(event))]


def _point_of(event: StageEvent) -> tuple[float, float]:
    return event.latitude or 0.0, event.longitude or 0.0


def _measured(stages: Iterable[StageEvent]) -> list[StageEvent]:
    """Those whose place a phone measured for them: they prove a presence by themselves."""
    return [
        event
        for event in stages
        if event.position_source == PositionSource.AT_EVENT
        and event.source != MarkSource.DISPATCHER
    ]


def _marked(asked: Asked) -> Any:
    def presence(event: StageEvent) -> Presence:
        return Presence(
            event.driver_id or 0, event.truck_id, event.mission_id, event.recorded_at,
            event.recorded_at, "stage", event.recorded_at, _point_of(event),
            asked.area.away_m(_point_of(event)), None, event.accuracy_m,
        )  # fmt: skip

    return presence


def _named(found: Sequence[Visit], stages: Sequence[StageEvent]) -> list[Sighting]:
    """With the rows that the visits name. At most four queries."""
    trucks = _trucks_of(found)
    drivers = Driver.objects.in_bulk({visit.driver_id for visit in found})
    missions = Mission.objects.in_bulk({pk for visit in found for pk in visit.mission_ids})
    of_driver: defaultdict[int, list[StageEvent]] = defaultdict(list)
    for event in stages:
        of_driver[event.driver_id or 0].append(event)
    return [
        Sighting(
            visit,
            drivers[visit.driver_id],
            trucks.get(visit),
            tuple(missions[pk] for pk in visit.mission_ids),
            [
                event
                for event in of_driver[visit.driver_id]
                if visit.began_at <= event.recorded_at <= visit.ended_at
            ],
        )
        for visit in found
    ]


def _trucks_of(found: Sequence[Visit]) -> Mapping[Visit, Truck]:
    """The truck of each visit; where no position names one, the one assigned then."""
    if not found:
        return {}
    unlinked = [visit for visit in found if visit.truck_id is None]
    assigned = TruckAssignment.objects.filter(
        driver__in={visit.driver_id for visit in unlinked},
        period__overlap=(
            min(visit.began_at for visit in found),
            max(visit.ended_at for visit in found) + timedelta(microseconds=1),
        ),
    )
    had = list(assigned.values_list("driver_id", "truck_id", "period")) if unlinked else []
    truck_ids = {
        visit: visit.truck_id
        or next((truck for who, truck, period in had
                 if who == visit.driver_id and visit.began_at in period), None)
        for visit in found
    }  # fmt: skip
    trucks = Truck.objects.filter(Q(pk__in={pk for pk in truck_ids.values() if pk})).in_bulk()
    return {visit: trucks[pk] for visit, pk in truck_ids.items() if pk}
