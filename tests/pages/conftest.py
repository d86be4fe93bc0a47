"""A browser that notices what must not happen: errors, other hosts, what the CSP refused."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from tests.chromium import ARGUMENTS, CHROMIUM, serious
from tests.live_site import live_site, live_site_environment

__all__ = ["live_site", "live_site_environment"]

T = TypeVar("T")
OpenWindow: TypeAlias = Callable[..., "Window"]


@pytest.fixture(scope="session")
def browser_thread() -> Iterator[ThreadPoolExecutor]:
    """Playwright leaves an event loop running in its thread, in which Django refuses to work."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread


@pytest.fixture(scope="session")
def browser(browser_thread: ThreadPoolExecutor) -> Iterator[Browser]:
    def start() -> tuple[Playwright, Browser]:
        playwright = sync_playwright().start()
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        return playwright, chromium

    def stop() -> None:
        chromium.close()
        playwright.stop()

    playwright, chromium = browser_thread.submit(start).result()
    yield chromium
    browser_thread.submit(stop).result()


class Window:
    """A browser window of its own; notes each error, other host and CSP violation."""

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        browser: Browser,
        url: str,
        width: int,
        how: dict[str, Any],
    ) -> None:
        self.problems: list[str] = []
        self._thread = thread
        self._url = url
        self._context, self._page = thread.submit(self._open, browser, width, how).result()

    def do(self, steps: Callable[[Page], T]) -> T:
        """Run steps in the browser's thread; between two of them a test may use the database."""
        return self._thread.submit(steps, self._page).result()

    def inaccessible(self) -> list[str]:
        """What axe-core finds on the page as it is now: serious or critical, with where."""
        return self.do(serious)

    def close(self) -> None:
        self._thread.submit(self._context.close).result()

    def _open(
        self, browser: Browser, width: int, how: dict[str, Any]
    ) -> tuple[BrowserContext, Page]:
        context = browser.new_context(
            base_url=self._url,
            viewport={"width": width, "height": 900 if width > 600 else 844},
            **{"locale": "en-GB", **how},
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("request", self._note_request)
        return context, page

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:")):
            self.problems.append(f"other host: {request.url}")


@pytest.fixture
def open_window(
    browser: Browser, browser_thread: ThreadPoolExecutor, live_site: str, transactional_db: None
) -> Iterator[OpenWindow]:
    """Open windows; at the end of the test none may have noted anything."""
    windows: list[Window] = []

    def opened(*, width: int = 1440, **how: Any) -> Window:
        windows.append(Window(browser_thread, browser, live_site, width, how))
        return windows[-1]

    yield opened
    for window in windows:
        window.close()
    assert [problem for window in windows for problem in window.problems] == []
