"""Management in a real browser: a manager's story, on a wide screen and on a phone."""

import pytest
from playwright.sync_api import Page

from accounts.actors import Actor
from accounts.drivers import create_driver
from accounts.models import ApiKey, Driver, Employer, Truck, TruckAssignment, User
from tests.pages.conftest import OpenWindow, Window
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, keep_picture

pytestmark = pytest.mark.slow


@pytest.fixture
def manager(transactional_db: None, max: User) -> User:
    max.set_password(PASSWORD)
    max.name = "Max Moreau"
    max.save()
    return max


def enter(page: Page, email: str = "max@acme.example", path: str = "/manage") -> None:
    """Sign in by the fields of the form: in whatever language its words are."""
    page.goto(path)
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()


def visit(window: Window, path: str) -> None:
    window.do(lambda page: page.goto(path))


class Tour:
    """Walks pages, and looks at each: axe, sideways scrolling, a picture for people."""

    def __init__(self, window: Window, name: str) -> None:
        self.window = window
        self.name = name
        self.amiss: list[str] = []

    def see(self, picture: str) -> None:
        name = f"{self.name}-{picture}"
        self.window.do(lambda page: keep_picture(page, name))
        self.amiss += [f"{picture}: {found}" for found in self.window.inaccessible()]
        if self.window.do(has_sideways_scroll):
            self.amiss.append(f"{picture}: wider than the screen")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_manager_keeps_drivers_and_trucks(
    open_window: OpenWindow,
    manager: User,
    acme: Employer,
    ben: Driver,
    truck12: Truck,
    width: int,
) -> None:
    window = open_window(width=width)
    tour = Tour(window, f"manage-{width}")
    window.do(enter)
    tour.see("index")

    def add_driver(page: Page) -> None:
        page.get_by_role("link", name="Drivers", exact=True).click()
        page.get_by_role("link", name="Add a driver").click()
        page.get_by_label("Name").fill("Eva Janssens")
        page.get_by_label("Number").fill("D-9")
        page.get_by_label("Language").select_option("nl")
        page.get_by_label("This person is 18 or older.").check()

    window.do(add_driver)
    tour.see("driver-form")

    def save(page: Page) -> None:
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Eva Janssens is added.").wait_for()

    window.do(save)
    tour.see("driver")

    def find(page: Page) -> None:
        page.get_by_role("link", name="All drivers").click()
        page.get_by_label("Name or number").fill("janss")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Show all").wait_for()
        assert page.locator("table.rows tbody tr").count() == 1
        page.get_by_role("link", name="Show all").click()
        page.get_by_role("link", name="Ben Özdemir", exact=True).wait_for()

    window.do(find)
    tour.see("drivers")

    def give(page: Page) -> None:
        page.goto("/manage/trucks")
        page.get_by_role("link", name="1-TRK-012", exact=True).click()
        page.get_by_label("Driver").select_option(label="Eva Janssens (D-9)")
        page.get_by_role("button", name="Assign", exact=True).click()
        page.get_by_text("1-TRK-012 is assigned to Eva Janssens.").wait_for()

    window.do(give)
    tour.see("truck")
    window.do(lambda page: page.goto("/manage/trucks"))
    tour.see("trucks")

    def overlap(page: Page) -> None:
        page.get_by_role("link", name="1-TRK-012", exact=True).click()
        page.get_by_label("Driver").select_option(label="Ben Özdemir (D-2)")
        page.locator("input[type=datetime-local]").first.fill("2030-01-01T08:00")
        page.get_by_role("button", name="Assign", exact=True).click()
        page.get_by_text("In the way: 1-TRK-012 is Eva Janssens's").wait_for()

    # A refused form is answered 409, which Chromium calls an error on its console.
    window.do(overlap)
    tour.see("truck-overlap")
    refusals = [one for one in window.problems if "409" in one]
    window.problems[:] = [one for one in window.problems if one not in refusals]
    assert len(refusals) == 1

    def end(page: Page) -> None:
        page.get_by_role("button", name="End the assignment").click()
        page.get_by_text("Saved.").wait_for()
        page.get_by_role("link", name="Correct").click()
        page.get_by_role("heading", name="Who drove 1-TRK-012").wait_for()

    window.do(end)
    tour.see("truck-correct")
    window.do(lambda page: page.goto(f"/manage/trucks/{truck12.uuid}/retire"))
    tour.see("truck-retire")

    def retire(page: Page) -> None:
        page.get_by_role("button", name="Take out of service").click()
        page.get_by_text("1-TRK-012 is out of service.").wait_for()

    window.do(retire)
    assert tour.amiss == []
    assignment = TruckAssignment.objects.get()
    assert assignment.driver is not None
    assert assignment.driver.name == "Eva Janssens"


