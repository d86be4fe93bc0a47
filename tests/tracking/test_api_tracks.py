"""Histories over the API: who may read them, and what a page is."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Role, Truck
from tests.cast import ClientFor, Phone, assign, make_api_key, put_fixes
from tests.tracking.reading import at, drive, opened
from tracking.ingest.sent import FLAG_MISSION_UNKNOWN, FLAG_MOCK
from tracking.models import Fix
from tracking.serializers import FixSerializer

pytestmark = pytest.mark.django_db
SUBJECTS = ["drivers", "trucks", "missions"]
ENDINGS = ["geojson", "gpx", "csv"]
RANGE = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture
def driven(ada_phone: Phone, truck12: Truck) -> dict[str, Any]:
    """ada drove truck 12 on a mission for thirty minutes; the three subjects of that."""
    mission = opened(ada_phone.driver, 0, 60, truck=truck12, external_id="M-1")
    put_fixes(ada_phone, drive(0, 30), truck=truck12, mission=mission)
    return {"drivers": ada_phone.driver, "trucks": truck12, "missions": mission}


def path(subject: str, driven: dict[str, Any], ending: str = "") -> str:
    return f"/api/v1/{subject}/{driven[subject].uuid}/fixes{ending}"


# --- Who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("ending", ["", ".geojson", ".gpx", ".csv"])
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("dispatcher", 200),
        ("manager", 200),
        ("nobody", 401),
        ("dpo", 403),
        ("driver", 403),
        ("other_driver", 403),
        ("stranger", 404),
    ],
)
def test_who_may_read_a_history(
    client_for: ClientFor, driven: dict[str, Any], subject: str, ending: str, role: str, status: int
) -> None:
    response = client_for(role).get(path(subject, driven, ending), RANGE)
    assert response.status_code == status
    if status != 200:
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_api_key_of_a_dispatcher_reads_and_one_of_a_dpo_does_not(
    acme: Employer, elsewhere: Employer, client_for: ClientFor, driven: dict[str, Any], subject: str
) -> None:
    client = client_for("nobody")
    for employer, role, status in (
        (acme, Role.DISPATCHER, 200),
        (acme, Role.DPO, 403),
        (elsewhere, Role.MANAGER, 404),
    ):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_api_key(employer, role)}")
        assert client.get(path(subject, driven), RANGE).status_code == status


def test_what_is_not_there_is_404(
    client_for: ClientFor, driven: dict[str, Any], acme: Employer
) -> None:
    client = client_for("dispatcher")
    for subject in SUBJECTS:
        assert client.get(f"/api/v1/{subject}/{acme.uuid}/fixes").status_code == 404
        assert client.get(f"/api/v1/{subject}/12/fixes").status_code == 404


def test_a_frozen_driver_is_not_there(client_for: ClientFor, driven: dict[str, Any]) -> None:
    client = client_for("dispatcher")
    assert len(client.get(path("drivers", driven), RANGE).json()["results"]) == 30
    freeze_driver(driven["drivers"])
    for ending in ("", ".geojson", ".gpx", ".csv"):
        assert client.get(path("drivers", driven, ending), RANGE).status_code == 404
    for subject in ("trucks", "missions"):
        assert client.get(path(subject, driven), RANGE).json()["results"] == []


# --- Pages -----------------------------------------------------------------------------------


def test_a_fix_has_everything_that_is_known(
    client_for: ClientFor, ada_phone: Phone, truck12: Truck
) -> None:
    mission = opened(ada_phone.driver, 0, truck=truck12)
    put_fixes(
        ada_phone, [(at(1), 50.8503, 4.3517)], truck=truck12, mission=mission, received_at=at(61)
    )
    Fix.objects.filter(driver_id=ada_phone.driver.pk).update(
        accuracy_dm=82,
        speed_cmps=1390,
        heading_ddeg=1810,
        altitude_m=52.5,
        odometer_m=183_220_100,
        battery_e4=8100,
        flags=FLAG_MOCK | FLAG_MISSION_UNKNOWN,
    )
    (row,) = client_for("dispatcher").get(f"/api/v1/drivers/{ada_phone.driver.uuid}/fixes",
                                          RANGE).json()["results"]  # fmt: skip
    assert row == {
        "recorded_at": "2026-11-24T08:01:00Z",
        "received_at": "2026-11-24T09:01:00Z",
        "latitude": 50.8503,
        "longitude": 4.3517,
        "kind": "distance",
        "driver": str(ada_phone.driver.uuid),
        "truck": str(truck12.uuid),
        "mission": str(mission.uuid),
        "link_source": "client",
        "accuracy_m": 8.2,
        "speed_mps": 13.9,
        "heading_deg": 181.0,
        "altitude_m": 52.5,
        "odometer_m": 183_220_100,
        "battery": 0.81,
        "is_mock": True,
        "doubts": ["mock_position", "mission_unknown"],
    }
    assert list(row) == list(FixSerializer().fields)


def test_what_is_not_known_is_null(client_for: ClientFor, ada: Driver, ada_phone: Phone) -> None:
    put_fixes(ada_phone, [(at(0), 50.85, 4.35)])
    (row,) = (
        client_for("dispatcher").get(f"/api/v1/drivers/{ada.uuid}/fixes", RANGE).json()["results"]
    )
    empty = {name for name, value in row.items() if value is None}
    assert {"truck", "mission", "accuracy_m", "odometer_m"} <= empty
    assert (row["is_mock"], row["doubts"], row["link_source"]) == (False, [], "none")


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_following_next_walks_every_fix_once(
    client_for: ClientFor, driven: dict[str, Any], subject: str, limit: int
) -> None:
    client = client_for("dispatcher")
    url: str | None = path(subject, driven) + "?from=2026-11-24T00:00:00Z" + f"&limit={limit}"
    seen, pages = [], 0
    while url:
        response = client.get(url)
        body = response.json()
        seen += [row["recorded_at"] for row in body["results"]]
        url = body["next"]
        assert response.get("Link") == (f'<{url}>; rel="next"' if url else None)
        pages += 1
    assert len(seen) == 30
    assert seen == sorted(set(seen))
    assert pages == -(-30 // limit)


def test_next_keeps_the_range_that_was_meant(client_for: ClientFor, ada_phone: Phone) -> None:
    now = timezone.now()
    put_fixes(ada_phone, [(now - timedelta(minutes=n), 50.85, 4.35) for n in range(3)])
    response = client_for("dispatcher").get(
        f"/api/v1/drivers/{ada_phone.driver.uuid}/fixes?limit=1"
    )
    asked = parse_qs(urlsplit(response.json()["next"]).query)
    assert set(asked) == {"limit", "cursor", "from", "to"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-11-24T08:00:00", "from"),
        ("from=2026-11-24", "from"),
        ("from=", "from"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"),
        ("to=2026-13-24T08:00:00Z", "to"),
        ("from=2026-11-24T08:00:00Z&to=2026-11-24T07:00:00Z", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WyJhIiwxLDJd", "cursor"),
        ("cursor=WyIyMDI2LTExLTI0VDA4OjAwOjAwWiIsIDk5OTk5OTk5OTk5LCAxXQ", "cursor"),
    ],
)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_wrong_parameter_is_named(
    client_for: ClientFor, driven: dict[str, Any], subject: str, query: str, field: str
) -> None:
    response = client_for("dispatcher").get(f"{path(subject, driven)}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{field}"]


def test_an_offset_whose_plus_was_lost_is_understood(
    client_for: ClientFor, driven: dict[str, Any]
) -> None:
    url = path("drivers", driven) + "?from=2026-11-24T09:10:00+01:00&to=2026-11-24T09:12:00+01:00"
    recorded = [row["recorded_at"] for row in client_for("dispatcher").get(url).json()["results"]]
    assert recorded == ["2026-11-24T08:10:00Z", "2026-11-24T08:11:00Z"]


def test_a_mission_without_a_range_is_shown_whole(client_for: ClientFor, ada_phone: Phone) -> None:
    mission = opened(ada_phone.driver, -9000, -8970)
    put_fixes(ada_phone, drive(-9000, -8970), mission=mission)
    client = client_for("dispatcher")
    response = client.get(f"/api/v1/missions/{mission.uuid}/fixes")
    assert len(response.json()["results"]) == 30
    assert client.get(f"/api/v1/drivers/{ada_phone.driver.uuid}/fixes").json()["results"] == []


def test_a_range_of_all_time_is_allowed(client_for: ClientFor, driven: dict[str, Any]) -> None:
    everything = {"from": "1970-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    for subject in SUBJECTS:
        response = client_for("dispatcher").get(path(subject, driven), everything)
        assert response.status_code == 200, response.content
        assert len(response.json()["results"]) == 30


def test_positions_are_stored_by_nobody_on_the_way(
    client_for: ClientFor, driven: dict[str, Any]
) -> None:
    for ending in ("", ".csv"):
        response = client_for("dispatcher").get(path("drivers", driven, ending), RANGE)
        assert response["Cache-Control"] == "no-store"


# --- The driver's own ------------------------------------------------------------------------


def test_a_driver_reads_only_the_own_fixes(
    client_for: ClientFor, ada_phone: Phone, ben_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 3))
    put_fixes(ben_phone, drive(0, 5))
    for role, driver, count in (
        ("driver", ada_phone.driver, 3),
        ("other_driver", ben_phone.driver, 5),
    ):
        rows = client_for(role).get("/api/v1/me/fixes", RANGE).json()["results"]
        assert {row["driver"] for row in rows} == {str(driver.uuid)}
        assert len(rows) == count


@pytest.mark.parametrize(("role", "status"), [("nobody", 401), ("dispatcher", 403), ("dpo", 403)])
@pytest.mark.parametrize("name", ["fixes", "timeline"])
def test_nobody_else_has_a_me(client_for: ClientFor, role: str, status: int, name: str) -> None:
    assert client_for(role).get(f"/api/v1/me/{name}").status_code == status


def test_two_trucks_of_one_driver_are_kept_apart(
    client_for: ClientFor, ada_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(10))
    assign(truck34, ada_phone.driver, at(10))
    put_fixes(ada_phone, drive(0, 10), truck=truck12)
    put_fixes(ada_phone, drive(10, 13), truck=truck34)
    client = client_for("dispatcher")
    counts = [
        len(client.get(f"/api/v1/trucks/{truck.uuid}/fixes", RANGE).json()["results"])
        for truck in (truck12, truck34)
    ]
    assert counts == [10, 3]
