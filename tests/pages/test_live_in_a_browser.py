"""The live page in a real browser, fed by phones that post to a real server."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import Membership, Truck, User
from missions.models import Site
from tests.cast import Phone, assign, put_fixes
from tests.pages.conftest import OpenWindow, Window

pytestmark = pytest.mark.slow

WITHIN_S = 5.0
GHENT, MECHELEN = (51.05, 3.72), (51.03, 4.48)
Post = Callable[[datetime, tuple[float, float]], None]


@pytest.fixture
def started_at() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def fleet(
    transactional_db: None,
    dee: User,
    ada_phone: Phone,
    ben_phone: Phone,
    truck12: Truck,
    truck34: Truck,
    started_at: datetime,
) -> Phone:
    """Truck 12 with ada was in Ghent two minutes ago, truck 34 with ben 40 minutes ago."""
    assign(truck12, ada_phone.driver, None)
    assign(truck34, ben_phone.driver, None)
    put_fixes(ada_phone, [(started_at - timedelta(minutes=2), *GHENT)], truck=truck12)
    put_fixes(ben_phone, [(started_at - timedelta(minutes=40), 50.85, 4.35)], truck=truck34)
    return ada_phone


@pytest.fixture
def post(live_site: str, fleet: Phone) -> Post:
    """Post one fix from ada's phone over HTTP, as our app does."""

    def posted(recorded_at: datetime, place: tuple[float, float]) -> None:
        fix = {
            "recorded_at": recorded_at.isoformat(), "latitude": place[0], "longitude": place[1],
            "heading_deg": 45,
        }  # fmt: skip
        url = f"{live_site}/ingest/v1/fixes"
        answer = httpx.post(url, json={"fixes": [fix]}, headers=fleet.headers, trust_env=False)
        assert [one["status"] for one in answer.json()["results"]] == ["stored"], answer.text

    return posted


@pytest.fixture
def signed_in(open_window: OpenWindow, dee: User, live_site: str) -> Callable[..., Window]:
    """A window in which dee has signed in."""

    def opened(**how: object) -> Window:
        client = Client()
        client.force_login(dee)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        window = open_window(**how)
        window.do(
            lambda page: page.context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_site}]
            )
        )
        return window

    return opened


def open_live(page: Page, search: str = "") -> None:
    # The first page of a fresh process reads its templates and borders.
    page.goto(f"/live?q={search}" if search else "/live", timeout=30_000)
    page.locator(".pin").first.wait_for()
    expect(page.locator("#freshness")).to_have_text(re.compile("Live"))


def shown_near(name: str) -> Callable[[Page], None]:
    return lambda page: page.locator("tr", has_text=f"near {name}").wait_for()


def row_of(page: Page, name: str) -> str:
    return page.locator("tr[data-driver]", has_text=name).inner_text()


def marker_at(page: Page) -> list[float]:
    """Where the arrow of truck 12 stands on the screen."""
    box = page.locator(".pin", has_text="truck 12").bounding_box()
    assert box
    return [box["x"], box["y"]]


def test_a_new_fix_is_in_the_row_and_on_the_map_within_five_seconds(
    signed_in: Callable[..., Window], post: Post, record_property: Callable[[str, object], None]
) -> None:
    window = signed_in()
    window.do(open_live)
    assert "Ghent" in window.do(lambda page: row_of(page, "truck 12"))
    before = window.do(marker_at)
    took_s = []
    for place, name in ((MECHELEN, "Mechelen"), ((50.88, 4.70), "Leuven"), (GHENT, "Ghent")):
        post(datetime.now(UTC), place)
        stored_s = time.monotonic()
        window.do(shown_near(name))
        took_s.append(time.monotonic() - stored_s)
        assert "just now" in window.do(lambda page: row_of(page, "truck 12"))
        time.sleep(0.3)
        if name == "Mechelen":
            assert window.do(marker_at)[0] > before[0] + 20
            arrow = window.do(
                lambda page: page.locator(".pin.moving path").get_attribute("transform")
            )
            assert arrow == "rotate(45 12 12)"
    record_property("seconds until shown", [round(one, 2) for one in took_s])
    print(f"shown after {', '.join(f'{one:.2f}' for one in took_s)} s")  # noqa: T201
    assert max(took_s) < WITHIN_S


def test_a_late_batch_does_not_move_a_truck_back(
    signed_in: Callable[..., Window], post: Post, started_at: datetime
) -> None:
    window = signed_in()
    window.do(open_live)
    post(datetime.now(UTC), MECHELEN)
    window.do(lambda page: page.locator("tr", has_text="near Mechelen").wait_for())
    before = window.do(marker_at)
    post(started_at - timedelta(minutes=30), (50.0, 5.72))
    post(started_at - timedelta(minutes=1), (50.0, 5.72))
    time.sleep(WITHIN_S)
    assert "Mechelen" in window.do(lambda page: row_of(page, "truck 12"))
    assert window.do(marker_at) == before
    post(datetime.now(UTC), (50.0, 5.72))  # the stream still tells what is newer
    window.do(lambda page: page.locator("tr", has_text="near Bastogne").wait_for())


