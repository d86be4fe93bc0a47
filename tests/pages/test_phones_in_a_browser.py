"""A dispatcher sets up a phone in a real browser, and sees its first fix come in."""

import re
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Page

from accounts.models import Driver, User
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, keep_picture, sign_in
from tracking.partitions import make_partitions

pytestmark = pytest.mark.slow


@pytest.fixture
def signed_up(transactional_db: None, dee: User) -> User:
    dee.set_password(PASSWORD)
    dee.save()
    make_partitions()
    return dee


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_of_a_phone_notices_its_first_fix(
    open_window: OpenWindow, live_site: str, signed_up: User, ada: Driver, width: int
) -> None:
    def set_up(page: Page) -> str:
        sign_in(page)
        page.goto("/phones/new")
        page.get_by_label("Driver").select_option(str(ada.uuid))
        page.get_by_label("App on the phone").select_option("traccar")
        page.get_by_label("Name of the phone").fill("Samsung of truck 12")
        keep_picture(page, f"phone-form-{width}")
        page.get_by_role("button", name="Show the code here").click()
        page.get_by_text("Nothing has come in yet").wait_for()
        keep_picture(page, f"phone-ready-{width}")
        assert not has_sideways_scroll(page)
        return page.content()

    window = open_window(width=width)
    found = re.search(r"mpd_[A-Za-z0-9_-]{43}", window.do(set_up))
    assert found
    fix = {
        "recorded_at": datetime.now(UTC).isoformat(),
        "latitude": 51.05,
        "longitude": 3.72,
    }
    answer = httpx.post(
        f"{live_site}/ingest/v1/fixes",
        json={"fixes": [fix]},
        headers={"Authorization": f"Bearer {found[0]}"},
    )
    assert answer.json()["stored"] == 1, answer.text

    def wait(page: Page) -> None:
        page.get_by_text("We have received your first fix.").wait_for()
        keep_picture(page, f"phone-heard-{width}")

    window.do(wait)


@pytest.mark.parametrize("locale", ["nl-BE", "fr-BE"])
def test_a_driver_taps_the_link_on_a_phone(
    open_window: OpenWindow, signed_up: User, ada: Driver, locale: str
) -> None:
    def make_link(page: Page) -> str:
        sign_in(page)
        page.goto("/phones/new")
        page.get_by_label("Driver").select_option(str(ada.uuid))
        page.get_by_label("App on the phone").select_option("owntracks-android")
        page.get_by_label("Name of the phone").fill("Samsung")
        page.get_by_role("button", name="Make a link to send").click()
        page.get_by_text("Nobody has used the code yet").wait_for()
        keep_picture(page, "phone-link")
        return page.locator("main code").inner_text()

    link = open_window().do(make_link)

    def tap(page: Page) -> str:
        page.goto(link)
        keep_picture(page, f"phone-tap-{locale}")
        page.locator("main form button").click()
        page.locator("table.settings").wait_for()
        keep_picture(page, f"phone-driver-{locale}")
        assert not has_sideways_scroll(page)
        return page.locator("main").inner_text()

    assert "locatorDisplacement" in open_window(width=390, locale=locale).do(tap)
