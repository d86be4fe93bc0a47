"""What a dispatcher does with the first pages, in a real browser at two widths."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from playwright.sync_api import Page

from accounts.duty_marks import DutyMarkKind
from accounts.models import Driver, DutyMark, Truck, User
from tests.cast import Phone, put_fixes
from tests.pages.conftest import OpenWindow

pytestmark = pytest.mark.slow

PASSWORD = "a long enough one"
WIDTHS = [390, 1440]


@pytest.fixture
def moment() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def signed_up(dee: User) -> User:
    dee.set_password(PASSWORD)
    dee.save()
    return dee


@pytest.fixture
def drives(
    transactional_db: None, signed_up: User, ada_phone: Phone, truck12: Truck, moment: datetime
) -> Driver:
    """Ada drives from Ghent towards Antwerp and was seen two minutes ago."""
    # Seen 130 s ago: its age in minutes stays the same for the next 50 s.
    begin = moment - timedelta(minutes=22, seconds=10)
    DutyMark.objects.create(
        employer=ada_phone.driver.employer,
        driver=ada_phone.driver,
        kind=DutyMarkKind.DUTY_STARTED,
        recorded_at=begin - timedelta(minutes=1),
    )
    points = [(begin, 51.05, 3.72, "departure")]
    points += [
        (
            begin + timedelta(minutes=minute),
            51.05 + minute * 0.004,
            3.72 + minute * 0.006,
            "distance",
        )
        for minute in range(1, 21)
    ]
    put_fixes(ada_phone, points, truck=truck12)
    return ada_phone.driver


def sign_in(page: Page, path: str = "/") -> None:
    """Ask for a page, sign in, and be there."""
    page.goto(path)
    page.get_by_label("E-mail address").fill("dee@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1, name={"/": "Today", "/live": "Fleet"}[path]).wait_for()


def has_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def keep_picture(page: Page, name: str) -> None:
    """For people to look at; the folder is not committed."""
    folder = Path(settings.VAR_DIR) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_dispatcher_signs_in_and_sees_the_fleet(
    open_window: OpenWindow, drives: Driver, width: int
) -> None:
    def steps(page: Page) -> tuple[str, int, bool]:
        sign_in(page, "/live")
        page.locator(".pin").first.wait_for()
        page.locator(".leaflet-land-pane canvas").wait_for(state="attached")
        keep_picture(page, f"fleet-{width}")
        return (
            page.locator("#fleet").inner_text(),
            page.locator(".pin").count(),
            has_sideways_scroll(page),
        )

    text, pins, is_too_wide = open_window(width=width).do(steps)
    assert "Ada Peeters" in text
    assert "1-TRK-012" in text
    assert re.search(r"2 min ago|3 min ago", text)
    assert pins == 1
    assert not is_too_wide


@pytest.mark.parametrize("width", WIDTHS)
def test_the_keyboard_opens_a_drivers_day(
    open_window: OpenWindow, drives: Driver, moment: datetime, width: int
) -> None:
    zone = ZoneInfo(drives.employer.timezone)
    began_on = (moment - timedelta(minutes=22, seconds=10)).astimezone(zone).date()

    def steps(page: Page) -> tuple[str, str, bool]:
        sign_in(page, "/live")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('a.driver')"):
                break
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Ada Peeters").wait_for()
        page.locator(".leaflet-overlay-pane canvas").wait_for(state="attached")
        keep_picture(page, f"day-{width}")
        url = page.url
        if began_on != moment.astimezone(zone).date():
            page.goto(f"{url}?date={began_on}")  # run just after midnight
        return url, page.locator("#timeline").inner_text(), has_sideways_scroll(page)

    url, timeline, is_too_wide = open_window(width=width).do(steps)
    assert url.endswith(f"/drivers/{drives.uuid}/day")
    assert "Departure" in timeline
    assert "Driving" in timeline
    assert not is_too_wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_colour_schemes(
    open_window: OpenWindow, drives: Driver, scheme: str
) -> None:
    def steps(page: Page) -> list[float]:
        sign_in(page, "/live")
        return [
            contrast(page, selector) for selector in (".facts td", ".facts .age", ".facts a", "h1")
        ]

    assert min(open_window(color_scheme=scheme).do(steps)) >= 4.5


def test_a_wrong_password_is_said_and_keeps_the_address(
    open_window: OpenWindow, signed_up: User
) -> None:
    def steps(page: Page) -> tuple[str, str]:
        page.goto("/")
        page.get_by_label("E-mail address").fill("dee@acme.example")
        page.get_by_label("Password").fill("not this one")
        page.get_by_role("button", name="Sign in").click()
        alert = page.get_by_role("alert")
        alert.wait_for()
        return alert.inner_text(), page.get_by_label("E-mail address").input_value()

    said, address = open_window().do(steps)
    assert "not correct" in said
    assert address == "dee@acme.example"


def test_signing_out_closes_the_pages(open_window: OpenWindow, drives: Driver) -> None:
    def steps(page: Page) -> str:
        sign_in(page)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        page.goto(f"/drivers/{drives.uuid}/day")
        return page.get_by_role("heading").first.inner_text()

    assert open_window().do(steps) == "Sign in"


def test_without_scripts_the_tables_say_it_all_and_a_drawing_shows_it(
    open_window: OpenWindow, drives: Driver
) -> None:
    def steps(page: Page) -> tuple[str, str, str, int]:
        sign_in(page, "/live")
        fleet = page.locator("#fleet").inner_text()
        named = page.locator("#map svg .moving text").text_content() or ""
        page.get_by_role("link", name="Ada Peeters").click()
        lines = page.locator("#map svg .driven").count()
        return fleet, page.locator("#timeline").inner_text(), named, lines

    fleet, timeline, named, lines = open_window(java_script_enabled=False).do(steps)
    assert "Ada Peeters" in fleet
    assert "Driving" in timeline
    assert named == "truck 12"
    assert lines == 1


def test_the_table_refreshes_and_keeps_the_focus(
    open_window: OpenWindow, drives: Driver, ada_phone: Phone
) -> None:
    def look(page: Page) -> str:
        sign_in(page, "/live")
        page.locator("a.driver").focus()
        return page.locator("#fleet").inner_text()

    def look_again(page: Page) -> tuple[str, str]:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.locator("#fleet", has_text="Bastogne").wait_for()
        return page.locator("#fleet").inner_text(), page.evaluate("document.activeElement.id")

    window = open_window()
    assert "just now" not in window.do(look)
    put_fixes(ada_phone, [(datetime.now(UTC), 50.0, 5.72)])
    text, focused = window.do(look_again)
    assert "just now" in text
    assert focused == f"driver-{drives.uuid}"


def contrast(page: Page, selector: str) -> float:
    """The ratio of WCAG 2 between the colour of a text and what lies under it."""
    found: float = page.evaluate(
        """selector => {
          const channels = (text) => text.match(/[\\d.]+/g).map(Number);
          const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const element = document.querySelector(selector);
          let under = element;
          const paint = (node) => getComputedStyle(node).backgroundColor;
          while (channels(paint(under))[3] === 0) under = under.parentElement;
          const [dark, light] = [getComputedStyle(element).color, paint(under)]
            .map((colour) => luminance(channels(colour))).sort((a, b) => a - b);
          return (light + 0.05) / (dark + 0.05);
        }""",
        selector,
    )
    return found
