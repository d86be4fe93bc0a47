"""Filters under names of one's own: kept, replaced, bounded, and nobody else's."""

import pytest

from accounts.models import Employer, User
from missions.models import SavedFilter
from tests.pages.test_pages import client_of, text_of
from tracking import saved_filters


def save(user: User, name: str, query: str = "late=1", page: str = "home") -> str:
    """Where the answer leads, and that page's text."""
    answer = client_of(user).post(
        "/filters", {"name": name, "query": query, "page": page}, follow=True
    )
    return f"{answer.request['PATH_INFO']}?{answer.request['QUERY_STRING']} {text_of(answer)}"


def test_one_of_the_same_name_is_replaced(dee: User) -> None:
    assert "Saved as “Mine”" in save(dee, "Mine")
    save(dee, "Mine", "failed=1")
    assert [one.query for one in SavedFilter.objects.all()] == ["failed=1"]


def test_only_filters_are_kept(dee: User) -> None:
    told = save(dee, "Mine", "late=1&page=4&cursor=x&next=//evil.example&from=&to=2026-01-01")
    assert told.startswith("/?")
    assert SavedFilter.objects.get().query == "from=&to=2026-01-01&late=1"
    assert save(dee, "Else", page="//evil.example").startswith("/?")
    assert not SavedFilter.objects.filter(name="Else").exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\0b"])
def test_without_a_name_nothing_is_saved(dee: User, name: str) -> None:
    assert "Not saved" in save(dee, name)
    assert not SavedFilter.objects.exists()


def test_there_is_a_bound_that_says_so(dee: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_filters, "AT_MOST", 2)
    for name in ("One", "Two"):
        assert "Saved as" in save(dee, name)
    assert "Delete one first" in save(dee, "Three")
    assert "Saved as" in save(dee, "Two", "failed=1")
    assert SavedFilter.objects.count() == 2


def test_they_are_listed_on_both_pages_for_their_user_alone(
    acme: Employer, dee: User, max: User, cy: User, pat: User
) -> None:
    save(dee, "Mine & only")
    for path in ("/", "/missions"):
        assert "Mine &amp; only" in text_of(client_of(dee).get(path))
        for user in (max, cy):
            assert "Mine &amp; only" not in text_of(client_of(user).get(path))
    path = f"/filters/{SavedFilter.objects.get().uuid}/delete"
    assert client_of(max).post(path).status_code == 404
    assert client_of(cy).post(path).status_code == 404
    assert client_of(pat).post(path).status_code == 403
    assert client_of(dee).get(path).status_code == 405
    assert SavedFilter.objects.exists()
    assert client_of(dee).post(path, {"page": "missions_page"})["Location"] == "/missions"
    assert not SavedFilter.objects.exists()
