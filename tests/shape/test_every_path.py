"""Every path of the published schema, as its owner and as everybody whom it must keep out.

A new path is walked by itself; one whose ids this file does not know fails until it does.
"""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import ApiKey, Device, Employer, Membership, Role, Truck, User
from missions.feed import number_changes
from missions.models import (
    Mission,
    MissionAssignment,
    MissionImport,
    ProofOfDelivery,
    ShareLink,
    Site,
    StageEvent,
    Stop,
    WebhookDelivery,
    WebhookEndpoint,
)
from missions.stages import Stage
from tests.cast import ClientFor, Phone, assign, make_api_key, put_fixes
from tests.missions.pictures import put_photo
from tests.tracking.delivered import put_signature
from tests.tracking.reading import at, drive
from tracking.models import QuarantinedFix

METHODS = ("get", "post", "put", "patch", "delete")
# Answered without any sign-in, or by the lean application: their own tests walk them.
ELSEWHERE = ("/api/v1/pairing", "/ingest/")
QUERY = {
    "timeline": "?date=2026-11-24",
    "duties": "?driver={driver}",
    "whereabouts": "?latitude=50.85&longitude=4.35"
    "&from=2026-11-24T08:00:00Z&to=2026-11-24T09:00:00Z",
}
# Who may do nothing at all on the paths that begin so; a phone may only /me/.
WRONG_ROLE = {
    "api-keys": "dispatcher",
    "audit": "dispatcher",
    "memberships": "dispatcher",
    "users": "dispatcher",
    "webhooks": "dispatcher",
    "employer": "driver",
    "me": "dispatcher",
}


def operations() -> Iterator[tuple[str, str]]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the library has no types
    schema = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, of_path in schema["paths"].items():
        if not path.startswith(ELSEWHERE):
            yield from ((method, path) for method in METHODS if method in of_path)


OPERATIONS = list(operations())


def first_word(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0]


@pytest.fixture
def ids(
    acme: Employer, ada_phone: Phone, truck12: Truck, dee: User, max: User, pat: User
) -> dict[str, str]:
    """The ids of everything of acme's, by the word that its paths begin with."""
    driver = ada_phone.driver
    assignment = assign(truck12, driver, None)
    site = Site.objects.create(employer=acme, name="Depot")
    mission = Mission.objects.create(
        employer=acme, external_id="M-1", opened_at=at(0), status="started"
    )
    held = MissionAssignment.objects.create(
        employer=acme, mission=mission, driver=driver, truck=truck12,
        period=DateTimeTZRange(None, None),
    )  # fmt: skip
    stop = Stop.objects.create(employer=acme, mission=mission, site=site, seq=1)
    stage = StageEvent.objects.create(
        employer=acme, driver=driver, mission=mission, stage=Stage.DEPARTURE, recorded_at=at(0)
    )
    photo = put_photo(mission, driver, device=ada_phone.device, client_id="p-1")
    signature = put_signature(stop, driver)
    proof = ProofOfDelivery.objects.create(employer=acme, mission=mission, stop=stop, locale="en")
    put_fixes(ada_phone, drive(0, 30), truck=truck12, mission=mission)
    # The fleet looks back only as far as fixes are kept.
    put_fixes(ada_phone, [(datetime.now(UTC) - timedelta(hours=1), 50.85, 4.35)], truck=truck12)
    make_api_key(acme, Role.DISPATCHER)
    endpoint = WebhookEndpoint.objects.create(
        employer=acme, url="https://hooks.example/in", types=["mission.created"]
    )
    number_changes(acme.pk)
    delivery = WebhookDelivery.objects.filter(endpoint=endpoint).first()
    rows: dict[str, Any] = {
        "api-keys": ApiKey.objects.get(),
        "devices": Device.objects.get(),
        "drivers": driver,
        "memberships": Membership.objects.get(user=dee),
        "missions": mission,
        "sites": site,
        "truck-assignments": assignment,
        "trucks": truck12,
        "users": dee,
        "{assignment_id}": held,
        "{mission_id}": mission,
        "{stage_id}": stage,
        "{import_id}": MissionImport.objects.create(employer=acme, filename="orders.csv"),
        "{stop_id}": stop,
        "{attachment_id}": photo,
        "{signature_id}": signature,
        "{proof_id}": proof,
        "{link_id}": ShareLink.objects.create(employer=acme, stop=stop, token_hash=b"\0" * 32),
        "{delivery_id}": delivery,
        "quarantine": QuarantinedFix.objects.create(
            employer=acme,
            device=ada_phone.device,
            driver=driver,
            dialect="osmand",
            reason="body_invalid",
            payload=b"?",
            payload_hash=b"\0" * 32,
        ),
        "webhooks": endpoint,
        "driver": driver,
    }
    return {name: str(row.uuid) for name, row in rows.items()}


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with acme's ids in it, and the query that it needs."""
    placed = re.sub(r"\{\w+\}", lambda found: ids.get(found[0]) or ids[first_word(path)], path)
    query = next((query for end, query in QUERY.items() if path.endswith(end)), "")
    return placed + query.format(**ids)


