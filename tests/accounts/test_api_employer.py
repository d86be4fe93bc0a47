"""Settings, API keys and the audit trail over the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ApiKey, AuditEntry, Employer, TrackingWindow
from accounts.secrets import secret_hash
from tests.cast import ClientFor


def test_a_manager_changes_settings(acme: Employer, client_for: ClientFor) -> None:
    client = client_for("manager")
    answer = client.patch("/api/v1/employer", {"timezone": "Europe/Paris", "min_spacing_m": 500})
    assert answer.status_code == 200
    assert answer.json() == client.get("/api/v1/employer").json()
    assert (answer.json()["timezone"], answer.json()["min_spacing_m"]) == ("Europe/Paris", 500)
    entry = AuditEntry.objects.get(action="employer.changed")
    assert entry.employer == acme
    assert entry.detail == {"fields": ["min_spacing_m", "timezone"], "min_spacing_m": [0, 500]}


def test_a_manager_says_what_is_early_and_late(client_for: ClientFor, acme: Employer) -> None:
    client = client_for("manager")
    assert client.get("/api/v1/employer").json()["late_s"] == 900
    shown = client.patch("/api/v1/employer", {"early_s": 0, "late_s": 300}).json()
    assert (shown["early_s"], shown["late_s"]) == (0, 300)
    acme.refresh_from_db()
    assert (acme.early_s, acme.late_s) == (0, 300)
    assert AuditEntry.objects.get(action="employer.changed").detail["late_s"] == [900, 300]


def test_a_second_factor_is_wanted_of_users_from_then_on(
    acme: Employer, client_for: ClientFor
) -> None:
    client = client_for("manager")
    shown = client.patch("/api/v1/employer", {"is_two_factor_required": True})
    assert shown.json()["is_two_factor_required"] is True
    detail = AuditEntry.objects.get(action="employer.changed").detail
    assert detail["is_two_factor_required"] == [False, True]
    assert client.get("/api/v1/employer").json()["code"] == "two_factor_required"


def test_a_setting_that_stays_as_it_is_leaves_no_trace(client_for: ClientFor) -> None:
    client = client_for("manager")
    assert client.patch("/api/v1/employer", {"min_spacing_m": 0}).status_code == 200
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"timezone": "Mars/Phobos"}, "/timezone"),
        ({"timezone": "../etc/passwd"}, "/timezone"),
        ({"timezone": "Europe"}, "/timezone"),
        ({"timezone": ""}, "/timezone"),
        ({"timezone": "localtime"}, "/timezone"),
        ({"timezone": "Factory"}, "/timezone"),
        ({"timezone": "posix/Europe/Brussels"}, "/timezone"),
        ({"timezone": "right/Europe/Brussels"}, "/timezone"),
        ({"timezone": "europe/brussels"}, "/timezone"),
        ({"window_justification": " "}, "/window_justification"),
        ({"staff_informed_on": None}, "/staff_informed_on"),
        ({"tracking_window": "sometimes"}, "/tracking_window"),
        ({"early_s": -1}, "/early_s"),
        ({"late_s": 86_401}, "/late_s"),
        ({"min_spacing_m": -1}, "/min_spacing_m"),
        ({"min_spacing_m": 10**30}, "/min_spacing_m"),
        ({"route_months": 13}, "/route_months"),
        ({"country": "Belgium"}, "/country"),
        ({"name": "a\0b"}, "/name"),
        ({"name": ""}, "/name"),
    ],
)
def test_a_bad_setting_is_named_and_changes_nothing(
    acme: Employer, client_for: ClientFor, change: dict[str, Any], pointer: str
) -> None:
    """The cast's employer tracks always, so that its reasons may not be taken away."""
    answer = client_for("manager").patch("/api/v1/employer", change)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    before = {name: getattr(acme, name) for name in change}
    acme.refresh_from_db()
    assert {name: getattr(acme, name) for name in change} == before


def test_tracking_always_needs_its_reasons_first(acme: Employer, client_for: ClientFor) -> None:
    client = client_for("manager")
    less = {"tracking_window": "duty", "window_justification": "", "staff_informed_on": None}
    assert client.patch("/api/v1/employer", less).status_code == 200
    assert client.patch("/api/v1/employer", {"tracking_window": "always"}).status_code == 400
    acme.refresh_from_db()
    assert acme.tracking_window == TrackingWindow.DUTY
    reasons = {"window_justification": "Cash in transit.", "staff_informed_on": "2026-11-01"}
    answer = client.patch("/api/v1/employer", {"tracking_window": "always", **reasons})
    assert answer.status_code == 200


def test_a_key_is_shown_once(client_for: ClientFor) -> None:
    client = client_for("manager")
    made = client.post("/api/v1/api-keys", {"name": "planning", "role": "dispatcher"})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.json()["token"]
    key = ApiKey.objects.get()
    assert bytes(key.key_hash) == secret_hash(token)
    listed = client.get("/api/v1/api-keys").content.decode()
    assert token[:12] in listed
    assert token not in listed
    assert token not in str(AuditEntry.objects.values_list("detail", flat=True))
    machine = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert machine.get("/api/v1/employer").status_code == 200


def test_revoking_twice_changes_nothing_more(client_for: ClientFor) -> None:
    client = client_for("manager")
    id = client.post("/api/v1/api-keys", {"role": "dpo"}).json()["id"]
    first = client.post(f"/api/v1/api-keys/{id}/revoke").json()
    assert first["revoked_at"] is not None
    assert client.post(f"/api/v1/api-keys/{id}/revoke").json() == first
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1


def test_the_audit_can_be_narrowed(client_for: ClientFor) -> None:
    client = client_for("manager")
    id = client.post("/api/v1/api-keys", {"role": "dpo"}).json()["id"]
    client.post("/api/v1/trucks", {"plate": "1-ABC-001"})
    audit = "/api/v1/audit"
    assert len(client.get(audit).json()["results"]) == 2
    (of_key,) = client.get(audit, {"object": id}).json()["results"]
    assert (of_key["action"], of_key["object_kind"]) == ("api_key.created", "api_key")
    (of_truck,) = client.get(audit, {"action": "truck.created"}).json()["results"]
    assert len(client.get(audit, {"actor": of_truck["actor"]}).json()["results"]) == 2
    assert client.get(audit, {"object": "x"}).status_code == 400
