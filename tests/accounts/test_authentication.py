"""Who is asking."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from rest_framework.test import APIClient

from accounts.actors import Actor, actor_of
from accounts.models import (
    ApiKey,
    DeviceHolding,
    DeviceToken,
    Driver,
    Employer,
    Role,
    TokenScope,
    User,
)
from accounts.phones import revoke_device, rotate_token
from accounts.secrets import secret_hash
from tests.cast import ClientFor, Phone, make_api_key, make_phone, make_user


def bearer(secret: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def test_nobody_is_told_how_to_sign_in(db: None) -> None:
    answer = APIClient().get("/api/v1/drivers")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"


def test_an_api_key_has_its_role(acme: Employer) -> None:
    client = bearer(make_api_key(acme, Role.DISPATCHER))
    assert client.get("/api/v1/drivers").status_code == 200
    assert client.get("/api/v1/users").status_code == 403


def test_a_revoked_key_is_refused_on_the_very_next_request(
    acme: Employer, client_for: ClientFor
) -> None:
    client = bearer(make_api_key(acme, Role.DISPATCHER))
    assert client.get("/api/v1/drivers").status_code == 200
    key = ApiKey.objects.get()
    assert client_for("manager").post(f"/api/v1/api-keys/{key.uuid}/revoke").status_code == 200
    assert client.get("/api/v1/drivers").status_code == 401


def test_a_revoked_phone_is_refused_on_the_very_next_request(
    acme: Employer, ada_phone: Phone
) -> None:
    client = bearer(ada_phone.token)
    assert client.get("/api/v1/me").status_code == 200
    revoke_device(Actor("command", acme), ada_phone.device)
    assert client.get("/api/v1/me").status_code == 401


def test_an_expired_token_is_refused(ada_phone: Phone) -> None:
    client = bearer(ada_phone.token)
    tokens = DeviceToken.objects.filter(token_hash=secret_hash(ada_phone.token))
    tokens.update(expires_at=datetime.now(UTC) + timedelta(minutes=1))
    assert client.get("/api/v1/me").status_code == 200
    tokens.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert client.get("/api/v1/me").status_code == 401


def test_a_token_for_ingest_opens_nothing_here(ada: Driver) -> None:
    assert bearer(make_phone(ada).token).get("/api/v1/me").status_code == 200
    assert (
        bearer(make_phone(ada, scope=TokenScope.INGEST).token).get("/api/v1/me").status_code == 401
    )


@pytest.mark.parametrize("secret", ["", "x", "mpk_x", "mpd_x", "mpd_\u00e9", "mpk_ x"])
def test_a_wrong_secret_is_401_even_beside_a_session(client_for: ClientFor, secret: str) -> None:
    client = client_for("dispatcher")
    assert client.get("/api/v1/drivers").status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/v1/drivers").status_code == 401


def test_a_phone_that_nobody_carries_speaks_for_nobody(ada_phone: Phone) -> None:
    client = bearer(ada_phone.token)
    assert client.get("/api/v1/me").status_code == 200
    DeviceHolding.objects.all().delete()
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "device_not_held")


def test_rotation_keeps_the_phone_and_lets_the_old_token_live_14_days(
    acme: Employer, ada_phone: Phone
) -> None:
    token, ends_at = rotate_token(Actor("command", acme), ada_phone.device)
    assert timedelta(days=13, hours=23) < ends_at - datetime.now(UTC) <= timedelta(days=14)
    for secret in (ada_phone.token, token):
        me = bearer(secret).get("/api/v1/me").json()
        assert me["device"]["id"] == str(ada_phone.device.uuid)
    DeviceToken.objects.filter(expires_at__isnull=False).update(expires_at=datetime.now(UTC))
    assert bearer(ada_phone.token).get("/api/v1/me").status_code == 401
    assert bearer(token).get("/api/v1/me").status_code == 200


def test_a_second_rotation_does_not_lengthen_the_first_ones_overlap(
    acme: Employer, ada_phone: Phone
) -> None:
    _, first_end = rotate_token(Actor("command", acme), ada_phone.device)
    rotate_token(Actor("command", acme), ada_phone.device)
    oldest = DeviceToken.objects.get(token_hash=secret_hash(ada_phone.token))
    assert oldest.expires_at == first_end
    assert DeviceToken.objects.filter(expires_at__isnull=True).count() == 1


def test_a_session_needs_the_csrf_token_to_change_something(max: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(max)
    assert client.get("/api/v1/employer").status_code == 200
    assert client.patch("/api/v1/employer", {"name": "New"}).status_code == 403


def test_a_user_of_two_employers_says_which(
    acme: Employer, elsewhere: Employer, dee: User, client_for: ClientFor
) -> None:
    client = client_for("dispatcher")
    other = make_user(elsewhere, "zoe@elsewhere.example")
    other.memberships.create(employer=elsewhere, role=Role.DISPATCHER)
    dee.memberships.create(employer=elsewhere, role=Role.DISPATCHER)
    there = {"Milepost-Employer": str(elsewhere.uuid)}
    assert client.get("/api/v1/employer").json()["id"] == str(acme.uuid)
    assert client.get("/api/v1/employer", headers=there).json()["id"] == str(elsewhere.uuid)
    client.force_login(other)
    here = {"Milepost-Employer": str(acme.uuid)}
    assert client.get("/api/v1/employer", headers=here).status_code == 404


def test_a_session_remembers_the_employer(elsewhere: Employer, dee: User) -> None:
    dee.memberships.create(employer=elsewhere, role=Role.DPO)
    client = APIClient()
    client.force_login(dee)
    session = client.session
    session["employer"] = str(elsewhere.uuid)
    session.save()
    assert client.get("/api/v1/employer").json()["id"] == str(elsewhere.uuid)


def test_a_user_without_an_employer_may_nothing(acme: Employer) -> None:
    client = APIClient()
    client.force_login(make_user(acme, "nobody@acme.example"))
    assert client.get("/api/v1/employer").status_code == 403


def test_a_page_request_has_an_actor_too(dee: User, acme: Employer) -> None:
    request = RequestFactory().get("/")
    request.user = dee
    actor = actor_of(request)
    assert (actor.kind, actor.employer, actor.user) == ("user", acme, dee)
    assert actor.roles == {Role.DISPATCHER}
