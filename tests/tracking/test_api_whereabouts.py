"""Who was where, over the API."""

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.freezing import freeze_driver
from accounts.models import Look, Role, Truck
from tests.cast import ClientFor, Phone, make_api_key, put_fixes
from tests.tracking.reading import at, drive, opened, press
from tracking.api.whereabouts import VisitSerializer

pytestmark = pytest.mark.django_db
URL = "/api/v1/whereabouts"
TIME = {"from": at(0).isoformat(), "to": at(60).isoformat()}
CIRCLE = {"latitude": 50.85, "longitude": 4.421, "radius_m": 200}
BOX = {"west": 4.42, "south": 50.84, "east": 4.422, "north": 50.86}


def ask(client: Any, **query: object) -> Any:
    return client.get(f"{URL}?{urlencode({**TIME, **query})}")


@pytest.mark.parametrize(
    ("role", "status"),
    [("dispatcher", 200), ("manager", 200), ("nobody", 401), ("dpo", 403), ("driver", 403)],
)
def test_who_may_ask(client_for: ClientFor, role: str, status: int) -> None:
    assert ask(client_for(role), **CIRCLE).status_code == status


def test_a_visit_says_who_when_how_near_and_how_surely(
    client_for: ClientFor, ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, None, truck=truck12)
    put_fixes(ada_phone, drive(0, 10), truck=truck12, mission=mission)
    event = press(ada_phone, at(10), "arrival", (50.85, 4.421), mission=mission, truck=truck12)
    press(ada_phone, at(40), "departure", (50.85, 4.421), mission=mission, truck=truck12)
    response = ask(client_for("dispatcher"), **CIRCLE)
    assert response.headers["Cache-Control"] == "no-store"
    (row,) = response.json()["results"]
    assert list(row) == list(VisitSerializer().fields)
    assert row["driver"] == {
        "id": str(ada_phone.driver.uuid), "name": "Ada Peeters", "number": "D-1",
    }  # fmt: skip
    assert (row["truck"], row["truck_plate"]) == (str(truck12.uuid), "1-TRK-012")
    assert row["missions"] == [str(mission.uuid)]
    assert row["began_at"][:16] == "2026-11-24T08:09"
    assert (row["evidence"], row["positions"], row["nearest_m"]) == ("position", 2, 0.0)
    assert row["stages"][0] == {
        "id": str(event.uuid), "stage": "arrival", "recorded_at": "2026-11-24T08:10:00Z",
    }  # fmt: skip
    assert [stage["stage"] for stage in row["stages"]] == ["arrival", "departure"]
    assert Look.objects.get().driver == ada_phone.driver


def test_a_key_may_ask_and_the_look_names_it(client_for: ClientFor, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    client = client_for("nobody")
    key = make_api_key(ada_phone.driver.employer, Role.DISPATCHER)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert len(ask(client, **BOX).json()["results"]) == 1
    assert Look.objects.get().actor_kind == "api_key"


def test_frozen_drivers_and_other_employers_are_not_in_it(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone, cy_phone: Phone
) -> None:
    for phone in (ada_phone, ben_phone, cy_phone):
        put_fixes(phone, drive(0, 20))
    freeze_driver(ben_phone.driver)
    names = [
        row["driver"]["name"] for row in ask(client_for("dispatcher"), **CIRCLE).json()["results"]
    ]
    assert names == ["Ada Peeters"]
    assert [look.driver.name for look in Look.objects.select_related("driver")] == names


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ({}, "/latitude", "invalid"),
        ({**CIRCLE, **BOX}, "/latitude", "invalid"),
        ({"latitude": 50.85}, "/longitude", "required"),
        ({"latitude": "nan", "longitude": 4.4}, "/latitude", "invalid"),
        ({**CIRCLE, "latitude": 91}, "/latitude", "max_value"),
        ({**CIRCLE, "radius_m": 49}, "/radius_m", "min_value"),
        ({**CIRCLE, "radius_m": 25_001}, "/radius_m", "max_value"),
        ({**BOX, "west": 4.5}, "/east", "invalid"),
        ({**BOX, "south": 50.9}, "/north", "invalid"),
        ({**BOX, "west": ""}, "/west", "required"),
        ({"west": 4.0, "south": 50.0, "east": 5.0}, "/north", "required"),
        ({**BOX, "west": 3.0}, "/west", "box_too_large"),
        ({**CIRCLE, "to": at(0).isoformat()}, "/to", "invalid"),
        ({**CIRCLE, "from": "2026-11-24T08:00:00"}, "/from", "invalid_time"),
        ({**CIRCLE, "to": "2027-11-24T08:00:00Z"}, "/from", "time_too_long"),
    ],
)
def test_what_cannot_be_asked_is_named(
    client_for: ClientFor, query: dict[str, object], pointer: str, code: str
) -> None:
    response = ask(client_for("dispatcher"), **query)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    error = response.json()["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert not Look.objects.exists()


@pytest.mark.parametrize("missing", ["from", "to"])
def test_the_time_is_needed(client_for: ClientFor, missing: str) -> None:
    query = {name: value for name, value in {**TIME, **CIRCLE}.items() if name != missing}
    response = client_for("dispatcher").get(f"{URL}?{urlencode(query)}")
    assert response.json()["errors"][0]["pointer"] == f"/{missing}"
