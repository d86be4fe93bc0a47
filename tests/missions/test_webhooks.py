"""Webhooks as managers set them up: who may, what is shown, and what never is."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from accounts.actors import Actor
from accounts.models import AuditEntry, Employer, Role, User
from accounts.outbound import Answer, Gate, Outgoing
from accounts.sealing import unseal
from missions.api.webhooks import WebhookView
from missions.feed import number_changes
from missions.models import (
    ChangeType,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from missions.webhooks import ENDPOINTS_AT_MOST, create_endpoint
from tests.cast import ClientFor, make_api_key
from tests.missions.builders import make_mission
from tests.receivers import receiver, status

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks"
URL = "https://hooks.example/in"
PUBLIC = Gate(lambda name, port: ["8.8.8.8"])


@pytest.fixture(autouse=True)
def public_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to a public address."""
    monkeypatch.setattr(WebhookView, "gate", PUBLIC)


@pytest.fixture
def manager(client_for: ClientFor) -> APIClient:
    return client_for("manager")


@pytest.fixture
def endpoint(acme: Employer, max: User) -> WebhookEndpoint:
    actor = Actor("user", acme, frozenset({Role.MANAGER}), user=max)
    return create_endpoint(actor, URL, ["mission.created"], gate=PUBLIC)[0]


@pytest.fixture
def delivery(acme: Employer, endpoint: WebhookEndpoint) -> WebhookDelivery:
    return deliveries_of(acme, 1)[0]


def deliveries_of(employer: Employer, count: int) -> list[WebhookDelivery]:
    """So many deliveries that wait, each with two attempts behind it."""
    for _ in range(count):
        make_mission(employer)
    number_changes(employer.pk)
    made = list(WebhookDelivery.objects.order_by("-id")[:count])
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(
            employer=employer, delivery=row, status_code=code, error="status", duration_ms=12
        )
        for row in made
        for code in (500, 503)
    )
    return made


def audited(action: str) -> dict[str, Any]:
    return dict(AuditEntry.objects.get(action=action).detail)


# --- Endpoints --------------------------------------------------------------------------------


def test_a_manager_makes_an_endpoint_and_sees_its_secret_once(manager: APIClient) -> None:
    sent = {"url": URL, "types": ["pod.ready", "mission.created", "pod.ready"]}
    answer = manager.post(HOOKS, {**sent, "description": "our TMS"})
    assert answer.status_code == 201
    made = answer.json()
    secret = made.pop("secret")
    assert answer["Cache-Control"] == "no-store"
    assert secret.startswith("whsec_")
    assert made["types"] == ["mission.created", "pod.ready"]
    assert (made["url"], made["description"], made["disabled_at"]) == (URL, "our TMS", None)
    assert manager.get(f"{HOOKS}/{made['id']}").json() == made
    assert manager.get(HOOKS).json()["results"] == [made]
    assert audited("webhook.created") == {"types": made["types"]}
    row = WebhookSecret.objects.get()
    assert unseal(bytes(row.sealed)) == secret
    everything = json.dumps([*AuditEntry.objects.values_list("detail", flat=True)])
    assert secret not in everything
    assert secret.encode() not in bytes(row.sealed)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example/in", "refused_url"),
        ("https://user:word@hooks.example/in", "refused_url"),
        ("ftp://hooks.example", "refused_url"),
        ("nonsense", "refused_url"),
    ],
)
def test_a_url_that_nothing_may_be_sent_to_is_refused(
    url: str, code: str, manager: APIClient
) -> None:
    answer = manager.post(HOOKS, {"url": url, "types": ["pod.ready"]})
    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/url", code)]


