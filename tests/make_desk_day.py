"""Bring a database up to date and make a dispatcher's whole day on it.

    python -m tests.make_desk_day [--trucks 500] [--missions 2000] [--past 100] [--long-day 5000]

A process of its own, since the database is not that of whoever asks. Half of the missions
are completed, a quarter are under way, a quarter are to come, with three stops each; some are
late, some lack a signature or a photo. `--past` days before lie in the table, too, and one
driver has a day of `--long-day` fixes. Prints one JSON object: what tests.bench.desk reads.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

# Sets Django up.
from tests.make_fleet import ALWAYS, make_fleet  # isort: skip

from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from accounts.models import Device, DeviceHolding, Driver, Employer, Membership, Role, Truck, User
from config.prepare import migrate
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    Signature,
    Site,
    StageEvent,
    Stop,
    StopResult,
)
from missions.stages import Stage
from tracking.ingest.sent import DISTANCE
from tracking.models import E7, Fix, LinkSource
from tracking.partitions import make_partitions

STOPS = 3
SITES = 400
VISIT = (
    (Stage.ARRIVAL, 0),
    (Stage.UNLOADING_STARTED, 4),
    (Stage.UNLOADING_ENDED, 14),
    (Stage.SIGNATURE, 16),
    (Stage.DEPARTURE, 18),
)
PAST = """
INSERT INTO missions_mission (uuid, employer_id, external_id, reference, status, opened_at,
       planned_start_at, planned_end_at, ended_at, ended_source, ecmr_number, version, created_at)
SELECT gen_random_uuid(), %(employer)s, 'PAST-' || d.n || '-' || k.n, '', 'completed', x.at, x.at,
       x.at + interval '3 hours', x.at + interval '3 hours', 'driver', '', 1,
       x.at - interval '1 day'
  FROM generate_series(1, %(days)s::int) d(n)
 CROSS JOIN generate_series(1, %(missions)s::int) k(n)
 CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - (d.n + 1) * interval '1 day'
                            + (k.n %% 12) * interval '1 hour' AS at) x
