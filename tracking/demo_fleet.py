"""Make the demo's employer, people, phones, trucks, sites and missions, once.

Everything is found again by its natural key (e-mail, number, plate, external id), so that
a second start changes nothing, and one after var/demo.json was lost only makes new secrets.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounts.actors import Actor
from accounts.assignments import assign_truck
from accounts.drivers import create_driver
from accounts.employers import create_employer
from accounts.models import AssignmentSource, Driver, Employer, Membership, Role, Truck, User
from accounts.phones import enrol_device
from accounts.trucks import create_truck
from accounts.users import create_user
from missions.goods import GoodsPlan
from missions.lifecycle import create_mission
from missions.models import Mission, Site, StopPurpose
from missions.planning import MissionPlan, StopPlan
from tracking.demo_roads import SITES
from tracking.demo_rounds import DRIVERS, DemoDriver, mission_key, round_start, rounds_from
from tracking.demo_state import DemoState, Login, read_state, write_state

NAME: Final = "Transport Peeters (demo)"
LOGINS: Final = {
    Role.MANAGER: "manager@demo.example",
    Role.DISPATCHER: "dispatcher@demo.example",
    Role.DPO: "dpo@demo.example",
}
# Rounds this old are not planned again, nor told about again.
LOOKS_BACK: Final = timedelta(hours=36)
PLANS_AHEAD: Final = timedelta(hours=13)
GENERAL_CARGO: Final = ("general cargo", Decimal(5))
GOODS: Final = {
    "gent": ("flour, bags of 25 kg", Decimal(8)),
    "zeebrugge": ("frozen fish", Decimal(12)),
    "brussel": ("vegetables", Decimal(9)),
    "hasselt": ("crates for apples", Decimal(14)),
    "leuven": ("malt", Decimal(10)),
    "kortrijk": ("rolls of cloth", Decimal(6)),
}
ADDRESS_RADIUS_M: Final = 250
TRUCKS_SINCE: Final = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The demo's rows, as far as missions need them."""

    employer: Employer
    drivers: dict[str, Driver]
    trucks: dict[str, Truck]
    sites: dict[str, Site]


def seed(now: datetime | None = None) -> DemoState:
    """Make what is missing, and return the logins and the phones' tokens."""
    now = now or datetime.now(UTC)
    state = read_state()
    with transaction.atomic():
        if state is None or not Employer.objects.filter(uuid=state.employer).exists():
            state = _seed_afresh(now)
        fleet = fleet_of(Employer.objects.get(uuid=state.employer))
    plan_missions(fleet, state.began_at, now)
    return state


def fleet_of(employer: Employer) -> Fleet:
    """The fleet of an employer that has been seeded."""
    drivers = {row.number or "": row for row in Driver.objects.filter(employer=employer)}
    trucks = {row.plate: row for row in Truck.objects.filter(employer=employer)}
    sites = {row.external_id or "": row for row in Site.objects.filter(employer=employer)}
    return Fleet(employer, drivers, trucks, sites)


def plan_missions(fleet: Fleet, began_at: datetime, now: datetime) -> int:
    """Make the missions of the rounds around now that are not there; returns how many."""
    planned = 0
    for driver in DRIVERS:
        indexes = rounds_from(driver, began_at, since=now - LOOKS_BACK, until=now + PLANS_AHEAD)
        keys = {mission_key(driver, began_at, index): index for index in indexes}
        known = Mission.objects.filter(employer=fleet.employer, external_id__in=keys)
        for key in keys.keys() - set(known.values_list("external_id", flat=True)):
            create_mission(fleet.employer, _plan(fleet, driver, began_at, keys[key]))
            planned += 1
    return planned


def _plan(fleet: Fleet, driver: DemoDriver, began_at: datetime, index: int) -> MissionPlan:
    key = mission_key(driver, began_at, index)
    start = round_start(driver, began_at, index)
    last = len(driver.sites)
    stops = tuple(
        StopPlan(
            site=fleet.sites[site],
            external_id=f"{key}/{seq}",
            purpose=_purpose(seq, last),
            requires_signature=_purpose(seq, last) == StopPurpose.UNLOAD,
            goods=_goods(site) if _purpose(seq, last) == StopPurpose.UNLOAD else None,
            planned_arrival_at=_on_the_quarter(
                start + (seq - 1) * timedelta(hours=5.5) / (last - 1)
            ),
        )
        for seq, site in enumerate(driver.sites, start=1)
    )
    return MissionPlan(
        external_id=key,
        reference=" - ".join(SITES[site].address.rpartition(", ")[2] for site in driver.sites),
        driver=fleet.drivers[driver.number],
        truck=fleet.trucks[driver.plate],
        planned_start_at=_on_the_quarter(start),
        planned_end_at=_on_the_quarter(start + timedelta(hours=5.5)),
        stops=stops,
    )


def _goods(site: str) -> tuple[GoodsPlan, ...]:
    description, quantity = GOODS.get(site, GENERAL_CARGO)
    return (
        GoodsPlan(description=description, quantity=quantity, unit="pallet"),
        GoodsPlan(description="empty pallets, to take back", quantity=Decimal(2), unit="pallet"),
    )


def _purpose(seq: int, last: int) -> StopPurpose:
    if seq == 1:
        return StopPurpose.LOAD
    return StopPurpose.OTHER if seq == last else StopPurpose.UNLOAD


def _on_the_quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _seed_afresh(now: datetime) -> DemoState:
    actor = Actor("command", _employer())
    logins = [_login(actor, role, email) for role, email in LOGINS.items()]
    tokens = {driver.number: _driver(actor, driver) for driver in DRIVERS}
    for site in SITES.values():
        Site.objects.get_or_create(
            employer=actor.employer,
            external_id=site.key,
            defaults={
                "name": site.name,
                "address": site.address,
                "latitude": site.latitude,
                "longitude": site.longitude,
                "radius_m": ADDRESS_RADIUS_M,
            },
        )
    state = DemoState(str(actor.employer.uuid), now.replace(microsecond=0), logins, tokens)
    write_state(state)
    return state


def _employer() -> Employer:
    member = Membership.objects.filter(user__email=LOGINS[Role.MANAGER], employer__name=NAME)
    found = member.select_related("employer").first()
    if found is not None:
        return found.employer
    return create_employer(NAME, min_spacing_m=500, staff_informed_on=date(2026, 1, 5))


def _login(actor: Actor, role: Role, email: str) -> Login:
    password = secrets.token_urlsafe(12)
    user = User.objects.filter(email=email).first()
    if user is None:
        create_user(actor, email, role, password=password)
    else:
        user.set_password(password)
        user.save()
        Membership.objects.get_or_create(user=user, employer=actor.employer, role=role)
    return Login(email, role.value, password)


def _driver(actor: Actor, demo: DemoDriver) -> str:
    """The driver with a truck; returns the token of a phone just enrolled."""
    driver = Driver.objects.filter(employer=actor.employer, number=demo.number).first()
    if driver is None:
        driver = create_driver(actor, name=demo.name, number=demo.number)
        truck = create_truck(actor, plate=demo.plate)
        assign_truck(actor, truck, driver, begin=TRUCKS_SINCE, source=AssignmentSource.STATIC)
    _, token = enrol_device(actor, driver, name=f"Phone {demo.number}")
    return token
