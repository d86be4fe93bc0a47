"""A phone that talks to the ingest application of this process."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import DeviceHolding, Driver, Employer, TokenScope, TrackingWindow
from missions.models import Mission, MissionAssignment, MissionStatus
from tests.cast import Phone, make_phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tracking.partitions import make_partitions


@pytest.fixture
def ingest(transactional_db: None) -> Iterator[AsgiPhone]:
    """Ingest has connections of its own: what a test prepares must be committed."""
    make_partitions()
    phone = AsgiPhone()
    yield phone
    phone.close()


@pytest.fixture
def replay_ingest(transactional_db: None) -> Iterator[AsgiPhone]:
    """The same in replay mode. Old months are the test's to make."""
    phone = AsgiPhone(max_fix_age_days=6000)
    yield phone
    phone.close()


@pytest.fixture
def traccar(ada: Driver) -> Phone:
    """Ada's phone with an off-the-shelf client."""
    return make_phone(ada, scope=TokenScope.INGEST)


@pytest.fixture
def now() -> datetime:
    """A whole second some time ago: everything sent lies in the past."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


@pytest.fixture
def on_duty_only(acme: Employer) -> Employer:
    """acme with the default window: while a duty or a mission is open."""
    acme.tracking_window = TrackingWindow.DUTY
    acme.save()
    return acme


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(ada, "M-1")


def make_mission(driver: Driver, external_id: str) -> Mission:
    """A mission that this driver has from the beginning."""
    mission = Mission.objects.create(
        employer=driver.employer, external_id=external_id, status=MissionStatus.ASSIGNED
    )
    MissionAssignment.objects.create(
        employer=driver.employer, mission=mission, driver=driver, period=(None, None)
    )
    return mission


def hand_over(phone: Phone, driver: Driver, at: datetime) -> None:
    """From this moment on another driver carries the phone; who did until now is the phone's."""
    DeviceHolding.objects.filter(device=phone.device).update(period=(None, at))
    DeviceHolding.objects.create(
        employer=driver.employer, device=phone.device, driver=driver, period=(at, None)
    )
