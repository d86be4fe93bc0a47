"""The pages of webhooks: for managers alone, with a secret that is shown once."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.actors import Actor
from accounts.models import Employer, Role, User
from accounts.outbound import Gate
from missions.api.webhooks import WebhookView
from missions.models import ChangeType, WebhookDelivery, WebhookEndpoint
from missions.pages.webhook_words import TYPES
from missions.webhook_delivery import attempt, claim_next
from missions.webhooks import ENDPOINTS_AT_MOST, signing_secrets
from tests.missions.hooks import QUICK, endpoint_at, tell
from tests.pages.test_pages import client_of, text_of
from tests.receivers import Receiver, receiver, status

HOOKS = "/manage/webhooks"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")
TYPED = {"url": "https://hooks.example/in", "types": ["mission.created", "pod.ready"]}
ACTIONS = ("", "/secret", "/remove")
POSTS = ("/test", "/switch", "/secret", "/remove")


@pytest.fixture
def manager(acme: Employer, max: User) -> Actor:
    return Actor("user", acme, frozenset({Role.MANAGER}), user=max)


@pytest.fixture
def client(max: User) -> Client:
    return client_of(max)


@pytest.fixture
def here(settings: Settings) -> Iterator[Receiver]:
    """A receiver on this machine, which only tests may reach."""
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    with receiver() as running:
        yield running


@pytest.fixture
def endpoint(manager: Actor, here: Receiver) -> WebhookEndpoint:
    return endpoint_at(manager, here.url)[0]


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to a public address."""
    monkeypatch.setattr(WebhookView, "gate", Gate(lambda name, port: ["8.8.8.8"]))


def deliver(endpoint: WebhookEndpoint, at: datetime) -> None:
    """What a worker does with the one message that is due, in this very transaction."""
    delivery = claim_next(endpoint, at)
    assert delivery is not None
    attempt(delivery, now=at, gate=QUICK)


def page_of(endpoint: WebhookEndpoint) -> str:
    return f"{HOOKS}/{endpoint.uuid}"


def test_the_pages_are_for_managers_of_this_employer(
    endpoint: WebhookEndpoint, client: Client, dee: User, pat: User, cy: User
) -> None:
    page = page_of(endpoint)
    for path in (HOOKS, f"{HOOKS}/new", *(page + action for action in ACTIONS)):
        assert Client().get(path)["Location"].startswith("/accounts/login/"), path
        assert client_of(dee).get(path).status_code == 403, path
        assert client_of(pat).get(path).status_code == 403, path
        assert client.get(path).status_code == 200, path
    delivery = f"/deliveries/{uuid4()}/again"
    for path in (*(page + action for action in (*POSTS, delivery)), f"{HOOKS}/{uuid4()}/switch"):
        assert client_of(dee).post(path).status_code == 403, path
        assert client_of(cy).post(path).status_code == 404, path
    assert client_of(cy).get(page).status_code == 404
    assert client.post(page + delivery).status_code == 404
    assert endpoint.url in text_of(client.get(HOOKS))
    assert endpoint.url not in text_of(client_of(cy).get(HOOKS))


def test_every_type_of_change_has_its_word() -> None:
    assert set(TYPES) == set(ChangeType)


