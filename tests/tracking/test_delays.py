"""A stop that will be late is told of once, by its plan and by where the driver is."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer
from missions.delays import tell_of_delays
from missions.lifecycle import cancel_mission
from missions.models import Change, Mission, Site, Stop, StopResult
from missions.stages import Stage
from tests.accounts.racing import raced
from tests.cast import Phone, put_fixes
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent
from tracking import tasks
from tracking.nearness import distance_at

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def stop(acme: Employer, ada: Driver, now: datetime) -> Stop:
    """At Ghent, to be reached within the hour; Brussels is 49 km away."""
    site = Site.objects.create(employer=acme, name="Ghent", latitude=51.05, longitude=3.72)
    mission = make_mission(acme, ada, stops=1)
    mission.stops.update(site=site, window_end_at=now + HOUR)
    start(mission, ada, now - HOUR)
    return Stop.objects.select_related("mission").get(mission=mission)


def delayed() -> list[tuple[object, object]]:
    rows = Change.objects.filter(type="mission.delayed")
    return list(rows.values_list("object_uuid", "mission_uuid"))


def sweep(at: datetime) -> int:
    return tell_of_delays(at, distance_at(at))


@pytest.mark.django_db
def test_a_stop_whose_time_has_passed_is_told_of_once(stop: Stop, now: datetime) -> None:
    assert sweep(now + 59 * MINUTE) == 0
    assert delayed() == []
    assert sweep(now + 61 * MINUTE) == 1
    assert sweep(now + 62 * MINUTE) == 0
    assert delayed() == [(stop.uuid, stop.mission.uuid)]


@pytest.mark.django_db
def test_a_driver_who_is_too_far_away_is_told_of_beforehand(
    stop: Stop, ada_phone: Phone, now: datetime
) -> None:
    """49 km take an hour at 50 km/h: too late from five minutes later on."""
    put_fixes(ada_phone, [(now - MINUTE, 50.85, 4.35)])
    assert sweep(now) == 0
    assert sweep(now + 5 * MINUTE) == 1
    assert len(delayed()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["stale fix", "frozen", "no point", "not started"])
def test_without_a_place_the_plan_alone_decides(
    reason: str, stop: Stop, ada_phone: Phone, now: datetime
) -> None:
    put_fixes(ada_phone, [(now - (2 * HOUR if reason == "stale fix" else MINUTE), 50.85, 4.35)])
    if reason == "frozen":
        freeze_driver(ada_phone.driver)
    if reason == "no point":
        Site.objects.update(latitude=None, longitude=None)
    if reason == "not started":
        Mission.objects.update(status="assigned")
    assert sweep(now + 5 * MINUTE) == 0
    assert sweep(now + 2 * HOUR) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["arrived", "result", "cancelled", "a day ago", "planned only"])
def test_what_is_no_news_is_not_told(reason: str, stop: Stop, ada: Driver, now: datetime) -> None:
    at = now + (26 * HOUR if reason == "a day ago" else 2 * HOUR)
    if reason == "arrived":
        put_stage(stop.mission, ada, Sent(Stage.ARRIVAL, now, stop=1))
    if reason == "result":
        Stop.objects.update(result=StopResult.SUCCEEDED)
    if reason == "cancelled":
        cancel_mission(stop.mission)
    if reason == "planned only":
        Mission.objects.update(status="planned")
    assert sweep(at) == 0
    assert delayed() == []


@pytest.mark.django_db
def test_without_a_window_the_planned_arrival_counts(stop: Stop, now: datetime) -> None:
    Stop.objects.update(window_end_at=None, planned_arrival_at=now)
    assert sweep(now + 14 * MINUTE) == 0
    assert sweep(now + 16 * MINUTE) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_once(stop: Stop, now: datetime) -> None:
    raced(*[partial(sweep, now + 2 * HOUR)] * 3)
    assert delayed() == [(stop.uuid, stop.mission.uuid)]


@pytest.mark.django_db
def test_the_job_looks_at_now(stop: Stop, now: datetime) -> None:
    Stop.objects.update(window_end_at=now - MINUTE)
    tasks.tell_of_delays()
    assert len(delayed()) == 1


@pytest.mark.django_db
def test_a_sweep_asks_the_same_for_one_stop_and_many_of_a_mission(
    stop: Stop, ada_phone: Phone, now: datetime, django_assert_num_queries: object
) -> None:
    put_fixes(ada_phone, [(now - MINUTE, 50.85, 4.35)])
    for stops in (1, 20):
        for seq in range(2, stops + 1):
            Stop.objects.create(
                employer_id=stop.employer_id, mission=stop.mission, seq=seq, site=stop.site,
                window_end_at=now + HOUR,
            )  # fmt: skip
        # The stops, the driver, the newest fix.
        with django_assert_num_queries(3):  # type: ignore[operator]
            assert sweep(now) == 0
