"""What a dispatcher does with the days and months of drivers and trucks, in a real browser."""

from datetime import date

import pytest
from playwright.sync_api import Page

from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission
from tests.cast import Phone, assign, put_fixes
from tests.pages.conftest import OpenWindow
from tests.pages.test_day_page import DAY, dutiful, worked
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, keep_picture, signed_up
from tests.tracking.reading import at, drive, mark

__all__ = ["dutiful", "signed_up", "worked"]

pytestmark = pytest.mark.slow
WIDTHS = [390, 1440]


@pytest.fixture
def busy(
    transactional_db: None, signed_up: User, worked: Mission, ada_phone: Phone, truck12: Truck
) -> Driver:
    """Ada's day, the day before and one in October; the truck was hers all along."""
    ada = ada_phone.driver
    assign(truck12, ada, None)
    for begin in (-24 * 60, -30 * 24 * 60):
        mark(ada, at(begin - 5), "duty_started")
        mark(ada, at(begin + 45), "duty_ended")
        put_fixes(ada_phone, drive(begin, begin + 40), truck=truck12)
    return ada


def open_page(page: Page, path: str) -> None:
    """Sign in on the way."""
    page.goto(path)
    page.locator("[type=email], [name=login]").first.fill("dee@acme.example")
    page.locator("[type=password]").fill(PASSWORD)
    page.locator("main [type=submit]").click()
    page.locator("main h1").wait_for()
    page.wait_for_url(f"**{path}")


def day_path(driver: Driver) -> str:
    return f"/drivers/{driver.uuid}/day?date={DAY}"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_bar_and_its_row_point_at_each_other(
    open_window: OpenWindow, busy: Driver, width: int
) -> None:
    def steps(page: Page) -> tuple[str, list[str], str, bool]:
        open_page(page, day_path(busy))
        page.locator(".leaflet-overlay-pane canvas").wait_for(state="attached")
        keep_picture(page, f"driver-day-{width}")
        loading = page.locator(".day-bars .part.is-loading")
        loading.first.click()
        row = page.evaluate("document.activeElement.id")
        page.locator(f'.day-bars .pointed[data-row="{row}"]').first.wait_for()
        pointed = page.locator(".day-bars .part.pointed").evaluate_all(
            "parts => parts.map((part) => part.dataset.row)"
        )
        current = page.locator("#timeline tr[aria-current]").inner_text()
        return row, pointed, current, has_sideways_scroll(page)

    window = open_window(width=width)
    row, pointed, current, is_too_wide = window.do(steps)
    assert row
    assert set(pointed) == {row}
    assert "At a stop" in current
    assert not is_too_wide
    assert window.inaccessible() == []


def test_single_keys_lead_through_the_days(open_window: OpenWindow, busy: Driver) -> None:
    def steps(page: Page) -> list[str]:
        open_page(page, day_path(busy))
        met = []
        for key, heading in (("p", "23 November"), ("n", "24 November"), ("m", "November 2026")):
            page.keyboard.press(key)
            page.locator(".head", has_text=heading).wait_for()
            met.append(page.url.partition("?")[2])
        page.keyboard.press("p")
        page.locator(".head", has_text="October 2026").wait_for()
        met.append(page.url.partition("?")[2])
        page.keyboard.press("?")
        met.append(page.locator("dialog[open] dl").inner_text())
        return met

    *met, listed = open_window().do(steps)
    assert met == ["date=2026-11-23", "date=2026-11-24", "month=2026-11", "month=2026-10"]
    assert "The next month" in listed


