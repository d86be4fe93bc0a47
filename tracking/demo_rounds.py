"""What the demo's phones have to say: a driver's rounds as fixes and stages. (pure)

Everything follows from the demo's beginning and a driver's number, so that a phone which
was stopped goes on where it was: nothing is drawn at random twice.

The demo's fleet drives day and night: a round begins every ROUND_EVERY, whatever the hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from math import atan2, cos, degrees, radians, sin
from random import Random
from typing import Any, Final

from tracking.demo_roads import SITES, STEP_M, Point, Site, road_between
from tracking.geometry import distance_m

ROUND_EVERY: Final = timedelta(hours=6.5)
# The rounds told about the time before the demo began: one of the day before, one just over.
ROUNDS_BEFORE: Final = (-4, -1)
SPACING_M: Final = 500.0
TOWN_M: Final = 3_000.0
TOWN_MPS: Final = 11.0
ROAD_MPS: Final = (21.5, 24.5)  # 77 to 88 km/h
JAM_M: Final = 3_000.0
JAM_MPS: Final = 7.0


@dataclass(frozen=True, slots=True)
class Outage:
    """A part of each round in which a phone is silent, counted from the round's start.

    `is_lost`: the battery was empty, nothing was recorded. Else it had no coverage, kept
    everything, and sends it all when the outage ends.
    """

    begins: timedelta
    ends: timedelta
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class DemoDriver:
    """A made-up driver: where the rounds lead, and how far the first one had got."""

    number: str
    name: str
    plate: str
    sites: tuple[str, ...]
    lead: timedelta
    outage: Outage | None = None
    repeats_batches: bool = False


def _hours(hours: float) -> timedelta:
    return timedelta(hours=hours)


DRIVERS: Final = (
    DemoDriver("101", "Pieter Janssens", "2-MPA-101", ("depot", "gent", "zeebrugge", "depot"),
               _hours(1.2)),
    DemoDriver("102", "Lotte Claes", "2-MPA-102", ("depot", "brussel", "hasselt", "depot"),
               _hours(2.4)),
    DemoDriver("103", "Youssef El Amrani", "2-MPB-213", ("depot", "luik", "leuven", "depot"),
               _hours(4.0), Outage(_hours(3.15), _hours(4.15))),
    DemoDriver("104", "Marie Dubois", "1-XTL-884", ("namen", "aarlen", "namen"), _hours(3.3)),
    DemoDriver("105", "Sofie Maes", "2-MPB-440", ("depot", "kortrijk", "gent", "depot"),
               _hours(2.2), repeats_batches=True),
    DemoDriver("106", "Thomas Lambert", "1-YGC-350",
               ("charleroi", "bergen", "brussel", "charleroi"), _hours(0.9)),
    DemoDriver("107", "Fatima Benali", "2-AKR-071", ("luik", "hasselt", "depot", "luik"),
               _hours(3.8)),
    DemoDriver("108", "Koen De Smet", "1-WNP-629", ("zeebrugge", "brussel", "gent", "zeebrugge"),
               _hours(1.7), Outage(_hours(0.9), _hours(2.2), is_lost=True)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedFix:
    """One thing a phone says: when it was recorded, from when it can be sent, and what."""

    recorded_at: datetime
    sendable_at: datetime
    body: dict[str, Any]


def mission_key(driver: DemoDriver, began_at: datetime, index: int) -> str:
    """The external id of a round's mission."""
    return f"DEMO-{round_start(driver, began_at, index):%Y%m%d-%H%M}-{driver.number}"


def round_start(driver: DemoDriver, began_at: datetime, index: int) -> datetime:
    """When a driver's round begins; the one under way when the demo began is number 0."""
    return began_at - driver.lead + index * ROUND_EVERY


def rounds_from(
    driver: DemoDriver, began_at: datetime, *, since: datetime, until: datetime
) -> list[int]:
    """The numbers of the rounds that begin in [since, until)."""
    newest = int((until - began_at) / ROUND_EVERY) + 2
    indexes = (*ROUNDS_BEFORE, *range(newest + 1))
    return [index for index in indexes if since <= round_start(driver, began_at, index) < until]


def result_of(stop: str) -> tuple[str, str]:
    """How a delivery at a stop of a round ended, and why; one in six arrives damaged."""
    is_damaged = Random(stop).random() < 1 / 6  # noqa: S311 (a demo, not a secret)
    return ("partially_succeeded", "damage") if is_damaged else ("succeeded", "")


