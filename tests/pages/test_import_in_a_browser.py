"""A table with one bad row is sent, mended, sent again and confirmed, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from accounts.models import Driver, User
from missions.models import Mission
from tests.pages.conftest import OpenWindow
from tests.pages.desk_in_a_browser import go_as, look, with_password
from tests.pages.test_import_page import HEADER, ROUND, WRONG

pytestmark = pytest.mark.slow


@pytest.fixture
def dispatcher(transactional_db: None, dee: User, ada: Driver) -> User:
    return with_password(dee)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_table_with_one_bad_row_is_mended_and_imported(
    open_window: OpenWindow, dispatcher: User, tmp_path: Path, width: int
) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_bytes(WRONG)
    good.write_bytes(ROUND)
    window = open_window(width=width)

    def send_bad(page: Page) -> None:
        go_as(page, dispatcher, "/missions/import")
        look(page, f"imports-{width}")
        page.get_by_label("Table, CSV or XLSX").set_input_files(bad)
        page.get_by_role("button", name="Check the table").click()
        page.get_by_text("No driver has this number.").wait_for()
        look(page, f"import-problems-{width}")

    window.do(send_bad)
    assert window.inaccessible() == []
    assert not Mission.objects.exists()

    def send_good(page: Page) -> None:
        page.get_by_role("link", name="Send another table").click()
        page.get_by_label("Table, CSV or XLSX").set_input_files(good)
        page.get_by_role("button", name="Check the table").click()
        page.get_by_role("button", name="Import these missions").wait_for()
        page.reload()
        look(page, f"import-checked-{width}")

    window.do(send_good)
    assert window.inaccessible() == []

    def confirm(page: Page) -> None:
        page.get_by_role("button", name="Import these missions").click()
        page.get_by_role("heading", name="Imported").wait_for()
        look(page, f"import-done-{width}")

    window.do(confirm)
    assert Mission.objects.count() == 2


def test_problems_in_dutch(open_window: OpenWindow, dispatcher: User, tmp_path: Path) -> None:
    table = tmp_path / "fout.csv"
    table.write_text(f"{HEADER}\nM-1,D-9,Depot,Kaai 1\n")

    def read(page: Page) -> str:
        go_as(page, dispatcher, "/missions/import")
        page.locator("#file").set_input_files(table)
        page.locator("main form button[type=submit]").click()
        page.locator("table.problems").wait_for()
        look(page, "import-nl")
        return page.locator("main").inner_text()

    text = open_window(width=390, locale="nl-BE").do(read)
    assert "driver_number" in text
    for english in ("No driver has", "Row", "What is wrong", "Nothing is stored"):
        assert english not in text
