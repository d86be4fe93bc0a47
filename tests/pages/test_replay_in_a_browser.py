"""A replay is played, paused, scrubbed and driven by keys, in a real browser."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.pages.conftest import OpenWindow
from tests.pages.replayed_day import (
    clock,
    day,
    go_to,
    open_replay,
    place,
    road,
    sampled,
    seconds,
    sign_in_to,
)
from tests.pages.test_in_a_browser import WIDTHS, has_sideways_scroll, keep_picture, signed_up
from tests.tracking.reading import at

__all__ = ["day", "signed_up"]

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize("speed", [10, 120])
def test_time_runs_as_many_times_as_fast_as_it_says(
    open_window: OpenWindow, day: str, speed: int
) -> None:
    def steps(page: Page) -> tuple[float, float, list[tuple[float, float]], list[str]]:
        open_replay(page, day)
        page.get_by_label("Speed").select_option(str(speed))
        places, clocks = [place(page)], [clock(page)]
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(500)
        began_s, began = time.monotonic(), seconds(page)
        page.wait_for_timeout(2_000)
        ran, took_s = seconds(page) - began, time.monotonic() - began_s
        page.get_by_role("button", name="Pause").click()
        places.append(place(page))
        clocks.append(clock(page))
        page.wait_for_timeout(300)
        return ran, took_s, [*places, place(page)], [*clocks, clock(page)]

    ran, took_s, places, clocks = open_window().do(steps)
    # The slider holds whole seconds, and a busy machine draws late, never more.
    assert 0.8 * speed * took_s - 1 < ran < 1.1 * speed * took_s + 1
    assert clocks[0] == "09:00:00" < clocks[1] == clocks[2]
    assert places[0] != places[1] == places[2]


def test_the_slider_goes_anywhere_and_says_the_time_of_the_page(
    open_window: OpenWindow, day: str
) -> None:
    def steps(page: Page) -> tuple[str, str | None, tuple[float, float], str]:
        open_replay(page, day)
        go_to(page, 60)
        slider = page.get_by_label("Time", exact=True)
        return (
            clock(page),
            slider.get_attribute("aria-valuetext"),
            place(page),
            page.locator("#who").inner_text(),
        )

    said, valuetext, where, who = open_window(timezone_id="America/New_York").do(steps)
    assert said == valuetext == "10:00:00"
    assert where == pytest.approx(road(60, 60)[0][1:3], abs=1e-4)
    assert who == "Ada Peeters · 1-TRK-012 · Ghent - Ninove"


def test_keys_play_step_and_go_to_the_ends(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> dict[str, Any]:
        open_replay(page, day)
        found: dict[str, Any] = {}
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
            page.keyboard.press(key)
            found[f"{len(found)} {key}"] = seconds(page)
        for key in ("+", "+", "-"):
            page.keyboard.press(key)
        found["speed"] = page.get_by_label("Speed").input_value()
        page.keyboard.press("Space")
        page.wait_for_timeout(400)
        found["playing"] = seconds(page) > 0
        page.keyboard.press("Space")
        at_rest = seconds(page)
        page.wait_for_timeout(300)
        found["paused"] = seconds(page) == at_rest
        # In the slider the keys mean the same; in a list of choices they are the list's own.
        page.get_by_label("Time", exact=True).focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        found["slider"] = seconds(page)
        page.get_by_label("Speed").focus()
        page.keyboard.press("Home")
        found["list"] = seconds(page)
        page.locator("#map").focus()
        page.keyboard.press("ArrowRight")
        found["map"] = seconds(page)
        page.locator("#play").focus()
        page.keyboard.press("Space")
        found["button"] = page.locator("#play").inner_text().strip()
        return found

    assert open_window().do(steps) == {
        "0 ArrowRight": 60, "1 ArrowRight": 120, "2 ArrowLeft": 60, "3 End": 220 * 60, "4 Home": 0,
        "speed": "120", "playing": True, "paused": True, "slider": 60, "list": 60, "map": 60,
        "button": "Pause",
    }  # fmt: skip


def test_with_less_motion_it_stands_at_one_position_then_at_the_next(
    open_window: OpenWindow, day: str
) -> None:
    def steps(page: Page) -> list[tuple[float, float]]:
        open_replay(page, day)
        # Half a minute in each second: every other step would lie between two positions.
        page.get_by_label("Speed").select_option("30")
        page.get_by_role("button", name="Play").click()
        return sampled(page, place, 5.5)

    known = {(round(y, 4), round(x, 4)) for _, y, x, *_ in [(at(0), 51.05, 3.72), *road(1, 29)]}
    found = {(round(y, 4), round(x, 4)) for y, x in open_window(reduced_motion="reduce").do(steps)}
    assert 2 <= len(found) <= 5
    assert found <= known


def test_a_click_on_the_line_goes_there(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> tuple[float, float]:
        open_replay(page, day)
        page.get_by_label("Follow").uncheck()  # the map stays where it is
        go_to(page, 20)
        box = page.locator(".replayed").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        go_to(page, 220)
        at_the_end = seconds(page)
        page.mouse.click(x, y)
        return at_the_end, seconds(page)

    at_the_end, clicked = open_window().do(steps)
    assert at_the_end == 220 * 60
    assert clicked == pytest.approx(20 * 60, abs=90)


def test_following_outlives_a_moved_map(open_window: OpenWindow, day: str) -> None:
    def is_in_view(page: Page) -> bool:
        marker, view = (page.locator(one).bounding_box() for one in (".replayed", "#map"))
        assert marker is not None
        assert view is not None
        return bool(
            view["x"] < marker["x"] < view["x"] + view["width"]
            and view["y"] < marker["y"] < view["y"] + view["height"]
        )

    def steps(page: Page) -> tuple[bool, bool, bool, bool]:
        open_replay(page, day)
        for _ in range(5):
            page.get_by_role("button", name="Zoom in").click()
            page.wait_for_timeout(300)
        go_to(page, 5)
        page.wait_for_timeout(800)
        followed = is_in_view(page)
        view = page.locator("#map").bounding_box()
        assert view is not None
        x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 700, y, steps=5)
        page.mouse.up()
        page.get_by_label("Speed").select_option("10")
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(500)
        moved_away = not is_in_view(page)
        page.wait_for_timeout(5_500)
        return followed, moved_away, page.get_by_label("Follow").is_checked(), is_in_view(page)

    assert open_window().do(steps) == (True, True, True, True)


def test_without_scripts_the_table_and_a_drawing_say_it(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> tuple[str, int, bool]:
        sign_in_to(page, day)
        page.get_by_role("heading", name="Replay of Ada Peeters").wait_for()
        drawn = page.locator("#map svg .driven").count()
        return page.locator("main").inner_text(), drawn, page.locator("#play").is_visible()

    text, drawn, has_player = open_window(java_script_enabled=False).do(steps)
    for said in ("Playing needs JavaScript", "at least", "No positions", "42 min", "Not tracked",
                 "11:10\N{EN DASH}12:12", "Bakkerij De Halm"):  # fmt: skip
        assert said in text, said
    assert drawn >= 3
    assert not has_player


def test_what_cannot_be_loaded_is_said(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> tuple[str, bool]:
        page.route("**/replay/data*", lambda route: route.fulfill(body="no", status=200))
        sign_in_to(page, day)
        alert = page.get_by_role("alert")
        alert.wait_for()
        return alert.inner_text(), page.locator("#play").is_visible()

    said, has_player = open_window().do(steps)
    assert "could not be loaded" in said
    assert not has_player


def test_on_paper_it_is_a_table(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> tuple[bool, bool, bool]:
        open_replay(page, day)
        page.emulate_media(media="print")
        return tuple(page.locator(one).is_visible() for one in ("#controls", "#now", "#timeline"))  # type: ignore[return-value]

    assert open_window().do(steps) == (False, False, True)


def test_it_is_in_dutch_for_who_reads_dutch(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> str:
        open_replay(page, day)
        go_to(page, 90)
        shown: str = page.locator("main").inner_text()
        return shown

    shown = open_window(width=390, locale="nl-BE").do(steps)
    for said in ("Terugblik op Ada Peeters", "Afspelen", "Snelheid", "Volgen op de kaart",
                 "Geen posities gedurende 42 min: de markering springt", "Niet gevolgd",
                 "tijden in Europe/Brussels"):  # fmt: skip
        assert said in shown, said
    assert "Speed" not in shown