@pytest.mark.parametrize("width", [390, 1440])
def test_a_manager_keeps_people_keys_and_settings(
    open_window: OpenWindow, manager: User, dee: User, acme: Employer, width: int
) -> None:
    create_driver(Actor("user", acme, user=manager), name="Eva Janssens")
    window = open_window(width=width)
    tour = Tour(window, f"manage-{width}")

    def add_user(page: Page) -> None:
        enter(page)
        page.get_by_role("link", name="Users and roles").click()
        page.get_by_role("link", name="Add a user").click()
        page.get_by_label("E-mail address").fill("eve@acme.example")
        page.get_by_label("Name").fill("Eve Claes")

    window.do(add_user)
    tour.see("user-form")

    def link(page: Page) -> str:
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("heading", name="A link to choose a password").wait_for()
        return page.locator("code.secret").inner_text()

    address = window.do(link)
    tour.see("user-link")
    window.do(lambda page: page.get_by_role("link", name="To the user").click())
    tour.see("user")
    window.do(lambda page: page.get_by_role("link", name="All users").click())
    tour.see("users")

    other = open_window(width=width)
    others = Tour(other, f"manage-{width}")
    other.do(lambda page: page.goto(address))
    others.see("choose-password")

    def choose(page: Page) -> None:
        for field in page.locator("input[type=password]").all():
            field.fill("a sentence of my own")
        page.get_by_role("button", name="Keep this password").click()
        page.get_by_role("heading", name="Your password is kept").wait_for()

    other.do(choose)
    assert others.amiss == []

    def make_key(page: Page) -> None:
        page.goto("/manage/keys")
        page.get_by_role("link", name="Make a key").click()
        page.get_by_label("Name").fill("planning")
        page.get_by_role("button", name="Make a key").click()
        page.get_by_text("The key is shown this once.").wait_for()

    window.do(make_key)
    tour.see("key-made")
    window.do(lambda page: page.get_by_role("link", name="All keys").click())
    tour.see("keys")
    window.do(lambda page: page.get_by_role("link", name="Revoke planning").click())
    tour.see("key-revoke")

    def revoke(page: Page) -> None:
        page.get_by_role("button", name="Revoke").click()
        page.get_by_text("The key is revoked.").wait_for()
        page.goto("/manage/employer")

    window.do(revoke)
    tour.see("employer")

    def settle(page: Page) -> None:
        page.get_by_label("Minutes late that are on time").fill("25")
        page.get_by_label("A consignee may be sent a link to one stop").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved. It holds from the next fix on.").wait_for()
        page.goto("/manage/audit")
        page.get_by_text("Settings changed").last.wait_for()

    window.do(settle)
    tour.see("audit")
    assert tour.amiss == []
    assert ApiKey.objects.get().revoked_at is not None
    acme.refresh_from_db()
    assert (acme.late_s, acme.is_share_enabled) == (1500, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_own_language_is_spoken_as_soon_as_it_is_saved(
    open_window: OpenWindow, manager: User, ben: Driver, scheme: str
) -> None:
    window = open_window(width=390, color_scheme=scheme)
    tour = Tour(window, f"manage-nl-{scheme}")

    def save(page: Page) -> None:
        enter(page, path="/preferences")
        page.get_by_role("link", name="Max Moreau").click()
        page.get_by_label("Language of the pages").select_option("nl")
        page.get_by_label("Single keys on pages").uncheck()
        page.get_by_role("button", name="Save").click()
        page.locator("html[lang=nl][data-shortcuts=off]").wait_for()

    window.do(save)
    tour.see("preferences")
    pages = ("/manage", "/manage/drivers", "/manage/employer", "/manage/users", "/manage/audit")
    spoken = ""
    for path in pages:
        visit(window, path)
        tour.see(path.rpartition("/")[2])
        spoken += window.do(lambda page: page.locator("main").inner_text())
    assert tour.amiss == []
    for dutch in ("Chauffeurs", "Instellingen", "Gebruikers en rollen"):
        assert dutch in spoken
    for english in ("Drivers", "Settings", "Users and roles", "Second factor", "Save"):
        assert english not in spoken
