"""Working days straight in the table, for what is measured over millions of fixes.

Each driver works every day from 06:00 to 16:00 UTC: a fix a minute, 500 m apart, three stops
of 20 minutes, one mission a day with its stages. Rows arrive day by day and minute by minute,
all drivers among each other, as they would from phones: a day of one driver is then spread
over the pages of all.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from accounts.stages import Stage
from tests.bench.bench import Bench, progress
from tests.drives import RESOLVED
from tests.real_system import Fleet
from tracking.ingest.sent import DISTANCE, HEARTBEAT

DAYS: Final = 50
FIXES_A_DAY: Final = 600
FIRST_HOUR: Final = timedelta(hours=6)
LOADERS: Final = 2

# Minute of the day and what the driver marks then.
STAGES: Final = {
    0: Stage.DEPARTURE,
    150: Stage.ARRIVAL,
    152: Stage.UNLOADING_STARTED,
    168: Stage.UNLOADING_ENDED,
    170: Stage.DEPARTURE,
    300: Stage.ARRIVAL,
    302: Stage.UNLOADING_STARTED,
    318: Stage.UNLOADING_ENDED,
    320: Stage.DEPARTURE,
    450: Stage.ARRIVAL,
    470: Stage.DEPARTURE,
    599: Stage.ARRIVAL,
}
LAST_MINUTE: Final = max(STAGES)
STOPS: Final = ((150, 170), (300, 320), (450, 470))

# Minutes driven until minute `k`: standing still does not count.
_DRIVEN = "k.n" + "".join(
    f" - least(greatest(k.n - {begin}, 0), {end - begin})" for begin, end in STOPS
)
_KIND = (
    "CASE "
    + " ".join(f"WHEN k.n = {minute} THEN {stage.value}" for minute, stage in STAGES.items())
    + " ".join(f" WHEN k.n BETWEEN {begin} AND {end} THEN {HEARTBEAT}" for begin, end in STOPS)
    + f" ELSE {DISTANCE} END"
)

MISSIONS: Final = """
    INSERT INTO missions_mission (uuid, employer_id, external_id, reference, status, opened_at,
                                  ended_at, ended_source, ecmr_number, version)
    SELECT gen_random_uuid(), d.employer_id, 'DAY-' || d.id || '-' || day.n, '', 'completed',
           %(first)s + day.n * interval '1 day',
           %(first)s + day.n * interval '1 day' + %(last)s * interval '1 minute', 'driver', '', 1
      FROM generate_series(0, %(days)s::int - 1) day(n)
     CROSS JOIN accounts_driver d
     WHERE d.employer_id = %(employer)s
"""
ASSIGNMENTS: Final = """
    INSERT INTO missions_missionassignment (uuid, employer_id, mission_id, driver_id, truck_id,
                                           period)
    SELECT gen_random_uuid(), m.employer_id, m.id, a.driver_id, a.truck_id,
           tstzrange(m.opened_at, NULL)
      FROM missions_mission m
      JOIN accounts_truckassignment a
        ON a.driver_id = split_part(m.external_id, '-', 2)::int
     WHERE m.employer_id = %(employer)s
"""
FIXES: Final = f"""
    INSERT INTO tracking_fix (
        recorded_at, received_at, fix_id, driver_id, employer_id, device_id, latitude_e7,
        longitude_e7, kind, link_source, truck_id, mission_id, accuracy_dm, speed_cmps,
        heading_ddeg, battery_e4)
    SELECT x.at, x.at + interval '2 seconds', hashint8extended(k.n, a.driver_id), a.driver_id,
           a.employer_id, a.driver_id, 490000000 + ({_DRIVEN}) * 45000,
           43500000 + a.driver_id * 1000,
           {_KIND}, {RESOLVED}, a.truck_id, m.mission_id, 80, 830, 0,
           10000 - k.n * 10
      FROM missions_missionassignment m
      JOIN accounts_truckassignment a ON a.driver_id = m.driver_id
     CROSS JOIN generate_series(%(from)s::int, %(to)s::int) k(n)
     CROSS JOIN LATERAL (
        SELECT lower(m.period) + k.n * interval '1 minute' + a.driver_id * interval '1 ms' AS at) x
     WHERE m.employer_id = %(employer)s
       AND lower(m.period) = %(first)s + %(day)s * interval '1 day'
     ORDER BY k.n, a.driver_id
"""  # noqa: S608 - numbers of our own
EVENTS: Final = f"""
    INSERT INTO missions_stageevent (
        uuid, employer_id, driver_id, truck_id, mission_id, stage, recorded_at, received_at, fix_id,
        latitude, longitude, position_source, site_check, reason, ends_mission, source, remark)
    SELECT gen_random_uuid(), f.employer_id, f.driver_id, f.truck_id, f.mission_id, f.kind,
           f.recorded_at, f.received_at, f.fix_id, f.latitude_e7 / 1e7, f.longitude_e7 / 1e7,
           'at_event', 'unknown', '', false, 'driver', ''
      FROM tracking_fix f
     WHERE f.employer_id = %(employer)s AND f.kind NOT IN ({DISTANCE}, {HEARTBEAT})
"""  # noqa: S608 - numbers of our own


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days of a fleet; `first_at` is 06:00 UTC of the first one."""

    fleet: Fleet
    first_at: datetime

    @property
    def fixes(self) -> int:
        return len(self.fleet.phones) * DAYS * FIXES_A_DAY

    def date(self, day: int) -> str:
        return f"{self.first_at + timedelta(days=day):%Y-%m-%d}"


def work(bench: Bench, fixes: int) -> WorkingDays:
    """Load about so many fixes of a fleet of their own: more fixes mean more drivers."""
    drivers = math.ceil(fixes / (DAYS * FIXES_A_DAY))
    fleet = bench.system.make_fleet(drivers, has_missions=False)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = WorkingDays(fleet, midnight - timedelta(days=DAYS + 1) + FIRST_HOUR)
    bound = {
        "employer": fleet.employer_id, "first": days.first_at, "days": DAYS, "last": FIXES_A_DAY,
    }  # fmt: skip
    with bench.system.connect() as connection:
        connection.execute(MISSIONS.encode(), bound)
        connection.execute(ASSIGNMENTS.encode(), bound)
        connection.execute("ANALYZE missions_missionassignment, accounts_truckassignment")
    chunks = [{**bound, "day": day, "from": 0, "to": LAST_MINUTE} for day in range(DAYS)]
    load(bench, f"(e) loading {days.fixes:,} fixes", FIXES, chunks)
    with bench.system.connect() as connection:
        connection.execute(EVENTS.encode(), bound)
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return days


def load(bench: Bench, what: str, statement: str, chunks: list[dict[str, Any]]) -> None:
    """Run a statement once for each chunk, in order, over two connections."""
    waiting = chunks[::-1]
    with progress(what, len(chunks), "part") as bar:

        def run(connection: Connection[tuple[Any, ...]]) -> None:
            with connection:
                while waiting:
                    connection.execute(statement.encode(), waiting.pop())
                    bar.update()

        _on_each([bench.system.connect() for _ in range(LOADERS)], run)


def _on_each(
    connections: list[Connection[tuple[Any, ...]]],
    run: Callable[[Connection[tuple[Any, ...]]], None],
) -> None:
    with ThreadPoolExecutor(len(connections)) as threads:
        for _ in threads.map(run, connections):
            pass
