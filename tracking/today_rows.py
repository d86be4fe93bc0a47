"""What a row of the board says beside its mission: the next stop, who drives, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Employer
from missions.lifecycle import OVER
from missions.models import MissionStatus
from missions.proof_words import distance, duration
from missions.punctuality import is_at_risk, plan_of
from tracking.fleet import NewestFix
from tracking.fleet_now import FleetNow
from tracking.fleet_rows import age_text, driver_name, state_of
from tracking.mission_rows import MissionRow
from tracking.mission_words import person, span_text
from tracking.models import E7
from tracking.stop_times import StopTimes

NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class NextStop:
    """Where it goes next, or is. `state`: "there", "late", "at_risk" or "" when all is well."""

    number: int
    place: str
    planned: str
    stands: str
    state: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A row of the board. `marker`: the truck on the map that is its, "" without a position.

    `recorded_at_ms` and `age_s` are of that position. Addresses are blank where there is none.
    """

    row: MissionRow
    next: NextStop | None
    ended: str
    driver: str
    driver_url: str
    truck: str
    truck_url: str
    marker: str
    recorded_at_ms: int
    age_s: int
    is_silent: bool

    @property
    def age(self) -> str:
        """As ages.js goes on writing it."""
        return age_text(timedelta(seconds=self.age_s), is_silent=self.is_silent)


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What times are said in: whose rules, which zone, which day, and now."""

    employer: Employer
    zone: ZoneInfo
    day: date
    now: datetime

    def text(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M}"


def board_rows(rows: Iterable[MissionRow], fleet: FleetNow, clock: Clockwork) -> list[BoardRow]:
    """No query: all was read before."""
    return [_board_row(row, fleet, clock) for row in rows]


def _board_row(row: MissionRow, fleet: FleetNow, clock: Clockwork) -> BoardRow:
    holder = row.holder
    driver = holder.driver if holder else None
    newest = fleet.newest.get(driver.pk) if driver else None
    is_over = row.mission.status in OVER
    truck = holder.truck if holder else None
    return BoardRow(
        row=row,
        next=None if row.is_hidden or is_over else _next_stop(row, fleet, clock),
        ended=_ended(row, clock) if is_over else "",
        driver=person(driver) if driver else ", ".join(row.drivers),
        driver_url=reverse("driver_day", args=[driver.uuid]) if driver else "",
        truck=truck.plate if truck else ", ".join(row.trucks),
        truck_url=reverse("truck_day", args=[truck.uuid]) if truck else "",
        marker=str(driver.uuid) if driver and newest and not is_over else "",
        recorded_at_ms=_ms(newest.fix.recorded_at) if newest else 0,
        age_s=newest.age_s if newest else 0,
        is_silent="silent" in row.flags,
    )


def _ended(row: MissionRow, clock: Clockwork) -> str:
    at = row.mission.ended_at
    return _("ended %(time)s") % {"time": clock.text(at)} if at else ""


def _next_stop(row: MissionRow, fleet: FleetNow, clock: Clockwork) -> NextStop | None:
    """The stop where somebody is, else the first that nobody has reached; None after the last."""
    number, times = next(
        (
            (number, times)
            for number, times in enumerate(row.times, 1)
            if not times.departed_at and not times.result
        ),
        (0, None),
    )
    if times is None:
        return None
    stop = times.stop
    place = stop.site.name if stop.site else _("stop %(number)s") % {"number": stop.seq}
    stands, state = _there(times, clock) if times.stages else _to_come(row, times, fleet, clock)
    return NextStop(number, place, _planned(times, clock), stands, state)


def _planned(times: StopTimes, clock: Clockwork) -> str:
    if times.window_start_at or times.window_end_at:
        window = span_text(times.window_start_at, times.window_end_at, clock.zone, clock.day)
        return _("window %(window)s") % {"window": window}
    if times.planned_arrival_at:
        return clock.text(times.planned_arrival_at)
    return ""


def _there(times: StopTimes, clock: Clockwork) -> tuple[str, str]:
    at = times.arrived_at or times.stages[0].recorded_at
    lasts = duration(max(60, int((clock.now - at).total_seconds()) // 60 * 60))
    said = _("there since %(time)s (%(duration)s)")
    return said % {"time": clock.text(at), "duration": lasts}, "there"


def _to_come(
    row: MissionRow, times: StopTimes, fleet: FleetNow, clock: Clockwork
) -> tuple[str, str]:
    """How far it is, as the crow flies, and how much time is left."""
    site = times.stop.site
    driver_id = row.holder.driver_id if row.holder else None
    away_m = None
    if row.mission.status == MissionStatus.STARTED and site:
        away_m = fleet.distance_m(driver_id, site.latitude, site.longitude)
    parts = []
    if away_m is not None:
        parts.append(_("%(distance)s to go") % {"distance": distance(away_m)})
    plan = plan_of(times.stop, clock.employer)
    if plan.latest_at is None:
        return " · ".join(parts), ""
    left_s = int((plan.latest_at - clock.now).total_seconds())
    # Whole minutes: the seconds of every row would be news each time it is asked for.
    whole = duration(abs(left_s) // 60 * 60) if abs(left_s) >= 60 else duration(60)
    if clock.now > plan.latest_at:
        parts.append(_("%(duration)s late") % {"duration": whole})
        return " · ".join(parts), "late"
    parts.append(_("%(duration)s left") % {"duration": whole})
    return " · ".join(parts), "at_risk" if is_at_risk(plan, clock.now, away_m) else ""


def trucks_of(fleet: FleetNow) -> list[dict[str, Any]]:
    """Each driver's newest position for the map, as truck_markers.js takes it but for its age.

    `at`: when it was recorded, in milliseconds, so that the same news is the same text.
    """
    # One address, made once: there may be a thousand of them.
    day_url = reverse("driver_day", args=[NOBODY])
    return [_truck(one, fleet, day_url) for one in fleet.newest.values()]


def _truck(one: NewestFix, fleet: FleetNow, day_url: str) -> dict[str, Any]:
    heading = one.fix.heading_deg
    return {
        "id": str(one.driver),
        "label": one.truck_plate or driver_name(one.driver_name, one.driver_number),
        "latitude": one.fix.latitude_e7 / E7,
        "longitude": one.fix.longitude_e7 / E7,
        "heading_deg": None if heading is None else round(heading),
        "at": _ms(one.fix.recorded_at),
        "state": state_of(one, fleet.tracked),
        "url": day_url.replace(str(NOBODY), str(one.driver)),
    }


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
