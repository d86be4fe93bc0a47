"""The pages of users, roles and keys: who may, what is shown once, and what is refused."""

import re
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiKey, AuditEntry, Employer, Membership, Role, User
from accounts.secrets import secret_hash
from tests.cast import make_api_key, make_user
from tests.pages.test_manage_fleet import words
from tests.pages.test_pages import client_of, text_of

PASSWORD = "correct horse battery"
LINK = re.compile(r'<code class="secret">(http://testserver(/accounts/password/reset/key/[^<]+))<')
KEY = re.compile(r'<code class="secret">(mpk_[\w-]{43})</code>')


def user_url(user: User, what: str = "") -> str:
    return f"/manage/users/{user.uuid}{what}"


def test_the_pages_of_users_and_keys_are_for_managers(
    acme: Employer, dee: User, max: User, pat: User
) -> None:
    make_api_key(acme, Role.DISPATCHER)
    key = ApiKey.objects.get()
    for path in (
        "/manage/users",
        "/manage/users/new",
        user_url(dee),
        user_url(dee, "/close"),
        user_url(dee, "/reset"),
        "/manage/keys",
        "/manage/keys/new",
        f"/manage/keys/{key.uuid}/revoke",
    ):
        nobody = Client().get(path)
        assert nobody.status_code == 302, path
        assert nobody["Location"].startswith("/accounts/login/"), path
        assert client_of(max).get(path).status_code == 200, path
        for other in (dee, pat):
            assert client_of(other).get(path).status_code == 403, path


def test_another_employers_people_and_keys_are_not_there(
    acme: Employer, dee: User, max: User, cy: User
) -> None:
    make_api_key(acme, Role.DISPATCHER)
    key = ApiKey.objects.get()
    role = Membership.objects.get(user=dee)
    urls = (
        user_url(dee, "/link"),
        user_url(dee, "/roles"),
        user_url(dee, "/close"),
        user_url(dee, "/open"),
        user_url(dee, "/reset"),
        f"/manage/roles/{role.uuid}/remove",
        f"/manage/keys/{key.uuid}/revoke",
    )
    for url in urls:
        assert client_of(cy).post(url, {"role": "dpo"}).status_code == 404, url
    assert client_of(cy).get(user_url(dee)).status_code == 404
    assert client_of(max).get(user_url(dee)).status_code == 200
    assert client_of(max).get(f"/manage/users/{uuid4()}").status_code == 404
    assert dee.email in text_of(client_of(max).get("/manage/users"))
    assert dee.email not in text_of(client_of(cy).get("/manage/users"))
    assert key.prefix in text_of(client_of(max).get("/manage/keys"))
    assert key.prefix not in text_of(client_of(cy).get("/manage/keys"))


# --- Users --------------------------------------------------------------------------------


def test_the_list_says_role_factor_and_last_sign_in(dee: User, max: User) -> None:
    page = words(text_of(client_of(max).get("/manage/users")))
    assert "dee@acme.example dispatcher off never" in page


def test_the_list_asks_the_database_as_often_for_one_as_for_thirty(
    acme: Employer, max: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(max)
    with django_assert_num_queries(7):
        client.get("/manage/users")
    for n in range(30):
        make_user(acme, f"user{n}@acme.example", Role.DISPATCHER, Role.DPO)
    with django_assert_num_queries(7):
        assert "user29@acme.example" in text_of(client.get("/manage/users"))


def test_a_new_user_chooses_a_password_by_a_link_that_is_shown_once(
    max: User, mailoutbox: list[object]
) -> None:
    form = {"email": "Eve@Acme.example", "name": "Eve", "role": "dispatcher"}
    made = client_of(max).post("/manage/users/new", form)
    page = text_of(made)
    assert made.status_code == 200
    assert "no mail was sent" in page
    assert mailoutbox == []
    assert 'method="post"' not in page
    assert made["Cache-Control"] == "no-store, private"
    assert made["Referrer-Policy"] == "no-referrer"
    link = LINK.search(page)
    assert link is not None
    eve = User.objects.get(email="eve@acme.example")
    assert not eve.has_usable_password()

    browser = Client()
    chosen = browser.get(link[2], follow=True)
    assert "Choose a password" in text_of(chosen)
    url = urlsplit(chosen.redirect_chain[-1][0]).path
    done = browser.post(url, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert "Your password is kept" in text_of(done)
    again = Client().get(link[2], follow=True)
    assert "This link is not good any more" in text_of(again)
    signed_in = browser.post("/accounts/login/", {"login": eve.email, "password": PASSWORD})
    assert signed_in.status_code == 302
    assert browser.get("/manage").status_code == 200


def test_a_link_is_made_again_only_for_who_has_never_had_a_password(dee: User, max: User) -> None:
    client = client_of(max)
    assert "Show a link" in text_of(client.get(user_url(dee)))
    assert LINK.search(text_of(client.post(user_url(dee, "/link"))))
    dee.set_password(PASSWORD)
    dee.save()
    assert "Show a link" not in text_of(client.get(user_url(dee)))
    refused = client.post(user_url(dee, "/link"))
    assert refused.status_code == 409
    assert LINK.search(text_of(refused)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "eve", "role": "dpo"},
        {"email": "e@acme.example", "role": "king"},
        {"email": "DEE@acme.example", "role": "dpo"},
    ],
)
def test_a_user_who_cannot_be_is_refused(wrong: dict[str, str], dee: User, max: User) -> None:
    refused = client_of(max).post("/manage/users/new", wrong)
    assert refused.status_code == 400
    assert User.objects.count() == 2