@pytest.mark.usefixtures("public")
def test_a_webhook_is_made_and_its_secret_shown_once(client: Client) -> None:
    answer = client.post(f"{HOOKS}/new", TYPED)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store, private")
    assert answer["Referrer-Policy"] == "no-referrer"
    shown = text_of(answer)
    assert 'method="post"' not in shown
    (secret,) = set(SECRET.findall(shown))
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.types == ["mission.created", "pod.ready"]
    assert signing_secrets(endpoint, timezone.now()) == [secret]
    for path in (HOOKS, page_of(endpoint), f"{page_of(endpoint)}/secret"):
        assert not SECRET.search(text_of(client.get(path))), path


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"url": ""}, "This field is required."),
        ({"url": "http://hooks.example/in"}, "An https address is needed"),
        ({"url": "https://me:pw@hooks.example/"}, "An https address is needed"),
        ({"url": "https://127.0.0.1/"}, "not on the public internet"),
        ({"types": []}, "This field is required."),
        ({"types": ["mission.eaten"]}, "Select a valid choice."),
        ({"description": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_stored(
    typed: dict[str, object], said: str, client: Client
) -> None:
    answer = client.post(f"{HOOKS}/new", {**TYPED, **typed})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.usefixtures("public")
def test_there_is_a_most(client: Client, acme: Employer) -> None:
    WebhookEndpoint.objects.bulk_create(
        WebhookEndpoint(employer=acme, url=f"https://x.example/{n}", types=["pod.ready"])
        for n in range(ENDPOINTS_AT_MOST)
    )
    answer = client.post(f"{HOOKS}/new", TYPED)
    assert answer.status_code == 409
    assert "There are as many webhooks as there may be" in text_of(answer)


def test_it_is_changed(endpoint: WebhookEndpoint, client: Client) -> None:
    typed = {"url": endpoint.url, "types": ["pod.ready"], "description": "The ERP"}
    assert client.post(page_of(endpoint), typed)["Location"] == page_of(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.types, endpoint.description) == (["pod.ready"], "The ERP")
    wrong = client.post(page_of(endpoint), {**typed, "url": "ftp://x"})
    assert wrong.status_code == 400
    assert "<details open>" in text_of(wrong)


def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    endpoint: WebhookEndpoint, client: Client
) -> None:
    (old,) = signing_secrets(endpoint, timezone.now())
    assert "Make a new secret?" in text_of(client.get(f"{page_of(endpoint)}/secret"))
    answer = client.post(f"{page_of(endpoint)}/secret")
    (new,) = set(SECRET.findall(text_of(answer)))
    assert "signed with the old secret too until" in text_of(answer)
    assert signing_secrets(endpoint, timezone.now()) == [new, old]
    assert signing_secrets(endpoint, timezone.now() + timedelta(hours=25)) == [new]


def test_a_test_says_what_came_back(
    endpoint: WebhookEndpoint, client: Client, here: Receiver
) -> None:
    here.answers.append(status(503))
    said = text_of(client.post(f"{page_of(endpoint)}/test", follow=True))
    assert "The test was not delivered: answer 503." in said
    said = text_of(client.post(f"{page_of(endpoint)}/test", follow=True))
    assert "The test was delivered: answer 200" in said
    assert b"endpoint.test" in here.received[-1].body


def test_the_log_tells_each_attempt_and_sends_again(
    endpoint: WebhookEndpoint, client: Client, acme: Employer, here: Receiver
) -> None:
    assert "None. Changes are told" in text_of(client.get(page_of(endpoint)))
    here.answers.append(status(500))
    tell(acme)
    now = timezone.now()
    deliver(endpoint, now)
    page = text_of(client.get(page_of(endpoint)))
    assert "mission made" in page
    assert "answer 500" in page
    assert "next try" in page
    assert "on, but failing" in page
    deliver(endpoint, now + timedelta(minutes=1))
    delivery = WebhookDelivery.objects.get()
    page = text_of(client.get(page_of(endpoint)))
    assert "answer 200" in page
    assert "next try" not in page
    again = f"{page_of(endpoint)}/deliveries/{delivery.uuid}/again"
    assert "It is sent again" in text_of(client.post(again, follow=True))
    deliver(endpoint, now + timedelta(minutes=2))
    assert len(set(here.ids())) == 1
    assert len(here.ids()) == 3
    client.post(f"{page_of(endpoint)}/switch", {"to": "off"})
    said = text_of(client.post(again, follow=True))
    assert "This webhook is off: switch it on first." in said


def test_it_is_switched_off_and_on(endpoint: WebhookEndpoint, client: Client) -> None:
    for to, said in (("off", "switched off by a manager"), ("on", "The webhook is on.")):
        for _ in range(2):
            answer = client.post(f"{page_of(endpoint)}/switch", {"to": to}, follow=True)
            assert said in text_of(answer)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


@pytest.mark.parametrize(("reason", "said"), [("gone", "410"), ("failing", "three days")])
def test_why_it_is_off_is_said(
    reason: str, said: str, endpoint: WebhookEndpoint, client: Client
) -> None:
    WebhookEndpoint.objects.update(disabled_at=timezone.now(), disabled_reason=reason)
    for path in (HOOKS, page_of(endpoint)):
        assert said in text_of(client.get(path)), path


def test_it_is_removed_after_asking(endpoint: WebhookEndpoint, client: Client) -> None:
    assert "It cannot be undone." in text_of(client.get(f"{page_of(endpoint)}/remove"))
    client.post(f"{page_of(endpoint)}/remove")
    assert not WebhookEndpoint.objects.exists()


def test_the_log_is_filtered_and_has_pages(
    endpoint: WebhookEndpoint, client: Client, acme: Employer
) -> None:
    tell(acme, 55)
    page = text_of(client.get(page_of(endpoint)))
    assert page.count("mission made</td>") + page.count("mission made<span") == 50
    found = re.search(r'\?before=([0-9a-f-]+)"', page)
    assert found is not None
    older = text_of(client.get(f"{page_of(endpoint)}?before={found[1]}"))
    assert older.count("mission made<span") == 5
    assert "mission made<span" not in text_of(client.get(f"{page_of(endpoint)}?state=delivered"))
    for wrong in ("x", str(uuid4())):
        assert client.get(f"{page_of(endpoint)}?before={wrong}").status_code == 404


def test_the_log_takes_as_many_queries_for_thirty_messages_as_for_one(
    endpoint: WebhookEndpoint,
    client: Client,
    acme: Employer,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.get(page_of(endpoint))
    for total in (1, 30):
        tell(acme, total - WebhookDelivery.objects.count())
        # The session, the user, their memberships; the endpoint, the messages, their attempts.
        with django_assert_num_queries(6):
            page = text_of(client.get(page_of(endpoint)))
        assert page.count("mission made<span") == total