def asked(client: Any, method: str, url: str) -> Any:
    if method == "get":
        return client.get(url)
    return client.generic(method.upper(), url, b"{}", content_type="application/json")


def named(operation: tuple[str, str]) -> str:
    return f"{operation[0].upper()} {operation[1]}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_nobody_gets_401(
    operation: tuple[str, str], ids: dict[str, str], client_for: ClientFor
) -> None:
    method, path = operation
    answer = asked(client_for("nobody"), method, filled(path, ids))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_wrong_role_gets_403(
    operation: tuple[str, str], ids: dict[str, str], client_for: ClientFor
) -> None:
    method, path = operation
    url = filled(path, ids)
    wrong = {WRONG_ROLE.get(first_word(path), "dpo")}
    if first_word(path) != "me":
        wrong.add("driver")
    for role in wrong:
        answer = asked(client_for(role), method, url)
        assert answer.status_code == 403, (role, answer.content)
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("operation", [found for found in OPERATIONS if "{" in found[1]], ids=named)
def test_another_employer_gets_404(
    operation: tuple[str, str],
    ids: dict[str, str],
    cy_phone: Phone,
    client_for: ClientFor,
    cy: User,
) -> None:
    method, path = operation
    client = client_for("stranger")
    if first_word(path) == "me":
        client = client_for("nobody")
        client.credentials(HTTP_AUTHORIZATION=cy_phone.headers["Authorization"])
    answer = asked(client, method, filled(path, ids))
    assert answer.status_code == 404, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def whole(answer: Any) -> bytes:
    """The body, of a stream too."""
    if not answer.streaming:
        return bytes(answer.content)

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return asyncio.run(read())


LISTS = [path for method, path in OPERATIONS if method == "get" and "{" not in path]


@pytest.mark.parametrize("path", [path for path in LISTS if first_word(path) != "me"])
def test_another_employer_sees_nothing_of_ours_in_a_list(
    path: str, ids: dict[str, str], cy: User, client_for: ClientFor
) -> None:
    url = filled(path, ids)
    answer = client_for("stranger").get(url)
    ours = client_for("dpo" if path.endswith("audit") else "manager").get(url)
    assert ours.status_code == 200
    if "?driver=" in url:
        assert answer.status_code in (400, 404)
        return
    assert answer.status_code == 200
    said = whole(answer)
    assert not any(id_of_ours.encode() in said for id_of_ours in ids.values())


@pytest.mark.parametrize("path", [path for method, path in OPERATIONS if method == "get"])
def test_the_owner_gets_content(path: str, ids: dict[str, str], client_for: ClientFor) -> None:
    url = filled(path, ids)
    if re.search(r"fixes\.\w+$", url) or url.endswith("/fixes"):
        url += "?from=2026-11-01T00:00:00Z&to=2027-01-01T00:00:00Z"
    client: Client = client_for("driver" if first_word(path) == "me" else "manager")
    answer: Any = client.get(url)
    assert answer.status_code == 200, answer
    if not answer.streaming:
        body = answer.json()
        content = body.get("results", body.get("entries", body))
        assert content or first_word(path) in ("quarantine", "audit", "duties"), body
