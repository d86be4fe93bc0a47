"""Missions and stages as CSV and XLSX files, and the way back in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Driver, Employer, Truck, User
from missions import exporting
from missions.api import exports
from missions.exporting import MISSION_TABLE
from missions.goods import GoodsPlan
from missions.lifecycle import create_mission, end_mission
from missions.models import Mission, Site, StageEvent
from missions.planning import MissionPlan, StopPlan
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission, start
from tests.missions.opening_cases import at
from tests.missions.tables import csv_rows, read_file, send, xlsx_rows

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/v1/missions"
# The hour that Brussels has twice: 00:30 and 01:30 UTC are both half past two there.
NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.fixture
def planned(acme: Employer, ada: Driver, truck12: Truck) -> Mission:
    """A mission with everything that a table can say, in words that spreadsheets misread."""
    ghent = Site.objects.create(
        employer=acme, name='=Ghent, "dock" 3', address="'+Kouter 1", timezone="Europe/Lisbon"
    )
    lille = Site.objects.create(
        employer=acme, external_id="LILLE", name="Lille", latitude=50.63, longitude=3.0586
    )
    goods = (
        GoodsPlan(description="@flour", quantity=Decimal("10.5"), unit="pallets", line_no=3),
        GoodsPlan(description="'s Gravenbrakel", quantity=Decimal(2), weight_kg=Decimal("0.125")),
    )
    stops = (
        StopPlan(
            site=ghent,
            external_id="S-1",
            purpose="load",
            window_start_at=NIGHT,
            window_end_at=NIGHT + timedelta(hours=1),
            planned_service_s=0,
            contact_phone="+32 9 000 00 00",
            requires_photo=True,
            goods=goods,
        ),
        StopPlan(site=lille, planned_arrival_at=NIGHT, remark="-bell\nat the back;"),
    )
    plan = MissionPlan(
        external_id="M-1",
        reference="-1",
        driver=ada,
        truck=truck12,
        planned_start_at=NIGHT + timedelta(microseconds=123_456),
        ecmr_number="0012",
        stops=stops,
    )
    return create_mission(acme, plan).mission


def exported(user: User, ending: str, **query: Any) -> bytes:
    response, body = read_file(user, f"{LIST}.{ending}", query)
    assert response.status_code == 200, response.content
    return body


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_and_imported_again_is_unchanged(
    ending: str, dee: User, planned: Mission, client_for: ClientFor, ada: Driver
) -> None:
    make_mission(planned.employer, stops=2)  # without an external id
    make_mission(planned.employer, external_id="M-2", reference="no stops")
    over = make_mission(planned.employer, ada, external_id="M-3", stops=1)
    start(over, ada, at("08:00"))
    end_mission(over, at=at("09:00"))
    body = exported(dee, ending)
    answer = send(client_for("dispatcher"), body, f"missions.{ending}").json()
    assert answer["problems"] == []
    assert answer["missions"] == {"new": 0, "changed": 0, "unchanged": 4}
    assert answer["rows"] == 7


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_text_is_never_a_formula_and_numbers_are_numbers(
    ending: str, dee: User, planned: Mission
) -> None:
    body = exported(dee, ending)
    (first, *_), last = rows_of(ending, body)[:-1], rows_of(ending, body)[-1]
    apostrophe = "'" if ending == "csv" else ""
    assert first["reference"] == f"{apostrophe}-1"
    assert first["site_name"] == f'{apostrophe}=Ghent, "dock" 3'
    assert first["site_address"] == "''+Kouter 1"
    assert first["contact_phone"] == f"{apostrophe}+32 9 000 00 00"
    assert last["remark"] == f"{apostrophe}-bell\nat the back;"
    assert first["ecmr_number"] == "0012"
    assert last["longitude"] == ("3.0586" if ending == "csv" else 3.0586)
    assert first["planned_service_s"] == ("0" if ending == "csv" else 0)


def rows_of(ending: str, body: bytes) -> list[dict[str, Any]]:
    return csv_rows(body) if ending == "csv" else xlsx_rows(body)


def test_times_have_their_offset_their_local_time_and_their_zone(
    dee: User, planned: Mission
) -> None:
    row = csv_rows(exported(dee, "csv"))[0]
    assert row["planned_start_at"] == "2026-10-25T00:30:00.123456Z"
    assert row["planned_start_local"] == "2026-10-25T02:30:00.123456+02:00"
    assert row["timezone"] == "Europe/Brussels"
    assert row["window_end_local"] == "2026-10-25T01:30:00+00:00"
    assert row["stop_timezone"] == "Europe/Lisbon"


def test_the_csv_is_of_rfc_4180(dee: User, planned: Mission) -> None:
    body = exported(dee, "csv")
    head = body.split(b"\r\n")[0].decode().split(",")
    assert head == list(MISSION_TABLE)
    assert body.endswith(b"\r\n")
    assert b'"\'=Ghent, ""dock"" 3"' in body


def test_the_filters_are_those_of_the_list(dee: User, planned: Mission) -> None:
    make_mission(planned.employer, external_id="M-2")
    assert {row["external_id"] for row in csv_rows(exported(dee, "csv"))} == {"M-1", "M-2"}
    found = csv_rows(exported(dee, "csv", q="lille"))
    assert {row["external_id"] for row in found} == {"M-1"}
    response, _ = read_file(dee, f"{LIST}.csv", {"status": "late"})
    assert response.status_code == 400


def test_missions_of_many_chunks_come_once_each(
    dee: User, acme: Employer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)
    for number in range(5):
        make_mission(acme, external_id=f"M-{number}", stops=2)
    names = [row["external_id"] for row in csv_rows(exported(dee, "csv"))]
    assert names == [f"M-{number}" for number in (4, 4, 3, 3, 2, 2, 1, 1, 0, 0)]


def test_a_spreadsheet_that_is_too_long_is_refused_by_name(
    dee: User, planned: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(xlsx_rows(exported(dee, "xlsx"))) == 3
    monkeypatch.setattr(exports, "MOST_XLSX_ROWS", 2)
    response, _ = read_file(dee, f"{LIST}.xlsx")
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "too_many_rows"
    assert "3 rows" in response.json()["detail"]
    assert len(csv_rows(exported(dee, "csv"))) == 3


def test_a_driver_who_is_frozen_is_not_exported(dee: User, planned: Mission, ada: Driver) -> None:
    assert csv_rows(exported(dee, "csv"))[0]["driver_number"] == "D-1"
    Driver.objects.filter(pk=ada.pk).update(frozen_at=NIGHT)
    assert csv_rows(exported(dee, "csv"))[0]["driver_number"] == ""


def put_arrival(mission: Mission, driver: Driver, minutes_late: int) -> StageEvent:
    stop = mission.stops.get(seq=2)
    return StageEvent.objects.create(
        employer=mission.employer,
        driver=driver,
        truck=Truck.objects.get(),
        mission=mission,
        stop=stop,
        stage=Stage.ARRIVAL,
        recorded_at=NIGHT + timedelta(minutes=minutes_late),
        received_at=NIGHT + timedelta(minutes=minutes_late, seconds=90),
        latitude=50.63,
        longitude=-3.05,
        site_distance_m=12.5,
        site_check="inside",
    )


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_audit_table_has_a_row_for_each_stage(
    ending: str, dee: User, planned: Mission, ada: Driver
) -> None:
    wrong = put_arrival(planned, ada, 60)
    right = put_arrival(planned, ada, 5)
    StageEvent.objects.filter(pk=right.pk).update(corrects=wrong, source="dispatcher")
    _, body = read_file(dee, f"{LIST}/{planned.uuid}/stages.{ending}")
    first, second = rows_of(ending, body)
    assert first["stage_id"] == str(right.uuid)
    assert first["corrects"] == second["stage_id"] == str(wrong.uuid)
    assert second["corrected_by"] == str(right.uuid)
    assert (first["stage"], first["seq"], first["site_name"]) == (
        "arrival",
        "2" if ending == "csv" else 2,
        "Lille",
    )
    assert first["planned_at"] == "2026-10-25T00:30:00Z"
    assert first["recorded_at"] == "2026-10-25T00:35:00Z"
    assert first["recorded_local"] == "2026-10-25T02:35:00+02:00"
    assert first["timezone"] == "Europe/Brussels"
    numbers = ("delta_s", "upload_delay_s", "longitude", "site_distance_m")
    assert [float(first[name]) for name in numbers] == [300, 90, -3.05, 12.5]
    assert (first["driver_number"], first["driver_name"]) == ("D-1", "Ada Peeters")
    assert (first["truck_plate"], first["source"]) == ("1-TRK-012", "dispatcher")


def test_of_an_erased_driver_the_audit_table_keeps_what_happened_alone(
    dee: User, planned: Mission, ada: Driver
) -> None:
    event = put_arrival(planned, ada, 5)
    url = f"{LIST}/{planned.uuid}/stages.csv"
    assert "50.63" in read_file(dee, url)[1].decode()
    StageEvent.objects.filter(pk=event.pk).update(driver=None, erased_driver=uuid4())
    (row,) = csv_rows(read_file(dee, url)[1])
    assert (row["driver_name"], row["latitude"], row["longitude"]) == ("", "", "")
    assert (row["stage"], row["site_distance_m"]) == ("arrival", "12.5")


def test_of_a_frozen_driver_the_audit_table_has_no_rows(
    dee: User, planned: Mission, ada: Driver
) -> None:
    put_arrival(planned, ada, 5)
    url = f"{LIST}/{planned.uuid}/stages.csv"
    assert len(csv_rows(read_file(dee, url)[1])) == 1
    Driver.objects.filter(pk=ada.pk).update(frozen_at=NIGHT)
    assert csv_rows(read_file(dee, url)[1]) == []


@pytest.mark.parametrize(
    ("role", "status"), [("nobody", 401), ("dpo", 403), ("driver", 403), ("stranger", 404)]
)
def test_who_may_not_export(
    client_for: ClientFor, planned: Mission, role: str, status: int
) -> None:
    client = client_for(role)
    for ending in ("csv", "xlsx"):
        assert client.get(f"{LIST}/{planned.uuid}/stages.{ending}").status_code == status
        if status != 404:
            assert client.get(f"{LIST}.{ending}").status_code == status


def test_another_employer_exports_its_own_missions(cy: User, planned: Mission) -> None:
    assert csv_rows(exported(cy, "csv")) == []
    make_mission(Employer.objects.get(name="Elsewhere Logistics"), external_id="THEIRS")
    assert [row["external_id"] for row in csv_rows(exported(cy, "csv"))] == ["THEIRS"]
