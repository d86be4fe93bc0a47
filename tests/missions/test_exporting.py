"""Missions and stages as CSV and XLSX files, and the way back in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Driver, Employer, Truck, User
from missions.goods import GoodsPlan
from missions.lifecycle import create_mission, end_mission
from missions.models import Mission, Site
from missions.planning import MissionPlan, StopPlan
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
