"""Which pages about signing in there are, and which there are not."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User

PASSWORD = "correct horse battery"


@pytest.fixture
def member(db: None) -> User:
    return User.objects.create_user("dee@acme.example", PASSWORD)


@pytest.fixture
def browser(member: User) -> Client:
    """Signed in by the form, just now: nothing asks for the password again."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.mark.parametrize("path", ["email/", "confirm-email/", "login/code/confirm/", ""])
def test_nobody_changes_the_address_they_sign_in_with(
    browser: Client, member: User, path: str
) -> None:
    assert browser.get("/accounts/password/change/").status_code == 200
    for answer in (
        browser.get(f"/accounts/{path}"),
        browser.post(f"/accounts/{path}", {"email": "max@acme.example", "action_add": ""}),
    ):
        assert answer.status_code == 404
    member.refresh_from_db()
    assert member.email == "dee@acme.example"


def test_a_password_is_changed(browser: Client, member: User) -> None:
    new = "another horse battery"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = browser.post("/accounts/password/change/", form)
    assert answer.status_code == 302
    member.refresh_from_db()
    assert member.check_password(new)


def test_a_forgotten_password_is_replaced_by_mail(member: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client = Client()
    asked = client.post("/accounts/password/reset/", {"email": member.email}, follow=True)
    assert asked.status_code == 200
    (link,) = [word for word in str(mail.outbox[0].body).split() if "/reset/key/" in word]
    page = client.get(link, follow=True)
    new = "another horse battery"
    done = client.post(page.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert done.status_code == 200
    member.refresh_from_db()
    assert member.check_password(new)


def test_a_mail_to_nobody_is_sent_without_an_error(db: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    answer = Client().post("/accounts/password/reset/", {"email": "x@acme.example"}, follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["logout", "reauthenticate", "reset_password"])
def test_the_pages_that_templates_link_to_are_there(browser: Client, name: str) -> None:
    assert browser.get(reverse(f"account_{name}")).status_code == 200
