"""Setting up a phone: what is shown once, to whom, and what a link does before a tap."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Device, DeviceToken, Driver, Employer, PairingCode, TokenScope, User
from accounts.secrets import secret_hash
from tests.cast import Phone, put_fixes
from tests.pages.test_pages import client_of, text_of
from tracking.models import QuarantinedFix, UnstoredCount
from tracking.phone_clients import CLIENTS, PhoneClient

TOKEN = re.compile(r"mpd_[A-Za-z0-9_-]{43}")
LINK = re.compile(r"http://testserver(/phones/link/[a-z0-9-]+/[0-9A-Z]{8})")


def asked(driver: Driver, client: str = "traccar", **more: str) -> dict[str, str]:
    return {"driver": str(driver.uuid), "client": client, "name": "Samsung", **more}


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
def test_each_app_gets_a_token_that_opens_ingest_alone_shown_once(
    client: object, ada: Driver, dee: User
) -> None:
    slug = client.slug  # type: ignore[attr-defined]
    page = client_of(dee).post("/phones/new", asked(ada, slug, here="1"))
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store, private"
    assert page["Referrer-Policy"] == "no-referrer"
    (token,) = {*TOKEN.findall(text_of(page))} - {""} or {""}
    row = DeviceToken.objects.get(token_hash=secret_hash(token))
    assert row.scope == TokenScope.INGEST
    assert row.device.holdings.get().driver == ada


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
@pytest.mark.parametrize("how", ["here", "link"])
def test_a_phone_remembers_its_app_however_it_was_set_up(
    client: PhoneClient, how: str, ada: Driver, dee: User
) -> None:
    page = text_of(client_of(dee).post("/phones/new", asked(ada, client.slug, **{how: "1"})))
    if how == "link":
        found = LINK.search(page)
        assert found
        assert Client().post(found[1]).status_code == 200
    assert Device.objects.get().platform == client.slug


def test_nothing_is_made_by_looking_at_the_form(ada: Driver, dee: User) -> None:
    assert "Ada Peeters" in text_of(client_of(dee).get("/phones/new"))
    assert Device.objects.count() == 0


def test_a_frozen_driver_is_not_in_the_form(ada: Driver, ben: Driver, dee: User) -> None:
    freeze_driver(ada)
    page = text_of(client_of(dee).get("/phones/new"))
    assert "Ben" in page
    assert "Ada Peeters" not in page
    refused = client_of(dee).post("/phones/new", asked(ada, here="1"))
    assert refused.status_code == 400
    assert Device.objects.count() == 0


def test_another_employers_driver_cannot_be_chosen(cy_phone: Phone, dee: User) -> None:
    refused = client_of(dee).post("/phones/new", asked(cy_phone.driver, here="1"))
    assert refused.status_code == 400


def test_a_dpo_and_nobody_set_up_no_phone(ada: Driver, pat: User) -> None:
    assert client_of(pat).post("/phones/new", asked(ada, here="1")).status_code == 403
    assert Client().post("/phones/new", asked(ada, here="1")).status_code == 302
    assert Device.objects.count() == 0


def link_for(dee: User, ada: Driver) -> str:
    page = text_of(client_of(dee).post("/phones/new", asked(ada, "overland", link="1")))
    found = LINK.search(page)
    assert found
    return found[1]


def test_a_preview_of_the_link_spends_nothing_and_a_tap_spends_it_once(
    ada: Driver, dee: User
) -> None:
    link = link_for(dee, ada)
    for _ in range(3):
        shown = Client().get(link)
        assert shown.status_code == 200
        assert not TOKEN.search(text_of(shown))
    assert PairingCode.objects.get().used_at is None
    tapped = Client().post(link)
    assert TOKEN.search(text_of(tapped))
    assert "overland://setup" in text_of(tapped)
    assert tapped["Referrer-Policy"] == "no-referrer"  # the tapped page holds the token
    again = Client().post(link)
    assert again.status_code == 400
    assert not TOKEN.search(text_of(again))


def test_a_code_for_our_own_app_buys_nothing_at_a_link(ada: Driver, dee: User) -> None:
    page = text_of(client_of(dee).post("/phones/new", asked(ada, "milepost")))
    found = re.search(r'class="big">([0-9A-Z]{4})-([0-9A-Z]{4})<', page)
    assert found
    refused = Client().post(f"/phones/link/overland/{found[1]}{found[2]}")
    assert refused.status_code == 400
    assert (
        Client()
        .post("/api/v1/pairing", {"code": found[1] + found[2]}, "application/json")
        .status_code
        == 201
    )


def test_guessing_links_is_bounded(db: None) -> None:
    answers = [Client().post("/phones/link/overland/ZZZZZZZZ").status_code for _ in range(11)]
    assert answers[:10] == [400] * 10
    assert answers[10] == 429


def test_the_page_waits_until_the_first_fix_is_there(ada_phone: Phone, dee: User) -> None:
    url = f"/phones/{ada_phone.device.uuid}/first-fix"
    waiting = text_of(client_of(dee).get(url))
    assert "Nothing has come in yet" in waiting
    assert "every 3s" in waiting
    put_fixes(ada_phone, [(timezone.now() - timedelta(minutes=2), 51.05, 3.72)])
    there = text_of(client_of(dee).get(url))
    assert "We have received your first fix" in there
    assert "every 3s" not in there
    assert "51.05" not in there


def test_the_page_says_why_nothing_is_stored(ada_phone: Phone, dee: User) -> None:
    UnstoredCount.objects.create(
        employer=ada_phone.driver.employer,
        device=ada_phone.device,
        day_on=timezone.now().date(),
        reason="outside_window",
        count=3,
    )
    page = text_of(client_of(dee).get(f"/phones/{ada_phone.device.uuid}/first-fix"))
    assert "3 fixes came outside the tracking window" in page


def test_the_page_does_not_say_that_a_driver_is_frozen(ada_phone: Phone, dee: User) -> None:
    employer, device = ada_phone.driver.employer, ada_phone.device
    day_on = timezone.now().date()
    for reason in ("driver_frozen", "place_missing"):
        UnstoredCount.objects.create(
            employer=employer, device=device, day_on=day_on, reason=reason, count=3
        )
    QuarantinedFix.objects.create(
        employer=employer, device=device, driver=ada_phone.driver, payload=b"x", payload_hash=b"x",
        dialect="osmand", reason="place_missing",
    )  # fmt: skip
    path = f"/phones/{device.uuid}/first-fix"
    assert "in quarantine" in text_of(client_of(dee).get(path))
    freeze_driver(ada_phone.driver)
    page = text_of(client_of(dee).get(path))
    assert "place_missing" in page
    assert "driver_frozen" not in page
    assert "in quarantine" not in page


def test_a_name_with_spaces_reaches_the_app_as_it_is() -> None:
    for client in CLIENTS:
        link = client.setup("https://mp.example", "mpd_x", "Téléphone: 12 + 1").link
        if (link and "device_id=" in link) or (link and "?id=" in link):
            assert "T%C3%A9l%C3%A9phone%3A%2012%20%2B%201" in link


def test_the_page_of_a_link_follows_the_phone_that_spent_it(ada: Driver, dee: User) -> None:
    link = link_for(dee, ada)
    url = f"/phones/codes/{PairingCode.objects.get().uuid}/first-fix"
    assert "Nobody has used the code" in text_of(client_of(dee).get(url))
    Client().post(link)
    assert "Nothing has come in yet" in text_of(client_of(dee).get(url))


def test_another_employers_phone_is_not_there(
    ada_phone: Phone, cy: User, pat: User, acme: Employer
) -> None:
    url = f"/phones/{ada_phone.device.uuid}/first-fix"
    assert client_of(cy).get(url).status_code == 404
    assert client_of(pat).get(url).status_code == 403
    assert Client().get(url).status_code == 302
    assert client_of(cy).get(f"/phones/codes/{uuid4()}/first-fix").status_code == 404