@pytest.mark.parametrize(("address", "code"), [("10.0.0.1", "refused_address"), (None, "name")])
def test_a_name_that_leads_nowhere_public_is_refused_when_made_and_when_changed(
    address: str | None,
    code: str,
    manager: APIClient,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(lambda name, port: [address] if address else [])
    monkeypatch.setattr(WebhookView, "gate", gate)
    sent = {"url": "https://inside.example/in", "types": ["pod.ready"]}
    made = manager.post(HOOKS, sent)
    changed = manager.patch(f"{HOOKS}/{endpoint.uuid}", {"url": sent["url"]})
    for answer in (made, changed):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    endpoint.refresh_from_db()
    assert endpoint.url == URL
    assert WebhookEndpoint.objects.count() == 1


@pytest.mark.parametrize("types", [[], ["mission.exploded"], "pod.ready", None])
def test_types_that_there_are_none_of_are_refused(types: Any, manager: APIClient) -> None:
    answer = manager.post(HOOKS, {"url": URL, "types": types})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("/types")


def test_all_types_can_be_asked_for(manager: APIClient) -> None:
    every = sorted(ChangeType.values)
    assert manager.post(HOOKS, {"url": URL, "types": every}).json()["types"] == every


def test_an_employer_has_a_bounded_number_of_endpoints(manager: APIClient) -> None:
    sent = {"url": URL, "types": ["pod.ready"]}
    codes = [manager.post(HOOKS, sent).status_code for _ in range(ENDPOINTS_AT_MOST + 1)]
    assert codes == [201] * ENDPOINTS_AT_MOST + [409]


def test_an_endpoint_is_changed_and_removed(
    manager: APIClient, endpoint: WebhookEndpoint, delivery: WebhookDelivery
) -> None:
    here = f"{HOOKS}/{endpoint.uuid}"
    changed = manager.patch(here, {"types": ["pod.ready"], "description": "new"}).json()
    assert (changed["url"], changed["types"]) == (URL, ["pod.ready"])
    assert audited("webhook.changed") == {"fields": ["description", "types"]}
    assert manager.patch(here, {"description": "new"}).status_code == 200
    assert AuditEntry.objects.filter(action="webhook.changed").count() == 1
    assert manager.delete(here).status_code == 204
    assert manager.get(here).status_code == 404
    assert WebhookSecret.objects.count() == WebhookDelivery.objects.count() == 0


def test_a_secret_is_rotated_and_shown_once(manager: APIClient, endpoint: WebhookEndpoint) -> None:
    old = WebhookSecret.objects.get()
    here = f"{HOOKS}/{endpoint.uuid}"
    answer = manager.post(f"{here}/rotate-secret")
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    new = answer.json()["secret"]
    assert new not in manager.get(here).content.decode()
    old.refresh_from_db()
    assert old.expires_at is not None
    assert answer.json()["older_secrets_end_at"].startswith(f"{old.expires_at:%Y-%m-%dT%H:%M}")
    rows = endpoint.secrets.order_by("id")
    assert [unseal(bytes(row.sealed)) for row in rows][1] == new
    assert audited("webhook.secret_rotated") == {}


def test_an_endpoint_is_disabled_and_enabled(
    acme: Employer, manager: APIClient, endpoint: WebhookEndpoint
) -> None:
    here = f"{HOOKS}/{endpoint.uuid}"
    for _ in range(2):
        assert manager.post(f"{here}/disable").json()["disabled_reason"] == "manager"
    make_mission(acme)
    number_changes(acme.pk)
    assert WebhookDelivery.objects.count() == 0
    for _ in range(2):
        assert manager.post(f"{here}/enable").json()["disabled_at"] is None
    actions = AuditEntry.objects.filter(action__in=["webhook.disabled", "webhook.enabled"])
    assert actions.count() == 2


@pytest.fixture
def loopback(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    monkeypatch.setattr(WebhookView, "gate", Gate(deadline_s=5))


def test_a_test_message_says_what_came_back(loopback: None, manager: APIClient) -> None:
    with receiver(status(204), status(500)) as there:
        made = manager.post(HOOKS, {"url": there.url, "types": ["pod.ready"]}).json()
        here = f"{HOOKS}/{made['id']}/test"
        good, bad = manager.post(here).json(), manager.post(here).json()
    assert manager.post(here).json()["error"] == "connection"
    assert (good["is_delivered"], good["status_code"], good["error"]) == (True, 204, "")
    assert (bad["is_delivered"], bad["status_code"], bad["error"]) == (False, 500, "status")
    came = there.received[0]
    said = Webhook(made["secret"]).verify(came.body, came.headers)
    assert (said["type"], said["data"]) == ("endpoint.test", {"id": made["id"], "mission": None})
    assert there.ids()[0] != there.ids()[1]


# --- The log ----------------------------------------------------------------------------------


def test_the_log_shows_each_attempt(
    manager: APIClient, endpoint: WebhookEndpoint, delivery: WebhookDelivery
) -> None:
    [shown] = manager.get(f"{HOOKS}/{endpoint.uuid}/deliveries").json()["results"]
    assert shown["id"] == str(delivery.uuid)
    assert shown["webhook_id"] == str(delivery.change.uuid)
    assert (shown["type"], shown["state"]) == ("mission.created", "waiting")
    codes = [(a["status_code"], a["error"], a["duration_ms"]) for a in shown["attempt_log"]]
    assert codes == [(500, "status", 12), (503, "status", 12)]


def test_the_log_is_paged_and_filtered(
    acme: Employer, manager: APIClient, endpoint: WebhookEndpoint
) -> None:
    made = deliveries_of(acme, 5)
    WebhookDelivery.objects.filter(pk=made[1].pk).update(state="given_up", next_at=None)
    here = f"{HOOKS}/{endpoint.uuid}/deliveries"
    page = manager.get(here, {"limit": 3}).json()
    rest = manager.get(page["next"]).json()
    ids = [row["id"] for row in page["results"] + rest["results"]]
    assert ids == [str(row.uuid) for row in made]
    assert rest["next"] is None
    [given_up] = manager.get(here, {"state": "given_up"}).json()["results"]
    assert given_up["id"] == str(made[1].uuid)
    assert manager.get(here, {"state": "lost"}).status_code == 400


def test_the_log_takes_the_same_queries_for_1_and_30_rows(
    acme: Employer,
    manager: APIClient,
    endpoint: WebhookEndpoint,
    django_assert_num_queries: Any,
) -> None:
    for count in (1, 29):
        deliveries_of(acme, count)
        # Session, user, memberships, the endpoint, deliveries, their attempts.
        with django_assert_num_queries(6):
            shown = manager.get(f"{HOOKS}/{endpoint.uuid}/deliveries").json()["results"]
        assert len(shown) == WebhookDelivery.objects.count()


def test_the_endpoints_take_the_same_queries_for_1_and_20_rows(
    manager: APIClient, endpoint: WebhookEndpoint, django_assert_num_queries: Any
) -> None:
    for count in (1, ENDPOINTS_AT_MOST):
        while WebhookEndpoint.objects.count() < count:
            manager.post(HOOKS, {"url": URL, "types": ["pod.ready"]})
        with django_assert_num_queries(4):
            assert len(manager.get(HOOKS).json()["results"]) == count


def test_a_delivery_is_sent_again_on_request(
    manager: APIClient, endpoint: WebhookEndpoint, delivery: WebhookDelivery
) -> None:
    WebhookDelivery.objects.update(state="given_up", attempts=8, next_at=None)
    here = f"{HOOKS}/{endpoint.uuid}"
    answer = manager.post(f"{here}/deliveries/{delivery.uuid}/redeliver")
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["state"], shown["attempts"], len(shown["attempt_log"])) == ("waiting", 0, 2)
    assert shown["next_at"] is not None
    manager.post(f"{here}/disable")
    refused = manager.post(f"{here}/deliveries/{delivery.uuid}/redeliver")
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")


def test_a_delivery_of_another_endpoint_is_404(
    manager: APIClient, delivery: WebhookDelivery
) -> None:
    other = manager.post(HOOKS, {"url": URL, "types": ["pod.ready"]}).json()["id"]
    for endpoint_id, delivery_id in ((other, delivery.uuid), (delivery.endpoint.uuid, uuid4())):
        path = f"{HOOKS}/{endpoint_id}/deliveries/{delivery_id}/redeliver"
        assert manager.post(path).status_code == 404


# --- Who may ----------------------------------------------------------------------------------

ONE = HOOKS + "/{endpoint}"
CALLS = [
    ("GET", HOOKS, 200),
    ("POST", HOOKS, 201),
    ("GET", ONE, 200),
    ("PATCH", ONE, 200),
    ("POST", ONE + "/rotate-secret", 201),
    ("POST", ONE + "/disable", 200),
    ("POST", ONE + "/enable", 200),
    ("POST", ONE + "/test", 200),
    ("GET", ONE + "/deliveries", 200),
    ("POST", ONE + "/deliveries/{delivery}/redeliver", 202),
    ("DELETE", ONE, 204),
]


@pytest.fixture
def ids(delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Of acme's endpoint and delivery; nothing is really sent."""
    with monkeypatch.context() as patch:
        patch.setattr(Gate, "send", lambda *args, **kwargs: pytest.fail("it was sent"))
        yield {"endpoint": str(delivery.endpoint.uuid), "delivery": str(delivery.uuid)}


def called(client: APIClient, method: str, path: str, ids: dict[str, str]) -> int:
    body = {"url": URL, "types": ["pod.ready"]}
    url = path.format(**ids)
    return client.generic(
        method, url, json.dumps(body), content_type="application/json"
    ).status_code


@pytest.mark.parametrize(("method", "path", "succeeds"), CALLS)
def test_managers_may(
    method: str,
    path: str,
    succeeds: int,
    delivery: WebhookDelivery,
    manager: APIClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = []

    def send(gate: Gate, request: Outgoing) -> Answer:
        sent.append(request)
        return Answer(200, b"")

    monkeypatch.setattr(Gate, "send", send)
    ids = {"endpoint": str(delivery.endpoint.uuid), "delivery": str(delivery.uuid)}
    assert called(manager, method, path, ids) == succeeds
    assert len(sent) == path.endswith("/test")


@pytest.mark.parametrize(
    ("role", "refused"), [("nobody", 401), ("dispatcher", 403), ("dpo", 403), ("driver", 403)]
)
@pytest.mark.parametrize(("method", "path", "succeeds"), CALLS)
def test_nobody_else_may(
    method: str,
    path: str,
    succeeds: int,
    role: str,
    refused: int,
    ids: dict[str, str],
    client_for: ClientFor,
) -> None:
    assert called(client_for(role), method, path, ids) == refused


@pytest.mark.parametrize(("method", "path", "succeeds"), [c for c in CALLS if "{" in c[1]])
def test_another_employers_endpoint_is_404(
    method: str, path: str, succeeds: int, ids: dict[str, str], client_for: ClientFor
) -> None:
    assert called(client_for("stranger"), method, path, ids) == 404
    assert WebhookEndpoint.objects.filter(uuid=ids["endpoint"], disabled_at=None).exists()


def test_lists_hold_the_own_employers_endpoints_only(
    ids: dict[str, str], client_for: ClientFor
) -> None:
    assert len(client_for("manager").get(HOOKS).json()["results"]) == 1
    assert client_for("stranger").get(HOOKS).json()["results"] == []


def test_a_managers_api_key_may(acme: Employer, ids: dict[str, str], client_for: ClientFor) -> None:
    key = make_api_key(acme, Role.MANAGER)
    headers = {"Authorization": f"Bearer {key}"}
    assert client_for("nobody").get(HOOKS, headers=headers).status_code == 200
