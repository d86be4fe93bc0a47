"""What ends by itself, at the last thing that was heard of it."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, DutyMark, MarkSource
from missions.models import Mission, MissionStatus
from tests.cast import Phone, put_fixes
from tests.tracking.reading import mark, opened, press
from tracking import tasks
from tracking.models import QuarantinedFix
from tracking.partitions import partitions_present
from tracking.silence import end_silent_duties, last_fix_at, take_back_ends

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


def ends_of(driver: Driver) -> list[tuple[datetime, str]]:
    ends = DutyMark.objects.filter(driver=driver, kind=DutyMarkKind.DUTY_ENDED)
    return [(end.recorded_at, end.source) for end in ends.order_by("recorded_at")]


def end_duties(now: datetime) -> list[Driver]:
    return end_silent_duties(now, now - timedelta(days=59))


def test_a_silent_duty_ends_at_its_last_fix(ada: Driver, ada_phone: Phone, now: datetime) -> None:
    mark(ada, now - 40 * HOUR, "duty_started")
    put_fixes(ada_phone, [(now - n * HOUR, 50.85, 4.35) for n in (38, 30)])
    assert end_duties(now) == [ada]
    assert ends_of(ada) == [(now - 30 * HOUR, MarkSource.AUTOMATIC)]
    assert AuditEntry.objects.filter(action="duty.ended_automatically").count() == 1
    assert end_duties(now) == []


def test_a_duty_without_any_fix_ends_where_it_began(ada: Driver, now: datetime) -> None:
    mark(ada, now - 30 * HOUR, "duty_started")
    end_duties(now)
    assert ends_of(ada) == [(now - 30 * HOUR, MarkSource.AUTOMATIC)]


def test_a_stage_without_a_position_is_something_heard(
    ada: Driver, ada_phone: Phone, now: datetime
) -> None:
    mark(ada, now - 40 * HOUR, "duty_started")
    press(ada_phone, now - 26 * HOUR, "break_started", None)
    end_duties(now)
    assert ends_of(ada)[0][0] == now - 26 * HOUR


def test_a_duty_goes_on_while_something_is_heard(
    ada: Driver, ada_phone: Phone, ben: Driver, now: datetime
) -> None:
    mark(ada, now - 40 * HOUR, "duty_started")
    put_fixes(ada_phone, [(now - 23 * HOUR, 50.85, 4.35)])
    mark(ben, now - 23 * HOUR, "duty_started")
    assert end_duties(now) == []
    put_fixes(ada_phone, [(now - 25 * HOUR, 50.85, 4.35)])
    assert end_duties(now + 2 * HOUR) == [ada, ben]


def test_a_duty_that_was_ended_and_a_frozen_driver_are_left_alone(
    ada: Driver, ben: Driver, now: datetime
) -> None:
    mark(ada, now - 40 * HOUR, "duty_started")
    mark(ada, now - 30 * HOUR, "duty_ended")
    mark(ben, now - 40 * HOUR, "duty_started")
    freeze_driver(ben)
    assert end_duties(now) == []


def test_an_end_that_the_drivers_own_later_one_contradicts_is_taken_back(
    ada: Driver, ben: Driver, now: datetime
) -> None:
    for driver in (ada, ben):
        mark(driver, now - 60 * HOUR, "duty_started")
    assert end_duties(now) == [ada, ben]
    # ada's phone was out of reach; ben began another duty in between.
    mark(ada, now - 20 * HOUR, "duty_ended")
    mark(ben, now - 22 * HOUR, "duty_started")
    mark(ben, now - 20 * HOUR, "duty_ended")
    assert take_back_ends() == 1
    assert ends_of(ada) == [(now - 20 * HOUR, MarkSource.DRIVER)]
    assert [source for _, source in ends_of(ben)] == [MarkSource.AUTOMATIC, MarkSource.DRIVER]


def open_for(driver: Driver, since: datetime) -> Mission:
    mission = opened(driver, None)
    mission.status = MissionStatus.STARTED
    mission.opened_at = since
    mission.save()
    return mission


def test_a_silent_mission_ends_at_its_last_fix(
    ada: Driver, ada_phone: Phone, now: datetime
) -> None:
    silent = open_for(ada, now - 50 * HOUR)
    put_fixes(ada_phone, [(now - n * HOUR, 50.85, 4.35) for n in (48, 30)])
    assert last_fix_at(silent, now) == now - 30 * HOUR
    tasks.end_silent_missions.delay()
    silent.refresh_from_db()
    assert (silent.ended_at, silent.ended_source) == (now - 30 * HOUR, MarkSource.AUTOMATIC)


def test_a_mission_goes_on_while_something_is_heard(
    ada: Driver, ada_phone: Phone, now: datetime
) -> None:
    mission = open_for(ada, now - 50 * HOUR)
    put_fixes(ada_phone, [(now - 2 * HOUR, 50.85, 4.35)])
    tasks.end_silent_missions.delay()
    mission.refresh_from_db()
    assert mission.ended_at is None


def test_a_mission_without_fixes_has_no_last_fix(ada: Driver, now: datetime) -> None:
    assert last_fix_at(open_for(ada, now), now) is None
    assert last_fix_at(opened(ada, None), now) is None


def test_silent_duties_are_ended_by_the_clock(ada: Driver, now: datetime) -> None:
    mark(ada, now - 30 * HOUR, "duty_started")
    tasks.end_silent_duties.delay()
    assert len(ends_of(ada)) == 1


def test_quarantine_expires_after_14_days(
    ada_phone: Phone, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "BATCH", 2)
    for n, days in enumerate((1, 13, 15, 20, 40, 50, 60)):
        QuarantinedFix.objects.create(
            employer=ada_phone.driver.employer,
            device=ada_phone.device,
            dialect="osmand",
            reason="no_time",
            payload=b"x",
            payload_hash=b"%d" % n,
            last_received_at=now - timedelta(days=days),
        )
    tasks.expire_quarantine.delay()
    assert QuarantinedFix.objects.count() == 2


def test_the_months_are_made_by_the_clock() -> None:
    tasks.make_partitions.delay()
    assert f"tracking_fix_{timezone.now():%Y_%m}" in partitions_present()