def test_roles_are_added_and_taken_away(dee: User, max: User) -> None:
    client = client_of(max)
    added = client.post(user_url(dee, "/roles"), {"role": "dpo"}, follow=True)
    assert "data protection officer" in words(text_of(added))
    twice = client.post(user_url(dee, "/roles"), {"role": "dpo"})
    assert twice.status_code == 409
    role = Membership.objects.get(user=dee, role="dispatcher")
    client.post(f"/manage/roles/{role.uuid}/remove")
    assert [row.role for row in Membership.objects.filter(user=dee)] == ["dpo"]
    last = Membership.objects.get(user=dee)
    gone = client.post(f"/manage/roles/{last.uuid}/remove", follow=True)
    assert dee.email not in text_of(gone)


def test_the_last_manager_stays_and_reads_why(dee: User, max: User) -> None:
    role = Membership.objects.get(user=max)
    refused = client_of(max).post(f"/manage/roles/{role.uuid}/remove")
    assert refused.status_code == 409
    assert "Make somebody else a manager first." in text_of(refused)
    assert Membership.objects.filter(user=max).exists()


def test_a_closed_account_is_out_at_once_and_opens_again(dee: User, max: User) -> None:
    dee.set_password(PASSWORD)
    dee.save()
    theirs, client = client_of(dee), client_of(max)
    assert theirs.get("/manage").status_code == 200
    assert "out at once" in text_of(client.get(user_url(dee, "/close")))
    closed = client.post(user_url(dee, "/close"), follow=True)
    assert "The account is closed." in text_of(closed)
    assert theirs.get("/manage").status_code == 302
    tried = Client().post(
        "/accounts/login/", {"login": dee.email, "password": PASSWORD}, follow=True
    )
    assert "This account is closed" in text_of(tried)
    client.post(user_url(dee, "/open"))
    assert theirs.get("/manage").status_code == 302  # the old sign-in stays ended
    again = Client()
    again.post("/accounts/login/", {"login": dee.email, "password": PASSWORD})
    assert again.get("/manage").status_code == 200
    actions = AuditEntry.objects.filter(object_id=dee.uuid).order_by("id")
    assert [entry.action for entry in actions] == ["user.deactivated", "user.reactivated"]


def test_nobody_closes_the_own_account_nor_one_that_is_used_elsewhere(
    dee: User, max: User, elsewhere: Employer
) -> None:
    client = client_of(max)
    assert "Close the account" not in text_of(client.get(user_url(max)))
    assert client.post(user_url(max, "/close")).status_code == 409
    Membership.objects.create(user=dee, employer=elsewhere, role=Role.DISPATCHER)
    refused = client.post(user_url(dee, "/close"))
    assert refused.status_code == 409
    assert "works for another employer too" in text_of(refused)
    assert User.objects.filter(is_active=True).count() == 2


def test_a_closed_managers_account_does_not_count_as_a_manager(acme: Employer, max: User) -> None:
    eve = make_user(acme, "eve@acme.example", Role.MANAGER)
    client_of(max).post(user_url(eve, "/close"))
    role = Membership.objects.get(user=max)
    assert client_of(max).post(f"/manage/roles/{role.uuid}/remove").status_code == 409


# --- Keys ---------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works_until_it_is_revoked(max: User) -> None:
    client = client_of(max)
    made = client.post("/manage/keys/new", {"name": "planning", "role": "dispatcher"})
    found = KEY.search(text_of(made))
    assert found is not None
    assert made["Cache-Control"] == "no-store, private"
    assert made["Referrer-Policy"] == "no-referrer"
    assert 'method="post"' not in text_of(made)
    key = ApiKey.objects.get()
    assert bytes(key.key_hash) == secret_hash(found[1])
    listed = text_of(client.get("/manage/keys"))
    assert "planning" in listed
    assert key.prefix in listed
    assert found[1] not in listed
    headers = {"Authorization": f"Bearer {found[1]}"}
    assert Client().get("/api/v1/drivers", headers=headers).status_code == 200
    assert "It cannot be undone" in text_of(client.get(f"/manage/keys/{key.uuid}/revoke"))
    assert Client().get("/api/v1/drivers", headers=headers).status_code == 200
    revoked = client.post(f"/manage/keys/{key.uuid}/revoke", follow=True)
    assert "The key is revoked." in text_of(revoked)
    assert Client().get("/api/v1/drivers", headers=headers).status_code == 401


def test_a_key_without_a_name_or_role_is_refused(max: User) -> None:
    refused = client_of(max).post("/manage/keys/new", {"name": "", "role": "king"})
    assert refused.status_code == 400
    assert not ApiKey.objects.exists()
