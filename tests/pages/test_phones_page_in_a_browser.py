"""The phones in a real browser: on a wide screen and on a phone, with the keyboard too."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Device, Driver, TokenScope, User
from tests.cast import Phone, make_phone
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, keep_picture, sign_in
from tests.pages.test_quarantine_pages import quarantine
from tracking.partitions import make_partitions

pytestmark = pytest.mark.slow


@pytest.fixture
def signed_up(transactional_db: None, dee: User) -> User:
    dee.set_password(PASSWORD)
    dee.save()
    make_partitions()
    return dee


def put(driver: Driver, name: str, slug: str, minutes: int, **values: object) -> Phone:
    phone = make_phone(driver, scope=TokenScope.INGEST)
    seen_at = timezone.now() - timedelta(minutes=minutes)
    Device.objects.filter(pk=phone.device.pk).update(
        name=name, platform=slug, last_seen_at=seen_at, **values
    )
    return phone


@pytest.fixture
def phones(signed_up: User, ada: Driver, ben: Driver, ada_phone: Phone) -> Phone:
    """Four of off-the-shelf apps and one of our own; the one with OwnTracks is the worst."""
    said_at = timezone.now().isoformat()
    put(
        ben,
        "Samsung of truck 34",
        "traccar",
        2,
        health={"battery": 0.82, "permission": "always", "app_version": "10.1.2", "at": said_at},
    )
    put(ben, "Old iPhone", "overland", 4000, revoked_at=timezone.now())
    put(
        ada,
        "Fairphone",
        "gpslogger",
        1,
        health={"battery": 0.08, "is_charging": True, "at": said_at},
    )
    worst = put(
        ada,
        "Samsung of truck 12",
        "owntracks-android",
        47,
        health={
            "battery": 0.11,
            "permission": "while_in_use",
            "is_location_on": False,
            "app_version": "2.5.1",
            "at": said_at,
        },
    )
    for n in range(3):
        quarantine(worst, b"%d" % n)
    return worst  # fmt: skip


@pytest.mark.parametrize("width", [390, 1440])
def test_a_dispatcher_looks_after_a_phone(
    open_window: OpenWindow, phones: Phone, ben: Driver, width: int
) -> None:
    def look(page: Page) -> None:
        sign_in(page)
        page.get_by_role("navigation").get_by_role("link", name="Manage").focus()
        page.keyboard.press("Enter")
        page.get_by_role("main").get_by_role("link", name="Phones").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Phones").wait_for()
        keep_picture(page, f"phones-{width}")
        assert not has_sideways_scroll(page)
        page.get_by_role("link", name="Samsung of truck 12").click()
        page.get_by_role("heading", name="Encryption").wait_for()
        keep_picture(page, f"phone-one-{width}")
        assert not has_sideways_scroll(page)
        page.get_by_label("Passphrase of the app").fill("open sesame")
        page.get_by_role("button", name="Keep the passphrase").click()
        page.get_by_text("The passphrase is kept.").wait_for()
        page.get_by_label("New driver").select_option(str(ben.uuid))
        page.get_by_role("button", name="Hand over").click()
        page.get_by_text("carries this phone now").wait_for()
        page.get_by_role("button", name="Show the settings with a new token").click()
        page.get_by_text("The old token works until").wait_for()
        keep_picture(page, f"phone-new-token-{width}")
        assert not has_sideways_scroll(page)
        page.get_by_role("link", name="Back to the phone").click()
        page.get_by_role("link", name="Revoke this phone").click()
        page.get_by_role("heading", name="Revoke Samsung of truck 12?").wait_for()
        keep_picture(page, f"phone-revoke-{width}")
        page.get_by_role("button", name="Revoke").click()
        page.get_by_text("Samsung of truck 12 is shut out.").wait_for()

    open_window(width=width).do(look)
    assert Device.objects.get(pk=phones.device.pk).revoked_at is not None


@pytest.mark.parametrize("locale", ["nl-BE", "fr-BE"])
def test_the_phones_in_dutch_and_french(
    open_window: OpenWindow, phones: Phone, locale: str
) -> None:
    def look(page: Page) -> str:
        page.goto("/phones")
        page.locator("input[name=login]").fill("dee@acme.example")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.locator("table.phones").wait_for()
        keep_picture(page, f"phones-{locale}")
        assert not has_sideways_scroll(page)
        return page.locator("body").inner_text()

    text = open_window(width=390, locale=locale).do(look)
    for english in ("Phones", "Battery", "nobody", "Location", "in quarantine", "Revoked"):
        assert english not in text
