"""Import missions from a table: check it, show what it would do, then do it once somebody confirms.

1. `check_import` reads and checks the file, and keeps its rows for a day.
2. `confirm_import` checks the same rows again, since things may have changed, and applies them
   in one transaction by the same rules as the API: all of the table, or nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Driver
from accounts.refusals import Conflict, Invalid, Problem
from missions.changing import change_mission
from missions.import_checking import Checked, MissionChange, StopChange, check_rows
from missions.import_columns import RowProblem
from missions.import_sites import SiteKey
from missions.import_table import Table, TableRow, Unreadable, read_table
from missions.lifecycle import create_mission
from missions.models import Mission, MissionImport, Site, Stop
from missions.planning import StopPlan
from missions.sites import create_site
from missions.stops import add_stop, change_stop, remove_stop, reorder_stops

KEPT_FOR: Final = timedelta(hours=24)
# More than this nobody reads; the last entry then says how many there are.
MOST_PROBLEMS: Final = 20_000

# In an import's outcome, beside what its confirmation did.
_EXPECTED: Final = "expected"

Progress = Callable[[int], object]
Sites = Mapping[SiteKey, Site]


class ImportRefused(Conflict):
    """The table cannot be imported as things are now; `problems` says why, row by row."""

    code = "import_refused"

    def __init__(self, problems: Iterable[RowProblem]) -> None:
        found = [problem.as_json() for problem in problems]
        wrong = sum(problem["severity"] == "error" for problem in found)
        detail = f"The table has {wrong} problems: mend it and check it again."
        super().__init__(detail, extra={"problems": found})


def table_of(data: bytes) -> Table:
    """The rows of a file. Invalid when it is no table that we read."""
    try:
        return read_table(data)
    except Unreadable as unreadable:
        raise Invalid(unreadable.detail, field="file", code=unreadable.code) from None


def checked_table(table: Table, actor: Actor) -> Checked:
    """What the table would do, with the problems of reading it first."""
    checked = check_rows(table.rows, actor.employer)
    return replace(checked, problems=(*table.problems, *checked.problems))


def check_import(actor: Actor, filename: str, data: bytes) -> tuple[MissionImport, Checked]:
    """Check a file and keep it for a day, to be confirmed. Changes no mission."""
    table = table_of(data)
    checked = checked_table(table, actor)
    with transaction.atomic():
        kept = MissionImport.objects.create(
            employer=actor.employer,
            filename=filename[:200],
            rows=[[row.number, dict(row.cells)] for row in table.rows],
            problems=_shown(checked.problems),
            versions=_versions(checked),
            outcome={_EXPECTED: {**checked.counts(), "new_sites": len(checked.new_sites)}},
        )
        detail = {"rows": len(table.rows), **checked.counts()}
        record(actor, "mission_import.checked", kept, detail)
    return kept, checked


def _shown(problems: tuple[RowProblem, ...]) -> list[dict[str, object]]:
    shown = [problem.as_json() for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        detail = f"There are {len(problems)} problems; these are the first {MOST_PROBLEMS}."
        shown.append(RowProblem(None, None, "more_problems", detail).as_json())
    return shown


def _versions(checked: Checked) -> dict[str, int]:
    """The version of each mission that the table was compared with."""
    stored = [change.stored for change in checked.missions if change.stored is not None]
    return {str(mission.uuid): mission.version for mission in stored}


def confirm_import(
    actor: Actor, kept: MissionImport, *, progress: Progress | None = None
) -> MissionImport:
    """Apply a checked table: all of it or, with an ImportRefused, nothing.

    Confirmed again, the outcome of the first time comes back. `progress` is told of each
    mission that is done.
    """
    with transaction.atomic():
        kept = MissionImport.objects.select_for_update(no_key=True).get(pk=kept.pk)
        if kept.confirmed_at is not None:
            return kept
        rows = [TableRow(number, cells) for number, cells in kept.rows]
        if not rows or any(problem["severity"] == "error" for problem in kept.problems):
            raise ImportRefused(RowProblem(**_fields(problem)) for problem in kept.problems)
        checked = _locked_check(actor, kept, rows)
        problems = (*checked.problems, *_changed_since(checked, kept))
        if not all(problem.is_warning for problem in problems):
            raise ImportRefused(problems)
        done = _applied(actor, checked, progress or (lambda done: None))
        kept.outcome = {**kept.outcome, **done}
        kept.confirmed_at = timezone.now()
        kept.save(update_fields=["outcome", "confirmed_at"])
        record(actor, "mission_import.confirmed", kept, done)
    return kept


def expected_of(kept: MissionImport) -> dict[str, int]:
    """What the check found that confirming would do: missions by kind, and `new_sites`."""
    found: dict[str, int] = kept.outcome.get(_EXPECTED, {})
    return {name: found.get(name, 0) for name in ("new", "changed", "unchanged", "new_sites")}


def outcome_of(kept: MissionImport) -> dict[str, int] | None:
    """What the confirmation did; None: nobody has confirmed it yet."""
    if kept.confirmed_at is None:
        return None
    return {name: count for name, count in kept.outcome.items() if name != _EXPECTED}


def can_be_confirmed(kept: MissionImport) -> bool:
    """Whether the check let it through and nobody has confirmed it yet. Costs nothing."""
    is_wrong = any(problem["severity"] == "error" for problem in kept.problems)
    return bool(kept.rows) and not is_wrong and kept.confirmed_at is None


def young_imports(now: datetime) -> QuerySet[MissionImport]:
    """Those that are not to be forgotten yet."""
    return MissionImport.objects.filter(checked_at__gt=now - KEPT_FOR)


def _fields(problem: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in problem.items() if name != "severity"}
    return {**fields, "is_warning": problem["severity"] == "warning"}


def _locked_check(actor: Actor, kept: MissionImport, rows: list[TableRow]) -> Checked:
    """The check of rows whose missions and drivers are locked, each in the order of their ids.

    All at once, so that two imports of the same missions wait for each other, but never for
    ever.
    """
    numbers = {row.cells["driver_number"] for row in rows if "driver_number" in row.cells}
    missions = Mission.objects.filter(employer=actor.employer, uuid__in=list(kept.versions))
    drivers = Driver.objects.filter(employer=actor.employer, number__in=numbers)
    for own in (missions, drivers):
        locked = own.select_for_update(no_key=True).order_by("pk")
        list(locked.values_list("pk", flat=True))
    return check_rows(rows, actor.employer)


def _changed_since(checked: Checked, kept: MissionImport) -> Iterable[RowProblem]:
    """Missions that would be changed, and are not as they were when somebody looked."""
    for change in checked.missions:
        stored = change.stored
        if stored is None or change.kind == "unchanged":
            continue
        if kept.versions.get(str(stored.uuid)) != stored.version:
            detail = "The mission was changed after the table was checked."
            yield RowProblem(change.asked.row, "external_id", "changed_since_check", detail)


def _applied(actor: Actor, checked: Checked, progress: Progress) -> dict[str, int]:
    sites = {key: create_site(actor, new.fields).site for key, new in checked.new_sites.items()}
    for change in checked.missions:
        try:
            _apply(actor, change, sites)
        except Problem as refused:
            problem = RowProblem(change.asked.row, None, refused.code, refused.detail)
            raise ImportRefused([problem]) from None
        progress(1)
    counts = checked.counts()
    return {
        "created": counts["new"],
        "changed": counts["changed"],
        "unchanged": counts["unchanged"],
        "sites_created": len(sites),
    }


def _apply(actor: Actor, change: MissionChange, sites: Sites) -> None:
    if change.stored is None:
        stops = tuple(_sited(stop, sites) for stop in change.stops)
        create_mission(actor.employer, replace(change.plan, stops=stops), actor=actor)
    elif change.kind == "changed":
        if change.fields:
            change_mission(change.stored, change.fields, actor=actor)
        _apply_stops(actor, change, change.stored, sites)


def _sited(stop: StopChange, sites: Sites) -> StopPlan:
    return stop.plan if stop.new_site is None else replace(stop.plan, site=sites[stop.new_site])


def _apply_stops(actor: Actor, change: MissionChange, mission: Mission, sites: Sites) -> None:
    """Add before removing: a mission whose last open stop goes would end by that."""
    present = [_apply_stop(actor, mission, stop, sites) for stop in change.stops]
    for stop in change.match.removed:
        remove_stop(stop, actor=actor)
    if not present:
        return
    wanted = [stop.uuid for stop in (*change.match.kept, *present)]
    order = mission.stops.order_by("seq").values_list("uuid", flat=True)
    if list(order) != wanted:
        reorder_stops(mission, wanted, actor=actor)


def _apply_stop(actor: Actor, mission: Mission, stop: StopChange, sites: Sites) -> Stop:
    if stop.stored is None:
        return add_stop(mission, _sited(stop, sites), actor=actor)
    changes = dict(stop.changes)
    if stop.new_site is not None:
        changes["site"] = sites[stop.new_site]
    return change_stop(stop.stored, changes, actor=actor) if changes else stop.stored


def forget_old_imports(now: datetime) -> int:
    """Delete the tables that were checked more than a day ago; says how many."""
    deleted, _ = MissionImport.objects.filter(checked_at__lt=now - KEPT_FOR).delete()
    return deleted