"""


class DeskDay:
    """The rows of one day, made from the same seed each time."""

    def __init__(self, employer: Employer, missions: int, now: datetime) -> None:
        self.employer = employer
        self.count = missions
        self.now = now
        local = now.astimezone(ZoneInfo(employer.timezone))
        self.begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self.chance = random.Random(12)  # noqa: S311 - numbers for a measurement
        self.drivers = list(Driver.objects.filter(employer=employer).order_by("id"))
        self.trucks = list(Truck.objects.filter(employer=employer).order_by("id"))
        holdings = DeviceHolding.objects.filter(employer=employer).select_related("device")
        self.devices: dict[int, Device] = {one.driver_id: one.device for one in holdings}
        self.sites = self._sites()

    def _sites(self) -> list[Site]:
        return Site.objects.bulk_create(
            Site(
                employer=self.employer, name=f"Customer {n}", address=f"Street {n}, Gent",
                latitude=50.6 + self.chance.random() * 0.7, longitude=3 + self.chance.random() * 2,
            )
            for n in range(SITES)
        )  # fmt: skip

    def make(self) -> None:
        missions = [self._mission(n) for n in range(self.count)]
        Mission.objects.bulk_create(missions)
        self._assign(missions)
        stops = Stop.objects.bulk_create([stop for one in missions for stop in self._stops(one)])
        events: list[StageEvent] = []
        photos: list[Attachment] = []
        signatures: list[Signature] = []
        of = {one.pk: n for n, one in enumerate(missions)}
        for stop in stops:
            driver = self.drivers[of[stop.mission_id] % len(self.drivers)]
            events += self._stages(stop, driver)
            if stop.result:
                photos += self._photo(stop, driver)
                signatures += self._signature(stop, driver)
        StageEvent.objects.bulk_create(events, batch_size=2000)
        Attachment.objects.bulk_create(photos, batch_size=2000)
        Signature.objects.bulk_create(signatures, batch_size=2000)
        self._fixes(missions)

    def _mission(self, n: int) -> Mission:
        """The first two of four rounds of a driver are over, the third is under way."""
        nth = n * 4 // self.count
        since = self.now - self.begin
        starts = (0.05 * since, 0.45 * since, since - timedelta(minutes=70), since * 1)
        at = self.begin + starts[nth] + timedelta(seconds=n % 97)
        if nth == 3:
            at = self.now + timedelta(minutes=5 + n % 50)
        lasts = 0.35 * since if nth < 2 else timedelta(hours=3)
        status = (MissionStatus.COMPLETED,) * 2 + (MissionStatus.STARTED, MissionStatus.ASSIGNED)
        return Mission(
            employer=self.employer, external_id=f"TODAY-{n}", reference=f"Round {n}",
            status=status[nth], planned_start_at=at, planned_end_at=at + lasts,
            opened_at=at if nth < 3 else None, ended_at=at + lasts if nth < 2 else None,
            ended_source="driver" if nth < 2 else "",
        )  # fmt: skip

    def _assign(self, missions: list[Mission]) -> None:
        count = len(self.drivers)
        MissionAssignment.objects.bulk_create(
            MissionAssignment(
                employer=self.employer, mission=mission, driver=self.drivers[n % count],
                truck=self.trucks[n % count], period=ALWAYS,
            )
            for n, mission in enumerate(missions)
        )  # fmt: skip

    def _stops(self, mission: Mission) -> Iterator[Stop]:
        begin, end = mission.planned_start_at, mission.planned_end_at
        assert begin is not None
        assert end is not None
        for seq in range(1, STOPS + 1):
            at = begin + (end - begin) * seq / (STOPS + 1)
            is_done = mission.status == MissionStatus.COMPLETED or (
                mission.status == MissionStatus.STARTED and seq == 1
            )
            failed = self.chance.random() < 0.02
            result = StopResult.FAILED if failed else StopResult.SUCCEEDED
            has_window = seq != 2
            half = timedelta(minutes=30)
            yield Stop(
                employer=self.employer, mission=mission, seq=seq,
                site=self.chance.choice(self.sites), planned_arrival_at=at,
                window_start_at=at - half if has_window else None,
                window_end_at=at + half if has_window else None,
                requires_photo=seq == 3, requires_signature=seq != 1,
                result=result if is_done else "",
            )  # fmt: skip

    def _stages(self, stop: Stop, driver: Driver) -> Iterator[StageEvent]:
        at = stop.planned_arrival_at
        assert at is not None
        if stop.seq == 1 and stop.mission.status != MissionStatus.ASSIGNED:
            begin = stop.mission.planned_start_at
            assert begin is not None
            yield self._stage(stop.mission, None, driver, Stage.DEPARTURE, begin)
        if not stop.result:
            return
        late = timedelta(minutes=45 if self.chance.random() < 0.08 else self.chance.randrange(20))
        for stage, minute in VISIT:
            moment = min(at + late + timedelta(minutes=minute), self.now)
            yield self._stage(stop.mission, stop, driver, stage, moment)

    def _stage(
        self, mission: Mission, stop: Stop | None, driver: Driver, stage: Stage, at: datetime
    ) -> StageEvent:
        is_far = stage == Stage.ARRIVAL and self.chance.random() < 0.05
        return StageEvent(
            employer=self.employer, mission=mission, stop=stop, driver=driver, stage=stage,
            recorded_at=at, received_at=at, latitude=51.0, longitude=3.7,
            fix_id=self.chance.randrange(1 << 60), client_id=f"{mission.pk}-{at.timestamp()}",
            site_distance_m=900.0 if is_far else 20.0, site_check="outside" if is_far else "inside",
            note="gate B" if self.chance.random() < 0.01 else "",
        )  # fmt: skip

    def _evidence(self, stop: Stop, driver: Driver) -> dict[str, Any]:
        at = stop.planned_arrival_at
        return {
            "employer": self.employer, "driver": driver, "device": self.devices[driver.pk],
            "client_id": f"E-{stop.pk}", "recorded_at": at, "mission_id": stop.mission_id,
            "stop": stop,
        }  # fmt: skip

    def _photo(self, stop: Stop, driver: Driver) -> Iterator[Attachment]:
        if stop.requires_photo and self.chance.random() < 0.96:
            yield Attachment(
                **self._evidence(stop, driver), file=f"p/{stop.pk}.jpg", media_type="image/jpeg",
                width_px=800, height_px=600, size_bytes=1, content_sha256=b"",
                original_media_type="image/jpeg", original_size_bytes=1, original_sha256=b"",
                thumbnail_failed_at=self.now,
            )  # fmt: skip

    def _signature(self, stop: Stop, driver: Driver) -> Iterator[Signature]:
        if stop.requires_signature and self.chance.random() < 0.96:
            yield Signature(
                **self._evidence(stop, driver), outcome="signed", signer_name="A. Receiver",
                document={}, document_sha256=b"",
            )  # fmt: skip

    def _fixes(self, missions: list[Mission]) -> None:
        """Each driver's newest half hour; every fiftieth phone has been silent for an hour."""
        running = missions[self.count // 2 : self.count * 3 // 4]
        fixes = []
        for n, driver in enumerate(self.drivers):
            silent = timedelta(hours=1 if n % 50 == 0 else 0)
            place = (50.6 + self.chance.random() * 0.7, 3 + self.chance.random() * 2)
            mission = running[n % len(running)] if running else None
            for step in range(30):
                at = self.now - silent - timedelta(minutes=30 - step, seconds=n % 50)
                fixes.append(self._fix(n, driver, at, place[0] + step / 250, place[1], mission))
        Fix.objects.bulk_create(fixes, batch_size=5000)

    def _fix(
        self, n: int, driver: Driver, at: datetime, latitude: float, longitude: float,
        mission: Mission | None,
    ) -> Fix:  # fmt: skip
        return Fix(
            driver_id=driver.pk, recorded_at=at, received_at=at,
            fix_id=self.chance.randrange(1 << 60), employer_id=self.employer.pk,
            device_id=self.devices[driver.pk].pk, latitude_e7=round(latitude * E7),
            longitude_e7=round(longitude * E7), kind=DISTANCE, heading_ddeg=(n * 37) % 3600,
            truck_id=self.trucks[n].pk, mission_id=mission.pk if mission else None,
            link_source=LinkSource.RESOLVED if mission else LinkSource.NONE,
        )  # fmt: skip

    def long_day(self, fixes: int) -> Driver:
        """The last driver's yesterday: so many fixes, one every few seconds, from six o'clock."""
        n = len(self.drivers) - 1
        begin = self.begin - timedelta(days=1) + timedelta(hours=6)
        every = timedelta(hours=12) / fixes
        Fix.objects.bulk_create(
            (
                self._fix(n, self.drivers[n], begin + every * k, 50.6 + k * 1e-4, 4.0, None)
                for k in range(fixes)
            ),
            batch_size=5000,
        )
        return self.drivers[n]


def signed_in(employer: Employer) -> str:
    """The session of a dispatcher, as the cookie holds it."""
    user = User.objects.create_user("desk@measured.example")
    Membership.objects.create(user=user, employer=employer, role=Role.DISPATCHER)
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trucks", type=int, default=500)
    parser.add_argument("--missions", type=int, default=2000)
    parser.add_argument("--past", type=int, default=100)
    parser.add_argument("--long-day", type=int, default=5000)
    arguments = parser.parse_args()
    migrate()
    now = datetime.now(UTC)
    for days in (0, 1):
        make_partitions(now - timedelta(days=days))
    with transaction.atomic():
        made = make_fleet(arguments.trucks, has_missions=False)
        employer = Employer.objects.get(pk=str(made["employer_id"]))
        day = DeskDay(employer, arguments.missions, now)
        bound = {
            "employer": employer.pk, "days": arguments.past, "missions": arguments.missions,
            "now": now,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(PAST, bound)
        day.make()
        driver = day.long_day(arguments.long_day)
        session = signed_in(employer)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    made = {
        "cookie": settings.SESSION_COOKIE_NAME,
        "session": session,
        "driver": str(driver.uuid),
        "truck": str(day.trucks[-1].uuid),
        "date": f"{day.begin - timedelta(days=1):%Y-%m-%d}",
        "mission": str(Mission.objects.filter(employer=employer, external_id="TODAY-0").get().uuid),
    }
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
