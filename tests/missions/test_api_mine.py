from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import DeviceHolding, Driver, Employer, TokenScope, Truck
from missions.lifecycle import (
    cancel_mission,
    end_mission,
    hand_over_mission,
    unassign_mission,
)
from missions.models import GoodsLine, Site, Stop
from missions.reading import missions_of_driver
from tests.cast import ClientFor, Phone, make_phone
from tests.missions.builders import make_mission, start

MINE = "/api/v1/me/missions"


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("driver")


def mine(client: APIClient) -> list[Any]:
    answer = client.get(MINE)
    assert answer.status_code == 200, answer.json()
    return [row["external_id"] for row in answer.json()["results"]]


def hours_ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)


def test_a_driver_sees_where_to_go_in_which_truck(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent", latitude=51.05, longitude=3.72)
    mission = make_mission(acme, ada, truck12, stops=1, external_id="M-1")
    mission.stops.update(site=site)
    (shown,) = client.get(MINE).json()["results"]
    assert (shown["id"], shown["status"]) == (str(mission.uuid), "assigned")
    assert shown["truck"] == {"id": str(truck12.uuid), "plate": "1-TRK-012", "name": "truck 12"}
    assert shown["stops"][0]["site"]["latitude"] == 51.05
    assert "assignments" not in shown


def test_a_driver_sees_no_others_missions(
    client: APIClient,
    client_for: ClientFor,
    acme: Employer,
    ada: Driver,
    ben: Driver,
    elsewhere: Employer,
    cy_driver: Driver,
) -> None:
    make_mission(acme, ada, external_id="ada's")
    make_mission(acme, ben, external_id="ben's")
    make_mission(elsewhere, cy_driver, external_id="cleo's")
    make_mission(acme, external_id="nobody's")
    assert mine(client) == ["ada's"]
    assert mine(client_for("other_driver")) == ["ben's"]


def test_a_mission_handed_on_or_taken_back_or_called_off_is_gone(
    client: APIClient, client_for: ClientFor, acme: Employer, ada: Driver, ben: Driver
) -> None:
    handed_on, taken_back, called_off = (
        make_mission(acme, ada, external_id=name) for name in ("on", "back", "off")
    )
    assert mine(client) == ["on", "back", "off"]
    start(handed_on, ada, hours_ago(2))
    hand_over_mission(handed_on, ben, truck=None, at=hours_ago(1))
    unassign_mission(taken_back)
    cancel_mission(called_off)
    assert mine(client) == []
    assert mine(client_for("other_driver")) == ["on"]


def test_what_was_completed_stays_until_the_employers_midnight(acme: Employer, ada: Driver) -> None:
    zone = ZoneInfo(acme.timezone)
    mission = make_mission(acme, ada, external_id="M-1")
    start(mission, ada, datetime(2026, 11, 20, 20, tzinfo=zone))
    end_mission(mission, at=datetime(2026, 11, 20, 23, 30, tzinfo=zone))
    before = datetime(2026, 11, 20, 23, 59, tzinfo=zone)
    assert list(missions_of_driver(ada, acme, before, days=7)) == [mission]
    after = datetime(2026, 11, 21, 0, 1, tzinfo=zone)
    assert list(missions_of_driver(ada, acme, after, days=7)) == []


@pytest.fixture
def noon(acme: Employer) -> datetime:
    """A moment far enough from midnight to count in days."""
    return datetime(2026, 11, 20, 12, tzinfo=ZoneInfo(acme.timezone))


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (0, ["no start", "late", "23:59"]),
        (1, ["no start", "late", "23:59", "tomorrow"]),
        (7, ["no start", "late", "23:59", "tomorrow", "in 7 days"]),
        (31, ["no start", "late", "23:59", "tomorrow", "in 7 days", "in 8 days"]),
    ],
)
def test_a_driver_sees_the_days_to_come_by_the_employers_calendar(
    acme: Employer, ada: Driver, noon: datetime, days: int, found: list[str]
) -> None:
    starts = {
        "no start": None,
        "late": noon - timedelta(days=3),
        "23:59": noon.replace(hour=23, minute=59),
        "tomorrow": noon.replace(hour=0) + timedelta(days=1),
        "in 7 days": noon.replace(hour=23) + timedelta(days=7),
        "in 8 days": noon.replace(hour=0) + timedelta(days=8),
    }
    for name, start_at in starts.items():
        make_mission(acme, ada, external_id=name, planned_start_at=start_at)
    missions = missions_of_driver(ada, acme, noon, days=days).order_by("id")
    assert [mission.external_id for mission in missions] == found


def test_what_has_started_is_there_whenever_it_was_to_start(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada, external_id="M-1", planned_start_at=hours_ago(-24 * 40))
    assert mine(client) == []
    start(mission, ada, hours_ago(1))
    assert mine(client) == ["M-1"]


@pytest.mark.parametrize("days", ["-1", "32", "x", "1.5", "9" * 5000])
def test_other_days_are_refused(client: APIClient, days: str) -> None:
    answer = client.get(MINE, {"days": days})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/days")


