"""What a replay makes of time: gaps, standing, shortened and whole, and clocks that change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tests.cast import Phone, put_fixes
from tests.pages.conftest import OpenWindow
from tests.pages.replayed_day import clock, day, go_to, open_replay, place, road, sampled, seconds
from tests.pages.test_in_a_browser import signed_up

__all__ = ["day", "signed_up"]

pytestmark = pytest.mark.slow


def test_a_gap_is_jumped_and_said_to_be_one(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> tuple[list[tuple[float, float]], set[str], str, bool]:
        open_replay(page, day)
        page.get_by_label("Speed").select_option("60")
        go_to(page, 69.9)
        page.get_by_role("button", name="Play").click()

        def read(page: Page) -> tuple[tuple[float, float], str]:
            return place(page), page.locator("#what").inner_text()

        found = sampled(page, read, 4)
        page.get_by_role("button", name="Pause").click()
        told = page.locator("#announced").inner_text()
        go_to(page, 90)
        is_marked = page.locator(".replayed.is-gap").count() == 1
        return [at for at, _ in found], {words for _, words in found}, told, is_marked

    places, words, told, is_marked = open_window().do(steps)
    longitudes = [longitude for _, longitude in places]
    before, after = road(70, 70)[0][2], road(112, 112)[0][2]
    assert min(longitudes) <= before + 1e-4
    assert max(longitudes) >= after - 1e-4
    assert [one for one in longitudes if before + 1e-4 < one < after - 1e-4] == []
    assert "No positions for 42 min: the marker jumps" in words
    assert "No positions for 42 min" in told
    assert is_marked


def test_standing_is_shortened_and_said_to_be_until_that_is_turned_off(
    open_window: OpenWindow, day: str
) -> None:
    def steps(page: Page) -> tuple[str, float, str, float, str]:
        open_replay(page, day)
        go_to(page, 30.5)
        short = page.locator("#now").inner_text()
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(2_500)
        shortened = seconds(page)
        page.get_by_role("button", name="Pause").click()
        page.get_by_label("Shorten standing and gaps").uncheck()
        go_to(page, 30.5)
        long = page.locator("#note").inner_text()
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name="Pause").click()
        lengthened = seconds(page)
        go_to(page, 150)
        return short, shortened, long, lengthened, page.locator("#what").inner_text()

    short, shortened, long, lengthened, off = open_window().do(steps)
    assert "At a stop, Bakkerij De Halm" in short
    assert "17 min standing, shown in 2 s" in short
    assert shortened > 47 * 60
    assert long == "17 min"
    assert 31 * 60 < lengthened < 33 * 60
    assert off == "Not tracked for 1 h 02 min: skipped"


def test_the_night_in_which_clocks_go_back_shows_two_o_clock_twice(
    open_window: OpenWindow, signed_up: User, ada_phone: Phone
) -> None:
    midnight_at = datetime(2026, 10, 24, 22, tzinfo=UTC)
    put_fixes(
        ada_phone,
        [(midnight_at + timedelta(minutes=n), 50.85, 4.35 + n * 0.004) for n in range(300)],
    )
    url = f"/drivers/{ada_phone.driver.uuid}/replay?date=2026-10-25"

    def steps(page: Page) -> list[str]:
        open_replay(page, url)
        found = []
        for minute in (119, 150, 179, 180, 210, 240):
            go_to(page, minute)
            found.append(clock(page))
        return found

    assert open_window(timezone_id="Asia/Tokyo").do(steps) == [
        "01:59:00 CEST", "02:30:00 CEST", "02:59:00 CEST", "02:00:00 CET", "02:30:00 CET",
        "03:00:00 CET",
    ]  # fmt: skip


def test_time_maps_to_the_screen_and_back(open_window: OpenWindow, day: str) -> None:
    """The pure module by itself: no page of ours is looked at."""

    def steps(page: Page) -> Any:
        open_replay(page, day)
        source = page.evaluate(
            """performance.getEntriesByType("resource")
                 .find(({name}) => /replay_clock/.test(name)).name"""
        )
        return page.evaluate(
            """async (source) => {
              const { ReplayClock } = await import(source);
              const parts = [
                {from: 0, to: 600, kind: "move"}, {from: 600, to: 1620, kind: "standing"},
                {from: 1620, to: 4140, kind: "gap"}, {from: 4140, to: 4200, kind: "move"},
                {from: 4200, to: 40200, kind: "off"}, {from: 40200, to: 40260, kind: "move"},
              ];
              const [short, long] = [true, false].map((isCompressed) =>
                new ReplayClock(parts, {factor: 60, idleShownS: 2, isCompressed}));
              const times = Array.from({length: 403}, (_, n) => n * 100);
              const isBack = (clock) =>
                times.every((t) => Math.abs(clock.timeAt(clock.screenAt(t)) - t) < 0.001);
              return {
                short: short.lengthS, long: long.lengthS, isBack: isBack(short) && isBack(long),
                middle: short.timeAt(11), end: short.timeAt(1e9), start: short.timeAt(0),
              };
            }""",
            source,
        )

    assert open_window().do(steps) == {
        "short": 10 + 2 + 2 + 1 + 2 + 1, "long": 10 + 17 + 42 + 1 + 2 + 1, "isBack": True,
        "middle": 600 + 510, "end": 40260, "start": 0,
    }  # fmt: skip


def test_it_announces_what_changes_and_nothing_else(open_window: OpenWindow, day: str) -> None:
    def steps(page: Page) -> list[str]:
        open_replay(page, day)
        page.evaluate(
            """() => {
              const box = document.getElementById("announced");
              window.told = [];
              new MutationObserver(() => window.told.push(box.textContent))
                .observe(box, {childList: true});
            }"""
        )
        page.get_by_label("Speed").select_option("300")
        go_to(page, 1)
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(9_000)
        page.get_by_role("button", name="Pause").click()
        told: list[str] = page.evaluate("window.told")
        return told

    told = open_window().do(steps)
    assert any("At a stop, Bakkerij De Halm, 17 min" in words for words in told), told
    assert len(told) <= 5, told
