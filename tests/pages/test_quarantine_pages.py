"""Quarantine as a page and by the API: what came is shown as text, and can be tried again."""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import (
    AuditEntry,
    Device,
    Driver,
    Employer,
    TokenScope,
    TrackingWindow,
    User,
)
from accounts.sealing import seal
from tests.cast import ClientFor, Phone, make_phone
from tests.pages.test_pages import client_of, text_of
from tests.tracking.ingest.dialects.test_owntracks import sealed
from tracking.ingest import dialects, values
from tracking.models import Fix, QuarantinedFix
from tracking.partitions import make_partitions
from tracking.quarantine_pages import WORDS
from tracking.retrying import retry


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("size", "reason", "words"),
    [
        (8192, "payload_cut", "only its first 8 KB were kept"),
        (0, "payload_not_kept", "nothing of it was kept"),
    ],
)
def test_what_is_not_whole_is_never_read_again(
    size: int, reason: str, words: str, tracker: Phone, dee: User, client_for: ClientFor
) -> None:
    # The last number of a form that was cut may be another number.
    payload = (b"x=" + b"x" * 8150 + b"&" + form(just_now()))[:size]
    row = quarantine(tracker, payload, reason="body_invalid")
    answer = client_for("dispatcher").post(f"/api/v1/quarantine/{row.uuid}/retry").json()
    assert (answer["stored"], answer["reason"]) == (0, reason)
    assert words in answer["detail"]
    page = client_of(dee).get("/quarantine")
    assert words in text_of(page)
    assert f"/quarantine/{row.uuid}/retry" not in page.content.decode()
    row.refresh_from_db()
    assert row.reason == "body_invalid"
    assert not Fix.objects.filter(driver_id=tracker.driver.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_outside_the_window_it_stays_and_says_so(tracker: Phone, dee: User, acme: Employer) -> None:
    Employer.objects.filter(pk=acme.pk).update(tracking_window=TrackingWindow.DUTY)
    row = quarantine(tracker, form(just_now()))
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "It lies outside the tracking window." in text_of(answer)
    row.refresh_from_db()
    assert row.reason == "outside_window"
    assert not Fix.objects.filter(driver_id=tracker.driver.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_spacing_leaves_out_has_been_dealt_with(
    tracker: Phone, dee: User, acme: Employer
) -> None:
    at = just_now()
    row = quarantine(tracker, form(at))
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "1 fix is recorded now." in text_of(answer)
    Employer.objects.filter(pk=acme.pk).update(min_spacing_m=100)
    row = quarantine(tracker, form(at + timedelta(seconds=20)))
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "a fix close by is stored already" in text_of(answer)
    assert not QuarantinedFix.objects.exists()
    assert Fix.objects.filter(driver_id=tracker.driver.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_encrypted_is_read_once_the_phone_has_its_passphrase(
    tracker: Phone, dee: User
) -> None:
    message = {"_type": "location", "lat": 51.05, "lon": 3.72, "tst": just_now().timestamp()}
    payload = json.dumps(sealed(message)).encode()
    row = quarantine(tracker, payload, dialect="owntracks", reason="key_missing")
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "no passphrase of this phone opens it" in text_of(answer)
    Device.objects.filter(pk=tracker.device.pk).update(payload_key=seal("a passphrase"))
    answer = client_of(dee).post(f"/quarantine/{row.uuid}/retry", follow=True)
    assert "1 fix is recorded now." in text_of(answer)
    assert not QuarantinedFix.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_goes_while_it_is_tried_is_no_failure(tracker: Phone) -> None:
    row = quarantine(tracker, b"id=1&lat=51.05&lon=3.72")
    QuarantinedFix.objects.filter(pk=row.pk).delete()
    actor = Actor("user", tracker.driver.employer)
    assert retry(row, actor=actor).reason == "recorded_at_missing"


def test_every_reason_of_a_dialect_has_its_words() -> None:
    source = "".join(
        path.read_text()
        for path in [*Path(dialects.__path__[0]).glob("*.py"), Path(str(values.__file__))]
        if path.stem != "native"
    )
    reasons = set(re.findall(r'(?:Unreadable|_refuse)\(\s*"([a-z_]+)"', source))
    assert len(reasons) > 8
    assert reasons <= WORDS.keys()


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
