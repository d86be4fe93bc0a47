"""Every endpoint of missions: granted to those it is for, and to nobody else."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Driver, Employer, Truck
from missions.models import Mission, Site
from tests.cast import ClientFor
from tests.missions.builders import make_mission, start
from tests.missions.opening_cases import at
from tests.missions.pictures import put_photo


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    succeeds: int = 200
    is_started: bool = False

    @property
    def is_about_one(self) -> bool:
        """Whether another employer could name this by its id."""
        return "{" in self.path

    def by(self, client: APIClient, ids: dict[str, str]) -> Any:
        body = {name: ids.get(value, value) for name, value in self.body.items()}
        return client.generic(
            self.method,
            self.path.format(**ids),
            data=json.dumps(body),
            content_type="application/json",
            HTTP_IF_MATCH="*",
        )


AN_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
MISSION = "/api/v1/missions/{mission}"
STOP = MISSION + "/stops/{stop}"
CALLS = [
    Call("GET", "/api/v1/missions"),
    Call("POST", "/api/v1/missions", {"external_id": "M-9"}, succeeds=201),
    Call("GET", MISSION),
    Call("PATCH", MISSION, {"reference": "new"}),
    Call("GET", MISSION + "/assignments"),
    Call("PATCH", MISSION + "/assignments/{assignment}", {"truck": "truck"}),
    Call("POST", MISSION + "/assign", {"driver": "driver"}),
    Call("POST", MISSION + "/unassign"),
    Call("POST", MISSION + "/hand-over", {"driver": "driver"}, is_started=True),
    Call("POST", MISSION + "/truck", {"truck": "truck"}),
    Call("POST", MISSION + "/end", is_started=True),
    Call("POST", MISSION + "/cancel"),
    Call("GET", MISSION + "/stops"),
    Call("POST", MISSION + "/stops", {"purpose": "load"}, succeeds=201),
    Call("GET", STOP),
    Call("PATCH", STOP, {"remark": "bell"}),
    Call("DELETE", STOP, succeeds=204),
    Call("POST", STOP + "/result", {"result": "succeeded"}, is_started=True),
    Call("GET", MISSION + "/stages"),
    Call(
        "POST",
        MISSION + "/stages",
        {"stage": "arrival", "recorded_at": AN_HOUR_AGO},
        succeeds=201,
    ),
    Call("GET", MISSION + "/attachments"),
    Call("POST", MISSION + "/attachments/{attachment}/link"),
    Call("GET", "/api/v1/sites"),
    Call("POST", "/api/v1/sites", {"name": "Depot"}, succeeds=201),
    Call("GET", "/api/v1/sites/{site}"),
    Call("PATCH", "/api/v1/sites/{site}", {"name": "Depot"}),
    Call("DELETE", "/api/v1/sites/{site}", succeeds=204),
]


def named(call: Call) -> str:
    return f"{call.method} {call.path}"


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=1)


@pytest.fixture
def ids(mission: Mission, ada: Driver, ben: Driver, truck12: Truck) -> dict[str, str]:
    site = Site.objects.create(employer=mission.employer, name="Ghent")
    return {
        "mission": str(mission.uuid),
        "stop": str(mission.stops.get().uuid),
        "attachment": str(put_photo(mission, ada, client_id="p-1").uuid),
        "site": str(site.uuid),
        "assignment": str(mission.assignments.get().uuid),
        "driver": str(ben.uuid),
        "truck": str(truck12.uuid),
    }


@pytest.mark.parametrize("role", ["dispatcher", "manager"])
@pytest.mark.parametrize("call", CALLS, ids=named)
def test_dispatchers_and_managers_may(
    call: Call, role: str, client_for: ClientFor, ids: dict[str, str], mission: Mission, ada: Driver
) -> None:
    if call.is_started:
        start(mission, ada, at("08:00"))
    assert call.by(client_for(role), ids).status_code == call.succeeds


@pytest.mark.parametrize(
    ("role", "status"), [("nobody", 401), ("dpo", 403), ("driver", 403), ("other_driver", 403)]
)
@pytest.mark.parametrize("call", CALLS, ids=named)
def test_nobody_else_may(
    call: Call, role: str, status: int, client_for: ClientFor, ids: dict[str, str]
) -> None:
    answer = call.by(client_for(role), ids)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("call", [call for call in CALLS if call.is_about_one], ids=named)
def test_another_employers_id_is_404(
    call: Call, client_for: ClientFor, ids: dict[str, str], mission: Mission, ada: Driver
) -> None:
    if call.is_started:
        start(mission, ada, at("08:00"))
    assert call.by(client_for("stranger"), ids).status_code == 404
    assert call.by(client_for("dispatcher"), ids).status_code == call.succeeds


@pytest.mark.parametrize("call", [call for call in CALLS if call.is_about_one], ids=named)
def test_an_id_of_nobody_is_404(call: Call, client_for: ClientFor, ids: dict[str, str]) -> None:
    unknown = {**ids, "mission": str(uuid4()), "site": str(uuid4())}
    assert call.by(client_for("dispatcher"), unknown).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/missions", "/api/v1/sites"])
def test_lists_hold_the_own_employers_rows_only(
    path: str, client_for: ClientFor, ids: dict[str, str]
) -> None:
    shown = client_for("dispatcher").get(path).json()["results"]
    assert len(shown) == 1
    assert shown[0]["id"] in ids.values()
    assert client_for("stranger").get(path).json()["results"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/missions", {"driver": "driver"}),
        ("/api/v1/missions", {"truck": "truck"}),
        ("/api/v1/missions", {"stops": [{"site": "site"}]}),
        (MISSION, {"driver": "driver"}),
        (MISSION, {"truck": "truck"}),
        (MISSION + "/assign", {"driver": "driver"}),
        (MISSION + "/hand-over", {"driver": "driver"}),
        (MISSION + "/truck", {"truck": "truck"}),
        (MISSION + "/stops", {"site": "site"}),
        (MISSION + "/assignments/{assignment}", {"driver": "driver"}),
        (STOP, {"site": "site"}),
    ],
)
def test_another_employers_id_in_a_body_is_404_like_one_of_nobody(
    path: str,
    body: dict[str, Any],
    client_for: ClientFor,
    ids: dict[str, str],
    cy_driver: Driver,
    cy_truck: Truck,
) -> None:
    site = Site.objects.create(employer=cy_driver.employer, name="theirs")
    theirs = {"driver": cy_driver.uuid, "truck": cy_truck.uuid, "site": site.uuid}
    is_changed = "{assignment}" in path or path in (MISSION, STOP)
    client = client_for("dispatcher")
    call = client.patch if is_changed else client.post
    before = client.get(MISSION.format(**ids)).json()
    said = []
    for known in (theirs, dict.fromkeys(theirs, uuid4())):
        text = json.dumps(body)
        for name, uuid in known.items():
            text = text.replace(f': "{name}"', f': "{uuid}"')
        answer = call(
            path.format(**ids), text, content_type="application/json", headers={"If-Match": "*"}
        )
        said.append((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    assert said[0] == said[1]
    assert said[0][:2] == (404, "not_found")
    assert client.get(MISSION.format(**ids)).json() == before
    assert Mission.objects.count() == 1
