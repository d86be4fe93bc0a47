"""A mission is made, changed and moved on in a real browser: by keyboard, and on a phone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission, MissionStatus, Site, StageEvent
from missions.planning import StopPlan
from missions.stops import add_stop
from tests.missions.builders import make_mission, start
from tests.pages.conftest import OpenWindow
from tests.pages.desk_in_a_browser import go_as, look, with_password
from tracking.partitions import make_partitions

pytestmark = pytest.mark.slow


@pytest.fixture
def dispatcher(
    transactional_db: None, acme: Employer, dee: User, ada: Driver, truck12: Truck
) -> User:
    make_partitions()
    for name, address in (("Depot", "Kaai 1, Gent"), ("Brouwerij Noord", "Laan 2, Leuven")):
        Site.objects.create(employer=acme, name=name, address=address, latitude=51, longitude=4)
    return with_password(dee)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> str:
    """The name of the input that has the focus, or what a button says."""
    name: str = page.evaluate(
        "(e => e.type === 'submit' ? e.ariaLabel || e.textContent.trim() : e.name || '')"
        "(document.activeElement)"
    )
    return name


def tab_to(page: Page, name: str) -> None:
    """By the Tab key alone to the input or button of this name."""
    for _ in range(80):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{name} is not reached with the Tab key")


def test_a_mission_with_two_stops_is_made_by_keyboard(
    open_window: OpenWindow, dispatcher: User
) -> None:
    window = open_window()

    def make(page: Page) -> None:
        go_as(page, dispatcher, "/missions/new")
        tab_to(page, "external_id")
        page.keyboard.type("M-77")
        tab_to(page, "driver")
        page.keyboard.type("Ada")
        tab_to(page, "planned_start_at")
        page.locator(":focus").fill("2026-11-26T07:30")
        tab_to(page, "stops-0-site")
        page.keyboard.type("depot")
        tab_to(page, "stops-1-site")
        page.keyboard.type("brouwerij")
        tab_to(page, "Add a stop")
        press(page, "Enter")
        page.locator("[name=stops-2-site]").wait_for()
        page.locator("[name=stops-2-site]:focus").wait_for()
        page.keyboard.type("depot")
        tab_to(page, "Move stop 3 up")
        press(page, "Enter")
        page.locator("[name=stops-1-site]:focus").wait_for()
        look(page, "mission-new")

    def save(page: Page) -> None:
        tab_to(page, "Save")
        press(page, "Enter")
        page.wait_for_url("**/missions/*-*")

    window.do(make)
    assert window.inaccessible() == []
    window.do(save)
    mission = Mission.objects.get(external_id="M-77")
    assert mission.status == MissionStatus.ASSIGNED
    assert mission.planned_start_at is not None
    names = [stop.site.name for stop in mission.stops.order_by("seq") if stop.site]
    assert names == ["Depot", "Depot", "Brouwerij Noord"]


def test_it_works_without_a_script_and_on_a_phone(
    open_window: OpenWindow, dispatcher: User
) -> None:
    def make(page: Page) -> None:
        go_as(page, dispatcher, "/missions/new")
        page.get_by_role("button", name="Remove stop 2").click()
        page.get_by_role("button", name="Remove stop 2").wait_for(state="detached")
        page.locator("[name=stops-0-site]").fill("Nowhere")
        look(page, "mission-new-phone")
        page.get_by_role("button", name="Add a stop").click()
        page.get_by_role("group", name="Stop 2").wait_for()
        page.get_by_label("Reference", exact=True).fill("Beer")
        page.locator("[name=stops-0-site]").fill("Depot")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url("**/missions/*-*")

    open_window(width=390, java_script_enabled=False).do(make)
    assert Mission.objects.get(reference="Beer").stops.count() == 1


def test_two_dispatchers_change_one_mission(
    open_window: OpenWindow, dispatcher: User, acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada, reference="Beer")
    add_stop(mission, StopPlan(site=Site.objects.get(name="Depot")))
    path = f"/missions/{mission.uuid}/edit"
    window = open_window(color_scheme="dark")
    window.do(lambda page: go_as(page, dispatcher, path))
    add_stop(mission, StopPlan(remark="by another"))
    Mission.objects.update(reference="Theirs")

    def save(page: Page) -> None:
        page.get_by_label("Reference", exact=True).fill("Mine")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Somebody changed this mission meanwhile:").wait_for()
        page.get_by_text("Meanwhile it was changed to: Theirs").wait_for()
        look(page, "mission-conflict")

    window.do(save)
    # The browser notes that the answer was a refusal, as it was meant to be.
    assert window.problems
    assert all("412" in problem for problem in window.problems)
    window.problems.clear()
    assert window.inaccessible() == []

    def again(page: Page) -> None:
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(f"**/missions/{mission.uuid}")

    window.do(again)
    mission.refresh_from_db()
    assert (mission.reference, mission.stops.count()) == ("Mine", 2)


def test_a_stage_is_entered_and_the_mission_ended(
    open_window: OpenWindow, dispatcher: User, acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada, reference="Beer")
    add_stop(mission, StopPlan(site=Site.objects.get(name="Depot")))
    start(mission, ada, timezone.now() - timedelta(hours=1))
    window = open_window(width=390)

    def enter(page: Page) -> None:
        go_as(page, dispatcher, f"/missions/{mission.uuid}/edit")
        page.get_by_role("link", name="Enter a stage").click()
        page.get_by_label("What happened").select_option("arrival")
        page.get_by_label("At which stop").select_option(label="1. Depot")
        look(page, "stage-new")

    window.do(enter)
    assert window.inaccessible() == []

    def end(page: Page) -> None:
        page.get_by_role("button", name="Enter it").click()
        page.wait_for_url(f"**/missions/{mission.uuid}")
        page.goto(f"/missions/{mission.uuid}/end")
        look(page, "mission-end")
        page.get_by_role("button", name="End it").click()
        page.wait_for_url(f"**/missions/{mission.uuid}")

    window.do(end)
    assert StageEvent.objects.filter(author=dispatcher).count() == 1
    mission.refresh_from_db()
    assert mission.status == MissionStatus.COMPLETED


@pytest.mark.parametrize("locale", ["nl-BE", "fr-BE"])
def test_the_form_in_dutch_and_french(
    open_window: OpenWindow, dispatcher: User, locale: str
) -> None:
    def read(page: Page) -> str:
        go_as(page, dispatcher, "/missions/new")
        page.locator("fieldset.stop").first.wait_for()
        look(page, f"mission-new-{locale}")
        return page.locator("main").inner_text()

    text = open_window(width=390, locale=locale).do(read)
    for english in ("New mission", "Planned start", "Add a stop", "Purpose", "Save", "nobody yet"):
        assert english not in text
