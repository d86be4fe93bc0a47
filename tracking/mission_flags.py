"""The flags of a mission: what somebody should look at, by the rules of amiss.py.

The same rules speak of rows read whole (a page of missions) and of rows read lean (all
missions of a day): both have the attributes that are named here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Employer
from missions.lifecycle import OVER
from missions.models import MissionStatus, StopResult
from missions.punctuality import is_at_risk, plan_of
from tracking.amiss import Amiss, amiss_at_stops
from tracking.fleet_now import FleetNow
from tracking.stop_times import StopTimes

# In the order of how soon somebody should do something about it.
FLAGS: Final[dict[str, Promise]] = {
    "late": gettext_lazy("late"),
    "at_risk": gettext_lazy("at risk"),
    "failed": gettext_lazy("a stop failed"),
    "silent": gettext_lazy("phone silent"),
    "has_exception": gettext_lazy("something else amiss"),
    "missing_signature": gettext_lazy("signature missing"),
    "missing_photo": gettext_lazy("photo missing"),
    "far_from_site": gettext_lazy("far from its site"),
    "has_note": gettext_lazy("has a note"),
}
# A note is worth reading; it is no trouble.
TROUBLE: Final = tuple(name for name in FLAGS if name != "has_note")
NOT_OVER: Final = frozenset(MissionStatus) - OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the flags need of a mission beside its stops.

    `driver_id`: who has it now. `is_hidden`: somebody who is not available drove it, and then
    nobody can say what is amiss. `is_raised`: a driver reported an exception that stands.
    """

    status: str
    is_over: bool
    is_hidden: bool
    driver_id: int | None
    begins_at: datetime
    is_raised: bool
    has_note: bool


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A stop that is not reached yet and will not be in time. `left_s` until its last moment.

    `distance_m`: from the driver to the site; None: nobody knows.
    """

    distance_m: float | None
    left_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a mission stands: what is amiss, what is at risk, and the flags that follow."""

    amiss: list[Amiss] = field(default_factory=list)
    at_risk: list[AtRisk] = field(default_factory=list)
    flags: frozenset[str] = frozenset()


def standing_of(
    rows: Sequence[StopTimes], known: Known, employer: Employer, fleet: FleetNow
) -> Standing:
    """By the rules of a mission's own page, and those of the glossary: at risk, silent."""
    if known.is_hidden:
        return Standing()
    amiss: list[Amiss] = []
    risks: list[AtRisk] = []
    if known.status != MissionStatus.CANCELLED:
        amiss = amiss_at_stops(rows, employer, now=fleet.at, is_over=known.is_over)
    if known.status in NOT_OVER:
        risks = [*_at_risk(rows, known, employer, fleet)]
    flags = set(_flags_of(amiss))
    flags |= {
        name
        for name, is_so in (
            ("at_risk", bool(risks)),
            ("failed", any(row.result == StopResult.FAILED for row in rows)),
            ("silent", is_under_way(known, fleet.at) and fleet.is_silent(known.driver_id)),
            ("has_exception", known.is_raised),
            ("has_note", known.has_note),
        )
        if is_so
    }
    return Standing(amiss, risks, frozenset(flags))


def is_under_way(known: Known, now: datetime) -> bool:
    """Started, or to have been started by now: then its driver's phone should be heard."""
    if known.status == MissionStatus.STARTED:
        return True
    return known.status == MissionStatus.ASSIGNED and known.begins_at <= now


def _flags_of(amiss: Iterable[Amiss]) -> Iterable[str]:
    for one in amiss:
        if one.type == "missing_evidence":
            yield from (f"missing_{name}" for name in one.missing)
        elif one.type in ("late", "far_from_site"):
            yield one.type
        else:
            yield "has_exception"


def _at_risk(
    rows: Iterable[StopTimes], known: Known, employer: Employer, fleet: FleetNow
) -> Iterable[AtRisk]:
    """Of the stops that nobody has reached; only whoever is on the way is somewhere."""
    driver_id = known.driver_id if known.status == MissionStatus.STARTED else None
    for row in rows:
        if row.result or row.stages:
            continue
        plan = plan_of(row.stop, employer)
        if plan.latest_at is None:
            continue
        site = row.stop.site
        away_m = fleet.distance_m(driver_id, site.latitude, site.longitude) if site else None
        if is_at_risk(plan, fleet.at, away_m):
            yield AtRisk(away_m, int((plan.latest_at - fleet.at).total_seconds()))


def as_stop_times(lean: object) -> Sequence[StopTimes]:
    """Lean rows for the rules: they have every attribute that the rules read."""
    return cast(Sequence[StopTimes], lean)
