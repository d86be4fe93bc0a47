"""The layout that a newcomer relies on to find things."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("accounts", "missions", "tracking", "privacy", "config")
# Names under which anything could be put, so that nothing could be found.
DRAWERS = {"utils", "helpers", "services", "selectors", "common", "core", "lib", "managers"}
LONGEST_FILE = 400


def sources() -> list[Path]:
    return [
        path
        for app in (*APPS, "tests")
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


@pytest.mark.parametrize("app", APPS)
def test_an_app_opens_with_a_docstring_and_nothing_else(app: str) -> None:
    tree = ast.parse((ROOT / app / "__init__.py").read_text())
    assert len(ast.get_docstring(tree, clean=True) or "") > 80
    assert len(tree.body) == 1


def test_every_file_of_an_app_says_what_it_is_for() -> None:
    files = [path for path in sources() if path.relative_to(ROOT).parts[0] in APPS]
    silent = [
        str(path.relative_to(ROOT))
        for path in files
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert len(files) > 20
    assert silent == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()
    }
    assert max(lengths.values()) > 50
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_there_are_no_drawers() -> None:
    names = {part for path in sources() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert "settings" in names
    assert names & DRAWERS == set()


def test_nothing_is_imported_inside_a_function() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in sources()
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    marks = ("/home/", "/Users/", "/" + "work/")
    naming = [
        str(path.relative_to(ROOT))
        for path in sources()
        for mark in marks
        if mark in path.read_text() and path != Path(__file__)
    ]
    assert naming == []
