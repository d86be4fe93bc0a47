"""A replay is played, paused, scrubbed and driven by keys, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import Employer, TrackingWindow, Truck, User
from missions.models import Site, Stop
from tests.cast import Phone, Point, put_fixes
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import (
    PASSWORD,
    WIDTHS,
    has_sideways_scroll,
    keep_picture,
    signed_up,
)
from tests.tracking.reading import at, mark, opened, press

__all__ = ["signed_up"]

pytestmark = pytest.mark.slow

# Where the truck is at minute 30, when it comes to the bakery.
BAKERY = (51.05 - 0.002 * 30, 3.72 + 0.009 * 30)


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


def open_replay(page: Page, url: str) -> None:
    page.goto(f"/accounts/login/?next={url}")
    page.locator("input[type=email], input[name=login]").first.fill("dee@acme.example")
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_dispatcher_looks_at_a_day_again(
    open_window: OpenWindow, day: str, width: int, scheme: str
) -> None:
    def steps(page: Page) -> tuple[str, bool]:
        open_replay(page, day)
        page.locator(".leaflet-land-pane canvas").wait_for(state="attached")
        go_to(page, 60)
        page.wait_for_timeout(300)
        keep_picture(page, f"replay-{width}-{scheme}")
        shown = page.locator("main").inner_text()
        go_to(page, 90)
        keep_picture(page, f"replay-gap-{width}-{scheme}")
        return shown, has_sideways_scroll(page)

    window = open_window(width=width, color_scheme=scheme)
    shown, is_too_wide = window.do(steps)
    for said in ("Ada Peeters", "1-TRK-012", "Ghent - Ninove", "10:00:00", "Driving", "42 min",
                 "Bakkerij De Halm", "17 min", "Europe/Brussels"):  # fmt: skip
        assert said in shown, said
    assert not is_too_wide
    assert window.inaccessible() == []