@pytest.mark.parametrize("width", [390, 1440])
def test_a_newcomer_finds_truck_12_by_typing(
    signed_in: Callable[..., Window], fleet: Phone, width: int
) -> None:
    Site.objects.create(
        employer=fleet.driver.employer, name="Depot Ghent", latitude=51.05, longitude=3.72
    )

    def steps(page: Page) -> tuple[str, int, str]:
        open_live(page)
        page.get_by_label("Find a truck").fill("truck 12")
        expect(page.locator("tr[data-driver]")).to_have_count(1)
        expect(page.locator(".pin")).to_have_count(1)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return row_of(page, "truck 12"), page.locator(".pin").count(), page.url

    window = signed_in(width=width)
    row, pins, url = window.do(steps)
    assert "at Depot Ghent" in row
    assert "min ago" in row
    assert pins == 1
    assert url.endswith("/live?q=truck+12")
    assert window.inaccessible() == []


def test_a_search_in_the_address_holds_for_what_comes_later(
    signed_in: Callable[..., Window], post: Post
) -> None:
    window = signed_in()
    window.do(lambda page: open_live(page, "ghent"))
    assert window.do(lambda page: page.locator("tr[data-driver]").count()) == 1
    post(datetime.now(UTC), MECHELEN)
    window.do(lambda page: page.get_by_text("No truck matches").wait_for())
    assert window.do(lambda page: page.locator(".pin").count()) == 0
    post(datetime.now(UTC), GHENT)
    window.do(lambda page: page.locator("tr", has_text="near Ghent").wait_for())
    assert window.do(lambda page: page.locator(".pin").count()) == 1


def test_a_row_and_its_marker_point_at_each_other(
    signed_in: Callable[..., Window], fleet: Phone
) -> None:
    def steps(page: Page) -> None:
        open_live(page)
        row = page.locator("tr[data-driver]", has_text="truck 34")
        pin = page.locator(".pin", has_text="truck 34")
        row.locator("a").first.focus()
        expect(pin).to_have_class(re.compile("pointed"))
        pin.focus()
        expect(row).to_have_class(re.compile("pointed"))
        page.keyboard.press("Enter")
        expect(row.locator("a").first).to_be_focused()
        page.locator("tr[data-driver]", has_text="truck 12").hover()
        expect(page.locator(".pin.pointed")).to_have_text(re.compile("truck 12"))

    signed_in().do(steps)


def test_a_stale_truck_looks_and_is_called_stale(
    signed_in: Callable[..., Window], fleet: Phone
) -> None:
    def steps(page: Page) -> tuple[str, str, str]:
        open_live(page)
        pin = page.locator(".pin.silent")
        return (
            row_of(page, "truck 34"),
            pin.get_attribute("aria-label") or "",
            pin.locator("path").evaluate("(path) => getComputedStyle(path).strokeDasharray"),
        )

    row, label, dashes = signed_in().do(steps)
    assert re.search(r"silent 4[01] min", row)
    assert re.match(r"truck 34, silent 4[01] min", label)
    assert dashes != "none"


def test_an_age_counts_on_without_any_news(
    signed_in: Callable[..., Window], fleet: Phone, started_at: datetime
) -> None:
    def steps(page: Page) -> tuple[str, str]:
        page.clock.install()
        page.goto("/live")
        page.locator(".pin").first.wait_for()
        before = row_of(page, "truck 12")
        page.clock.run_for(10 * 60 * 1000)
        return before, row_of(page, "truck 12")

    before, after = signed_in().do(steps)
    assert re.search(r"\b[23] min ago", before)
    assert re.search(r"\b1[23] min ago", after)


def test_the_focus_stays_while_its_row_is_replaced(
    signed_in: Callable[..., Window], post: Post, fleet: Phone
) -> None:
    window = signed_in()
    link = f"driver-{fleet.driver.uuid}"

    def focus(page: Page) -> None:
        open_live(page)
        page.locator(f"#{link}").focus()

    window.do(focus)
    post(datetime.now(UTC), MECHELEN)
    window.do(lambda page: page.locator("tr", has_text="near Mechelen").wait_for())
    assert window.do(lambda page: page.evaluate("document.activeElement.id")) == link


