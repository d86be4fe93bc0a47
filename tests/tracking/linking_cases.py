"""Which truck and mission a fix belongs to: one table, run against ingest and against relinking.

Minutes are relative to some hour in the past; the fix is recorded at minute 30, by ada.
None as a bound is open. `named` is the mission that the phone says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Driver, Truck, TruckAssignment
from missions.models import Mission, MissionAssignment, MissionStatus

FIX_AT: Final = 30
Minutes = tuple[int | None, int | None]
Who = Literal["ada", "ben"]


@dataclass(frozen=True)
class TruckHeld:
    """A truck assignment of ada's."""

    truck: str
    during: Minutes = (None, None)


@dataclass(frozen=True)
class MissionHeld:
    """A mission, who has it when, with which truck, and when it was open."""

    name: str
    truck: str | None = None
    driver: Who = "ada"
    during: Minutes = (None, None)
    opened: int | None = None
    ended: int | None = None


@dataclass(frozen=True)
class Case:
    """What is known, what the phone says, and what the fix is linked to."""

    name: str
    trucks: tuple[TruckHeld, ...] = ()
    missions: tuple[MissionHeld, ...] = ()
    named: str | None = None
    truck: str | None = None
    mission: str | None = None
    link_source: Literal["none", "client", "resolved"] = "none"
    truck_disagrees: bool = False
    mission_unknown: bool = False

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


CASES: Final = (
    Case("nothing is known"),
    Case("the assigned truck", trucks=(TruckHeld("T1"),), truck="T1"),
    Case("a truck assignment begins with its first moment",
         trucks=(TruckHeld("T1", (0, 30)), TruckHeld("T2", (30, 60))), truck="T2"),
    Case("a truck assignment that is over", trucks=(TruckHeld("T1", (0, 30)),)),
    Case("a truck assignment that has not begun", trucks=(TruckHeld("T1", (31, None)),)),
    Case("the one open mission", missions=(MissionHeld("M1", opened=10),),
         mission="M1", link_source="resolved"),
    Case("a mission opens with its first moment", missions=(MissionHeld("M1", opened=30),),
         mission="M1", link_source="resolved"),
    Case("a mission ends with its last moment",
         missions=(MissionHeld("M1", opened=10, ended=30),),
         mission="M1", link_source="resolved"),
    Case("a mission that has ended", missions=(MissionHeld("M1", opened=10, ended=29),)),
    Case("a mission that has not opened", missions=(MissionHeld("M1"),)),
    Case("a mission that opens later", missions=(MissionHeld("M1", opened=31),)),
    Case("another driver's open mission",
         missions=(MissionHeld("M1", driver="ben", opened=10),)),
    Case("a mission that was handed over before",
         missions=(MissionHeld("M1", during=(None, 30), opened=10),)),
    Case("a mission that was taken over at this moment",
         missions=(MissionHeld("M1", during=(30, None), opened=10),),
         mission="M1", link_source="resolved"),
    Case("several open missions, and the phone names none",
         missions=(MissionHeld("M1", opened=10), MissionHeld("M2", opened=20))),
    Case("several open missions, and the phone names one",
         missions=(MissionHeld("M1", opened=10), MissionHeld("M2", opened=20)),
         named="M2", mission="M2", link_source="client"),
    Case("the phone names the one that is open", missions=(MissionHeld("M1", opened=10),),
         named="M1", mission="M1", link_source="client"),
    Case("the phone names one that is not open beside one that is",
         missions=(MissionHeld("M1", opened=10), MissionHeld("M2")),
         named="M2", mission="M2", link_source="client"),
    Case("the phone names one that has ended",
         missions=(MissionHeld("M1", opened=10, ended=20),),
         named="M1", mission="M1", link_source="client"),
    Case("the phone names another driver's", missions=(MissionHeld("M1", driver="ben"),),
         named="M1", mission_unknown=True),
    Case("the phone names another driver's beside one that is open",
         missions=(MissionHeld("M1", driver="ben"), MissionHeld("M2", opened=10)),
         named="M1", mission="M2", link_source="resolved", mission_unknown=True),
    Case("the phone names one that was handed over before",
         missions=(MissionHeld("M1", during=(None, 30), opened=10),),
         named="M1", mission_unknown=True),
    Case("the mission's truck before the assigned one",
         trucks=(TruckHeld("T1"),), missions=(MissionHeld("M1", truck="T2", opened=10),),
         truck="T2", mission="M1", link_source="resolved", truck_disagrees=True),
    Case("the mission's truck, which is the assigned one",
         trucks=(TruckHeld("T1"),), missions=(MissionHeld("M1", truck="T1", opened=10),),
         truck="T1", mission="M1", link_source="resolved"),
    Case("a mission without a truck goes with the assigned one",
         trucks=(TruckHeld("T1"),), missions=(MissionHeld("M1", opened=10),),
         truck="T1", mission="M1", link_source="resolved"),
    Case("the truck of the mission that the phone names",
         trucks=(TruckHeld("T1"),),
         missions=(MissionHeld("M1", truck="T2", opened=10), MissionHeld("M2", truck="T3")),
         named="M2", truck="T3", mission="M2", link_source="client", truck_disagrees=True),
    Case("a named mission without a truck goes with the assigned one, not with another mission's",
         trucks=(TruckHeld("T1"),),
         missions=(MissionHeld("M1", truck="T2", opened=10), MissionHeld("M2")),
         named="M2", truck="T1", mission="M2", link_source="client"),
    Case("several open missions leave the assigned truck",
         trucks=(TruckHeld("T1"),),
         missions=(MissionHeld("M1", truck="T2", opened=10),
                   MissionHeld("M2", truck="T3", opened=20)),
         truck="T1"),
    Case("an open mission with a truck, and none assigned",
         missions=(MissionHeld("M1", truck="T2", opened=10),),
         truck="T2", mission="M1", link_source="resolved"),
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What a case says, as rows."""

    missions: dict[str | None, Mission]
    trucks: dict[str | None, Truck]

    def mission_id(self, name: str | None) -> int | None:
        return None if name is None else self.missions[name].pk

    def truck_id(self, name: str | None) -> int | None:
        return None if name is None else self.trucks[name].pk


def set_scene(case: Case, ada: Driver, ben: Driver, hour: datetime) -> Scene:
    """Make the rows of a case; minutes count from `hour`."""
    trucks: dict[str | None, Truck] = {}
    missions: dict[str | None, Mission] = {}
    for plate in ("T1", "T2", "T3"):
        trucks[plate] = Truck.objects.create(employer=ada.employer, plate=plate)
    for held in case.trucks:
        TruckAssignment.objects.create(
            employer=ada.employer,
            truck=trucks[held.truck],
            driver=ada,
            period=_period(held.during, hour),
        )
    for given in case.missions:
        mission = Mission.objects.create(
            employer=ada.employer,
            external_id=given.name,
            status=MissionStatus.ASSIGNED if given.opened is None else MissionStatus.STARTED,
            opened_at=_at(given.opened, hour),
            ended_at=_at(given.ended, hour),
        )
        MissionAssignment.objects.create(
            employer=ada.employer,
            mission=mission,
            driver={"ada": ada, "ben": ben}[given.driver],
            truck=trucks.get(given.truck),
            period=_period(given.during, hour),
        )
        missions[given.name] = mission
    return Scene(missions, trucks)


def _at(minute: int | None, hour: datetime) -> datetime | None:
    return None if minute is None else hour + timedelta(minutes=minute)


def _period(during: Minutes, hour: datetime) -> DateTimeTZRange:
    return DateTimeTZRange(_at(during[0], hour), _at(during[1], hour))
