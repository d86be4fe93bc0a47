"""A mission's page and a shared stop in a real browser: map and rows, keys, paper, a consignee."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Driver, Employer, Look, User
from missions.models import Attachment, Mission, ShareLink, Site
from missions.stages import Stage
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import PASSWORD, WIDTHS, has_sideways_scroll, sign_in, signed_up
from tests.pages.test_mission_page import driven, put
from tests.pages.test_mission_timeline import stand_at
from tests.pages.test_shared_page import mission, share

__all__ = ["driven", "mission", "signed_up"]

pytestmark = pytest.mark.slow


@pytest.fixture
def begin() -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(hours=3)


@pytest.fixture
def sharing(acme: Employer) -> Employer:
    acme.is_share_enabled = True
    acme.save()
    return acme


@pytest.fixture
def files(settings: Any, live_site_environment: dict[str, str]) -> None:
    """Where the server looks for them."""
    settings.MEDIA_ROOT = Path(live_site_environment["VAR_DIR"]) / "media"


def opened(page: Page, mission: Mission) -> None:
    page.goto(f"/missions/{mission.uuid}")
    page.locator(".leaflet-overlay-pane canvas").wait_for(state="attached")


def current(page: Page) -> str:
    return str(page.locator("#timeline tr[aria-current]").get_attribute("id"))


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_line_and_keys_lead_to_each_other(
    open_window: OpenWindow, signed_up: User, driven: Mission, width: int
) -> None:
    Attachment.objects.update(thumbnail=Attachment.objects.get().file)

    def steps(page: Page) -> dict[str, Any]:
        sign_in(page)
        opened(page, driven)
        seen: dict[str, Any] = {"wide": has_sideways_scroll(page)}
        page.keyboard.press("j")
        seen["first"] = current(page)
        page.keyboard.press("j")
        page.keyboard.press("j")
        seen["third"] = current(page)
        page.keyboard.press("k")
        seen["second"] = current(page)
        page.keyboard.press("?")
        seen["help"] = page.locator("dialog[open]").inner_text()
        page.keyboard.press("Escape")
        # The line goes from corner to corner: its middle is that of the map.
        page.locator("#map").scroll_into_view_if_needed()
        page.locator("#map").click()
        seen["clicked"] = page.evaluate("document.activeElement.className")
        seen["said"] = page.locator(".leaflet-tooltip").first.inner_text()
        page.locator("h1").hover()
        seen["kept"] = page.locator("#timeline tr[aria-current]").get_attribute("class")
        return seen

    window = open_window(width=width)
    seen = window.do(steps)
    assert seen["wide"] is False
    assert (seen["first"], seen["third"], seen["second"]) == ("row-1", "row-3", "row-2")
    assert "Next row" in seen["help"]
    assert "is-move" in seen["clicked"]
    assert "Ada Peeters" in seen["said"]
    assert seen["said"][2] == ":"
    assert "is-move" in seen["kept"]
    assert window.inaccessible() == []


def test_paper_gets_the_drawn_map_and_the_timeline(
    open_window: OpenWindow, signed_up: User, driven: Mission
) -> None:
    def steps(page: Page) -> tuple[bool, bool, bool, bool]:
        sign_in(page)
        opened(page, driven)
        paper, canvas = page.locator(".paper svg.floor"), page.locator("#map")
        on_screen = (paper.is_visible(), canvas.is_visible())
        page.emulate_media(media="print")
        return (*on_screen, paper.is_visible(), canvas.is_visible())

    assert open_window().do(steps) == (False, True, True, False)


def test_a_dispatcher_shares_a_stop_and_a_consignee_follows_it(
    open_window: OpenWindow, signed_up: User, mission: Mission, ada: Driver
) -> None:
    def share(page: Page) -> str:
        sign_in(page)
        page.goto(f"/missions/{mission.uuid}")
        page.get_by_role("link", name="Share Bakkerij").click()
        page.get_by_label("About where the truck is").check()
        page.get_by_role("button", name="Make the link").click()
        return page.get_by_label("Send this to the consignee").input_value()

    window = open_window()
    link = window.do(share)
    assert window.inaccessible() == []

    def look(page: Page) -> tuple[str, list[Any], bool]:
        page.goto(link)
        page.get_by_text("near Mechelen").wait_for()
        return page.locator("main").inner_text(), page.context.cookies(), has_sideways_scroll(page)

    consignee = open_window(width=360)
    shown, cookies, is_too_wide = consignee.do(look)
    assert "on the way to this stop" in shown
    assert "There is no estimated time of arrival" in shown
    assert "Ada" not in shown
    assert (cookies, is_too_wide) == ([], False)
    assert consignee.inaccessible() == []
    assert Look.objects.get().actor == ShareLink.objects.get().uuid

    def take_back(page: Page) -> str:
        page.get_by_role("link", name="All links to this stop").click()
        page.get_by_role("link", name="Take back").click()
        page.get_by_role("button", name="Take it back").click()
        return page.locator("main").inner_text()

    assert "taken back" in window.do(take_back)

    def look_again(page: Page) -> int:
        answer = page.goto(link)
        assert answer is not None
        return answer.status

    blind = open_window(java_script_enabled=False)
    # A refusal is an answer that the console notes, too.
    assert blind.do(look_again) == 404
    blind.problems.clear()


def test_a_shared_stop_asks_for_news_by_itself_without_counting_as_a_view(
    open_window: OpenWindow, mission: Mission, ada: Driver, dee: User, begin: datetime
) -> None:
    path = share(mission, dee)

    def open_it(page: Page) -> None:
        page.clock.install()
        page.goto(path)
        page.get_by_text("near Mechelen").wait_for()

    def later(page: Page) -> str:
        page.clock.run_for(121_000)
        page.get_by_text("The driver has arrived").wait_for()
        return page.locator("main").inner_text()

    window = open_window(width=390, color_scheme="dark")
    window.do(open_it)
    assert window.inaccessible() == []
    put(mission, ada, mission.stops.get(seq=2), Stage.ARRIVAL, begin + timedelta(minutes=101))
    assert "Mechelen" not in window.do(later)
    assert ShareLink.objects.get().views == 1


def test_a_site_is_moved_by_keyboard_after_a_look_at_both_points(
    open_window: OpenWindow, signed_up: User, driven: Mission, ada: Driver, begin: datetime
) -> None:
    stand_at(driven, ada, begin, 4)

    def ask(page: Page) -> str:
        sign_in(page)
        page.goto(f"/missions/{driven.uuid}")
        page.get_by_role("link", name="Move the site here?").click()
        return page.locator("main").inner_text()

    def confirm(page: Page) -> str:
        page.get_by_role("button", name="Move the site here").focus()
        page.keyboard.press("Enter")
        page.get_by_text("was moved by").wait_for()
        return page.locator("main").inner_text()

    window = open_window(width=390)
    assert "stay as they were measured" in window.do(ask)
    assert window.inaccessible() == []
    assert "site moved to where drivers stood" in window.do(confirm)
    assert Site.objects.get(name="Bakkerij De Halm").latitude != 51.05


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_it_speaks_dutch_and_french(
    open_window: OpenWindow, signed_up: User, driven: Mission, mission: Mission, language: str
) -> None:
    path = share(mission, signed_up)
    words = {"nl": ("Gepland", "Werkelijk"), "fr": ("Prévu", "Réel")}[language]

    def steps(page: Page) -> tuple[str, str, bool]:
        page.goto(f"/accounts/login/?next=/missions/{driven.uuid}")
        page.locator("input[name=login]").fill("dee@acme.example")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.locator("#timeline").wait_for()
        own = page.locator("#timeline thead").inner_text()
        page.goto(path)
        return own, page.locator("main").inner_text(), has_sideways_scroll(page)

    own, shared, is_too_wide = open_window(width=390, locale=f"{language}-BE").do(steps)
    assert all(word in own for word in words)
    assert words[0] in shared
    assert is_too_wide is False