@pytest.mark.parametrize("width", WIDTHS)
def test_a_trucks_day_leads_to_its_drivers(
    open_window: OpenWindow, busy: Driver, truck12: Truck, width: int
) -> None:
    def look(page: Page) -> tuple[str, bool, int]:
        open_page(page, f"/trucks/{truck12.uuid}/day?date={DAY}")
        page.locator(".mission-mark").wait_for()
        keep_picture(page, f"truck-day-{width}")
        lanes = page.locator(".day-bars .block title").all_text_contents()
        return " ".join(lanes), has_sideways_scroll(page), page.locator(".mission-mark").count()

    def follow(page: Page) -> str:
        page.locator("#timeline").get_by_role("link", name="Ada Peeters").click()
        page.get_by_role("heading", name="Ada Peeters").wait_for()
        return page.url

    window = open_window(width=width)
    lanes, is_too_wide, marks = window.do(look)
    assert "Ada Peeters" in lanes
    assert "1. TMS-1" in lanes
    assert (is_too_wide, marks) == (False, 1)
    assert window.inaccessible() == []
    assert window.do(follow).endswith(day_path(busy))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_month_shows_its_days_and_gives_them_as_a_file(
    open_window: OpenWindow, busy: Driver, width: int, scheme: str
) -> None:
    def steps(page: Page) -> tuple[str, str, bool, str]:
        open_page(page, f"/drivers/{busy.uuid}/month?month=2026-11")
        keep_picture(page, f"month-{scheme}-{width}")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        table, chart = page.locator("table.month"), page.locator("svg.chart")
        return (
            table.inner_text(),
            " ".join(chart.locator(".part title").all_text_contents()),
            has_sideways_scroll(page),
            download.value.suggested_filename,
        )

    window = open_window(width=width, color_scheme=scheme)
    table, chart, is_too_wide, name = window.do(steps)
    assert "Tue 24 Nov" in table
    assert "Mon 23 Nov: Driving 39 min" in chart
    assert not is_too_wide
    assert name == f"driver-{busy.uuid}-2026-11.csv"
    assert window.inaccessible() == []


def test_without_scripts_a_day_says_and_draws_it_all(open_window: OpenWindow, busy: Driver) -> None:
    def steps(page: Page) -> tuple[str, int, int, str]:
        open_page(page, day_path(busy))
        return (
            page.locator(".totals").inner_text(),
            page.locator(".day-bars .part.is-move").count(),
            page.locator("#map svg .driven.mission-1").count(),
            page.locator("#map svg .label text").text_content() or "",
        )

    totals, moves, lines, number = open_window(java_script_enabled=False).do(steps)
    assert "Loading or unloading 30 min" in totals
    assert moves >= 2
    assert (lines, number) == (1, "1")


@pytest.mark.parametrize(
    ("language", "driving", "month", "together"),
    [("nl", "Rijden", "november 2026", "Samen"), ("fr", "Conduite", "novembre 2026", "Ensemble")],
)
def test_days_and_months_speak_dutch_and_french(
    open_window: OpenWindow, busy: Driver, language: str, driving: str, month: str, together: str
) -> None:
    def steps(page: Page) -> tuple[str, str, str]:
        open_page(page, day_path(busy))
        totals = page.locator(".totals").inner_text()
        page.goto(f"/drivers/{busy.uuid}/month?month=2026-11")
        return totals, page.locator(".head").inner_text(), page.locator("tfoot").inner_text()

    window = open_window(locale=language)
    totals, head, sums = window.do(steps)
    assert driving in totals
    assert month in head.lower()
    assert together in sums


def test_an_empty_day_and_month_stand_on_their_own(
    open_window: OpenWindow, acme: Employer, busy: Driver, truck34: Truck
) -> None:
    today = date.today().isoformat()  # noqa: DTZ011 (any day without data)

    def steps(page: Page) -> tuple[str, str]:
        open_page(page, f"/trucks/{truck34.uuid}/day?date={today}")
        empty = page.locator("main").inner_text()
        page.goto(f"/trucks/{truck34.uuid}/month?month=2026-11")
        return empty, page.locator("main").inner_text()

    window = open_window(width=360)
    day, month = window.do(steps)
    assert "Nobody had this truck on this day" in day
    assert "Days with data" in month
    assert window.inaccessible() == []
