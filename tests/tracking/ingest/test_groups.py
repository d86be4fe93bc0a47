"""What happens to a group when the database is slow, locked, or one request is poisoned."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from django.db import connection, connections, transaction

from accounts.models import Driver
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix
from tracking.models import Fix
from tracking.partitions import partition_name

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked(driver: Driver, seconds: float) -> Iterator[None]:
    """Another session holds the driver's row for so long."""
    is_locked = Event()

    def hold() -> None:
        with transaction.atomic():
            Driver.objects.select_for_update().get(pk=driver.pk)
            is_locked.set()
            sleep(seconds)
        connections.close_all()

    thread = Thread(target=hold)
    thread.start()
    is_locked.wait(5)
    yield
    thread.join()


def test_a_slow_group_turns_others_away_only_while_it_lasts(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    with locked(ada_phone.driver, 2):
        waiting = ingest.start_post(ada_phone.token, [fix(now)])
        sleep(1.2)
        began = monotonic()
        answer = ingest.post(ben_phone.token, [fix(now)])
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert monotonic() - began < 1
        assert waiting.result(10).statuses == ["stored"]
    assert ingest.post(ben_phone.token, [fix(now)]).statuses == ["stored"]


def test_a_driver_who_stays_locked_costs_only_its_own_phone(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    with locked(ada_phone.driver, 8):
        stuck = ingest.start_post(ada_phone.token, [fix(now)])
        assert stuck.result(10).status == 503
        sleep(3)  # the same alone
        assert ingest.post(ben_phone.token, [fix(now)]).statuses == ["stored"]
    assert ingest.post(ada_phone.token, [fix(now)]).statuses == ["stored"]


def test_a_fix_of_a_missing_month_fails_alone_and_ingest_goes_on(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    gone = datetime.now(UTC) - timedelta(days=58)
    name = partition_name(gone)
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE tracking_fix DETACH PARTITION "{name}"')
        cursor.execute(f'DROP TABLE "{name}"')
    with locked(ada_phone.driver, 1.5):  # slow first, then failing: both at once
        failing = ingest.start_post(ada_phone.token, [fix(gone)])
        assert failing.result(10).status == 503
    assert ingest.post(ben_phone.token, [fix(now)]).statuses == ["stored"]
    assert Fix.objects.filter(driver_id=ada_phone.driver.pk).count() == 0


def test_requests_after_the_end_are_turned_away(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    assert ingest.post(ada_phone.token, [fix(now)]).status == 200
    groups = ingest.application._groups  # noqa: SLF001 (as at the end of a shutdown)
    assert groups is not None
    ingest.run(groups.close())
    assert ingest.post(ada_phone.token, [fix(now, 50.1)]).status == 503
