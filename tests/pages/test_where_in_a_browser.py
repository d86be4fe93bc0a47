"""Who was where, in a real browser: by name, by click, by box, by keyboard alone."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from accounts.models import Employer, Truck, User
from missions.models import Site
from tests.cast import Phone, put_fixes
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, sign_in, signed_up
from tests.tracking.reading import at, drive, opened, press

__all__ = ["signed_up"]

pytestmark = pytest.mark.slow
WIDTHS = (1440, 390)


@pytest.fixture
def seen(
    signed_up: User, acme: Employer, ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> Site:
    """A bakery that Ada stopped at last Tuesday from ten past nine, and that Ben drove past."""
    mission = opened(ada_phone.driver, 0, None, truck=truck12, external_id="Antwerpen - Gent")
    there = (50.85, 4.421)
    put_fixes(ada_phone, drive(0, 10), truck=truck12, mission=mission)
    press(ada_phone, at(10), "arrival", there, mission=mission, truck=truck12)
    press(ada_phone, at(12), "unloading_started", there, mission=mission, truck=truck12)
    press(ada_phone, at(40), "departure", there, mission=mission, truck=truck12)
    put_fixes(ben_phone, [(at(29), 50.8543, 4.4174), (at(30), 50.8543, 4.4246)])
    return Site.objects.create(
        employer=acme, name="Bakkerij De Korenaar", address="Veldstraat 12, 1000 Brussel",
        latitude=there[0], longitude=there[1],
    )  # fmt: skip


def keep(page: Page, name: str) -> None:
    """For people to look at, where somebody asks for it."""
    if folder := os.environ.get("MILEPOST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fill_time(page: Page) -> None:
    page.get_by_label("Date").fill("2026-11-24")
    page.get_by_label("From").fill("09:00")
    page.get_by_label("Until").fill("10:00")


def draws(page: Page) -> None:
    """The map is there, and so is what was found."""
    page.locator(".leaflet-land-pane canvas").wait_for(state="attached")
    page.locator(".leaflet-overlay-pane canvas").wait_for(state="attached")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_newcomer_finds_who_was_near_an_address_last_tuesday(
    open_window: OpenWindow, seen: Site, width: int
) -> None:
    window = open_window(width=width)

    def steps(page: Page) -> tuple[str, str, list[bool]]:
        sign_in(page)
        page.get_by_role("link", name="Who was where").click()
        draws_nothing_too_wide = [has_sideways_scroll(page)]
        keep(page, f"where-empty-{width}")
        page.get_by_label("Place", exact=True).fill("veldstraat 12")
        fill_time(page)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("heading", name="2 visits").wait_for()
        draws(page)
        keep(page, f"where-{width}")
        draws_nothing_too_wide.append(has_sideways_scroll(page))
        said = page.locator(".answer").inner_text()
        table = page.locator("#visits-table").inner_text()
        return said, table, draws_nothing_too_wide

    said, table, is_too_wide = window.do(steps)
    assert "Within 500 m of Bakkerij De Korenaar, Veldstraat 12, 1000 Brussel" in said
    assert "Tuesday 24 November 2026, 09:00 to 10:00" in said
    for words in ("1-TRK-012", "Ada Peeters", "Unloading began", "Antwerpen - Gent", "Ben Özdemir",
                  "passed between two positions 505 m apart"):  # fmt: skip
        assert words in table, words
    assert is_too_wide == [False, False]
    assert window.inaccessible() == []


def test_a_site_is_suggested_while_typing(open_window: OpenWindow, seen: Site) -> None:
    def steps(page: Page) -> str:
        sign_in(page)
        page.goto("/where")
        page.get_by_label("Place", exact=True).press_sequentially("koren")
        option = page.locator("#places option")
        option.wait_for(state="attached")
        return option.get_attribute("value") or ""

    assert open_window().do(steps) == "Bakkerij De Korenaar, Veldstraat 12, 1000 Brussel"


def test_a_click_on_the_map_is_a_place(open_window: OpenWindow, seen: Site) -> None:
    def steps(page: Page) -> tuple[str, str, str]:
        sign_in(page)
        page.goto("/where?place=50.85%2C+4.421&date=2026-11-24&begin=09:00&end=10:00")
        draws(page)
        box = page.locator("#map").bounding_box()
        assert box is not None
        # Beside the middle, where Ada's position is.
        page.mouse.click(box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2)
        typed = page.get_by_label("Place", exact=True).input_value()
        status = page.locator("#chosen").inner_text()
        page.get_by_role("button", name="Search").click()
        page.get_by_role("heading", name="2 visits").wait_for()
        return typed, status, page.locator("#visits-table").inner_text()

    typed, status, table = open_window().do(steps)
    latitude, longitude = map(float, typed.split(","))
    assert abs(latitude - 50.85) < 0.001
    assert 0 < longitude - 4.421 < 0.003
    assert "A point on the map was chosen" in status
    assert "Ada Peeters" in table


def test_a_box_is_drawn_with_the_mouse(open_window: OpenWindow, seen: Site) -> None:
    window = open_window()

    def steps(page: Page) -> tuple[str, list[str], str]:
        sign_in(page)
        page.goto("/where?place=50.85%2C+4.421&date=2026-11-24&begin=09:00&end=10:00")
        draws(page)
        box = page.locator("#map").bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.get_by_role("button", name="Draw a box on the map").click()
        page.mouse.move(middle[0] - 60, middle[1] - 60)
        page.mouse.down()
        page.mouse.move(middle[0], middle[1], steps=4)
        page.mouse.move(middle[0] + 60, middle[1] + 60, steps=4)
        page.mouse.up()
        typed = page.get_by_label("Place", exact=True).input_value()
        edges = [
            page.get_by_label(f"{edge} edge").input_value()
            for edge in ("West", "South", "East", "North")
        ]
        page.get_by_role("button", name="Search").click()
        page.get_by_text("In the box, Tuesday 24 November 2026").wait_for()
        draws(page)
        keep(page, "where-box-1440")
        return typed, edges, page.locator("#visits-table").inner_text()

    typed, edges, table = window.do(steps)
    west, south, east, north = map(float, edges)
    assert typed == ""
    assert west < 4.421 < east
    assert south < 50.85 < north
    assert "Ada Peeters" in table
    assert window.inaccessible() == []


def test_the_keyboard_alone_asks_and_reads(open_window: OpenWindow, seen: Site) -> None:
    """From the address bar: past the navigation, into the form, Enter, and to the first row."""

    def steps(page: Page) -> tuple[str, int]:
        sign_in(page)
        page.goto("/where?date=2026-11-24&begin=09:00&end=10:00")
        page.get_by_role("link", name="Skip to the content").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("korenaar")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="2 visits").wait_for()
        draws(page)
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('#visit-1')"):
                break
        return (
            str(page.evaluate("document.activeElement.id")),
            page.locator("#visits-table tr.pointed").count(),
        )

    assert open_window().do(steps) == ("visit-1", 1)


def test_without_scripts_a_box_is_typed(open_window: OpenWindow, seen: Site) -> None:
    def steps(page: Page) -> tuple[str, int]:
        sign_in(page)
        page.goto("/where")
        fill_time(page)
        page.get_by_text("A box instead of a place").click()
        for edge, degrees in (("West", 4.42), ("South", 50.84), ("East", 4.422), ("North", 50.86)):
            page.get_by_label(f"{edge} edge").fill(str(degrees))
        page.get_by_role("button", name="Search").click()
        return page.locator(".answer").inner_text(), page.locator("svg.floor .area").count()

    answer, drawn = open_window(java_script_enabled=False).do(steps)
    assert "In the box" in answer
    assert "Ada Peeters" in answer
    assert drawn == 1


@pytest.mark.parametrize(
    ("language", "heading", "button"),
    [("nl-BE", "Wie was waar", "Zoeken"), ("fr-BE", "Qui était où", "Rechercher")],
)
def test_the_page_speaks_dutch_and_french(
    open_window: OpenWindow, seen: Site, language: str, heading: str, button: str
) -> None:
    window = open_window(locale=language)

    def steps(page: Page) -> tuple[str, str, str]:
        page.goto("/where")
        page.locator("input[type=email]").fill("dee@acme.example")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.locator("#id_place").fill("korenaar")
        page.locator("#id_date").fill("2026-11-24")
        page.locator("#id_begin").fill("09:00")
        page.locator("#id_end").fill("10:00")
        page.locator("#asked button[type=submit]").click()
        page.locator("#visits-table").wait_for()
        draws(page)
        keep(page, f"where-{language}")
        return (
            page.locator("h1").inner_text(),
            page.locator("#asked button[type=submit]").inner_text(),
            page.locator("#visits-table").inner_text(),
        )

    said, pressed, table = window.do(steps)
    assert (said, pressed) == (heading, button)
    assert "Ada Peeters" in table
    assert window.inaccessible() == []