def test_a_hidden_page_closes_its_stream_and_comes_back_with_what_it_missed(
    signed_in: Callable[..., Window], post: Post
) -> None:
    window = signed_in()
    streams: list[str] = []

    def watch(page: Page) -> None:
        page.on("requestfinished", lambda one: streams.append(one.url))
        page.on("requestfailed", lambda one: streams.append(one.url))
        open_live(page)
        hide(page, "hidden")

    window.do(watch)
    post(datetime.now(UTC), MECHELEN)
    window.do(lambda page: page.wait_for_timeout(3_000))
    assert any("/live/stream" in url for url in streams)
    assert "Ghent" in window.do(lambda page: row_of(page, "truck 12"))
    window.do(lambda page: hide(page, "visible"))
    window.do(lambda page: page.locator("tr", has_text="near Mechelen").wait_for())


def hide(page: Page, state: str) -> None:
    page.evaluate(
        """state => {
          const value = state === "hidden";
          Object.defineProperty(document, "hidden", { value, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_who_is_no_dispatcher_any_more_is_shown_out(
    signed_in: Callable[..., Window], dee: User, post: Post
) -> None:
    window = signed_in()
    window.do(open_live)
    Membership.objects.filter(user=dee).delete()
    began_s = time.monotonic()
    window.do(lambda page: page.get_by_text("not yours to see").wait_for())
    assert time.monotonic() - began_s < WITHIN_S
    assert "truck 12" not in window.do(lambda page: page.locator("body").inner_text())
    window.problems.clear()  # the browser notes that the page is answered with 403


def test_without_a_stream_the_page_asks_by_itself(
    signed_in: Callable[..., Window], post: Post
) -> None:
    window = signed_in()

    def without(page: Page) -> None:
        page.add_init_script("delete window.EventSource")
        page.goto("/live")
        expect(page.locator("#freshness")).to_have_text(re.compile("every 15 seconds"))

    window.do(without)
    post(datetime.now(UTC), MECHELEN)
    window.do(lambda page: page.locator("tr", has_text="near Mechelen").wait_for(timeout=20_000))


def test_a_page_that_is_refused_a_stream_asks_by_itself(
    signed_in: Callable[..., Window], post: Post
) -> None:
    window = signed_in()

    def refused(page: Page) -> None:
        page.route("**/live/stream*", lambda route: route.fulfill(status=429, body=""))
        page.goto("/live")
        expect(page.locator("#freshness")).to_have_text(re.compile("every 15 seconds"))

    window.do(refused)
    assert any("429" in problem for problem in window.problems)
    window.problems.clear()


def test_when_the_server_is_away_the_page_says_so_and_comes_back(
    signed_in: Callable[..., Window], post: Post
) -> None:
    window = signed_in()
    window.do(open_live)

    def lose(page: Page) -> None:
        page.context.set_offline(True)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#freshness")).to_have_text(re.compile("Not refreshed"), timeout=15_000)

    window.do(lose)
    post(datetime.now(UTC), MECHELEN)

    def find(page: Page) -> None:
        page.context.set_offline(False)
        page.locator("tr", has_text="near Mechelen").wait_for(timeout=20_000)
        expect(page.locator("#freshness")).to_have_text(re.compile("Live"), timeout=40_000)

    window.do(find)
    window.problems.clear()  # each lost request is noted


def test_without_scripts_the_form_finds_a_truck(
    signed_in: Callable[..., Window], fleet: Phone
) -> None:
    def steps(page: Page) -> tuple[str, int]:
        page.goto("/live")
        page.get_by_label("Find a truck").fill("34")
        page.get_by_role("button", name="Find").click()
        return page.locator("#fleet").inner_text(), page.locator("#map svg circle").count()

    said, dots = signed_in(java_script_enabled=False).do(steps)
    assert "truck 34" in said
    assert "truck 12" not in said
    assert dots >= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(
    signed_in: Callable[..., Window], fleet: Phone, scheme: str
) -> None:
    window = signed_in(color_scheme=scheme)
    window.do(open_live)
    assert window.inaccessible() == []


@pytest.mark.parametrize(
    ("locale", "find", "near", "silent"),
    [("nl-BE", "Zoek een vrachtwagen", "bij Gent", " stil"),
     ("fr-BE", "Trouver un camion", "près de Gand", "muet depuis")],
)  # fmt: skip
def test_the_page_speaks_the_dispatchers_language(
    signed_in: Callable[..., Window], post: Post, locale: str, find: str, near: str, silent: str
) -> None:
    window = signed_in(locale=locale)

    def steps(page: Page) -> str:
        page.goto("/live")
        page.get_by_label(find).wait_for()
        page.locator(".pin").first.wait_for()
        return page.locator("#fleet").inner_text()

    said = window.do(steps)
    assert near in said
    assert silent in said
    post(datetime.now(UTC), MECHELEN)
    place = "Malines" if locale.startswith("fr") else "Mechelen"
    window.do(lambda page: page.locator("tr", has_text=place).wait_for())
