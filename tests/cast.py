"""The cast: two employers and their people, phones and trucks, as fixtures.

At acme: dee (dispatcher), max (manager), pat (DPO); the drivers ada and ben, each with a
phone of our app and a truck. cy is manager and DPO of another employer, with the same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from rest_framework.test import APIClient

from accounts.folding import folded
from accounts.models import (
    ApiKey,
    Device,
    DeviceHolding,
    DeviceToken,
    Driver,
    Employer,
    Membership,
    Role,
    TokenScope,
    TrackingWindow,
    Truck,
    TruckAssignment,
    User,
)
from accounts.secrets import API_KEY_PREFIX, DEVICE_PREFIX, new_secret, secret_hash
from missions.models import Mission
from tracking.ingest.sent import KIND_BY_LABEL, fix_id_at
from tracking.models import E7, Fix, LinkSource
from tracking.partitions import make_partitions

# When, latitude, longitude in degrees, and a kind unless it is `distance`.
Point: TypeAlias = tuple[datetime, float, float] | tuple[datetime, float, float, str]
ClientFor: TypeAlias = Callable[[str], APIClient]


@dataclass(frozen=True)
class Phone:
    """A device with the token that only the phone itself knows."""

    device: Device
    token: str
    driver: Driver

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def make_employer(name: str = "Acme Transport") -> Employer:
    """An employer that stores everything a phone sends: window always, no spacing."""
    return Employer.objects.create(
        name=name,
        tracking_window=TrackingWindow.ALWAYS,
        window_justification="Dangerous goods; works council of 12 January.",
        staff_informed_on=date(2026, 1, 12),
        min_spacing_m=0,
    )


def make_user(employer: Employer, email: str, *roles: Role) -> User:
    """A user without a password; `client.force_login` signs in all the same."""
    user = User.objects.create_user(email)
    for role in roles:
        Membership.objects.create(user=user, employer=employer, role=role)
    return user


def make_driver(employer: Employer, name: str, number: str | None = None) -> Driver:
    return Driver.objects.create(
        employer=employer,
        name=name,
        name_folded=folded(name),
        number=number,
        adult_attested_on=date(2026, 1, 12),
    )


def make_phone(driver: Driver, *, scope: TokenScope = TokenScope.APP) -> Phone:
    """A phone that this driver has always carried, and its token."""
    device = Device.objects.create(employer=driver.employer, name=f"phone of {driver.number}")
    token = new_secret(DEVICE_PREFIX)
    DeviceToken.objects.create(
        employer=driver.employer, device=device, scope=scope, token_hash=secret_hash(token)
    )
    DeviceHolding.objects.create(
        employer=driver.employer, device=device, driver=driver, period=DateTimeTZRange(None, None)
    )
    return Phone(device, token, driver)


def make_api_key(employer: Employer, role: Role) -> str:
    """An API key's secret."""
    secret = new_secret(API_KEY_PREFIX)
    ApiKey.objects.create(
        employer=employer, role=role, prefix=secret[:12], key_hash=secret_hash(secret)
    )
    return secret


def assign(
    truck: Truck, driver: Driver, begin: datetime | None, end: datetime | None = None
) -> TruckAssignment:
    return TruckAssignment.objects.create(
        employer=driver.employer, truck=truck, driver=driver, period=DateTimeTZRange(begin, end)
    )


def put_fixes(
    phone: Phone,
    points: Iterable[Point],
    *,
    truck: Truck | None = None,
    mission: Mission | None = None,
    received_at: datetime | None = None,
) -> list[Fix]:
    """Fixes straight in the table, linked as told. Makes the months they need."""
    fixes = []
    for recorded_at, latitude, longitude, *rest in points:
        kind = KIND_BY_LABEL[str(rest[0]) if rest else "distance"]
        latitude_e7, longitude_e7 = round(latitude * E7), round(longitude * E7)
        fixes.append(
            Fix(
                driver_id=phone.driver.pk,
                recorded_at=recorded_at,
                fix_id=fix_id_at(kind, latitude_e7, longitude_e7),
                received_at=received_at or recorded_at,
                employer_id=phone.driver.employer_id,
                device_id=phone.device.pk,
                latitude_e7=latitude_e7,
                longitude_e7=longitude_e7,
                kind=kind,
                truck_id=truck.pk if truck else None,
                mission_id=mission.pk if mission else None,
                link_source=LinkSource.CLIENT if mission else LinkSource.NONE,
            )
        )
    for month in sorted({(fix.recorded_at.year, fix.recorded_at.month) for fix in fixes}):
        make_partitions(datetime(*month, 1, tzinfo=UTC))
    return Fix.objects.bulk_create(fixes)


@pytest.fixture
def acme(db: None) -> Employer:
    return make_employer()


@pytest.fixture
def dee(acme: Employer) -> User:
    return make_user(acme, "dee@acme.example", Role.DISPATCHER)


@pytest.fixture
def max(acme: Employer) -> User:
    return make_user(acme, "max@acme.example", Role.MANAGER)


@pytest.fixture
def pat(acme: Employer) -> User:
    return make_user(acme, "pat@acme.example", Role.DPO)


@pytest.fixture
def ada(acme: Employer) -> Driver:
    return make_driver(acme, "Ada Peeters", "D-1")


@pytest.fixture
def ben(acme: Employer) -> Driver:
    return make_driver(acme, "Ben Özdemir", "D-2")


@pytest.fixture
def ada_phone(ada: Driver) -> Phone:
    return make_phone(ada)


@pytest.fixture
def ben_phone(ben: Driver) -> Phone:
    return make_phone(ben)


@pytest.fixture
def truck12(acme: Employer) -> Truck:
    return Truck.objects.create(employer=acme, plate="1-TRK-012", name="truck 12")


@pytest.fixture
def truck34(acme: Employer) -> Truck:
    return Truck.objects.create(employer=acme, plate="1-TRK-034", name="truck 34")


@pytest.fixture
def elsewhere(db: None) -> Employer:
    """The other employer, cy's."""
    return make_employer("Elsewhere Logistics")


@pytest.fixture
def cy(elsewhere: Employer) -> User:
    return make_user(elsewhere, "cy@elsewhere.example", Role.MANAGER, Role.DPO)


@pytest.fixture
def cy_driver(elsewhere: Employer) -> Driver:
    return make_driver(elsewhere, "Cleo Dubois", "D-1")


@pytest.fixture
def cy_phone(cy_driver: Driver) -> Phone:
    return make_phone(cy_driver)


@pytest.fixture
def cy_truck(elsewhere: Employer) -> Truck:
    return Truck.objects.create(employer=elsewhere, plate="1-TRK-012", name="theirs")


@pytest.fixture
def client_for(request: pytest.FixtureRequest) -> ClientFor:
    """An API client as one of the cast, by name or by role.

    dispatcher (dee), manager (max), dpo (pat), stranger (cy) by session; driver (ada's
    phone), other_driver (ben's) by token; nobody.
    """
    people = {"dispatcher": "dee", "manager": "max", "dpo": "pat", "stranger": "cy"}
    phones = {"driver": "ada_phone", "other_driver": "ben_phone"}

    def client_as(role: str) -> APIClient:
        client = APIClient()
        if role in people:
            client.force_login(request.getfixturevalue(people[role]))
        elif role in phones:
            phone: Phone = request.getfixturevalue(phones[role])
            client.credentials(HTTP_AUTHORIZATION=phone.headers["Authorization"])
        elif role != "nobody":
            raise ValueError(f"{role} is not in the cast")
        return client

    return client_as
