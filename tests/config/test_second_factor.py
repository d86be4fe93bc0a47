"""The second factor without a browser: codes that open once, who must have one, who resets it."""

import base64
import hashlib
import hmac
import logging
import re
import struct
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEntry, Employer, Membership, Role, User
from config import sign_in_forms
from config.sign_in import SecondFactorAdapter
from tests.cast import ClientFor, make_api_key

PASSWORD = "correct horse battery"
SECRET = re.compile(r'<code class="secret">([A-Z2-7]{32})</code>')


def code_of(secret: str, steps: int = 0) -> str:
    """RFC 6238 written out: what an app shows, `steps` of 30 s from now."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def sign_in(user: User) -> Client:
    """As far as the password takes one."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def text_of(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def switch_on(client: Client) -> tuple[str, list[str]]:
    """Through the pages: the secret, and the recovery codes."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = SECRET.search(text_of(client.get("/accounts/2fa/totp/activate/")))
    assert secret is not None
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1], -1)})
    assert done["Location"] == "/accounts/2fa/recovery-codes/"
    codes = re.findall(r"<li>(\d{8})</li>", text_of(client.get(done["Location"])))
    assert len(codes) == 10
    return secret[1], codes


def is_in(client: Client) -> bool:
    return client.get("/preferences").status_code == 200


@pytest.fixture(autouse=True)
def bounds_on_tries() -> Iterator[None]:
    """Sign-ins are counted for each address: these tests leave none behind."""
    yield
    cache.clear()


@pytest.fixture
def member(dee: User) -> User:
    dee.set_password(PASSWORD)
    dee.save()
    return dee


@pytest.fixture
def manager(max: User) -> User:
    max.set_password(PASSWORD)
    max.save()
    return max


def test_the_password_alone_no_longer_opens(member: User) -> None:
    first = sign_in(member)
    assert is_in(first)
    secret, _ = switch_on(first)
    client = sign_in(member)
    assert not is_in(client)
    page = client.get("/accounts/2fa/authenticate/")
    assert "Your second factor" in text_of(page)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "code-error" in text_of(wrong)
    assert not is_in(client)
    right = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert right.status_code == 302
    assert is_in(client)


def test_a_code_opens_once(member: User) -> None:
    secret, _ = switch_on(sign_in(member))
    code = code_of(secret)
    first, second = sign_in(member), sign_in(member)
    first.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(first)
    again = second.post("/accounts/2fa/authenticate/", {"code": f" {code} "})
    assert "code-error" in text_of(again)
    assert not is_in(second)


def test_a_code_that_was_spent_in_another_process_is_spent(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """allauth's own memory is a cache of each process: as if it had forgotten."""
    monkeypatch.setattr("django.core.cache.cache.add", lambda *args, **kwargs: True)
    secret, _ = switch_on(sign_in(member))
    code = code_of(secret)
    first, second = sign_in(member), sign_in(member)
    first.post("/accounts/2fa/authenticate/", {"code": code})
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_the_code_that_switched_it_on_opens_nothing_after_it(member: User) -> None:
    owner = sign_in(member)
    owner.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = SECRET.search(text_of(owner.get("/accounts/2fa/totp/activate/")))
    assert secret is not None
    code = code_of(secret[1])
    assert owner.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    client = sign_in(member)
    assert "code-error" in text_of(client.post("/accounts/2fa/authenticate/", {"code": code}))
    assert not is_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret[1], 1)})
    assert is_in(client)


@pytest.mark.django_db(transaction=True)
def test_who_was_in_by_the_password_alone_is_out_when_it_is_switched_on(member: User) -> None:
    owner, stranger = sign_in(member), sign_in(member)
    assert is_in(stranger)
    switch_on(owner)
    assert not is_in(stranger)
    assert is_in(owner)
    assert stranger.get("/api/v1/drivers").status_code in {401, 403}
    assert owner.get("/api/v1/drivers").status_code == 200


