"""The page of phones and the page of one: how each is, what can be done, and for whom."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import (
    AuditEntry,
    Device,
    DeviceToken,
    Driver,
    DutyMark,
    Employer,
    TokenScope,
    TrackingWindow,
    User,
)
from accounts.sealing import unseal
from accounts.secrets import secret_hash
from tests.cast import Phone, make_phone
from tests.pages.test_pages import client_of, text_of
from tests.pages.test_quarantine_pages import quarantine

TOKEN = re.compile(r"mpd_[A-Za-z0-9_-]{43}")


@pytest.fixture
def tracker(ada: Driver) -> Phone:
    """A phone with OwnTracks, heard a moment ago."""
    return app_of(make_phone(ada, scope=TokenScope.INGEST), "owntracks-android")


def app_of(phone: Phone, slug: str) -> Phone:
    change(phone, platform=slug, name="Samsung", last_seen_at=timezone.now())
    return phone


def change(phone: Phone, **values: object) -> None:
    Device.objects.filter(pk=phone.device.pk).update(**values)


def page_of(phone: Phone) -> str:
    return f"/phones/{phone.device.uuid}"


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_list_says_whose_phone_which_app_and_when_it_was_heard(
    tracker: Phone, dee: User
) -> None:
    change(tracker, last_seen_at=timezone.now() - timedelta(minutes=10))
    page = words(text_of(client_of(dee).get("/phones")))
    assert "Samsung Ada Peeters OwnTracks (Android) 10 min ago" in page
    assert "Silent" not in page


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ({"permission": "while_in_use"}, "Location allowed only while the app is open"),
        ({"permission": "denied"}, "Location not allowed"),
        ({"is_location_on": False}, "Location switched off"),
        ({"battery": 0.149}, "Battery 14 %"),
        ({"battery": 0.05, "is_charging": False}, "Battery 5 %"),
    ],
)
def test_what_is_wrong_is_said_with_an_icon(
    health: dict[str, object], said: str, tracker: Phone, dee: User
) -> None:
    change(tracker, health=health)
    for path in ("/phones", page_of(tracker)):
        page = text_of(client_of(dee).get(path))
        assert re.search(rf'class="amiss"><svg[^>]*aria-hidden.*</svg>\s*{said}', page), path


@pytest.mark.parametrize(
    "health",
    [
        {},
        {"permission": "always", "is_location_on": True, "battery": 0.15, "app_version": "2.5.1"},
        {"battery": 0.05, "is_charging": True},
    ],
)
def test_what_is_well_or_unknown_is_no_warning(
    health: dict[str, object], tracker: Phone, dee: User
) -> None:
    change(tracker, health=health)
    page = text_of(client_of(dee).get("/phones"))
    assert "Samsung" in page
    assert 'class="amiss"' not in page
    assert ("2.5.1" in page) == ("app_version" in health)


def test_silence_on_duty_is_said_and_off_duty_is_not(
    tracker: Phone, acme: Employer, dee: User
) -> None:
    acme.tracking_window = TrackingWindow.DUTY
    acme.save()
    change(tracker, last_seen_at=timezone.now() - timedelta(minutes=31))
    silent = "Silent: on duty, nothing for 30 minutes or more"
    assert silent not in text_of(client_of(dee).get("/phones"))
    DutyMark.objects.create(
        employer=acme,
        driver=tracker.driver,
        kind=DutyMarkKind.DUTY_STARTED,
        recorded_at=timezone.now() - timedelta(hours=2),
    )
    assert silent in text_of(client_of(dee).get("/phones"))
    change(tracker, revoked_at=timezone.now())
    assert silent not in text_of(client_of(dee).get("/phones"))


def test_a_frozen_driver_is_hidden_and_the_phone_is_not(tracker: Phone, dee: User) -> None:
    quarantine(tracker, b"0")
    assert "1 in quarantine" in text_of(client_of(dee).get("/phones"))
    freeze_driver(tracker.driver)
    for path in ("/phones", page_of(tracker)):
        page = text_of(client_of(dee).get(path))
        assert "Samsung" in page
        assert "Ada" not in page
        assert str(tracker.driver.uuid) not in page
        assert "1 in quarantine" not in page


def test_revoked_phones_come_last(tracker: Phone, ben_phone: Phone, dee: User) -> None:
    change(tracker, name="A phone", revoked_at=timezone.now())
    change(ben_phone, name="Z phone")
    page = text_of(client_of(dee).get("/phones"))
    assert 0 < page.index("Z phone") < page.index("A phone")
    assert "Revoked" in page


def test_the_list_takes_as_many_queries_for_thirty_phones_as_for_one(
    tracker: Phone, dee: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(dee)
    client.get("/phones")
    for total in (1, 30):
        for _ in range(Device.objects.count(), total):
            quarantine(make_phone(tracker.driver), b"0")
        # The session, the user, their memberships; the count, the phones, who carries them,
        # marks, missions and quarantine.
        with django_assert_num_queries(9):
            page = text_of(client.get("/phones"))
        assert page.count("Ada Peeters") == total


def test_a_new_token_comes_in_the_settings_of_the_same_app_once(tracker: Phone, dee: User) -> None:
    answer = client_of(dee).post(f"{page_of(tracker)}/token")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Referrer-Policy"] == "no-referrer"
    page = text_of(answer)
    assert 'method="post"' not in page
    assert "<nav" not in page
    assert "locatorDisplacement" in page
    (token,) = set(TOKEN.findall(page))
    new = DeviceToken.objects.get(token_hash=secret_hash(token))
    assert (new.device_id, new.scope) == (tracker.device.pk, TokenScope.INGEST)
    old = DeviceToken.objects.get(token_hash=secret_hash(tracker.token))
    assert old.expires_at is not None
    assert timedelta(days=13) < old.expires_at - timezone.now() <= timedelta(days=14)
    assert not TOKEN.search(text_of(client_of(dee).get(page_of(tracker))))


def test_a_phone_whose_app_nobody_named_is_asked_for_it(tracker: Phone, dee: User) -> None:
    change(tracker, platform="")
    client, path = client_of(dee), f"{page_of(tracker)}/token"
    assert 'name="client"' in text_of(client.get(page_of(tracker)))
    for sent in ({}, {"client": "milepost"}):
        assert client.post(path, sent).status_code == 400
    assert DeviceToken.objects.filter(device=tracker.device).count() == 1
    assert "overland://setup" in text_of(client.post(path, {"client": "overland"}))
    assert Device.objects.get(pk=tracker.device.pk).platform == "overland"


def test_our_own_app_gets_its_token_from_nobody_here(ada_phone: Phone, dee: User) -> None:
    page = text_of(client_of(dee).get(page_of(ada_phone)))
    assert "Our own app" in page
    assert "/token" not in page
    assert "passphrase" not in page
    answer = client_of(dee).post(f"{page_of(ada_phone)}/token", {"client": "overland"})
    assert answer.status_code == 400
    assert DeviceToken.objects.filter(device=ada_phone.device).count() == 1


def test_a_phone_is_revoked_only_after_the_question(tracker: Phone, dee: User) -> None:
    client, path = client_of(dee), f"{page_of(tracker)}/revoke"
    assert "Revoke Samsung?" in text_of(client.get(path))
    assert Device.objects.get(pk=tracker.device.pk).revoked_at is None
    page = text_of(client.post(path, follow=True))
    assert "Samsung is shut out." in page
    assert Device.objects.get(pk=tracker.device.pk).revoked_at is not None
    one = text_of(client.get(page_of(tracker)))
    assert "Revoked: nothing it sends is taken." in one
    assert f'action="{page_of(tracker)}' not in one
    assert client.post(f"{page_of(tracker)}/token").status_code == 409
    sent = {"driver": str(tracker.driver.uuid), "passphrase": "open"}
    assert client.post(f"{page_of(tracker)}/hand-over", sent).status_code == 409
    assert client.post(f"{page_of(tracker)}/passphrase", sent).status_code == 409


def test_another_driver_carries_it_from_now_on(
    tracker: Phone, ben: Driver, cy_phone: Phone, dee: User
) -> None:
    client, path = client_of(dee), f"{page_of(tracker)}/hand-over"
    form = text_of(client.get(page_of(tracker)))
    assert str(ben.uuid) in form
    assert f'value="{tracker.driver.uuid}"' not in form
    for other in (tracker.driver, cy_phone.driver):
        assert client.post(path, {"driver": str(other.uuid)}).status_code == 400
    assert "carries this phone now" in text_of(
        client.post(path, {"driver": str(ben.uuid)}, follow=True)
    )
    assert "Ben" in words(text_of(client.get("/phones")))
    entry = AuditEntry.objects.get(action="device.handed_over")
    assert entry.detail["driver"] == str(ben.uuid)


def test_a_passphrase_is_kept_sealed_and_never_shown(tracker: Phone, dee: User) -> None:
    client, path = client_of(dee), f"{page_of(tracker)}/passphrase"
    assert client.post(path, {"passphrase": ""}).status_code == 400
    page = text_of(client.post(path, {"passphrase": " open sesame "}, follow=True))
    assert "A passphrase is kept" in page
    assert "sesame" not in page
    kept = Device.objects.get(pk=tracker.device.pk).payload_key
    assert kept is not None
    assert unseal(bytes(kept)) == " open sesame "
    assert "sesame" not in str(list(AuditEntry.objects.values("detail")))
    assert "is forgotten" in text_of(client.post(path, {"forget": "1"}, follow=True))
    assert Device.objects.get(pk=tracker.device.pk).payload_key is None


def test_only_an_app_that_encrypts_is_asked_for_a_passphrase(tracker: Phone, dee: User) -> None:
    client = client_of(dee)
    assert "passphrase" in text_of(client.get(page_of(tracker)))
    change(tracker, platform="traccar")
    assert "passphrase" not in text_of(client.get(page_of(tracker)))
    answer = client.post(f"{page_of(tracker)}/passphrase", {"passphrase": "open"})
    assert answer.status_code == 409


ACTIONS = ["token", "revoke", "hand-over", "passphrase"]


@pytest.mark.parametrize("action", ACTIONS)
def test_others_see_and_change_nothing(
    action: str, tracker: Phone, ben: Driver, cy: User, pat: User, dee: User
) -> None:
    sent = {"driver": str(ben.uuid), "passphrase": "open"}
    path = f"{page_of(tracker)}/{action}"
    assert "Samsung" in text_of(client_of(dee).get("/phones"))
    assert "Samsung" not in text_of(client_of(cy).get("/phones"))
    for look in ("/phones", page_of(tracker)):
        assert client_of(pat).get(look).status_code == 403
        assert "Samsung" not in text_of(client_of(pat).get(look))
        assert Client().get(look).status_code == 302
    assert client_of(cy).get(page_of(tracker)).status_code == 404
    assert client_of(cy).post(path, sent).status_code == 404
    assert client_of(pat).post(path, sent).status_code == 403
    assert Client().post(path, sent).status_code == 302
    assert client_of(dee).post(f"/phones/{uuid4()}/{action}", sent).status_code == 404
    if action != "revoke":
        assert client_of(dee).get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(dee)
    assert strict.post(path, sent).status_code == 403
    after = Device.objects.get(pk=tracker.device.pk)
    assert (after.revoked_at, after.payload_key) == (None, None)
    assert DeviceToken.objects.filter(device=after).count() == 1
    assert after.holdings.get().driver == tracker.driver


def test_the_navigation_is_for_those_who_may_see_positions(
    tracker: Phone, dee: User, max: User, pat: User
) -> None:
    for user in (dee, max):
        for path in ("/live", "/missions", "/manage"):
            page = text_of(client_of(user).get(path))
            assert f'href="{path}" aria-current="page"' in page
        for path in ("/phones", "/phones/new", "/quarantine"):
            page = text_of(client_of(user).get(path))
            assert 'href="/manage" aria-current="true"' in page
            assert page.count("aria-current=") == 1
    for path in ("/", "/phones"):
        assert "<nav" not in text_of(client_of(pat).get(path))
    assert "<nav" not in text_of(Client().get("/phones", follow=True))
