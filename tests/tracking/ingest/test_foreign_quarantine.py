"""What off-the-shelf clients send and nobody can use: a success for them, a row for us."""

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Device, Driver, Employer
from accounts.sealing import seal
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone
from tests.tracking.ingest.conftest import hand_over
from tests.tracking.ingest.dialects.test_owntracks import sealed
from tests.tracking.ingest.foreign_clients import (
    FORM,
    JSON,
    NAMES,
    as_json,
    bodies,
    feature,
    fixes,
    is_success,
    location,
    mark,
    post,
    record,
    stamp,
    unstored,
)
from tracking.models import QuarantinedFix

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_with_one_bad_fix_stores_the_others_and_keeps_the_bad_one(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    bad = record(now, extras={"wifi": "depot"}) | {"timestamp": None}
    batch = {"location": [record(now, 50.1), bad, record(now, 50.2)]}
    path = f"/ingest/background_geolocation/{traccar.token}"
    for _ in range(3):
        answer = ingest.send(as_json(batch), JSON, path=path)
        assert is_success("background_geolocation", answer)
    assert fixes(traccar) == 2
    row = QuarantinedFix.objects.get()
    assert (row.reason, row.count, row.dialect) == (
        "recorded_at_missing", 3, "background_geolocation",
    )  # fmt: skip
    assert (row.device, row.driver, row.employer) == (
        traccar.device, traccar.driver, traccar.driver.employer,
    )  # fmt: skip
    assert json.loads(bytes(row.payload)) == {"location": bad | {"extras": {}}}
    assert unstored(traccar) == {"recorded_at_missing": 3}
    # What is kept is read again as it is.
    answer = ingest.send(bytes(row.payload), JSON, path=path)
    assert is_success("background_geolocation", answer)
    assert QuarantinedFix.objects.get().count == 4


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("lat=50&lon=4", "recorded_at_missing"),
        ("lat=0&lon=0&timestamp={now}", "place_unlikely"),
        ("lat=91&lon=4&timestamp={now}", "latitude_out_of_range"),
        ("lat=50&lon=4&timestamp=0", "recorded_at_too_old"),
        ("lat=50&lon=4&timestamp=9999999999", "recorded_at_in_future"),
        ("lat=nan&lon=4&timestamp={now}", "latitude_invalid"),
        ("something else", "body_invalid"),
    ],
)
def test_what_cannot_be_used_is_a_success_and_a_row_to_look_at(
    query: str, reason: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    body = query.format(now=stamp(now)).encode()
    answer = ingest.send(body, FORM, path=f"/ingest/osmand/{traccar.token}")
    assert is_success("osmand", answer)
    row = QuarantinedFix.objects.get()
    assert (row.reason, bytes(row.payload)) == (reason, body)
    assert row.detail
    assert fixes(traccar) == 0


def test_what_the_route_period_refuses_is_kept_to_look_at(
    replay_ingest: AsgiPhone, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    traccar.driver.employer.route_months = 0
    traccar.driver.employer.save()
    assert is_success("owntracks", post(ingest, "owntracks", traccar.token, now))
    assert QuarantinedFix.objects.get().reason == "recorded_at_too_old"
    assert fixes(traccar) == 0


def test_a_body_that_never_unpacks_does_not_come_for_ever(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    body = as_json({"locations": [feature(now)]})
    headers = JSON | {"content-encoding": "gzip"}
    path = f"/ingest/overland/{traccar.token}"
    assert is_success("overland", ingest.send(gzip.compress(body), headers, path=path))
    assert is_success("overland", ingest.send(gzip.compress(body)[:-9], headers, path=path))
    assert (fixes(traccar), QuarantinedFix.objects.get().reason) == (1, "body_invalid")


def test_a_thousand_a_day_are_kept_of_one_phone_and_the_rest_counted(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    path = f"/ingest/overland/{traccar.token}"
    for begin in (0, 700, 700):
        batch = [feature(now) | {"n": n, "geometry": None} for n in range(begin, begin + 700)]
        assert is_success("overland", ingest.send(as_json({"locations": batch}), JSON, path=path))
    assert QuarantinedFix.objects.count() == 1000
    assert unstored(traccar) == {"place_missing": 1300, "quarantine_full": 800}


def test_more_than_a_thousand_bad_ones_in_one_request_are_counted(
    ingest: AsgiPhone, traccar: Phone
) -> None:
    batch = [{"n": n} for n in range(1500)]
    path = f"/ingest/overland/{traccar.token}"
    assert is_success("overland", ingest.send(as_json({"locations": batch}), JSON, path=path))
    assert QuarantinedFix.objects.count() == 1000
    assert unstored(traccar) == {"place_missing": 1500}


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_drivers_client_goes_on_and_nothing_is_kept(
    name: str, ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    Driver.objects.filter(pk=traccar.driver.pk).update(frozen_at=now)
    assert is_success(name, post(ingest, name, traccar.token, now))
    _, _, headers = bodies(now)[name]
    bad = ingest.send(b"{]", headers, path=f"/ingest/{name}/{traccar.token}")
    assert is_success(name, bad)
    assert fixes(traccar) == 0
    assert not QuarantinedFix.objects.exists()
    assert unstored(traccar)["driver_frozen"] == 2
    assert Device.objects.get(pk=traccar.device.pk).health == {}


def test_outside_the_window_nothing_is_kept_in_quarantine_either(
    ingest: AsgiPhone, traccar: Phone, on_duty_only: Employer, now: datetime
) -> None:
    path = f"/ingest/osmand/{traccar.token}"
    bad = f"lat=91&lon=4&timestamp={stamp(now)}&batt=50".encode()
    timeless = b"lat=50&lon=4"
    for body in (bad, timeless):
        assert is_success("osmand", ingest.send(body, FORM, path=path))
    assert is_success("osmand", post(ingest, "osmand", traccar.token, now))
    assert not QuarantinedFix.objects.exists()
    assert unstored(traccar) == {"outside_window": 3}
    assert Device.objects.get(pk=traccar.device.pk).health == {}

    mark(traccar.driver, "duty_started", now - timedelta(hours=1))
    for body in (bad, timeless):
        assert is_success("osmand", ingest.send(body, FORM, path=path))
    assert QuarantinedFix.objects.count() == 2
    mark(traccar.driver, "private_started", now + timedelta(hours=1))
    later = f"lat=91&lon=4&timestamp={stamp(now + timedelta(hours=2))}".encode()
    assert is_success("osmand", ingest.send(later, FORM, path=path))
    assert QuarantinedFix.objects.count() == 2


def test_the_row_belongs_to_who_carried_the_phone_then(
    ingest: AsgiPhone, traccar: Phone, ben: Driver, now: datetime
) -> None:
    Employer.objects.update(created_at=now - timedelta(days=300))
    hand_over(traccar, ben, now + timedelta(hours=1))
    path = f"/ingest/osmand/{traccar.token}"
    for hours in (0, 2):
        body = f"lat=91&lon=4&timestamp={stamp(now + timedelta(hours=hours))}".encode()
        assert is_success("osmand", ingest.send(body, FORM, path=path))
    drivers = QuarantinedFix.objects.order_by("id").values_list("driver", flat=True)
    assert list(drivers) == [traccar.driver.pk, ben.pk]


def test_a_message_without_a_place_shows_that_the_phone_lives(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    path = f"/ingest/owntracks/{traccar.token}"
    messages: tuple[Any, ...] = ({"_type": "lwt", "tst": stamp(now)}, {"_type": "card"}, [])
    for message in messages:
        assert is_success("owntracks", ingest.send(as_json(message), JSON, path=path))
    assert is_success("owntracks", ingest.send(b"", JSON, path=path))
    assert Device.objects.get(pk=traccar.device.pk).last_seen_at is not None
    assert not QuarantinedFix.objects.exists()
    assert unstored(traccar) == {}


def test_a_phone_tells_of_itself(ingest: AsgiPhone, traccar: Phone, now: datetime) -> None:
    path = f"/ingest/background_geolocation/{traccar.token}"
    agent = {"user-agent": "AcmeDriver/4.2 CFNetwork/1490"}
    first = record(now, battery={"level": 0.81, "is_charging": True})
    ingest.send(as_json({"location": first}), JSON | agent, path=path)
    health = Device.objects.get(pk=traccar.device.pk).health
    assert health.pop("at")
    assert health == {"battery": 0.81, "is_charging": True, "app_version": "AcmeDriver/4.2"}
    lost = record(
        now + timedelta(minutes=1),
        event="providerchange",
        provider={"enabled": False, "status": 2},
    )
    ingest.send(as_json({"location": lost}), JSON | agent, path=path)
    health = Device.objects.get(pk=traccar.device.pk).health
    assert (health["battery"], health["permission"], health["is_location_on"]) == (
        0.81, "denied", False,
    )  # fmt: skip


def test_an_encrypted_message_opens_with_the_phones_key_or_waits_in_quarantine(
    ingest: AsgiPhone, traccar: Phone, now: datetime
) -> None:
    path = f"/ingest/owntracks/{traccar.token}"
    message = as_json(sealed(location(now)))
    assert is_success("owntracks", ingest.send(message, JSON, path=path))
    row = QuarantinedFix.objects.get()
    assert (row.reason, json.loads(bytes(row.payload))) == ("key_missing", json.loads(message))
    Device.objects.filter(pk=traccar.device.pk).update(payload_key=seal("a passphrase"))
    assert is_success("owntracks", ingest.send(bytes(row.payload), JSON, path=path))
    assert fixes(traccar) == 1
