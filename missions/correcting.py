"""Correct who drove a mission: say what was true all along, also after its end."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actors import Actor
from accounts.assignments import DriverNotAvailable, Span
from accounts.models import Driver, Truck
from accounts.refusals import Invalid, Overlaps
from missions.edits import record_change
from missions.lifecycle import locked, refuse_future, save_change
from missions.models import MissionAssignment


@dataclass(frozen=True, slots=True)
class Corrected:
    """An assignment as it is now, and the spans whose fixes were linked by the old one."""

    assignment: MissionAssignment
    spans: tuple[Span, ...]


@transaction.atomic
def correct_assignment(
    assignment: MissionAssignment,
    *,
    driver: Driver | None = None,
    truck: Truck | None,
    begin: datetime | None,
    actor: Actor | None = None,
) -> Corrected:
    """Set the truck, the moment it began and, unless None, the driver.

    Moving the beginning moves the end of the assignment before it along, so that no part
    of the mission is left to nobody. Overlaps when that would leave one of them empty.
    """
    mission = locked(assignment.mission)
    row = mission.assignments.select_related("driver", "truck").get(pk=assignment.pk)
    before, old_driver = _detail(row), _available(row, driver)
    asked = (driver or old_driver, truck, begin)
    if asked == (old_driver, row.truck, row.period.lower):
        return Corrected(row, ())
    spans = [Span(old_driver, row.period.lower, row.period.upper)]
    if begin != row.period.lower:
        spans += _move_begin(row, begin)
    row.driver, row.truck = driver or old_driver, truck
    row.save(update_fields=["driver", "truck", "period"])
    if (now := Span(row.driver, row.period.lower, row.period.upper)) not in spans:
        spans.append(now)
    save_change(mission)
    detail = {"before": before, "after": _detail(row)}
    record_change(mission, "mission_assignment.corrected", actor, of=row, detail=detail)
    return Corrected(row, tuple(spans))


def _available(row: MissionAssignment, driver: Driver | None) -> Driver:
    """The old driver; both are locked, so that a freeze that runs now is waited for and seen."""
    keys = [person.pk for person in (row.driver, driver) if person is not None]
    found = Driver.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
    drivers = {known.pk: known for known in found if known.frozen_at is None}
    if row.driver is None or len(drivers) < len(set(keys)):
        raise DriverNotAvailable("A driver is not available; the assignment stays as it is.")
    return drivers[row.driver.pk]


def _move_begin(row: MissionAssignment, begin: datetime | None) -> list[Span]:
    """Move a boundary between two assignments, the one that shrinks first.

    The database refuses two that overlap even for a moment.
    """
    old = row.period.lower
    if old is None or begin is None:
        raise Invalid(
            "Only the first assignment has no beginning, and it keeps none.", field="from"
        )
    refuse_future(begin, "from")
    previous = (
        row.mission.assignments.select_related("driver").filter(id__lt=row.pk).order_by("id").last()
    )
    if _is_too_early(begin, previous) or (row.period.upper and begin >= row.period.upper):
        raise Overlaps("Another assignment of this mission is in the way.")
    row.period = DateTimeTZRange(begin, row.period.upper)
    if previous is None or previous.period.upper != old:
        return []
    driver_before = _available(previous, None)
    previous.period = DateTimeTZRange(previous.period.lower, begin)
    for shrinks_first in (previous, row) if begin < old else (row, previous):
        shrinks_first.save(update_fields=["period"])
    return [Span(driver_before, min(old, begin), max(old, begin))]


def _is_too_early(begin: datetime, previous: MissionAssignment | None) -> bool:
    if previous is None or previous.period.lower is None:
        return False
    return bool(begin <= previous.period.lower)


def _detail(row: MissionAssignment) -> dict[str, str | None]:
    begin = row.period.lower
    return {
        "driver": str(row.driver.uuid) if row.driver else None,
        "truck": str(row.truck.uuid) if row.truck else None,
        "from": begin.isoformat() if begin else None,
    }
