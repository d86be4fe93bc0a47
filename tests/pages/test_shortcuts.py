"""Single keys of a page: where they work, where they do not, and how somebody learns of them."""

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tests.pages.conftest import OpenWindow
from tests.pages.test_in_a_browser import sign_in, signed_up

__all__ = ["signed_up"]

pytestmark = pytest.mark.slow

# A page of ours with keys of its own, and a field to type in.
WITH_KEYS = """async () => {
  // After the page's own keys, or they would take the place of these.
  if (document.readyState !== "complete") {
    await new Promise((done) => addEventListener("load", done));
  }
  const { shortcuts } = await import("/static/milepost/shortcuts.js");
  window.done = [];
  const note = (what) => (event) => { window.done.push(what); return what !== "nothing"; };
  shortcuts({
    j: { run: note("next"), label: "Next row" },
    ArrowDown: { run: note("next"), label: "Next row" },
    Enter: { run: note("open"), label: "Open it" },
    x: { run: note("nothing"), label: "" },
  });
  const field = document.createElement("input");
  field.id = "field";
  field.setAttribute("aria-label", "A field");
  document.querySelector("main").append(field);
  document.querySelector("main").focus();
}"""


@pytest.fixture
def signed_in(transactional_db: None, signed_up: User) -> User:
    return signed_up


def test_a_key_does_its_work_but_not_while_something_is_typed_or_held(
    open_window: OpenWindow, signed_in: User
) -> None:
    def steps(page: Page) -> tuple[list[str], str]:
        sign_in(page)
        page.evaluate(WITH_KEYS)
        for key in ("j", "ArrowDown", "Enter", "Control+j", "Alt+j", "x"):
            page.keyboard.press(key)
        page.locator("#field").focus()
        page.keyboard.type("j?")
        page.keyboard.press("Enter")
        page.locator(".brand").focus()
        page.evaluate("addEventListener('click', (event) => event.preventDefault())")
        page.keyboard.press("Enter")  # opens the link, and nothing else
        return page.evaluate("window.done"), page.locator("#field").input_value()

    assert open_window().do(steps) == (["next", "next", "open", "nothing"], "j?")


def test_a_question_mark_lists_the_keys_and_the_list_closes_again(
    open_window: OpenWindow, signed_in: User
) -> None:
    def steps(page: Page) -> str:
        sign_in(page)
        page.evaluate(WITH_KEYS)
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("j")
        assert page.evaluate("window.done") == []
        return page.get_by_role("dialog").inner_text()

    window = open_window()
    said = window.do(steps)
    assert "Next row" in said
    assert said.count("Next row") == 1
    assert "↓" in said
    assert window.inaccessible() == []

    def closed(page: Page) -> list[str]:
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
        page.keyboard.press("j")
        found: list[str] = page.evaluate("window.done")
        return found

    assert window.do(closed) == ["next"]


def test_whoever_turned_them_off_has_none(open_window: OpenWindow, signed_in: User) -> None:
    signed_in.has_shortcuts = False
    signed_in.save()

    def steps(page: Page) -> tuple[list[str], int]:
        sign_in(page)
        page.evaluate(WITH_KEYS)
        page.keyboard.press("j")
        page.keyboard.press("?")
        return page.evaluate("window.done"), page.get_by_role("dialog").count()

    assert open_window().do(steps) == ([], 0)
