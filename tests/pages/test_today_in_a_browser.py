"""What a dispatcher does with the board of the day, in a real browser."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission, MissionStatus, SavedFilter, Site, Stop
from missions.stages import Stage
from tests.cast import Phone, put_fixes
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import (
    WIDTHS,
    has_sideways_scroll,
    keep_picture,
    sign_in,
    signed_up,
)
from tests.pages.test_missions_page import bakery, make, put

__all__ = ["bakery", "signed_up"]

pytestmark = pytest.mark.slow


@pytest.fixture
def board(
    transactional_db: None, signed_up: User, acme: Employer, ada_phone: Phone, ben_phone: Phone,
    truck12: Truck, truck34: Truck, bakery: Site,
) -> Mission:  # fmt: skip
    """Ada is on her way with truck 12, ben is too late with truck 34, and twelve more wait."""
    now = datetime.now(UTC)
    for name, phone, truck in (("Gent", ada_phone, truck12), ("Aalst", ben_phone, truck34)):
        begin = now - timedelta(hours=1)
        mission = make(acme, begin, name, driver=phone.driver, truck=truck, site=bakery)
        mission.stops.update(window_end_at=now + timedelta(hours=1, seconds=30))
        Mission.objects.filter(pk=mission.pk).update(status=MissionStatus.STARTED, opened_at=begin)
    Stop.objects.filter(mission__reference="Aalst").update(
        window_end_at=now - timedelta(minutes=20, seconds=5)
    )
    for number in range(12):
        make(acme, now + timedelta(minutes=5 + number), f"Later {number:02}")
    put_fixes(ada_phone, [(now - timedelta(seconds=70), 51.05, 3.6)], truck=truck12)
    put_fixes(ben_phone, [(now - timedelta(seconds=70), 50.85, 4.35)], truck=truck34)
    return Mission.objects.get(reference="Gent")


def row_of(page: Page, name: str) -> str:
    return str(page.get_by_role("row", name=name).first.get_attribute("id"))


def refreshed(page: Page) -> None:
    with page.expect_response(lambda answer: "/today/board" in answer.url):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping')")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_dispatcher_sees_the_day_and_its_trucks(
    open_window: OpenWindow, board: Mission, width: int
) -> None:
    def steps(page: Page) -> tuple[str, list[str], bool]:
        sign_in(page)
        page.locator(".pin").nth(1).wait_for()
        keep_picture(page, f"today-{width}")
        names = [str(pin.get_attribute("aria-label")) for pin in page.locator(".pin").all()]
        return page.locator("#board").inner_text(), names, has_sideways_scroll(page)

    window = open_window(width=width)
    text, pins, is_too_wide = window.do(steps)
    for said in ("Bakkerij De Halm", "Ada Peeters", "1-TRK-012", "8.3 km to go", "under way"):
        assert said in text, said
    assert text.index("Aalst") < text.index("Gent") < text.index("Later 00")
    assert "late: nobody has arrived, 20 min after the last moment" in text
    assert any(re.search(r"1-TRK-012, 1 min", pin) for pin in pins), pins
    assert not is_too_wide
    assert window.inaccessible() == []


def test_keys_go_from_row_to_row_open_a_mission_and_reach_the_search(
    open_window: OpenWindow, board: Mission
) -> None:
    def steps(page: Page) -> tuple[list[str], str, str, str]:
        sign_in(page)
        page.locator(".pin").nth(1).wait_for()
        page.keyboard.press("/")
        focused = str(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")  # out of the field, where keys are letters
        page.keyboard.press("f")
        chip = str(page.evaluate("document.activeElement.className"))
        current = []
        for key in ("j", "j", "k", "ArrowDown"):
            page.keyboard.press(key)
            current.append(page.locator("tr[aria-current]").inner_text().split()[0])
        pointed = page.locator(".pin.pointed").get_attribute("aria-label") or ""
        page.keyboard.press("Enter")
        page.get_by_role("heading", level=1, name="Gent").wait_for()
        return current, focused, chip, pointed

    current, focused, chip, pointed = open_window().do(steps)
    assert current == ["Aalst", "Gent", "Aalst", "Gent"]
    assert (focused, "chip" in chip) == ("q", True)
    assert "1-TRK-012" in pointed


def test_a_row_and_its_truck_point_at_each_other(open_window: OpenWindow, board: Mission) -> None:
    def steps(page: Page) -> tuple[str, str]:
        sign_in(page)
        page.locator(".pin").nth(1).wait_for()
        page.get_by_role("row", name="Aalst").locator(".next").click()
        pointed = page.locator(".pin.pointed").get_attribute("aria-label") or ""
        page.locator(".pin[aria-label*='1-TRK-012']").click()
        return pointed, page.locator("tr[aria-current]").inner_text()

    pointed, chosen = open_window().do(steps)
    assert "1-TRK-034" in pointed
    assert "Gent" in chosen


def test_news_takes_nobodys_place_away(
    open_window: OpenWindow, board: Mission, acme: Employer, ada: Driver
) -> None:
    """The selected row, the focus, the place on the screen and an open part of the page stay."""

    def look(page: Page) -> tuple[str, float]:
        sign_in(page, "/")
        page.goto("/?order=time")
        page.locator(".pin").nth(1).wait_for()
        page.locator("summary").click()
        page.locator("#q").fill("half typed")
        row = page.get_by_role("row", name="Later 09")
        row.locator(".next").click()
        page.mouse.wheel(0, 150)
        page.wait_for_timeout(300)
        return str(row.get_attribute("id")), float(row.bounding_box()["y"])  # type: ignore[index]

    def look_again(page: Page) -> tuple[str, str, float, bool, str]:
        refreshed(page)
        expect(page.get_by_role("row", name="Earlier 0")).to_have_count(1)
        current = page.locator("tr[aria-current]")
        box = current.bounding_box()
        assert box is not None
        return (
            str(current.get_attribute("id")),
            str(page.evaluate("document.activeElement.id")),
            box["y"],
            bool(page.locator("details.saving").evaluate("(one) => one.open")),
            page.locator("#q").input_value(),
        )

    window = open_window()
    row, top = window.do(look)
    for number in range(3):
        make(acme, datetime.now(UTC) + timedelta(minutes=1), f"Earlier {number}")
    put(board, ada, Stage.ARRIVAL, timezone.now())
    current, focused, now_top, is_open, typed = window.do(look_again)
    assert (current, focused, is_open, typed) == (row, row, True, "half typed")
    assert abs(now_top - top) < 3


def test_a_refresh_with_nothing_new_is_answered_by_nothing(
    open_window: OpenWindow, board: Mission
) -> None:
    def steps(page: Page) -> list[int]:
        sign_in(page)
        page.locator(".pin").nth(1).wait_for()
        answers: list[int] = []
        page.on("response", lambda r: answers.append(r.status) if "/board" in r.url else None)
        for _ in range(2):
            refreshed(page)
        return answers

    statuses = open_window().do(steps)
    assert statuses in ([200, 304], [200, 200])  # the turn of a minute is news
    assert statuses[0] == 200


def test_filters_are_links_that_work_without_any_script(
    open_window: OpenWindow, board: Mission
) -> None:
    def steps(page: Page) -> tuple[str, str, str]:
        sign_in(page)
        page.get_by_role("link", name=re.compile("^late 1")).click()
        url, late = page.url, page.locator("table.today").inner_text()
        expect(page.get_by_role("link", name=re.compile("^late 1"))).to_have_attribute(
            "aria-current", "true"
        )
        page.get_by_role("link", name="Clear the filters").click()
        page.get_by_label("Reference, site, address, driver or plate").fill("TRK-012")
        page.get_by_role("button", name="Search").click()
        return url, late, page.locator("table.today").inner_text()

    url, late, found = open_window(java_script_enabled=False).do(steps)
    assert url.endswith("?late=1")
    assert "Aalst" in late
    assert "Gent" not in late
    assert "Gent" in found
    assert "Aalst" not in found


def test_filters_are_saved_under_a_name_and_deleted_again(
    open_window: OpenWindow, board: Mission, dee: User
) -> None:
    def save(page: Page) -> str:
        sign_in(page)
        page.goto("/?late=1&status=started&page=1")
        page.get_by_text("Save or delete filters").click()
        page.get_by_label("Save these filters as").fill("Zu spät")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved as “Zu spät”.").wait_for()
        page.goto("/missions")
        page.get_by_role("link", name="Zu spät").click()
        return page.url

    def delete(page: Page) -> int:
        page.goto("/")
        page.get_by_text("Save or delete filters").click()
        page.get_by_role("button", name="Delete “Zu spät”").click()
        page.get_by_text("is deleted").wait_for()
        return page.get_by_role("link", name="Zu spät").count()

    window = open_window()
    assert window.do(save).endswith("/missions?status=started&late=1")
    assert SavedFilter.objects.get().query == "status=started&late=1"
    assert window.do(delete) == 0
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_board_is_read_on_a_small_phone_in_both_schemes(
    open_window: OpenWindow, board: Mission, scheme: str
) -> None:
    def steps(page: Page) -> bool:
        sign_in(page)
        page.locator(".pin").nth(1).wait_for()
        keep_picture(page, f"today-360-{scheme}")
        return has_sideways_scroll(page)

    window = open_window(width=360, color_scheme=scheme)
    assert not window.do(steps)
    assert window.inaccessible() == []


@pytest.mark.parametrize(
    ("locale", "word"),
    [("nl-BE", "Vandaag"), ("fr-BE", "Aujourd\N{RIGHT SINGLE QUOTATION MARK}hui")],
)
def test_the_board_speaks_dutch_and_french(
    open_window: OpenWindow, board: Mission, dee: User, locale: str, word: str
) -> None:
    def steps(page: Page) -> str:
        page.goto("/")
        page.locator("#id_login").fill("dee@acme.example")
        page.locator("#id_password").fill("a long enough one")
        page.locator("main form button[type=submit]").click()
        page.locator("table.today").wait_for()
        return page.locator("main").inner_text()

    text = open_window(locale=locale).do(steps)
    assert word in text
    for english in ("Next stop", "under way", "to go", "Order:", "Search"):
        assert english not in text, english
