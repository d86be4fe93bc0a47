"""Every page of the desk in a browser: one table of pages, walked in each language.

Each walk looks for errors, refusals of the CSP, other hosts (the window does), what axe-core
holds to be serious, words left in English, and at 320 CSS pixels (a 1280 pixel window at
400 %) for anything that makes the page scroll sideways.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from accounts.duty_marks import DutyMarkKind
from accounts.models import ApiKey, DutyMark, Employer, Role, Truck, User
from missions.models import Mission, MissionImport, ShareLink, Site, Stop, WebhookEndpoint
from tests.cast import Phone, make_api_key, put_fixes
from tests.chromium import serious
from tests.pages.conftest import OpenWindow
from tests.pages.test_mission_page import begin, driven
from tests.tracking.test_proofs import files

__all__ = ["begin", "driven", "files"]

pytestmark = pytest.mark.slow

SIDEWAYS = """() => document.documentElement.scrollWidth > innerWidth
    ? [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 120)).slice(-3)
    : []"""


@pytest.fixture
def media(live_site_environment: dict[str, str], settings: Any) -> None:
    """Files where the live site looks for them."""
    settings.MEDIA_ROOT = f"{live_site_environment['VAR_DIR']}/media"


@pytest.fixture
def paths(
    transactional_db: None,
    media: None,
    driven: Mission,
    acme: Employer,
    ada_phone: Phone,
    truck12: Truck,
    max: User,
) -> dict[str, str]:
    """Each page that opens by itself, with something on it."""
    now = timezone.now()
    driver = ada_phone.driver
    DutyMark.objects.create(
        employer=acme, driver=driver, kind=DutyMarkKind.DUTY_STARTED,
        recorded_at=now - timedelta(hours=4),
    )  # fmt: skip
    put_fixes(ada_phone, [(now - timedelta(minutes=2), 51.05, 3.72)], mission=driven)
    acme.is_share_enabled = True
    acme.save()
    make_api_key(acme, Role.DISPATCHER)
    stop = Stop.objects.get(mission=driven, seq=2)
    ShareLink.objects.create(employer=acme, stop=stop, token_hash=b"\1" * 32)
    hook = WebhookEndpoint.objects.create(
        employer=acme, url="https://hooks.example/in", types=["mission.created"]
    )
    table = MissionImport.objects.create(employer=acme, filename="orders.csv")
    mission, site = f"/missions/{driven.uuid}", Site.objects.get()
    of_driver, of_truck = f"/drivers/{driver.uuid}", f"/trucks/{truck12.uuid}"
    day = f"?date={driven.opened_at:%Y-%m-%d}"
    return {
        "today": "/",
        "live": "/live",
        "missions": "/missions?from=&to=",
        "mission": mission,
        "mission edit": f"{mission}/edit",
        "mission proof": f"{mission}/stops/{stop.uuid}/proof",
        "mission replay": f"{mission}/replay",
        "mission share": f"{mission}/stops/{stop.uuid}/share",
        "mission new": "/missions/new",
        "imports": "/missions/import",
        "import": f"/missions/import/{table.uuid}",
        "driver day": f"{of_driver}/day{day}",
        "driver month": f"{of_driver}/month",
        "driver replay": f"{of_driver}/replay{day}",
        "truck day": f"{of_truck}/day{day}",
        "truck month": f"{of_truck}/month",
        "truck replay": f"{of_truck}/replay{day}",
        "who was where": "/where",
        "found who was where": f"/where?place=51.05%2C3.72&radius_m=500"
        f"&date={driven.opened_at:%Y-%m-%d}&begin=00:00&end=23:59",
        "phones": "/phones",
        "phone": f"/phones/{ada_phone.device.uuid}",
        "phone new": "/phones/new",
        "quarantine": "/quarantine",
        "manage": "/manage",
        "drivers": "/manage/drivers",
        "driver": f"/manage{of_driver}",
        "driver edit": f"/manage{of_driver}/edit",
        "trucks": "/manage/trucks",
        "truck": f"/manage{of_truck}",
        "sites": "/manage/sites",
        "site": f"/manage/sites/{site.uuid}",
        "users": "/manage/users",
        "user": f"/manage/users/{max.uuid}",
        "user new": "/manage/users/new",
        "keys": "/manage/keys",
        "key revoke": f"/manage/keys/{ApiKey.objects.get().uuid}/revoke",
        "webhooks": "/manage/webhooks",
        "webhook": f"/manage/webhooks/{hook.uuid}",
        "employer": "/manage/employer",
        "audit": "/manage/audit",
        "preferences": "/preferences",
        "second factor": "/accounts/2fa/",
        "password": "/accounts/password/change/",
        "verify": "/verify",
    }


def complaints(page: Page, paths: dict[str, str], look: Callable[[Page], list[str]]) -> list[str]:
    found = []
    for name, path in paths.items():
        answer = page.goto(path)
        page.wait_for_timeout(150)
        if answer is None or answer.status != 200:
            found.append(f"{name}: {answer and answer.status}")
        found += [f"{name}: {one}" for one in look(page)]
    return found


def sign_in(user: User) -> Callable[[Page], None]:
    """A step for a window: the cookie of a session that the test begins."""
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value

    def step(page: Page) -> None:
        page.goto("/verify")
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": page.evaluate("origin")}]
        )

    return step


def test_every_page_is_accessible(
    open_window: OpenWindow, paths: dict[str, str], max: User
) -> None:
    window = open_window()
    window.do(sign_in(max))
    assert "\n".join(window.do(lambda page: complaints(page, paths, serious))) == ""


def reflowed(language: str) -> Callable[[Page], list[str]]:
    def look(page: Page) -> list[str]:
        spoken = page.evaluate("document.documentElement.lang")
        found = [f"scrolls sideways: {one}" for one in page.evaluate(SIDEWAYS)]
        return [*found, *([f"speaks {spoken}"] if spoken != language else [])]

    return look


def test_every_page_fits_a_window_at_400_percent_in_dutch(
    open_window: OpenWindow, paths: dict[str, str], max: User
) -> None:
    window = open_window(width=320, locale="nl-BE", color_scheme="dark")
    window.do(sign_in(max))
    dutch = reflowed("nl")
    found = window.do(lambda page: complaints(page, paths, lambda at: [*dutch(at), *serious(at)]))
    assert "\n".join(found) == ""


def test_every_page_fits_a_phone_in_french(
    open_window: OpenWindow, paths: dict[str, str], max: User
) -> None:
    window = open_window(width=360, locale="fr-BE")
    window.do(sign_in(max))
    found = window.do(lambda page: complaints(page, paths, reflowed("fr")))
    assert "\n".join(found) == ""
