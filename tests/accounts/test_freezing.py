"""A frozen driver."""

from datetime import UTC, datetime
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction

from accounts.freezing import freeze_driver, unfreeze_driver
from accounts.models import AuditEntry, Device, DeviceToken, Driver, Employer
from tests.accounts.racing import raced
from tests.cast import ClientFor, Phone, make_phone


def test_a_freeze_is_noted_once_and_can_be_lifted(ada: Driver) -> None:
    frozen = freeze_driver(ada)
    assert frozen.frozen_at is not None
    assert freeze_driver(ada).frozen_at == frozen.frozen_at
    assert AuditEntry.objects.filter(action="driver.frozen").count() == 1
    assert unfreeze_driver(ada).frozen_at is None


def test_a_frozen_drivers_phone_is_told_and_keeps_its_token(
    client_for: ClientFor, ada_phone: Phone
) -> None:
    phone = client_for("driver")
    assert phone.get("/api/v1/me").status_code == 200
    freeze_driver(ada_phone.driver)
    answer = phone.get("/api/v1/me")
    assert (answer.status_code, answer.json()["type"]) == (403, "driver_frozen")
    assert DeviceToken.objects.filter(device=ada_phone.device).exists()
    unfreeze_driver(ada_phone.driver)
    assert phone.get("/api/v1/me").status_code == 200


def test_a_frozen_driver_is_out_of_every_read(
    client_for: ClientFor, ada: Driver, ada_phone: Phone
) -> None:
    office = client_for("dispatcher")
    paths = [f"/api/v1/drivers/{ada.uuid}", f"/api/v1/duties?driver={ada.uuid}"]
    assert [office.get(path).status_code for path in paths] == [200, 200]
    assert len(office.get("/api/v1/drivers").json()["results"]) == 1
    device = f"/api/v1/devices/{ada_phone.device.uuid}"
    assert office.get(device).json()["holder"] == str(ada.uuid)
    freeze_driver(ada)
    assert [office.get(path).status_code for path in paths] == [404, 404]
    assert office.get("/api/v1/drivers").json()["results"] == []
    assert office.get(device).json()["holder"] is None
    assert office.get(device).json()["holdings"][0]["driver"] is None


def test_a_freeze_takes_away_what_the_drivers_phone_said(
    ada: Driver, ada_phone: Phone, ben: Driver
) -> None:
    others = make_phone(ben)
    Device.objects.update(health={"battery": 0.4, "permission": "denied"})
    freeze_driver(ada)
    assert Device.objects.get(pk=ada_phone.device.pk).health == {}
    assert Device.objects.get(pk=others.device.pk).health["battery"] == 0.4


@pytest.mark.django_db(transaction=True)
def test_a_freeze_waits_for_a_group_that_is_being_recorded(ada: Driver) -> None:
    """The recording statement holds the driver FOR KEY SHARE until it commits."""
    is_locked = Event()
    committed_at: list[datetime] = []

    def record() -> None:
        with transaction.atomic(), transaction.get_connection().cursor() as cursor:
            cursor.execute("SELECT id FROM accounts_driver WHERE id = %s FOR KEY SHARE", [ada.pk])
            is_locked.set()
            cursor.execute("SELECT pg_sleep(0.3)")
        committed_at.append(datetime.now(UTC))

    def freeze() -> datetime:
        assert is_locked.wait(timeout=5)
        freeze_driver(ada)
        return datetime.now(UTC)

    _, frozen_at = raced(record, freeze)
    assert isinstance(frozen_at, datetime)
    assert frozen_at >= committed_at[0]


@pytest.mark.django_db(transaction=True)
def test_a_freeze_that_a_deadlock_ends_is_tried_again(acme: Employer, ada: Driver) -> None:
    is_held = Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # the freeze is ended, not this
            cursor.execute("SELECT FROM accounts_employer WHERE id = %s FOR UPDATE", [acme.pk])
            is_held.set()
            while not waiting():
                sleep(0.01)
            # The freeze has locked its driver, and waits to write its entry down.
            cursor.execute("SELECT FROM accounts_driver WHERE id = %s FOR UPDATE", [ada.pk])

    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def freeze() -> Driver:
        assert is_held.wait(timeout=5)
        return freeze_driver(ada)

    held, frozen = raced(hold, freeze)
    assert held is None
    assert isinstance(frozen, Driver)
    assert frozen.frozen_at is not None
    assert AuditEntry.objects.filter(action="driver.frozen").count() == 1
