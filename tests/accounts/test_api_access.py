"""Every endpoint of accounts: granted to those it is for, and to nobody else."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts.actors import Actor
from accounts.api_keys import create_api_key
from accounts.assignments import assign_truck
from accounts.models import Driver, Employer, Membership, Role, Truck, User
from accounts.urls import api_urlpatterns
from tests.cast import ClientFor, Phone

EVERYBODY = ("dispatcher", "manager", "dpo", "driver")
OFFICE = ("dispatcher", "manager")
MANAGER = ("manager",)
PHONE = ("driver",)


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    allowed: tuple[str, ...]
    body: dict[str, str] = field(default_factory=dict)
    succeeds: int = 200

    def by(self, client: APIClient, ids: dict[str, str]) -> Any:
        path = "/api/v1/" + self.path.format(**ids)
        body = {name: value.format(**ids) for name, value in self.body.items()}
        if self.method == "GET":
            return client.get(path)
        return client.generic(self.method, path, json_of(body), "application/json")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def json_of(body: dict[str, str]) -> str:
    pairs = ", ".join(f'"{name}": "{value}"' for name, value in body.items())
    return "{" + pairs + "}"


AT = {"at": "2026-11-20T06:00:00Z"}
FROM = {"from": "2026-11-21T06:00:00Z"}
CALLS = [
    Call("GET", "employer", ("dispatcher", "manager", "dpo")),
    Call("PATCH", "employer", MANAGER, {"name": "Acme"}),
    Call("GET", "api-keys", MANAGER),
    Call("POST", "api-keys", MANAGER, {"role": "dispatcher"}, 201),
    Call("POST", "api-keys/{key}/revoke", MANAGER),
    Call("GET", "audit", ("manager", "dpo")),
    Call("GET", "users", MANAGER),
    Call("POST", "users", MANAGER, {"email": "new@acme.example", "role": "dpo"}, 201),
    Call("GET", "users/{user}", MANAGER),
    Call("GET", "memberships", MANAGER),
    Call("POST", "memberships", MANAGER, {"user": "{user}", "role": "dpo"}, 201),
    Call("DELETE", "memberships/{membership}", MANAGER, succeeds=204),
    Call("GET", "drivers", OFFICE),
    Call("POST", "drivers", MANAGER, {"name": "Eva"}, 201),
    Call("GET", "drivers/{driver}", OFFICE),
    Call("PATCH", "drivers/{driver}", MANAGER, {"name": "Eva"}),
    Call("GET", "trucks", OFFICE),
    Call("POST", "trucks", MANAGER, {"plate": "1-NEW-001"}, 201),
    Call("GET", "trucks/{truck}", OFFICE),
    Call("PATCH", "trucks/{truck}", MANAGER, {"name": "blue"}),
    Call("POST", "trucks/{free_truck}/retire", MANAGER),
    Call("GET", "truck-assignments", OFFICE),
    Call("GET", "truck-assignments?truck={truck}", OFFICE),
    Call("GET", "truck-assignments?driver={driver}", OFFICE),
    Call(
        "POST",
        "truck-assignments",
        OFFICE,
        {"truck": "{free_truck}", "driver": "{free_driver}", **FROM},
        201,
    ),
    Call("GET", "truck-assignments/{assignment}", OFFICE),
    Call("PATCH", "truck-assignments/{assignment}", OFFICE, {"truck": "{free_truck}"}),
    Call("POST", "truck-assignments/{assignment}/end", OFFICE, AT),
    Call("GET", "duties?driver={driver}", OFFICE),
    Call(
        "POST",
        "duties",
        OFFICE,
        {"driver": "{driver}", "kind": "duty_started", "recorded_at": "2026-11-20T06:00:00Z"},
        201,
    ),
    Call("GET", "devices", OFFICE),
    Call("GET", "devices?driver={driver}", OFFICE),
    Call("POST", "devices", OFFICE, {"driver": "{driver}"}, 201),
    Call("GET", "devices/{device}", OFFICE),
    Call("POST", "devices/{device}/revoke", OFFICE),
    Call("POST", "devices/{device}/hand-over", OFFICE, {"driver": "{free_driver}", **AT}),
    Call("POST", "devices/{device}/token", OFFICE, succeeds=201),
    Call("PUT", "devices/{device}/payload-key", OFFICE, {"passphrase": "a b"}),
    Call("DELETE", "devices/{device}/payload-key", OFFICE),
    Call("POST", "pairing-codes", OFFICE, {"driver": "{driver}"}, 201),
    Call("GET", "me", PHONE),
    Call("GET", "me/settings", PHONE),
    Call("POST", "me/token", PHONE, succeeds=201),
]
WITH_ID = [call for call in CALLS if "{" in call.path + "".join(call.body.values())]


@pytest.fixture
def ids(
    acme: Employer,
    dee: User,
    ada: Driver,
    ben: Driver,
    ada_phone: Phone,
    truck12: Truck,
    truck34: Truck,
) -> dict[str, str]:
    """The names in the calls above, as ids of acme's."""
    actor = Actor("command", acme)
    assignment = assign_truck(actor, truck12, ada, begin=datetime(2026, 11, 16, tzinfo=UTC))
    key, _ = create_api_key(actor, Role.DISPATCHER)
    rows: dict[str, Any] = {
        "user": dee,
        "membership": Membership.objects.get(user=dee),
        "driver": ada,
        "free_driver": ben,
        "device": ada_phone.device,
        "truck": truck12,
        "free_truck": truck34,
        "assignment": assignment,
        "key": key,
    }
    return {name: str(row.uuid) for name, row in rows.items()}


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_those_it_is_for_are_let_in(call: Call, ids: dict[str, str], client_for: ClientFor) -> None:
    answer = call.by(client_for(call.allowed[0]), ids)
    assert answer.status_code == call.succeeds, answer.content


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_nobody_is_asked_to_sign_in(call: Call, ids: dict[str, str], client_for: ClientFor) -> None:
    answer = call.by(client_for("nobody"), ids)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_other_role_is_refused(
    call: Call, ids: dict[str, str], client_for: ClientFor
) -> None:
    refused = [role for role in EVERYBODY if role not in call.allowed]
    assert refused
    for role in refused:
        answer = call.by(client_for(role), ids)
        assert (role, answer.status_code, answer.json()["code"]) == (
            role,
            403,
            "permission_denied",
        )


