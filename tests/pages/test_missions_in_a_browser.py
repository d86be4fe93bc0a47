"""The missions of a day and one of them, in a real browser at two widths."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import User
from missions.models import Attachment, Mission, MissionStatus, StageEvent
from missions.stages import Stage
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import (
    WIDTHS,
    has_sideways_scroll,
    keep_picture,
    sign_in,
    signed_up,
)
from tests.pages.test_mission_page import begin, driven, put

__all__ = ["begin", "driven", "signed_up"]

pytestmark = pytest.mark.slow


@pytest.fixture
def files(settings: Any, live_site_environment: dict[str, str]) -> None:
    """Where the server looks for them."""
    settings.MEDIA_ROOT = Path(live_site_environment["VAR_DIR"]) / "media"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_dispatcher_finds_a_mission_and_reads_it(
    open_window: OpenWindow, signed_up: User, driven: Mission, width: int
) -> None:
    Attachment.objects.update(thumbnail=Attachment.objects.get().file)

    def steps(page: Page) -> tuple[str, str, list[bool]]:
        sign_in(page)
        page.goto("/missions?from=&to=")
        is_too_wide = [has_sideways_scroll(page)]
        keep_picture(page, f"missions-{width}")
        listed = page.locator("table.missions").inner_text()
        page.get_by_role("link", name="Antwerpen - Gent").click()
        page.get_by_role("heading", name="Antwerpen - Gent").wait_for()
        page.locator(".leaflet-land-pane canvas").wait_for(state="attached")
        page.evaluate(
            "Promise.all([...document.querySelectorAll('.pictures img')].map((i) => i.decode()))"
        )
        keep_picture(page, f"mission-{width}")
        is_too_wide.append(has_sideways_scroll(page))
        return listed, page.locator("main").inner_text(), is_too_wide

    listed, shown, is_too_wide = open_window(width=width).do(steps)
    assert "late: 5 min after the last moment" in listed
    assert "2 of 2" in listed
    for said in ("20 min late", "unloading 20 min", "Żaneta Kowalska", "4 pallet flour"):
        assert said in shown, said
    assert is_too_wide == [False, False]


def test_the_list_is_filtered_without_any_script(
    open_window: OpenWindow, signed_up: User, driven: Mission
) -> None:
    def steps(page: Page) -> tuple[str, str, str]:
        sign_in(page)
        page.goto("/missions?from=&to=")
        page.get_by_text("More filters").click()
        page.get_by_label("a stop failed").check()
        page.get_by_role("button", name="Show").click()
        empty, url = page.locator("main").inner_text(), page.url
        keep_picture(page, "missions-none-1440")
        page.get_by_role("link", name="Clear the filters").first.click()
        page.get_by_label("From", exact=True).fill("")
        page.get_by_label("Reference, site or address").fill("veldstraat")
        page.get_by_role("button", name="Show").click()
        return empty, url, page.locator("main").inner_text()

    window = open_window(java_script_enabled=False)
    empty, url, found = window.do(steps)
    assert "No mission matches" in empty
    assert "failed=1" in url
    assert "Antwerpen - Gent" in found


def test_a_row_and_the_map_point_at_each_other(
    open_window: OpenWindow, signed_up: User, driven: Mission
) -> None:
    def steps(page: Page) -> tuple[str, int, str]:
        sign_in(page)
        page.goto(f"/missions/{driven.uuid}")
        page.locator(".leaflet-overlay-pane canvas").wait_for(state="attached")
        row = page.locator("#timeline tr.is-move").first
        row.focus()
        current = row.get_attribute("aria-current") or ""
        pointed = page.locator("#timeline tr[aria-current]").count()
        page.locator("h1").click()
        # The line goes from corner to corner: its middle is that of the map.
        page.locator("#map").click()
        clicked = page.evaluate("document.activeElement.className")
        return current, pointed, str(clicked)

    current, pointed, clicked = open_window().do(steps)
    assert (current, pointed) == ("true", 1)
    assert "is-move" in clicked


def test_what_comes_in_appears_by_itself(
    open_window: OpenWindow, signed_up: User, driven: Mission
) -> None:
    Mission.objects.update(status=MissionStatus.STARTED, ended_at=None)
    event = StageEvent.objects.filter(stage=Stage.UNLOADING_STARTED).get()

    def opened(page: Page) -> None:
        sign_in(page)
        page.clock.install()
        page.goto(f"/missions/{driven.uuid}")
        page.locator("#timeline tr").first.wait_for()

    def later(page: Page) -> tuple[str, int]:
        page.clock.run_for(16_000)
        page.get_by_text("Waiting began", exact=True).wait_for()
        with page.expect_response(lambda answer: answer.url.endswith("/now")) as same:
            page.clock.run_for(16_000)
        return page.locator("#timeline").inner_text(), same.value.status

    window = open_window()
    window.do(opened)
    assert event.driver is not None
    assert event.stop is not None
    put(driven, event.driver, event.stop, Stage.WAITING_STARTED, event.recorded_at)
    timeline, status = window.do(later)
    assert "Waiting began" in timeline
    assert status == 304
