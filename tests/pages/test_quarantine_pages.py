"""Quarantine as a page and by the API: what came is shown as text, and can be tried again."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Device, Driver, TokenScope, User
from tests.cast import ClientFor, Phone, make_phone
from tests.pages.test_pages import client_of, text_of
from tracking.models import Fix, QuarantinedFix
from tracking.partitions import make_partitions


@pytest.fixture
def tracker(ada: Driver) -> Phone:
    """A phone with an off-the-shelf app."""
    make_partitions()
    return make_phone(ada, scope=TokenScope.INGEST)


def quarantine(phone: Phone, payload: bytes, **more: Any) -> QuarantinedFix:
    fields = {"dialect": "osmand", "reason": "recorded_at_in_future", **more}
    return QuarantinedFix.objects.create(
        employer=phone.driver.employer,
        device=phone.device,
        driver=phone.driver,
        payload=payload,
        payload_hash=sha256(payload).digest(),
        **fields,
    )


def form(at: datetime) -> bytes:
    return f"id=1&lat=51.05&lon=3.72&timestamp={int(at.timestamp())}&speed=10".encode()


def just_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)


def test_a_payload_is_shown_as_text_and_never_as_markup(tracker: Phone, dee: User) -> None:
    quarantine(tracker, b"<script>alert(1)</script>\x1b[2J", reason="body_invalid", count=3)
    page = text_of(client_of(dee).get("/quarantine"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in page
    assert "<script>alert" not in page
    assert "It is nothing that this app sends." in page
    assert "Came 3 times" in page
    assert "Ada Peeters" in page


def test_the_page_takes_as_many_queries_for_thirty_rows_as_for_one(
    tracker: Phone, dee: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(dee)
    quarantine(tracker, b"0")
    client.get("/quarantine")
    for total in (1, 30):
        for n in range(QuarantinedFix.objects.count(), total):
            quarantine(tracker, b"%d" % n)
        # The session, the user, their memberships, and the rows.
        with django_assert_num_queries(4):
            client.get("/quarantine")


def test_fifty_rows_are_a_page_and_the_rest_is_one_link_away(tracker: Phone, dee: User) -> None:
    for n in range(51):
        quarantine(tracker, b"payload-%d-" % n)
    page = text_of(client_of(dee).get("/quarantine"))
    assert "payload-50-" in page
    assert "payload-0-" not in page
    oldest = QuarantinedFix.objects.order_by("id")[1]
    assert "payload-0-" in text_of(client_of(dee).get(f"/quarantine?before={oldest.pk}"))


@pytest.mark.django_db(transaction=True)
def test_what_has_become_readable_is_recorded_and_leaves(tracker: Phone, dee: User) -> None:
    row = quarantine(tracker, form(just_now()))
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "1 fix is recorded now." in text_of(answer)
    stored = Fix.objects.get(driver_id=tracker.driver.pk)
    assert (stored.latitude, stored.longitude, stored.device_id) == (51.05, 3.72, tracker.device.pk)
    assert not QuarantinedFix.objects.exists()
    assert AuditEntry.objects.get(action="quarantine.retried").detail["stored"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_still_unreadable_stays_with_todays_reason(
    tracker: Phone, client_for: ClientFor
) -> None:
    row = quarantine(tracker, b"id=1&lat=51.05&lon=3.72", reason="body_invalid")
    answer = client_for("dispatcher").post(f"/api/v1/quarantine/{row.uuid}/retry")
    assert answer.status_code == 200
    assert answer.json()["stored"] == 0
    assert answer.json()["reason"] == "recorded_at_missing"
    row.refresh_from_db()
    assert row.reason == "recorded_at_missing"
    assert not Fix.objects.filter(driver_id=tracker.driver.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_try_stores_nothing_twice(tracker: Phone, client_for: ClientFor) -> None:
    payload = form(just_now())
    for _ in range(2):
        row = quarantine(tracker, payload)
        answer = client_for("dispatcher").post(f"/api/v1/quarantine/{row.uuid}/retry")
        assert answer.json()["stored"] == 1
    assert Fix.objects.filter(driver_id=tracker.driver.pk).count() == 1


def test_nothing_is_recorded_for_a_revoked_phone(tracker: Phone, client_for: ClientFor) -> None:
    row = quarantine(tracker, form(just_now()))
    Device.objects.filter(pk=tracker.device.pk).update(revoked_at=timezone.now())
    answer = client_for("dispatcher").post(f"/api/v1/quarantine/{row.uuid}/retry")
    assert answer.status_code == 409
    assert answer.json()["code"] == "device_cannot_post"
    assert QuarantinedFix.objects.filter(pk=row.pk).exists()


def test_a_frozen_drivers_rows_are_nowhere(tracker: Phone, dee: User) -> None:
    row = quarantine(tracker, b"seen-before-the-freeze")
    assert "seen-before-the-freeze" in text_of(client_of(dee).get("/quarantine"))
    freeze_driver(tracker.driver)
    assert "seen-before-the-freeze" not in text_of(client_of(dee).get("/quarantine"))
    assert client_of(dee).post(f"/quarantine/{row.uuid}/retry").status_code == 404


def test_others_see_and_retry_nothing(tracker: Phone, cy: User, pat: User, dee: User) -> None:
    row = quarantine(tracker, b"acme-only")
    assert "acme-only" in text_of(client_of(dee).get("/quarantine"))
    assert "acme-only" not in text_of(client_of(cy).get("/quarantine"))
    retry = f"/quarantine/{row.uuid}/retry"
    assert client_of(cy).post(retry).status_code == 404
    assert client_of(pat).get("/quarantine").status_code == 403
    assert client_of(pat).post(retry).status_code == 403
    assert Client().post(retry).status_code == 302
    assert client_of(dee).get(retry).status_code == 405
    assert client_of(dee).post(f"/quarantine/{uuid4()}/retry").status_code == 404
    assert QuarantinedFix.objects.count() == 1
