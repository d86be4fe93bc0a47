"""One track, posted over HTTP as each client sends it: the same stored fixes from all of them.

The same within what each format can hold: whole seconds, six decimals, whole metres
(CLIENTS.md, section 10.2).
"""

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest
from django.conf import settings

from accounts.models import Employer, TokenScope
from tests.cast import make_driver, make_phone
from tests.flows.phone_requests import BATCHES, ENCODERS, PhoneFix
from tests.live_site import live_site, live_site_environment
from tracking.models import Fix
from tracking.partitions import make_partitions

__all__ = ["live_site", "live_site_environment"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

TRACKS: Final = Path(settings.BASE_DIR).parent / "shared/data/ndsbr/fixes.csv.gz"
REAL_FIXES: Final = 150
TENTH: Final = 0.051  # what the column itself rounds to, accuracy and heading
E7_HALF: Final = 0.6


@dataclass(frozen=True)
class Resolution:
    """How far a stored value may be from what the phone measured.

    `speed_below_mps` where the client cuts: it is then never above the true one.
    """

    time_ms: int = 999
    place_e7: float = E7_HALF
    speed_mps: float = 0.006
    speed_below_mps: float = 0.006
    whole_m: float = TENTH
    heading_deg: float = TENTH
    battery: float = 0.0051


MILLISECONDS: Final = Resolution(time_ms=0)
RESOLUTIONS: Final = {
    "traccar_android_8": Resolution(),
    "traccar_ios_8": Resolution(place_e7=5.1),
    "traccar_9": MILLISECONDS,
    "traccar_10": Resolution(speed_mps=0.009, speed_below_mps=0.009),
    "owntracks_android": Resolution(speed_below_mps=0.284, whole_m=0.51, heading_deg=0.51),
    "owntracks_ios": Resolution(
        place_e7=5.1, speed_mps=0.145, speed_below_mps=0.145, whole_m=0.51, heading_deg=0.51
    ),
    "overland": Resolution(
        place_e7=1.1, speed_mps=0.51, speed_below_mps=0.51, whole_m=0.51, heading_deg=0.51
    ),
    "transistorsoft": MILLISECONDS,
    "transistorsoft_single": MILLISECONDS,
    "gpslogger": Resolution(),
    "phonetrack": Resolution(),
    "ulogger": Resolution(),
}


def made_track(begin_at: datetime) -> list[PhoneFix]:
    """A drive of our own over the meridian of Greenwich: no round number in it, a fix in 36 s."""
    begin_ms = int(begin_at.timestamp() * 1000)
    return [
        PhoneFix(
            at_ms=begin_ms + n * 36_000 + n * 137 % 1000,
            latitude=51.0543217 + 0.0041 * math.sin(n / 9) + n * 0.00312345,
            longitude=-0.0612345 + n * 0.00234567,  # from west of Greenwich to the east of it
            accuracy_m=3.2 + n % 7,
            altitude_m=12.4 + 3 * math.cos(n / 5),
            speed_mps=n * 7 % 250 / 10 + 0.03,
            heading_deg=n * 37 % 360 + 0.4,
            battery=round(0.95 - n * 0.01, 2),
        )
        for n in range(60)
    ]


def real_track(begin_at: datetime) -> list[PhoneFix]:
    """The start of a real trip, moved to now; what it does not tell is made up."""
    with gzip.open(TRACKS, "rt", encoding="utf-8") as file:
        rows = [row for _, row in zip(range(REAL_FIXES), csv.DictReader(file), strict=False)]
    first_at = datetime.fromisoformat(rows[0]["recorded_at"])
    return [
        PhoneFix(
            at_ms=int(
                (begin_at + (datetime.fromisoformat(row["recorded_at"]) - first_at)).timestamp()
            )
            * 1000,
            latitude=float(row["lat"]),
            longitude=float(row["lon"]),
            accuracy_m=5.0,
            altitude_m=10.0,
            speed_mps=float(row["speed_mps"] or 0),
            heading_deg=90.0,
            battery=0.5,
        )
        for row in rows
    ]


@pytest.fixture
def begin_at(transactional_db: None) -> datetime:
    make_partitions()
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)


@pytest.fixture
def browserless() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


def drive(
    site: str, client: httpx.Client, acme: Employer, name: str, track: Sequence[PhoneFix]
) -> int:
    """Post the track as this client does; the id of the driver."""
    phone = make_phone(make_driver(acme, name, name), scope=TokenScope.INGEST)
    size = BATCHES.get(name, 1)
    for begin in range(0, len(track), size):
        wire = ENCODERS[name](track[begin : begin + size], phone.token)
        answer = client.request(
            wire.method, site + wire.path, content=wire.body, headers=wire.headers
        )
        assert answer.status_code == 200, (name, answer.text)
    return phone.driver.pk


def hold(name: str, measured: PhoneFix, stored: Fix) -> None:
    """What is stored is what was measured, within the format's resolution."""
    within = RESOLUTIONS[name]
    assert measured.at_ms is not None
    stored_ms = round(stored.recorded_at.timestamp() * 1000)
    assert 0 <= measured.at_ms - stored_ms <= within.time_ms
    for degrees, e7 in (
        (measured.latitude, stored.latitude_e7),
        (measured.longitude, stored.longitude_e7),
    ):
        assert abs(degrees * 1e7 - e7) <= within.place_e7
    assert stored.speed_cmps is not None
    speed_off = stored.speed_cmps / 100 - measured.speed_mps
    assert -within.speed_below_mps <= speed_off <= within.speed_mps
    assert stored.accuracy_dm is not None
    assert abs(stored.accuracy_dm / 10 - measured.accuracy_m) <= within.whole_m
    assert stored.heading_ddeg is not None
    assert abs(stored.heading_ddeg / 10 - measured.heading_deg) <= within.heading_deg
    if name != "ulogger":  # it does not tell
        assert stored.battery_e4 is not None
        assert abs(stored.battery_e4 / 10_000 - measured.battery) <= within.battery
    assert stored.altitude_m is not None
    assert abs(stored.altitude_m - measured.altitude_m) <= within.whole_m


def drive_as_all(site: str, client: httpx.Client, acme: Employer, track: list[PhoneFix]) -> None:
    assert RESOLUTIONS.keys() == ENCODERS.keys()
    for name in ENCODERS:
        driver = drive(site, client, acme, name, track)
        stored = list(Fix.objects.filter(driver_id=driver).order_by("recorded_at"))
        assert len(stored) == len(track), name
        for measured, fix in zip(track, stored, strict=True):
            hold(name, measured, fix)


def test_a_track_of_our_own_is_the_same_from_every_client(
    live_site: str, browserless: httpx.Client, acme: Employer, begin_at: datetime
) -> None:
    track = made_track(begin_at)
    assert min(fix.longitude for fix in track) < 0 < max(fix.longitude for fix in track)
    drive_as_all(live_site, browserless, acme, track)


@pytest.mark.skipif(not TRACKS.exists(), reason="the real tracks are not beside the project")
def test_a_real_track_is_the_same_from_every_client(
    live_site: str, browserless: httpx.Client, acme: Employer, begin_at: datetime
) -> None:
    track = real_track(begin_at)
    assert len({fix.at_ms for fix in track}) == REAL_FIXES
    drive_as_all(live_site, browserless, acme, track)
