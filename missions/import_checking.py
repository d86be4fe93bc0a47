"""Compare a table of missions with what is stored: what confirming it would do, or why it cannot.

Each mission goes through the very serializers of the API, so that a table may say what a
request may and nothing else. What a row leaves blank it does not say: nothing is emptied.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from accounts.models import Driver, Employer, Truck
from accounts.refusals import Invalid
from accounts.trucks import plain_plate
from missions.goods import are_same
from missions.import_columns import BY_NAME, RowProblem
from missions.import_grouping import AskedMission, AskedStop, grouped
from missions.import_lookups import Known, known_to
from missions.import_matching import Match, match_stops
from missions.import_requests import RequestWriter, given_fields, goods_data, refusals
from missions.import_sites import NewSite, SiteFinder, SiteKey
from missions.import_table import TableRow
from missions.lifecycle import OVER
from missions.models import Mission, MissionStatus, Site, Stop
from missions.planning import MISSION_FIELDS, MissionPlan, StopPlan, refuse_reversed
from missions.requests import NewMission, StopFields
from missions.running import running_of, truck_of

_PLACES: Final[Mapping[str | None, int]] = {name: place for place, name in enumerate(BY_NAME)}
FoundSite = Site | NewSite | None
# A driver or a truck after the start changes at a moment, which a table does not say.
_HANDED_OVER: Final = {"driver": "driver_number", "truck": "truck_plate"}


@dataclass(frozen=True, slots=True)
class StopChange:
    """One stop as it is to be. `stored` of None: it is new. `new_site`: one still to be made."""

    plan: StopPlan
    stored: Stop | None
    changes: Mapping[str, Any]
    new_site: SiteKey | None = None

    @property
    def is_changed(self) -> bool:
        return self.stored is None or bool(self.changes) or self.new_site is not None


@dataclass(frozen=True, slots=True)
class MissionChange:
    """One mission as it is to be, and how it differs from the stored one.

    `stops` are in their new order; `match` has the stored ones that the table does not name.
    """

    asked: AskedMission
    plan: MissionPlan
    stored: Mission | None
    fields: Mapping[str, Any]
    stops: tuple[StopChange, ...]
    match: Match

    @property
    def kind(self) -> str:
        if self.stored is None:
            return "new"
        is_changed = bool(self.fields or self.match.removed or self.match.is_reordered)
        return "changed" if is_changed or any(s.is_changed for s in self.stops) else "unchanged"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a table asks for, and everything that is wrong with it."""

    missions: tuple[MissionChange, ...]
    new_sites: Mapping[SiteKey, NewSite]
    problems: tuple[RowProblem, ...]

    @property
    def can_be_confirmed(self) -> bool:
        return all(problem.is_warning for problem in self.problems)

    def counts(self) -> dict[str, int]:
        kinds = [mission.kind for mission in self.missions]
        return {kind: kinds.count(kind) for kind in ("new", "changed", "unchanged")}


def check_rows(rows: Iterable[TableRow], employer: Employer) -> Checked:
    """Everything that the rows would change, and every problem in them. Writes nothing.

    A mission that the serializer refuses is in the problems only.
    """
    asked, problems = grouped(rows)
    check = _Check(employer, known_to(employer, asked))
    changes = [change for one in asked if (change := check.change(one)) is not None]
    return Checked(tuple(changes), check.sites.new, tuple(_in_order(problems, check)))


def _in_order(problems: list[RowProblem], check: "_Check") -> list[RowProblem]:
    found = (*problems, *check.problems, *check.writer.problems, *check.sites.problems)
    return sorted(found, key=lambda problem: (problem.row or 0, _PLACES.get(problem.column, -1)))