@pytest.mark.parametrize("call", WITH_ID, ids=str)
def test_another_employers_id_is_not_found(
    call: Call, ids: dict[str, str], client_for: ClientFor
) -> None:
    assert call.by(client_for("stranger"), ids).status_code == 404
    unknown = {name: str(uuid4()) for name in ids}
    assert call.by(client_for(call.allowed[0]), unknown).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["drivers", "trucks", "truck-assignments", "devices", "users", "memberships", "api-keys"],
)
def test_a_list_holds_nothing_of_another_employer(
    path: str, ids: dict[str, str], client_for: ClientFor
) -> None:
    own = client_for("manager").get(f"/api/v1/{path}").json()["results"]
    theirs = client_for("stranger").get(f"/api/v1/{path}").json()["results"]
    assert own
    assert not {row["id"] for row in own} & {row["id"] for row in theirs}


def test_a_phone_sees_only_its_own_driver(client_for: ClientFor, ada: Driver, ben: Driver) -> None:
    assert client_for("driver").get("/api/v1/me").json()["driver"]["id"] == str(ada.uuid)
    assert client_for("other_driver").get("/api/v1/me").json()["driver"]["id"] == str(ben.uuid)


def test_no_endpoint_is_missing_above() -> None:
    resolver = get_resolver()
    called = {
        resolver.resolve("/api/v1/" + call.path.partition("?")[0].format_map(AnyId())).route
        for call in CALLS
    }
    routes = {f"api/v1/{pattern.pattern}" for pattern in api_urlpatterns}
    assert routes - called == {"api/v1/pairing"}


class AnyId(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return str(uuid4())