def test_a_new_password_by_mail_does_not_get_around_the_factor(
    member: User, settings: Settings
) -> None:
    secret, _ = switch_on(sign_in(member))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client = Client()
    client.post("/accounts/password/reset/", {"email": member.email})
    (link,) = [word for word in str(mail.outbox[0].body).split() if "/reset/key/" in word]
    form = client.get(link, follow=True).request["PATH_INFO"]
    new = "another horse battery"
    client.post(form, {"password1": new, "password2": new}, follow=True)
    assert not is_in(client)
    client.post("/accounts/login/", {"login": member.email, "password": new})
    assert not is_in(client)
    assert client.get("/accounts/2fa/totp/deactivate/").status_code == 302
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(client)


@pytest.mark.parametrize(
    "code", ["", "\0", "12345é", "\uff11\uff12\uff13\uff14\uff15\uff16", "9" * 5000, "null"]
)
def test_a_code_that_is_none_is_refused(member: User, code: str) -> None:
    switch_on(sign_in(member))
    client = sign_in(member)
    refused = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert "code-error" in text_of(refused)
    assert not is_in(client)


def test_a_recovery_code_opens_once_and_the_codes_are_shown_once(member: User) -> None:
    owner = sign_in(member)
    _, codes = switch_on(owner)
    shown_again = text_of(owner.get("/accounts/2fa/recovery-codes/"))
    assert "10 codes are left" in shown_again
    assert not any(code in shown_again for code in codes)
    first, second = sign_in(member), sign_in(member)
    first.post("/accounts/2fa/authenticate/", {"code": codes[3]})
    second.post("/accounts/2fa/authenticate/", {"code": codes[3]})
    assert (is_in(first), is_in(second)) == (True, False)
    second.post("/accounts/2fa/authenticate/", {"code": codes[4]})
    assert is_in(second)
    assert "8 codes are left" in text_of(owner.get("/accounts/2fa/"))