class _Check:
    """The check of one table."""

    def __init__(self, employer: Employer, known: Known) -> None:
        self._context = {"employer": employer}
        self._known = known
        self.sites = SiteFinder(known)
        self.writer = RequestWriter(ZoneInfo(employer.timezone))
        self.problems: list[RowProblem] = []
        self._seen: dict[int, AskedMission] = {}

    def change(self, asked: AskedMission) -> MissionChange | None:
        """What becomes of one mission; None when that cannot be said."""
        stored = self._known.mission(asked)
        if stored is None and "external_id" not in asked.cells:
            self._refuse(asked, "mission_id", "unknown_mission", "There is no such mission.")
            return None
        if stored is not None and self._seen.setdefault(stored.pk, asked) is not asked:
            detail = f"Row {self._seen[stored.pk].row} is about the same mission."
            self._refuse(asked, "mission_id", "mission_twice", detail)
            return None
        match = match_stops(asked, stored, self._known.touched_stops)
        sites = [self.sites.site_of(stop) for stop in asked.stops]
        people = self._people(asked, stored)
        data = self._data(asked, stored, match, sites)
        self._refuse_reversed(asked, data)
        request = NewMission(data=data, context=self._context)
        if not request.is_valid():
            self.problems += refusals(asked, request.errors)
            self.problems += self._hidden(asked, data, request.errors)
            return None
        plan = replace(request.plan(), **people)
        stops = tuple(map(_stop_change, asked.stops, plan.stops or (), match.stored, sites))
        fields = _changed_fields(asked, plan, stored)
        change = MissionChange(asked, plan, stored, fields, stops, match)
        self._refuse_by_state(change)
        return change

    def _data(
        self,
        asked: AskedMission,
        stored: Mission | None,
        match: Match,
        sites: Sequence[FoundSite],
    ) -> dict[str, Any]:
        data = self.writer.mission(asked, stored)
        data["stops"] = [
            self._stop_data(stop, known, site)
            for stop, known, site in zip(asked.stops, match.stored, sites, strict=True)
        ]
        return data

    def _stop_data(self, asked: AskedStop, stored: Stop | None, site: FoundSite) -> dict[str, Any]:
        named = site.timezone if isinstance(site, Site) else ""
        data = self.writer.stop(asked, stored, ZoneInfo(named) if named else None)
        if asked.goods:
            data["goods"] = [goods_data(line) for line in asked.goods]
        return data

    def _people(self, asked: AskedMission, stored: Mission | None) -> dict[str, Any]:
        return {"driver": self._driver(asked), "truck": self._truck(asked, stored)}

    def _driver(self, asked: AskedMission) -> Driver | None:
        number = asked.cells.get("driver_number")
        driver = self._known.drivers.get(number or "")
        if number is not None and driver is None:
            detail = "No driver has this number."
            self._refuse(asked, "driver_number", "unknown_driver", detail)
        return driver

    def _truck(self, asked: AskedMission, stored: Mission | None) -> Truck | None:
        """The truck with this plate: the one the mission has already, else the one in service."""
        plate = asked.cells.get("truck_plate")
        if plate is None:
            return None
        trucks = self._known.trucks.get(plain_plate(plate), [])
        present = truck_of(stored) if stored else None
        if present in trucks:
            return present
        in_service = [truck for truck in trucks if truck.retired_at is None]
        if len(in_service) == 1:
            return in_service[0]
        if in_service:
            detail = "Trucks of several countries have this plate: assign it by hand."
            self._refuse(asked, "truck_plate", "truck_ambiguous", detail)
        else:
            detail = "No truck in service has this plate."
            self._refuse(asked, "truck_plate", "unknown_truck", detail)
        return None

    def _refuse_by_state(self, change: MissionChange) -> None:
        """What the rules would refuse, since the stored mission is as it is."""
        self._warn_of_kept(change)
        stored = change.stored
        if stored is None or change.kind == "unchanged":
            return
        if stored.status in OVER:
            detail = f"This mission is {stored.status}, so it stays as it is."
            self._refuse(change.asked, "external_id", "mission_over", detail)
        elif stored.status == MissionStatus.STARTED:
            for name in _HANDED_OVER.keys() & change.fields.keys():
                detail = "This mission has started: hand it over at a moment instead."
                self._refuse(change.asked, _HANDED_OVER[name], "mission_started", detail)

    def _refuse_reversed(self, asked: AskedMission, data: Mapping[str, Any]) -> None:
        begin, end = (data.get(name) for name in ("planned_start_at", "planned_end_at"))
        if not begin or not end:
            return
        times = [datetime.fromisoformat(text) for text in (begin, end)]
        try:
            refuse_reversed(Mission(planned_start_at=times[0], planned_end_at=times[1]))
        except Invalid as wrong:
            self._refuse(asked, "planned_end_at", "reversed", wrong.detail)

    def _hidden(
        self, asked: AskedMission, data: Mapping[str, Any], errors: Mapping[str, Any]
    ) -> Iterator[RowProblem]:
        """What the serializer did not come to: whole stops, when one of their fields is wrong."""
        of_stops = errors.get("stops")
        for index, found in of_stops.items() if isinstance(of_stops, dict) else ():
            stop = data["stops"][int(index)]
            rest = {name: value for name, value in stop.items() if name not in found}
            again = StopFields(data=rest, context=self._context)
            if not again.is_valid() and len(rest) < len(stop):
                yield from refusals(asked, {"stops": {index: again.errors}})

    def _warn_of_kept(self, change: MissionChange) -> None:
        for stop in change.match.kept:
            detail = f"The table does not name stop {stop.seq}, where somebody has been: it stays."
            problem = RowProblem(change.asked.row, None, "stop_kept", detail, is_warning=True)
            self.problems.append(problem)

    def _refuse(self, asked: AskedMission, column: str, code: str, detail: str) -> None:
        self.problems.append(RowProblem(asked.row_of(column), column, code, detail))


def _changed_fields(
    asked: AskedMission, plan: MissionPlan, stored: Mission | None
) -> dict[str, Any]:
    """What the table says of a mission itself and the stored one does not."""
    if stored is None:
        return {}
    given = given_fields(asked)
    changed = {
        name: getattr(plan, name)
        for name in MISSION_FIELDS
        if name in given and getattr(plan, name) != getattr(stored, name)
    }
    running = running_of(stored)
    if plan.driver and plan.driver.pk != (running and running.driver_id):
        changed["driver"] = plan.driver
    if plan.truck and plan.truck != truck_of(stored):
        changed["truck"] = plan.truck
    return changed


def _stop_change(
    asked: AskedStop, plan: StopPlan, stored: Stop | None, site: FoundSite
) -> StopChange:
    """What the table says of a stop and the stored one does not."""
    if isinstance(site, NewSite):
        key, known = site.key, None
    else:
        key, known = None, site
    plan = replace(plan, site=known)
    changes: dict[str, Any] = {}
    if stored is not None:
        changes = {
            name: getattr(plan, name)
            for name in given_fields(asked)
            if hasattr(plan, name) and getattr(plan, name) != getattr(stored, name)
        }
        if known is not None and known.pk != stored.site_id:
            changes["site"] = known
        if asked.goods and not are_same(plan.goods or (), list(stored.goods.all()), stored):
            changes["goods"] = plan.goods
    return StopChange(plan, stored, changes, key)