def planned_round(driver: DemoDriver, began_at: datetime, index: int) -> list[PlannedFix]:
    """All that a phone says during one round, in order of time."""
    teller = _Teller(
        at=round_start(driver, began_at, index),
        mission=mission_key(driver, began_at, index),
        draw=Random(f"{driver.number}/{index}"),  # noqa: S311 (a demo, not a secret)
    )
    sites = [SITES[key] for key in driver.sites]
    teller.begin(sites[0])
    for seq, (here, there) in enumerate(pairwise(sites), start=1):
        teller.drive(here, there, stop=f"{teller.mission}/{seq}")
        teller.visit(there, stop=f"{teller.mission}/{seq + 1}", is_last=seq == len(sites) - 1)
    return list(_with_outage(teller.said, driver.outage))


def _with_outage(
    said: list[tuple[datetime, dict[str, Any]]], outage: Outage | None
) -> Iterator[PlannedFix]:
    start = said[0][0]
    for recorded_at, body in said:
        is_out = outage is not None and outage.begins <= recorded_at - start < outage.ends
        if outage is None or not is_out:
            yield PlannedFix(recorded_at, recorded_at, body)
        elif not outage.is_lost:
            yield PlannedFix(recorded_at, start + outage.ends, body)


@dataclass(slots=True)
class _Teller:
    """The moment and the place a round has reached, and what was said on the way."""

    at: datetime
    mission: str
    draw: Random
    battery: float = 0.97
    said: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    def begin(self, depot: Site) -> None:
        """Begin duty and load at the depot."""
        self._say("duty_started")
        stop = f"{self.mission}/1"
        place = (depot.latitude, depot.longitude)
        for stage, minutes in (("loading_started", 4), ("loading_ended", 21), ("departure", 5)):
            self._wait(minutes)
            self._say(stage, place, stop=stop)

    def visit(self, site: Site, *, stop: str, is_last: bool) -> None:
        """Arrive; unload, have it signed and leave; or end the mission and the duty."""
        place = (site.latitude, site.longitude)
        if is_last:
            self._say("arrival", place, stop=stop)
            self._wait(9)
            self._say("departure", place, stop=stop, ends_mission=True)
            self._wait(1)
            self._say("duty_ended")
            return
        self._say("arrival", place, stop=stop)
        stages = [("unloading_started", 6), ("unloading_ended", 19), ("signature", 3)]
        if self.draw.random() < 0.4:
            stages += [("break_started", 2), ("break_ended", 15)]
        for stage, minutes in stages:
            self._wait(minutes)
            self._say(stage, place, stop=stop)
        self._wait(3)
        result, reason = result_of(stop)
        why = {"reason": reason} if reason else {}
        self._say("departure", place, stop=stop, result=result, **why)

    def drive(self, here: Site, there: Site, *, stop: str) -> None:
        """Drive, saying where every 500 m as the crow flies."""
        road = road_between(here, there)
        said_at, before = road[0], road[0]
        jam_at_m = self.draw.uniform(0.3, 0.8) * len(road) * STEP_M
        along_m = 0.0
        for place in road[1:]:
            step_m = distance_m(*before, *place)
            along_m += step_m
            speed_mps = self._speed_mps(along_m, len(road) * STEP_M, jam_at_m)
            self.at += timedelta(seconds=step_m / speed_mps)
            if distance_m(*said_at, *place) >= SPACING_M:
                self._say(
                    "distance",
                    place,
                    speed_mps=round(speed_mps, 1),
                    heading_deg=round(_bearing_deg(before, place), 1) % 360,
                )
                said_at = place
            before = place

    def _speed_mps(self, along_m: float, whole_m: float, jam_at_m: float) -> float:
        if min(along_m, whole_m - along_m) < TOWN_M:
            return TOWN_MPS
        if abs(along_m - jam_at_m) < JAM_M / 2:
            return JAM_MPS
        return self.draw.uniform(*ROAD_MPS)

    def _wait(self, minutes: int) -> None:
        self.at += timedelta(seconds=minutes * self.draw.uniform(40, 80))

    def _say(self, kind: str, place: Point | None = None, **rest: Any) -> None:
        at = self.at.replace(microsecond=self.at.microsecond // 1000 * 1000)
        body: dict[str, Any] = {
            "id": f"{self.mission}/{len(self.said)}",
            "recorded_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "kind": kind,
            **rest,
        }
        if place is not None:
            self.battery = max(0.15, self.battery - 0.0007)
            body |= {
                "latitude": round(place[0], 6),
                "longitude": round(place[1], 6),
                "accuracy_m": round(self.draw.uniform(4, 14), 1),
                "battery": round(self.battery, 2),
                "mission": self.mission,
            }
        self.said.append((at, body))


def _bearing_deg(here: Point, there: Point) -> float:
    east = cos(radians(there[0])) * sin(radians(there[1] - here[1]))
    north = cos(radians(here[0])) * sin(radians(there[0])) - sin(radians(here[0])) * cos(
        radians(there[0])
    ) * cos(radians(there[1] - here[1]))
    return degrees(atan2(east, north)) % 360
