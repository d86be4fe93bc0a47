"""A mission as an OpenTripModel trip over HTTP: whom it names, and whom no longer."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Driver, Employer, Truck
from missions.models import Mission, StageEvent
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission
from tests.tracking.reading import at


@pytest.fixture
def mission(acme: Employer, ada: Driver, truck12: Truck) -> Mission:
    mission = make_mission(acme, ada, truck12, external_id="M-1", stops=2)
    stop = mission.stops.get(seq=1)
    for minute, stage in enumerate((Stage.ARRIVAL, Stage.LOADING_STARTED, Stage.DEPARTURE)):
        StageEvent.objects.create(
            employer=acme,
            driver=ada,
            mission=mission,
            # Only the arrival names the stop: the others belong to it all the same.
            stop=stop if stage == Stage.ARRIVAL else None,
            stage=stage,
            recorded_at=at(minute),
            latitude=51.05,
            longitude=3.72,
        )
    return mission


def shown(client_for: ClientFor, mission: Mission, role: str = "dispatcher") -> Any:
    return client_for(role).get(f"/api/v1/missions/{mission.uuid}/otm5")


def test_a_mission_is_told_as_a_trip(client_for: ClientFor, mission: Mission, ada: Driver) -> None:
    body = shown(client_for, mission).json()
    assert body["externalAttributes"] == {"externalId": "M-1"}
    assert body["vehicle"]["entity"]["licensePlate"] == "1-TRK-012"
    assert body["actors"][1]["entity"]["id"] == str(ada.uuid)
    realized = [
        action["entity"]
        for action in body["actions"]
        if (action["entity"]["actionType"], action["entity"]["lifecycle"]) == ("stop", "realized")
    ]
    assert len(realized) == 1
    assert realized[0]["endTime"] == "2026-11-24T08:02:00Z"
    assert [one["entity"]["actionType"] for one in realized[0]["actions"]] == ["load"]
    assert len(body["contextEvents"]) == 2
    assert ada.name not in str(body)


def test_a_driver_who_is_frozen_is_not_told_of(
    client_for: ClientFor, mission: Mission, ada: Driver
) -> None:
    assert str(ada.uuid) in shown(client_for, mission).content.decode()
    Driver.objects.filter(pk=ada.pk).update(frozen_at=timezone.now())
    text = shown(client_for, mission).content.decode()
    assert str(ada.uuid) not in text
    assert "51.05" not in text


@pytest.mark.parametrize(
    ("role", "status"),
    [("nobody", 401), ("dpo", 403), ("driver", 403), ("stranger", 404), ("manager", 200)],
)
def test_who_may_read_it(client_for: ClientFor, mission: Mission, role: str, status: int) -> None:
    assert shown(client_for, mission, role).status_code == status
