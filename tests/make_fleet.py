"""Bring a database up to date and make an employer with many drivers that are ready to post.

    python -m tests.make_fleet PHONES [--no-missions]

A process of its own, since the database is not that of whoever asks. Each driver carries a
phone, drives a truck and, unless told otherwise, a mission that has been open for 58 days.
Prints one JSON object: what tests.real_system.Fleet holds.
"""

import argparse
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import transaction  # noqa: E402 - models need the set-up above
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange  # noqa: E402

from accounts.models import (  # noqa: E402
    ApiKey,
    Device,
    DeviceHolding,
    DeviceToken,
    Driver,
    Employer,
    Role,
    TokenScope,
    Truck,
    TruckAssignment,
)
from accounts.secrets import API_KEY_PREFIX, DEVICE_PREFIX, new_secret, secret_hash  # noqa: E402
from config.prepare import migrate  # noqa: E402
from missions.models import Mission, MissionAssignment, MissionStatus  # noqa: E402
from tracking.partitions import make_partitions  # noqa: E402

OPEN_FOR = timedelta(days=58)
ALWAYS = DateTimeTZRange(None, None)


def make_fleet(count: int, *, has_missions: bool) -> dict[str, object]:
    employer = Employer.objects.create(
        name="Measured Transport", min_spacing_m=0, staff_informed_on=date(2026, 1, 12)
    )
    api_key = new_secret(API_KEY_PREFIX)
    ApiKey.objects.create(
        employer=employer, role=Role.DISPATCHER, prefix=api_key[:12], key_hash=secret_hash(api_key)
    )
    drivers = Driver.objects.bulk_create(
        Driver(employer=employer, name=f"Driver {n}", name_folded=f"driver {n}")
        for n in range(count)
    )
    trucks = Truck.objects.bulk_create(
        Truck(employer=employer, plate=f"1-MIL-{n:04}") for n in range(count)
    )
    TruckAssignment.objects.bulk_create(
        TruckAssignment(employer=employer, truck=truck, driver=driver, period=ALWAYS)
        for truck, driver in zip(trucks, drivers, strict=True)
    )
    devices, tokens = make_phones(employer, drivers)
    missions = make_missions(employer, drivers, trucks) if has_missions else [None] * count
    return {
        "employer_id": employer.pk,
        "api_key": api_key,
        "phones": [
            {
                "token": token,
                "device_id": device.pk,
                "driver_id": driver.pk,
                "driver": str(driver.uuid),
                "truck_id": truck.pk,
                "truck": str(truck.uuid),
                "mission_id": mission.pk if mission else 0,
                "mission": str(mission.external_id) if mission else "",
            }
            for token, device, driver, truck, mission in zip(
                tokens, devices, drivers, trucks, missions, strict=True
            )
        ],
    }


def make_phones(employer: Employer, drivers: list[Driver]) -> tuple[list[Device], list[str]]:
    devices = Device.objects.bulk_create(Device(employer=employer) for _ in drivers)
    tokens = [new_secret(DEVICE_PREFIX) for _ in drivers]
    DeviceToken.objects.bulk_create(
        DeviceToken(
            employer=employer, device=device, scope=TokenScope.APP, token_hash=secret_hash(token)
        )
        for device, token in zip(devices, tokens, strict=True)
    )
    DeviceHolding.objects.bulk_create(
        DeviceHolding(employer=employer, device=device, driver=driver, period=ALWAYS)
        for device, driver in zip(devices, drivers, strict=True)
    )
    return devices, tokens


def make_missions(
    employer: Employer, drivers: list[Driver], trucks: list[Truck]
) -> list[Mission | None]:
    opened_at = datetime.now(UTC) - OPEN_FOR
    missions = Mission.objects.bulk_create(
        Mission(
            employer=employer, external_id=f"M-{n}", status=MissionStatus.STARTED,
            opened_at=opened_at,
        )
        for n in range(len(drivers))
    )  # fmt: skip
    MissionAssignment.objects.bulk_create(
        MissionAssignment(
            employer=employer, mission=mission, driver=driver, truck=truck, period=ALWAYS
        )
        for mission, driver, truck in zip(missions, drivers, trucks, strict=True)
    )
    return [*missions]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("phones", type=int)
    parser.add_argument("--no-missions", action="store_true")
    arguments = parser.parse_args()
    migrate()
    make_partitions()
    with transaction.atomic():
        made = make_fleet(arguments.phones, has_missions=not arguments.no_missions)
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