def test_a_driver_sees_what_is_wanted_at_a_stop_and_whom_to_ask_for(
    client: APIClient, client_for: ClientFor, ada: Driver
) -> None:
    hours = [{"days": [1], "opens": "08:00", "closes": "12:00"}]
    site = {
        "name": "Ghent",
        "kind": "warehouse",
        "language": "nl",
        "contact_name": "Mieke",
        "contact_phone": "+32 9 000 00 00",
        "opening_hours": hours,
    }
    stop = {
        "reference": "DOCK-4",
        "contact_name": "Jan",
        "contact_phone": "+32 9 000 00 01",
        "planned_service_s": 1800,
        "requires_signature": True,
        "requires_photo": True,
        "remark": "ring twice",
    }
    line = {"description": "flour", "quantity": 2.5, "unit": "t", "weight_kg": None, "line_no": 4}
    dispatcher = client_for("dispatcher")
    made = dispatcher.post("/api/v1/sites", site).json()
    dispatcher.post(
        "/api/v1/missions",
        {
            "driver": str(ada.uuid),
            "stops": [{**stop, "site": made["id"], "free_time_s": 60, "goods": [line]}],
        },
    )
    (shown,) = client.get(MINE).json()["results"][0]["stops"]
    assert {name: shown["site"][name] for name in site} == site
    assert shown["site"]["timezone"] == "Europe/Brussels"
    assert {name: shown[name] for name in stop} == stop
    assert {name: shown["goods"][0][name] for name in line} == line
    # Between the dispatcher and the customer.
    assert not {"free_time_s", "warnings"} & set(shown)


def test_goods_and_hours_that_change_are_something_new(
    client: APIClient, client_for: ClientFor, acme: Employer, ada: Driver
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")
    mission = make_mission(acme, ada, stops=1)
    mission.stops.update(site=site)
    stop = f"/api/v1/missions/{mission.uuid}/stops/{mission.stops.get().uuid}"
    dispatcher = client_for("dispatcher")
    goods = {"goods": [{"description": "flour", "quantity": 1}]}
    hours = {"opening_hours": [{"days": [1], "opens": "08:00", "closes": "12:00"}]}
    for path, change in ((stop, goods), (f"/api/v1/sites/{site.uuid}", hours)):
        known = client.get(MINE)["ETag"]
        assert client.get(MINE, headers={"If-None-Match": known}).status_code == 304
        assert dispatcher.patch(path, change).status_code == 200
        assert client.get(MINE, headers={"If-None-Match": known}).status_code == 200
        known = client.get(MINE)["ETag"]
        assert dispatcher.patch(path, change).status_code == 200
        assert client.get(MINE, headers={"If-None-Match": known}).status_code == 304


def test_what_is_still_to_do_stays_however_old(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    make_mission(acme, ada, external_id="late", planned_start_at=hours_ago(30))
    make_mission(acme, ada, external_id="to come", planned_start_at=hours_ago(-30))
    assert mine(client) == ["late", "to come"]


def test_nothing_new_is_304_until_something_is(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")
    make_mission(acme, ada, stops=1).stops.update(site=site)
    known = client.get(MINE)["ETag"]
    assert client.get(MINE, headers={"If-None-Match": known}).status_code == 304
    Site.objects.update(name="Bruges")
    assert client.get(MINE, headers={"If-None-Match": known}).status_code == 200


def test_a_phone_speaks_for_whoever_holds_it_now(
    client: APIClient, acme: Employer, ada: Driver, ben: Driver, ada_phone: Phone
) -> None:
    make_mission(acme, ada, external_id="ada's")
    make_mission(acme, ben, external_id="ben's")
    assert mine(client) == ["ada's"]
    moment = hours_ago(1)
    DeviceHolding.objects.filter(device=ada_phone.device).update(
        period=DateTimeTZRange(None, moment)
    )
    assert client.get(MINE).json()["code"] == "device_not_held"
    DeviceHolding.objects.create(
        employer=acme, device=ada_phone.device, driver=ben, period=DateTimeTZRange(moment, None)
    )
    assert mine(client) == ["ben's"]


@pytest.mark.parametrize(
    ("role", "status"), [("nobody", 401), ("dispatcher", 403), ("manager", 403), ("dpo", 403)]
)
def test_only_a_drivers_phone_has_missions_of_its_own(
    client_for: ClientFor, role: str, status: int
) -> None:
    assert client_for(role).get(MINE).status_code == status


def test_a_foreign_clients_token_does_not_open_it(ada: Driver) -> None:
    phone = make_phone(ada, scope=TokenScope.INGEST)
    assert APIClient().get(MINE, headers=phone.headers).status_code == 401


def test_a_frozen_driver_sees_nothing(client: APIClient, acme: Employer, ada: Driver) -> None:
    make_mission(acme, ada, external_id="M-1")
    assert mine(client) == ["M-1"]
    freeze_driver(ada)
    answer = client.get(MINE)
    assert (answer.status_code, answer.json()["code"]) == (403, "driver_frozen")


def test_it_costs_the_same_for_one_mission_and_for_thirty(
    client: APIClient, acme: Employer, ada: Driver, truck12: Truck
) -> None:
    site = Site.objects.create(employer=acme, name="Ghent")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            mine(client)
        return len(captured)

    def with_goods() -> None:
        make_mission(acme, ada, truck12, stops=2).stops.update(site=site)
        for stop in Stop.objects.filter(goods=None):
            GoodsLine.objects.create(
                employer=acme, stop=stop, line_no=1, description="flour", quantity=1
            )

    with_goods()
    one = queries()
    for _ in range(29):
        with_goods()
    assert len(mine(client)) == 30
    assert queries() == one
