"""What the browser's stories of the desk share: sign in where one was going, and look."""

from playwright.sync_api import Page

from accounts.models import User
from tests.pages.test_in_a_browser import PASSWORD, has_sideways_scroll, keep_picture


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def go_as(page: Page, user: User, path: str) -> None:
    """Open a page, signing in on the way; in any language."""
    page.goto(path)
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(f"**{path}")


def look(page: Page, name: str) -> None:
    """Keep a picture; nothing may stick out at the side."""
    keep_picture(page, name)
    assert not has_sideways_scroll(page), name
