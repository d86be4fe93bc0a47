"""The second factor in a real browser, with the codes that an app would show."""

import pytest
from playwright.sync_api import Page

from accounts.models import AuditEntry, Employer, User
from tests.config.test_second_factor import code_of
from tests.pages.conftest import OpenWindow, Window
from tests.pages.test_in_a_browser import PASSWORD
from tests.pages.test_manage_in_a_browser import Tour, enter

pytestmark = pytest.mark.slow


@pytest.fixture
def member(transactional_db: None, dee: User) -> User:
    dee.set_password(PASSWORD)
    dee.save()
    return dee


def type_code(window: Window, code: str) -> None:
    def steps(page: Page) -> None:
        page.locator("input[name=code]").fill(code)
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_load_state()

    window.do(steps)


def confirm_password(window: Window) -> None:
    def steps(page: Page) -> None:
        page.get_by_role("heading", name="Is it you?").wait_for()
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()

    window.do(steps)


def heading(window: Window) -> str:
    return window.do(lambda page: page.locator("h1").inner_text())


@pytest.mark.parametrize("width", [390, 1440])
def test_a_user_sets_up_uses_and_loses_a_second_factor(
    open_window: OpenWindow, member: User, acme: Employer, width: int
) -> None:
    acme.is_two_factor_required = True
    acme.save()
    window = open_window(width=width)
    tour = Tour(window, f"factor-{width}")

    # Every page leads to setting it up, and there is no way round.
    window.do(lambda page: enter(page, member.email, "/missions"))
    tour.see("is-it-you")
    window.do(lambda page: page.goto("/manage"))
    confirm_password(window)
    window.do(lambda page: page.get_by_text("Your employer wants a second factor").wait_for())
    tour.see("set-up")
    secret = window.do(lambda page: page.locator("code.secret").inner_text())
    type_code(window, "000000")
    window.do(lambda page: page.locator("#code-error").wait_for())
    tour.see("wrong-code")
    same = window.do(lambda page: page.locator("code.secret").inner_text())
    assert same == secret
    window.do(lambda page: page.goto("/manage"))
    assert heading(window) == "Set up a second factor"
    secret = window.do(lambda page: page.locator("code.secret").inner_text())
    type_code(window, code_of(secret, -1))
    assert heading(window) == "Recovery codes"
    tour.see("recovery-codes")
    codes = window.do(lambda page: page.locator(".codes li").all_inner_texts())
    assert len(codes) == 10
    window.do(lambda page: page.reload())
    window.do(lambda page: page.get_by_text("10 codes are left.").wait_for())
    assert window.do(lambda page: page.locator(".codes").count()) == 0
    window.do(lambda page: page.goto("/accounts/2fa/"))
    tour.see("overview")
    window.do(lambda page: page.goto("/manage"))
    assert heading(window) == "Manage"

    # Another computer: the password, then a code that opens once.
    second = open_window(width=width)
    steps = Tour(second, f"factor-{width}")
    code = code_of(secret)
    second.do(lambda page: enter(page, member.email))
    assert heading(second) == "Your second factor"
    steps.see("sign-in")
    type_code(second, "123456")
    second.do(lambda page: page.locator("#code-error").wait_for())
    steps.see("sign-in-wrong")
    type_code(second, code)
    assert heading(second) == "Manage"

    third = open_window(width=width)
    third.do(lambda page: enter(page, member.email))
    type_code(third, code)
    third.do(lambda page: page.locator("#code-error").wait_for())
    type_code(third, codes[0])
    assert heading(third) == "Manage"
    fourth = open_window(width=width)
    fourth.do(lambda page: enter(page, member.email))
    type_code(fourth, codes[0])
    fourth.do(lambda page: page.locator("#code-error").wait_for())
    assert heading(fourth) == "Your second factor"
    assert tour.amiss + steps.amiss == []
    assert AuditEntry.objects.get(action="second_factor.added").actor == member.uuid


def test_a_second_factor_is_switched_off_again(open_window: OpenWindow, member: User) -> None:
    window = open_window(width=390)
    tour = Tour(window, "factor-off")
    window.do(lambda page: enter(page, member.email, "/preferences"))
    window.do(lambda page: page.get_by_role("link", name="Second factor").click())
    tour.see("index")
    window.do(lambda page: page.get_by_role("link", name="Switch it on").click())
    confirm_password(window)
    secret = window.do(lambda page: page.locator("code.secret").inner_text())
    type_code(window, code_of(secret))
    window.do(lambda page: page.goto("/accounts/2fa/"))
    window.do(lambda page: page.get_by_role("link", name="Make new codes").click())
    tour.see("new-codes")
    window.do(lambda page: page.goto("/accounts/2fa/"))
    window.do(lambda page: page.get_by_role("link", name="Switch it off").click())
    tour.see("switch-off")
    window.do(lambda page: page.get_by_role("button", name="Switch it off").click())
    window.do(lambda page: page.get_by_text("It is off.").wait_for())
    assert tour.amiss == []
    actions = AuditEntry.objects.filter(object_id=member.uuid).order_by("id")
    assert [one.action for one in actions] == ["second_factor.added", "second_factor.removed"]
