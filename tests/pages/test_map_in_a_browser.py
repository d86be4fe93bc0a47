"""What lies under the trucks: the built-in basemap, or the operator's own file."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from tests.cast import Phone, put_fixes
from tests.pages.conftest import OpenWindow
from tests.tracking.tile_files import write_tile_file

pytestmark = pytest.mark.slow

# One pixel of each tile that is drawn, by way of a canvas that may be read often.
DRAWN = """() => {
    const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    return [...document.querySelectorAll("#map canvas.leaflet-tile")].map((tile) => {
        copy.clearRect(0, 0, 1, 1);
        copy.drawImage(tile, -8, -8);
        return [...copy.getImageData(0, 0, 1, 1).data];
    }).filter((pixel) => pixel[3] === 255);
}"""


@pytest.fixture
def here(ada_phone: Phone) -> Phone:
    put_fixes(ada_phone, [(datetime.now(UTC) - timedelta(minutes=3), 50.85, 4.35)])
    return ada_phone


@pytest.fixture
def tile_file(live_site_environment: dict[str, str]) -> Iterator[Path]:
    path = Path(live_site_environment["VAR_DIR"]) / "basemap" / "map.pmtiles"
    yield write_tile_file(path)
    path.unlink()


def live_page(user: User, asked: list[str]) -> Callable[[Page], None]:
    """Steps for a window: sign in by cookie, open the fleet, note which map files it asks for."""
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value

    def steps(page: Page) -> None:
        page.on("response", lambda response: asked.append(f"{response.status} {response.url}"))
        page.goto("/accounts/login/")
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": page.evaluate("origin")}]
        )
        page.goto("/live")
        page.locator("#map.leaflet-container").wait_for()

    return steps


def test_the_built_in_map_names_places_in_the_pages_language(
    open_window: OpenWindow, here: Phone, dee: User
) -> None:
    asked: list[str] = []
    window = open_window(locale="nl-BE")
    window.do(live_page(dee, asked))
    window.do(
        lambda page: page.locator("#map .place", has_text="Brussel").first.wait_for(
            state="attached"
        )
    )
    assert any(url.endswith("/map/land.json") for url in asked)
    assert not any("pmtiles" in url for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_operators_map_is_read_in_ranges_and_drawn(
    open_window: OpenWindow, here: Phone, dee: User, tile_file: Path, scheme: str
) -> None:
    asked: list[str] = []
    window = open_window(color_scheme=scheme)
    window.do(live_page(dee, asked))
    window.do(lambda page: page.wait_for_function(f"() => ({DRAWN})().length > 1"))
    assert any(url.startswith("206 ") and url.endswith("map.pmtiles") for url in asked)
    text = window.do(lambda page: page.locator("#map").inner_text())
    assert "OpenStreetMap" in text
    pixels = window.do(lambda page: page.evaluate(DRAWN))
    brightness = sum(pixels[0][:3])
    assert (brightness > 384) == (scheme == "light"), pixels


def test_a_broken_file_leaves_the_built_in_map(
    open_window: OpenWindow, here: Phone, dee: User, tile_file: Path
) -> None:
    tile_file.write_bytes(b"\xff\xd8" + bytes(200))
    asked: list[str] = []
    window = open_window()
    window.do(live_page(dee, asked))
    window.do(lambda page: page.locator("#map .pin, #map .truck").first.wait_for())
    window.do(lambda page: page.locator("#map .place").first.wait_for(state="attached"))
    assert any("map.pmtiles" in url for url in asked)
