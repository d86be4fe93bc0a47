"""A day to replay, and what tests do with its page."""

import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from accounts.models import Employer, TrackingWindow, Truck, User
from missions.models import Site, Stop
from tests.cast import Phone, Point, put_fixes
from tests.pages.test_in_a_browser import PASSWORD, signed_up
from tests.tracking.reading import at, mark, opened, press

__all__ = ["signed_up"]

# Where the truck is at minute 30, when it comes to the bakery.
BAKERY: Final = (51.05 - 0.002 * 30, 3.72 + 0.009 * 30)


def road(begin: int, end: int) -> list[Point]:
    """A fix every minute in `[begin, end]`, from Ghent to the south-east, winding a little."""
    return [
        (at(n), 51.05 - 0.002 * n + 0.0015 * (n % 3 - n % 2), 3.72 + 0.009 * n)
        for n in range(begin, end + 1)
    ]


@pytest.fixture
def day(
    transactional_db: None, acme: Employer, signed_up: User, ada_phone: Phone, truck12: Truck
) -> str:
    """Ada's day from 9:00 in Brussels, minute by minute: drives 30, unloads for 17, drives on
    until 70, is not seen for 42, drives until 130, is off duty for an hour, drives until 220.
    The address of its replay."""
    acme.tracking_window = TrackingWindow.DUTY
    acme.save()
    ada = ada_phone.driver
    for minute, kind in ((-1, "started"), (131, "ended"), (190, "started"), (230, "ended")):
        mark(ada, at(minute), f"duty_{kind}")
    bakery = Site.objects.create(
        employer=acme, name="Bakkerij De Halm", latitude=BAKERY[0], longitude=BAKERY[1]
    )
    mission = opened(ada, 0, 131, truck=truck12, external_id="Ghent - Ninove")
    stop = Stop.objects.create(employer=acme, mission=mission, site=bakery, seq=1)
    linked: dict[str, Any] = {"mission": mission, "truck": truck12}
    press(ada_phone, at(0), "departure", (51.05, 3.72), **linked)
    for minute, stage in ((30, "arrival"), (35, "unloading_started"), (47, "departure")):
        press(ada_phone, at(minute), stage, BAKERY, stop=stop, **linked)
    for begin, end in ((1, 29), (48, 70), (112, 130)):
        put_fixes(ada_phone, road(begin, end), **linked)
    put_fixes(ada_phone, road(192, 220), truck=truck12)
    return f"/drivers/{ada.uuid}/replay?date=2026-11-24"


def sign_in_to(page: Page, url: str) -> None:
    """Through the sign-in page, which leads on to the replay."""
    page.goto(f"/accounts/login/?next={url}")
    page.locator("input[name=login]").fill("dee@acme.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()


def open_replay(page: Page, url: str) -> None:
    sign_in_to(page, url)
    page.locator("#controls").wait_for(state="visible")
    page.locator(".replayed").wait_for(state="attached")


def seconds(page: Page) -> float:
    """Where the replay is, in seconds after the first position."""
    return float(page.locator("#at").input_value())


def place(page: Page) -> tuple[float, float]:
    """Where the marker is, in degrees."""
    found = page.locator(".replayed").evaluate(
        "({dataset}) => [dataset.latitude, dataset.longitude]"
    )
    return float(found[0]), float(found[1])


def clock(page: Page) -> str:
    return page.locator("#clock").inner_text()


def go_to(page: Page, minute: float) -> None:
    page.locator("#at").evaluate(
        "(at, t) => { at.value = t; at.dispatchEvent(new Event('input', {bubbles: true})); }",
        round(minute * 60),
    )


def sampled(
    page: Page, read: Callable[[Page], Any], for_s: float, every_ms: int = 100
) -> list[Any]:
    """What is read again and again while the page goes on."""
    found = []
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        found.append(read(page))
        page.wait_for_timeout(every_ms)
    return found
