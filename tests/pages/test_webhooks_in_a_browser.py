"""A manager sets a webhook up, tries it against a real receiver and reads its log."""

import pytest
from playwright.sync_api import Page
from pytest_django import Settings

from accounts.models import Employer, User
from missions.models import WebhookEndpoint
from tests.missions.hooks import run, tell
from tests.pages.conftest import OpenWindow
from tests.pages.desk_in_a_browser import go_as, look, with_password
from tests.receivers import receiver, status

pytestmark = pytest.mark.slow


@pytest.fixture
def manager(transactional_db: None, max: User) -> User:
    return with_password(max)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_manager_sets_a_webhook_up_and_reads_its_log(
    open_window: OpenWindow,
    manager: User,
    acme: Employer,
    width: int,
    settings: Settings,
) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    window = open_window(width=width)
    with receiver() as here:

        def make(page: Page) -> str:
            go_as(page, manager, "/manage/webhooks")
            page.get_by_role("link", name="New webhook").click()
            page.get_by_label("Address of your system").fill(here.url)
            page.get_by_label("What it is", exact=True).fill("The ERP")
            look(page, f"webhook-new-{width}")
            page.get_by_role("button", name="Make it").click()
            secret = page.locator("#secret").inner_text()
            look(page, f"webhook-secret-{width}")
            page.get_by_role("link", name="I have kept it: to the webhook").click()
            page.get_by_role("button", name="Send a test").click()
            page.get_by_text("The test was delivered: answer 200").wait_for()
            return secret

        secret = window.do(make)
        assert secret.startswith("whsec_")
        here.answers.append(status(503))
        (change,) = tell(acme)
        run(change.changed_at.replace(year=change.changed_at.year + 1))

        def read(page: Page) -> None:
            page.reload()
            page.get_by_text("answer 503").wait_for()
            look(page, f"webhook-log-{width}")

        window.do(read)
        assert window.inaccessible() == []

        def again(page: Page) -> None:
            page.get_by_role("button", name="Send again").click()
            page.get_by_text("It is sent again").wait_for()
            page.get_by_role("link", name="New secret").click()
            page.get_by_role("button", name="Make a new secret").click()
            page.get_by_text("signed with the old secret too").wait_for()
            page.get_by_role("link", name="I have kept it: to the webhook").click()
            page.get_by_role("button", name="Switch it off").click()
            page.get_by_text("switched off by a manager").wait_for()
            page.goto("/manage/webhooks")
            look(page, f"webhooks-{width}")
            page.get_by_role("link", name=here.url).click()
            page.get_by_role("link", name="Remove").click()
            page.get_by_role("button", name="Remove").click()
            page.get_by_text("There is no webhook yet.").wait_for()

        window.do(again)
    assert not WebhookEndpoint.objects.exists()


def test_webhooks_in_french(open_window: OpenWindow, manager: User) -> None:
    def read(page: Page) -> str:
        go_as(page, manager, "/manage/webhooks/new")
        look(page, "webhook-new-fr")
        return page.locator("main").inner_text()

    text = open_window(width=390, locale="fr-BE").do(read)
    for english in ("New webhook", "Address of your system", "mission made", "Make it"):
        assert english not in text
