"""The fleet, quarantine and linking again, over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Truck
from tests.cast import ClientFor, Phone, assign, make_driver, make_phone, put_fixes
from tests.tracking.reading import at, drive, opened
from tracking.api.fleet import FleetRowSerializer
from tracking.models import Fix, QuarantinedFix

pytestmark = pytest.mark.django_db
FLEET = "/api/v1/fleet"
QUARANTINE = "/api/v1/quarantine"
RELINKS = "/api/v1/relinks"
ROLES = [("dispatcher", 200), ("manager", 200), ("nobody", 401), ("dpo", 403), ("driver", 403)]


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


# --- The fleet -------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), ROLES)
def test_who_may_see_the_fleet(client_for: ClientFor, role: str, status: int) -> None:
    assert client_for(role).get(FLEET).status_code == status


def test_the_newest_fix_is_the_newest_recorded_not_the_newest_received(
    client_for: ClientFor, ada_phone: Phone, truck12: Truck, now: datetime
) -> None:
    mission = opened(ada_phone.driver, None, truck=truck12)
    put_fixes(ada_phone, [(now - timedelta(minutes=5), 50.9, 4.4)], truck=truck12, mission=mission)
    put_fixes(
        ada_phone, [(now - timedelta(hours=n), 50.1, 4.1) for n in (1, 2, 3)], received_at=now
    )
    (row,) = client_for("dispatcher").get(FLEET).json()["results"]
    assert list(row) == list(FleetRowSerializer().fields)
    assert (row["latitude"], row["longitude"], row["kind"]) == (50.9, 4.4, "distance")
    assert row["driver"] == {
        "id": str(ada_phone.driver.uuid), "name": "Ada Peeters", "number": "D-1",
    }  # fmt: skip
    assert (row["truck"], row["truck_plate"]) == (str(truck12.uuid), "1-TRK-012")
    assert row["mission"] == str(mission.uuid)
    assert 300 <= row["age_s"] < 330


def test_only_the_own_drivers_who_have_any_and_are_not_frozen(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone, cy_phone: Phone,
    acme: Employer, now: datetime,
) -> None:  # fmt: skip
    make_driver(acme, "Never seen", "D-3")
    for phone in (ada_phone, ben_phone, cy_phone):
        put_fixes(phone, [(now, 50.85, 4.35)])
    assert drivers_seen(client_for("dispatcher")) == [ada_phone.driver, ben_phone.driver]
    assert drivers_seen(client_for("stranger")) == [cy_phone.driver]
    freeze_driver(ada_phone.driver)
    assert drivers_seen(client_for("dispatcher")) == [ben_phone.driver]


def drivers_seen(client: Any) -> list[Driver]:
    rows = client.get(FLEET).json()["results"]
    return [Driver.objects.get(uuid=row["driver"]["id"]) for row in rows]


def test_a_fix_of_last_month_is_still_the_newest(
    client_for: ClientFor, ada_phone: Phone, now: datetime
) -> None:
    put_fixes(ada_phone, [(now - timedelta(days=40), 50.85, 4.35)])
    (row,) = client_for("dispatcher").get(FLEET).json()["results"]
    assert row["age_s"] >= 40 * 86_400


def test_a_phone_whose_clock_is_ahead_is_here_now(
    client_for: ClientFor, ada_phone: Phone, now: datetime
) -> None:
    put_fixes(ada_phone, [(now + timedelta(minutes=9), 50.85, 4.35)])
    (row,) = client_for("dispatcher").get(FLEET).json()["results"]
    assert row["age_s"] == 0


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_following_next_walks_the_fleet_once(
    client_for: ClientFor, acme: Employer, now: datetime, limit: int
) -> None:
    for n in range(7):
        put_fixes(make_phone(make_driver(acme, f"D {n}", f"N-{n}")), [(now, 50.85, 4.35)])
    url: str | None = f"{FLEET}?limit={limit}"
    numbers = []
    while url:
        body = client_for("dispatcher").get(url).json()
        numbers += [row["driver"]["number"] for row in body["results"]]
        url = body["next"]
    assert numbers == [f"N-{n}" for n in range(7)]


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("cursor=x", "cursor"), ("cursor=WyJhIl0", "cursor")]
)
@pytest.mark.parametrize("url", [FLEET, QUARANTINE])
def test_a_wrong_parameter_is_named(
    client_for: ClientFor, url: str, query: str, field: str
) -> None:
    response = client_for("dispatcher").get(f"{url}?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"/{field}"


@pytest.mark.parametrize("count", [1, 30])
def test_the_fleet_costs_the_same_queries_however_large(
    client_for: ClientFor, acme: Employer, now: datetime, count: int
) -> None:
    for n in range(count):
        put_fixes(make_phone(make_driver(acme, f"D {n}", f"N-{n}")), [(now, 50.85, 4.35)])
    client = client_for("dispatcher")
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(FLEET).json()["results"]) == count
    assert len([query for query in queries if "tracking_fix" in query["sql"]]) == 1
    # Session, user, memberships, and the fleet itself.
    assert len(queries) == 4


# --- Quarantine ------------------------------------------------------------------------------


def quarantined(phone: Phone, payload: bytes, reason: str = "no_time") -> QuarantinedFix:
    return QuarantinedFix.objects.create(
        employer=phone.driver.employer,
        device=phone.device,
        driver=phone.driver,
        dialect="osmand",
        reason=reason,
        payload=payload,
        payload_hash=payload[:32],
        count=3,
    )


@pytest.mark.parametrize(("role", "status"), ROLES)
def test_who_may_see_the_quarantine(client_for: ClientFor, role: str, status: int) -> None:
    assert client_for(role).get(QUARANTINE).status_code == status


def test_quarantine_shows_what_came_as_text(client_for: ClientFor, ada_phone: Phone) -> None:
    quarantined(ada_phone, b'lat=91&q=\xff\x00\x1b[2J<script>"\n')
    (row,) = client_for("dispatcher").get(QUARANTINE).json()["results"]
    assert row["payload"] == 'lat=91&q=\\xff\\x00\\x1b[2J<script>"\n'
    assert (row["reason"], row["count"], row["dialect"]) == ("no_time", 3, "osmand")
    assert row["device"] == str(ada_phone.device.uuid)
    assert row["driver"] == str(ada_phone.driver.uuid)


def test_quarantine_is_the_own_employers_and_no_frozen_drivers(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone, cy_phone: Phone
) -> None:
    for phone in (ada_phone, ben_phone, cy_phone):
        quarantined(phone, b"x")
    client = client_for("dispatcher")
    devices = [row["device"] for row in client.get(QUARANTINE).json()["results"]]
    assert devices == [str(ben_phone.device.uuid), str(ada_phone.device.uuid)]
    freeze_driver(ben_phone.driver)
    devices = [row["device"] for row in client.get(QUARANTINE).json()["results"]]
    assert devices == [str(ada_phone.device.uuid)]


@pytest.mark.parametrize("count", [1, 30])
def test_quarantine_costs_the_same_queries_however_full(
    client_for: ClientFor, ada_phone: Phone, count: int
) -> None:
    for n in range(count):
        quarantined(ada_phone, b"%d" % n)
    client = client_for("dispatcher")
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(QUARANTINE).json()["results"]) == count
    assert len(queries) == 4


# --- Linking again ---------------------------------------------------------------------------


def asked(driver: Driver) -> dict[str, object]:
    return {"driver": str(driver.uuid), "from": at(0).isoformat(), "to": at(60).isoformat()}


@pytest.mark.parametrize(("role", "status"), [*ROLES, ("stranger", 404)])
def test_who_may_link_again(
    client_for: ClientFor, ada_phone: Phone, role: str, status: int
) -> None:
    response = client_for(role).post(RELINKS, asked(ada_phone.driver), format="json")
    assert response.status_code == status


def test_linking_again_says_how_much_it_changed(
    client_for: ClientFor, ada_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 6))
    client = client_for("dispatcher")
    first = client.post(RELINKS, asked(ada_phone.driver), format="json")
    again = client.post(RELINKS, asked(ada_phone.driver), format="json")
    assert first.json() == {"checked": 6, "changed": 6}
    assert again.json() == {"checked": 6, "changed": 0}
    assert set(Fix.objects.filter(driver_id=ada_phone.driver.pk).values_list("truck_id")) == {
        (truck12.pk,)
    }
    assert AuditEntry.objects.filter(action="fixes.relinked").count() == 2


@pytest.mark.parametrize(
    ("bounds", "checked"),
    [
        ({"from": None}, 4),
        ({"to": None}, 4),
        ({"from": None, "to": None}, 6),
    ],
)
def test_a_bound_that_is_null_is_none(
    client_for: ClientFor, ada_phone: Phone, bounds: dict[str, None], checked: int
) -> None:
    """What an assignment says to link again may have no beginning, or no end."""
    now = timezone.now()
    begin, end = now - timedelta(hours=2), now - timedelta(hours=1)
    recorded = [begin - timedelta(days=40), begin - timedelta(minutes=1), begin, end]
    recorded += [begin + timedelta(minutes=1), now + timedelta(minutes=5)]
    put_fixes(ada_phone, [(when, 50.85, 4.35) for when in recorded])
    span = {"from": begin.isoformat(), "to": end.isoformat()} | bounds
    body = {"driver": str(ada_phone.driver.uuid), **span}
    answer = client_for("dispatcher").post(RELINKS, body, format="json")
    assert answer.json() == {"checked": checked, "changed": 0}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"driver": "D-1"}, "/driver"),
        ({"driver": None}, "/driver"),
        ({"from": "2026-11-24T08:00:00"}, "/from"),
        ({"from": "2100-01-01T00:00:00Z", "to": None}, "/to"),
        ({"to": "2026-11-24T08:00:00Z"}, "/to"),
    ],
)
def test_a_wrong_request_to_link_again_is_named(
    client_for: ClientFor, ada: Driver, change: dict[str, object], pointer: str
) -> None:
    response = client_for("dispatcher").post(RELINKS, asked(ada) | change, format="json")
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_frozen_drivers_fixes_cannot_be_linked_again(client_for: ClientFor, ada: Driver) -> None:
    client = client_for("dispatcher")
    assert client.post(RELINKS, asked(ada), format="json").status_code == 200
    freeze_driver(ada)
    assert client.post(RELINKS, asked(ada), format="json").status_code == 404
