"""Dutch and French say all that English says, and the compiled catalogs are those of the text."""

import gettext
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.cast import Phone, put_fixes

PROJECT = Path(__file__).resolve().parents[2]
CATALOGS = sorted(PROJECT.glob("*/locale/*/LC_MESSAGES/django.po"))
MARKED = re.compile(
    r"""\{%\s*translate\s+(?P<quote>['"])(?P<text>.*?)(?P=quote)(?:\s+context\s+"(?P<context>.*?)")?"""
)
ENTRY = re.compile(
    r'(?:^msgctxt "(?P<context>.*)"\n)?^msgid "(?P<text>.+)"\n'
    r'(?:^msgid_plural ".*"\n^msgstr\[0\] "(?P<one>.*)"\n|^msgstr "(?P<said>.*)"\n)',
    re.MULTILINE,
)


def entries(catalog: Path) -> dict[str, str]:
    """What gettext looks up, and what the text of the catalog says for it."""
    found = {}
    for entry in ENTRY.finditer(catalog.read_text(encoding="utf-8")):
        context = f"{entry['context']}\x04" if entry["context"] else ""
        found[context + entry["text"]] = entry["one"] or entry["said"]
    return found


def test_both_languages_are_there_for_each_app() -> None:
    assert [path.relative_to(PROJECT).parts[::2] for path in CATALOGS] == [
        ("accounts", "fr", "django.po"),
        ("accounts", "nl", "django.po"),
        ("missions", "fr", "django.po"),
        ("missions", "nl", "django.po"),
        ("tracking", "fr", "django.po"),
        ("tracking", "nl", "django.po"),
    ]


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda path: "-".join(path.parts[-5:-2]))
def test_the_compiled_catalog_is_that_of_the_text(catalog: Path) -> None:
    said = entries(catalog)
    assert len(said) > 20
    with catalog.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, translated in said.items():
        if "\x04" in text:
            assert compiled.pgettext(*text.split("\x04")) == translated
        else:
            assert compiled.gettext(text) in (translated, compiled.ngettext(text, "", 1))
        assert translated


@pytest.mark.parametrize("app", ["accounts", "missions", "tracking"])
@pytest.mark.parametrize("language", ["nl", "fr"])
def test_no_sentence_of_a_template_is_left_in_english(app: str, language: str) -> None:
    marked = {
        (f"{match['context']}\x04" if match["context"] else "") + match["text"]
        for template in (PROJECT / app / "templates").rglob("*.html")
        for match in MARKED.finditer(template.read_text(encoding="utf-8"))
    }
    assert len(marked) > 10
    assert marked <= entries(PROJECT / app / "locale" / language / "LC_MESSAGES/django.po").keys()


@pytest.mark.parametrize(
    ("language", "title", "age", "place"),
    [
        ("nl", "Zoek een vrachtwagen", "al 40 min stil", "Luik"),
        ("fr", "Trouver un camion", "muet depuis 40 min", "Liège"),
        ("de", "Find a truck", "silent 40 min", "Liège"),
    ],
)
def test_a_page_speaks_the_language_of_its_reader(
    ada_phone: Phone, dee: User, language: str, title: str, age: str, place: str
) -> None:
    put_fixes(ada_phone, [(timezone.now() - timedelta(minutes=40), 50.63, 5.57)])
    client = Client(headers={"Accept-Language": language})
    client.force_login(dee)
    page = client.get("/live").content.decode()
    assert f'<html lang="{language if language != "de" else "en"}" data' in page
    assert title in page
    assert age in page
    assert place in page