def test_nobody_guesses_on_and_on(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """allauth's own bound is a count in each process: as if there were many."""
    secret, _ = switch_on(sign_in(member))
    monkeypatch.setattr(sign_in_forms, "TRIES_AN_HOUR", 3)
    client = sign_in(member)
    for _ in range(3):
        cache.clear()
        wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert "Incorrect code" in text_of(wrong)
    cache.clear()
    right = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert "Too many" in text_of(right)
    assert not is_in(client)
    monkeypatch.setattr(sign_in_forms, "TRIES_AN_HOUR", 20)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(client)


def test_the_secret_is_sealed_at_rest_and_in_no_log(
    member: User, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in ("", "django", "django.db.backends", "django.request"):
        caplog.set_level(logging.DEBUG, logger)
    with CaptureQueriesContext(connection):  # which also has each statement logged
        secret, codes = switch_on(sign_in(member))
    rows = Authenticator.objects.filter(user=member)
    assert {row.type for row in rows} == {"totp", "recovery_codes"}
    assert secret not in str([row.data for row in rows])
    sealed = rows.get(type="totp").data["secret"]
    assert SecondFactorAdapter().decrypt(sealed) == secret
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "mfa_authenticator" in said  # the statements were logged, with what they carry
    assert secret not in said
    assert not any(code in said for code in codes)


def test_what_is_secret_is_stored_by_no_browser(member: User) -> None:
    client = sign_in(member)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for path in ("/accounts/2fa/totp/activate/", "/accounts/2fa/", "/accounts/password/change/"):
        assert "no-store" in client.get(path)["Cache-Control"], path


@pytest.mark.django_db(transaction=True)
def test_switching_on_and_off_is_in_the_trail_and_takes_the_password(member: User) -> None:
    client = sign_in(member)
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    switch_on(client)
    assert AuditEntry.objects.get(action="second_factor.added").actor == member.uuid
    assert "It is on since" in text_of(client.get("/accounts/2fa/"))
    assert "void" in text_of(client.get("/accounts/2fa/totp/deactivate/"))
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=member).exists()
    assert AuditEntry.objects.filter(action="second_factor.removed").count() == 1


def test_whoever_runs_the_installation_resets_the_factor_of_the_only_manager(
    manager: User, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = sign_in(manager)
    switch_on(owner)
    call_command("reset_second_factor", manager.email)
    assert str(manager.uuid) in capsys.readouterr().out
    assert not is_in(owner)
    assert is_in(sign_in(manager))
    assert AuditEntry.objects.get(action="second_factor.reset").actor_kind == "command"
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@acme.example")


def want(employer: Employer) -> None:
    employer.is_two_factor_required = True
    employer.save()


def test_who_lacks_a_wanted_factor_can_do_nothing_but_set_it_up(
    member: User, acme: Employer
) -> None:
    client = sign_in(member)
    for path in ("/", "/missions", "/manage", "/preferences"):
        assert client.get(path).status_code == 200, path
    want(acme)
    for path in ("/", "/missions", "/manage", "/preferences"):
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"] == "/accounts/2fa/totp/activate/?wanted=1", path
    fragment = client.get("/", headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == "/accounts/2fa/totp/activate/?wanted=1"
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/?wanted=1")
    assert "Your employer wants a second factor" in text_of(page)
    switch_on(client)
    assert client.get("/manage").status_code == 200
    refused = client.get("/accounts/2fa/totp/deactivate/")
    assert "cannot be switched off" in text_of(refused)
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=member, type="totp").exists()


def test_the_api_says_so_to_a_session_and_lets_keys_and_phones_pass(
    acme: Employer, client_for: ClientFor
) -> None:
    session, phone = client_for("dispatcher"), client_for("driver")
    key = {"Authorization": f"Bearer {make_api_key(acme, Role.DISPATCHER)}"}
    assert session.get("/api/v1/drivers").status_code == 200
    want(acme)
    refused = session.get("/api/v1/drivers")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "two_factor_required"
    assert Client().get("/api/v1/drivers", headers=key).status_code == 200
    assert phone.get("/api/v1/me").status_code == 200


def test_a_manager_resets_a_colleagues_factor_and_ends_the_sign_ins(
    member: User, manager: User
) -> None:
    owner = sign_in(member)
    switch_on(owner)
    client = sign_in(manager)
    page = f"/manage/users/{member.uuid}"
    assert "Reset the second factor" in text_of(client.get(page))
    assert "the password alone" in text_of(client.get(f"{page}/reset"))
    assert is_in(owner)
    done = client.post(f"{page}/reset", follow=True)
    assert "The second factor is reset." in text_of(done)
    assert not is_in(owner)
    assert not Authenticator.objects.filter(user=member).exists()
    entry = AuditEntry.objects.get(action="second_factor.reset")
    assert (entry.actor, entry.object_id) == (manager.uuid, member.uuid)
    assert is_in(sign_in(member))


def test_nobody_resets_the_own_factor_or_that_of_who_works_elsewhere_too(
    member: User, manager: User, elsewhere: Employer
) -> None:
    client = sign_in(manager)
    switch_on(client)
    refused = client.post(f"/manage/users/{manager.uuid}/reset")
    assert refused.status_code == 409
    assert Authenticator.objects.filter(user=manager, type="totp").exists()
    switch_on(sign_in(member))
    Membership.objects.create(user=member, employer=elsewhere, role=Role.DISPATCHER)
    assert client.post(f"/manage/users/{member.uuid}/reset").status_code == 409
    assert Authenticator.objects.filter(user=member, type="totp").exists()


@pytest.mark.parametrize("path", ["webauthn/", "recovery-codes/download/", "trust/"])
def test_what_we_do_not_use_of_the_library_is_not_there(member: User, path: str) -> None:
    client = sign_in(member)
    assert client.get("/accounts/2fa/").status_code == 200
    assert client.get(f"/accounts/2fa/{path}").status_code == 404


def test_nobody_gets_to_the_pages_of_the_factor(db: None) -> None:
    for name in (
        "mfa_index",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_authenticate",
        "mfa_reauthenticate",
    ):
        answer = Client().get(reverse(name))
        assert answer.status_code == 302, name
        assert answer["Location"].startswith("/accounts/login/"), name
