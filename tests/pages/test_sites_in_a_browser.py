"""A site is placed by a click on the map, dragged nowhere else, and found again in the list."""

import pytest
from playwright.sync_api import Page

from accounts.models import Employer, User
from missions.models import Site
from tests.pages.conftest import OpenWindow
from tests.pages.desk_in_a_browser import go_as, look, with_password

pytestmark = pytest.mark.slow


@pytest.fixture
def dispatcher(transactional_db: None, dee: User) -> User:
    return with_password(dee)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_site_is_placed_by_clicking_the_map(
    open_window: OpenWindow, dispatcher: User, width: int
) -> None:
    window = open_window(width=width)

    def place(page: Page) -> None:
        go_as(page, dispatcher, "/manage/sites/new")
        page.get_by_label("Name", exact=True).fill("Brouwerij Noord")
        page.locator("#map.leaflet-container").wait_for()
        page.locator("#map").scroll_into_view_if_needed()
        page.locator("#map").click(position={"x": 150, "y": 120})
        page.locator(".site-pin").wait_for()
        page.get_by_text("The point is at").wait_for()
        page.get_by_label("Radius in metres").fill("400")
        page.get_by_label("Monday: opens (1)").fill("08:00")
        page.get_by_label("Monday: closes (1)").fill("17:00")
        look(page, f"site-new-{width}")

    window.do(place)
    assert window.inaccessible() == []

    def save(page: Page) -> tuple[float, float]:
        typed = [float(page.get_by_label(name).input_value()) for name in ("Latitude", "Longitude")]
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Brouwerij Noord is there now.").wait_for()
        look(page, f"site-{width}")
        return typed[0], typed[1]

    typed = window.do(save)
    site = Site.objects.get()
    assert (site.latitude, site.longitude) == typed
    assert 45 < typed[0] < 56
    assert site.opening_hours == [{"days": [1], "opens": "08:00", "closes": "17:00"}]


def test_a_point_is_put_by_keyboard_and_moved_by_dragging(
    open_window: OpenWindow, dispatcher: User, acme: Employer
) -> None:
    site = Site.objects.create(employer=acme, name="Depot", latitude=51.05, longitude=3.72)

    def move(page: Page) -> tuple[str, str]:
        go_as(page, dispatcher, f"/manage/sites/{site.uuid}")
        page.locator(".site-pin").drag_to(page.locator("#map"), target_position={"x": 60, "y": 60})
        page.get_by_text("The point is at").wait_for()
        dragged = page.get_by_label("Latitude").input_value()
        page.get_by_role("button", name="Put the point in the middle of the map").focus()
        page.keyboard.press("Enter")
        return dragged, page.get_by_label("Latitude").input_value()

    dragged, middle = open_window().do(move)
    assert dragged not in ("51.05", middle)
    assert float(middle) == pytest.approx(51.05, abs=0.02)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_a_site_is_found_in_the_list_and_on_the_map(
    open_window: OpenWindow, dispatcher: User, acme: Employer, width: int, scheme: str
) -> None:
    for number in range(60):
        Site.objects.create(
            employer=acme,
            name=f"Klant {number}",
            address=f"Straat {number}, Gent",
            latitude=50.5 + number / 100,
            longitude=3.5 + (number % 7) / 5,
        )
    Site.objects.create(employer=acme, name="Chez François")
    window = open_window(width=width, color_scheme=scheme)

    def find(page: Page) -> None:
        go_as(page, dispatcher, "/manage/sites")
        page.locator("#map canvas").first.wait_for()
        look(page, f"sites-{width}")
        page.get_by_label("Name, address or number").fill("francois")
        page.keyboard.press("Enter")
        page.get_by_text("1 site", exact=True).wait_for()

    window.do(find)
    assert window.inaccessible() == []

    def open_it(page: Page) -> None:
        page.get_by_role("link", name="Chez François").click()
        page.get_by_role("heading", name="Chez François").wait_for()

    window.do(open_it)


def test_the_sites_in_french(open_window: OpenWindow, dispatcher: User, acme: Employer) -> None:
    site = Site.objects.create(employer=acme, name="Dépôt", latitude=50.8, longitude=4.3)

    def read(page: Page) -> str:
        go_as(page, dispatcher, "/manage/sites")
        first = page.locator("main").inner_text()
        page.goto(f"/manage/sites/{site.uuid}")
        page.locator(".site-pin").wait_for()
        look(page, "site-fr")
        return first + page.locator("main").inner_text()

    text = open_window(width=390, locale="fr-BE").do(read)
    for english in ("Search", "Visits planned", "Opening hours", "Radius", "Address", "Save"):
        assert english not in text
