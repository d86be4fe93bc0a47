"""A table of missions: checked, confirmed, imported again."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from accounts.models import Driver, Employer, Truck
from missions.models import Mission, MissionImport, Site
from tests.cast import ClientFor
from tests.missions.tables import confirm, csv_file, imported, problems_of, send

HEADER = (
    "external_id,reference,planned_start_at,driver_number,truck_plate,stop_external_id,"
    "site_external_id,purpose,window_start_at,window_end_at,contact_name,requires_signature,"
    "goods_description,goods_quantity,goods_unit"
)
ROUND = csv_file(
    HEADER,
    "M-1,flour,2026-11-24T07:00:00Z,D-1,1-TRK-012,S-1,DEPOT,load,,,,,Flour,12.5,pallets",
    "M-1,,,,,S-2,GHENT,unload,2026-11-24 09:00,2026-11-24 10:00,Els,yes,Flour,10,pallets",
    "M-1,,,,,S-2,,,,,,,Yeast,2.5,boxes",
    "M-2,,,,,S-1,GHENT,,,,,,,,",
)


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture(autouse=True)
def fleet(acme: Employer, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck) -> None:
    for name in ("DEPOT", "GHENT"):
        Site.objects.create(employer=acme, external_id=name, name=name.title())


def test_a_table_is_checked_then_confirmed(client: APIClient, acme: Employer, ada: Driver) -> None:
    checked = send(client, ROUND)
    assert checked.status_code == 201
    body = checked.json()
    assert body["problems"] == []
    assert body["can_be_confirmed"]
    assert (body["rows"], body["missions"]) == (4, {"new": 2, "changed": 0, "unchanged": 0})
    assert Mission.objects.count() == 0

    done = confirm(client, body["id"])
    assert done.status_code == 200
    assert done.json()["created"] == 2
    mission = Mission.objects.get(external_id="M-1")
    assert (mission.status, mission.reference) == ("assigned", "flour")
    assert mission.assignments.get().driver == ada
    load, unload = mission.stops.order_by("seq")
    assert (load.purpose, unload.purpose) == ("load", "unload")
    assert unload.window_start_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert unload.requires_signature
    assert [line.description for line in unload.goods.all()] == ["Flour", "Yeast"]
    assert str(load.goods.get().quantity) == "12.500"
