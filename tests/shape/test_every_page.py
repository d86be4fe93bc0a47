"""Every page, as those who may open it and as everybody whom it must keep out.

A new page is walked by itself; one whose ids this file does not know fails until it does.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern

from accounts.models import PairingCode, Role, User
from config.urls import of_apps
from missions.models import SavedFilter, ShareLink, Stop
from tests.cast import make_user
from tests.shape.test_every_path import ids

__all__ = ["ids"]

# Without any sign-in: a link or a code is what opens them, or they tell nothing of anybody.
PUBLIC = {
    "basemap_file", "file", "phone_link", "shared_file", "shared_page", "tile_file", "verify",
    "verify-code",
}  # fmt: skip
# For everybody who has signed in; `home` says what is not a DPO's to see.
FOR_ALL = {"home", "preferences", "switch_employer"}
FOR_DPO = {"audit_page"}
FOR_MANAGERS = re.compile(
    r"^manage/(users|roles|keys|employer|audit|webhooks|(drivers|trucks)/.*(new|edit|retire))"
)
ANYTHING = {"kind": "photo", "ending": "csv", "client": "osmand", "code": "x", "token": "x"}

PAGES: list[URLPattern] = [page for urls in of_apps for page in urls.page_urlpatterns]
CLOSED = [page for page in PAGES if page.name not in PUBLIC]


@pytest.fixture
def places(ids: dict[str, str], dee: User, max: User) -> dict[str, str]:
    """What stands in a path, by its name there."""
    stop = Stop.objects.get(uuid=ids["{stop_id}"])
    link = ShareLink.objects.create(employer=stop.employer, stop=stop, token_hash=b"\1" * 32)
    kept = SavedFilter.objects.create(employer=stop.employer, user=max, name="late", query="late=1")
    code = PairingCode.objects.create(
        employer=stop.employer,
        driver=dee.memberships.get().employer.drivers.get(),
        code_hash=b"\2" * 32,
        expires_at="2099-01-01T00:00:00Z",
    )
    return ANYTHING | {
        "assignment_id": ids["truck-assignments"],
        "code_id": str(code.uuid),
        "device_id": ids["devices"],
        "driver_id": ids["drivers"],
        "file_id": ids["{attachment_id}"],
        "filter_id": str(kept.uuid),
        "import_id": ids["{import_id}"],
        "key_id": ids["api-keys"],
        "link_id": str(link.uuid),
        "membership_id": ids["memberships"],
        "mission_id": ids["{mission_id}"],
        "quarantined_id": ids["quarantine"],
        "site_id": ids.get("sites") or ids["{site_id}"],
        "stage_id": ids["{stage_id}"],
        "stop_id": ids["{stop_id}"],
        "truck_id": ids["trucks"],
        "user_id": ids["users"],
        "id": ids["webhooks"],  # as in the API, where it stands alone
        "delivery_id": ids["{delivery_id}"],
    }


def path_of(page: URLPattern, places: dict[str, str]) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: places[found[1]], str(page.pattern))


def answers(
    user: User | None, pages: Iterable[URLPattern], places: dict[str, str]
) -> Iterator[tuple[str, Any]]:
    """Each page's name and answer to GET, or to POST where that is all there is.

    What a page changes is undone before the next.
    """
    client = Client()
    if user:
        client.force_login(user)
    for page in pages:
        path = path_of(page, places)
        with transaction.atomic():
            answer = client.get(path)
            if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                answer = client.post(path)
            transaction.set_rollback(True)
        yield str(page.name), answer


def statuses(
    user: User | None, pages: Iterable[URLPattern], places: dict[str, str]
) -> dict[str, int]:
    return {name: answer.status_code for name, answer in answers(user, pages, places)}


def test_nobody_is_sent_to_sign_in(places: dict[str, str]) -> None:
    asked_to = {
        name: (answer.status_code, answer.get("Location", "").split("?")[0])
        for name, answer in answers(None, CLOSED, places)
    }
    assert asked_to == dict.fromkeys(asked_to, (302, "/accounts/login/"))
    assert len(asked_to) == len(CLOSED) > 80


def test_a_dpo_is_kept_out(places: dict[str, str], pat: User) -> None:
    closed = [page for page in CLOSED if page.name not in FOR_ALL | FOR_DPO]
    found = statuses(pat, closed, places)
    assert found == dict.fromkeys(found, 403)


def test_a_dispatcher_manages_no_people(places: dict[str, str], dee: User) -> None:
    closed = [page for page in CLOSED if FOR_MANAGERS.match(str(page.pattern))]
    found = statuses(dee, closed, places)
    assert found == dict.fromkeys(found, 403)
    assert {"users_page", "keys_page", "employer_page", "truck_edit"} <= set(found)


def test_another_employer_finds_nothing(places: dict[str, str], cy: User) -> None:
    found = statuses(cy, [page for page in CLOSED if "_id>" in str(page.pattern)], places)
    assert found == dict.fromkeys(found, 404)


def test_who_may_opens_it(places: dict[str, str], max: User) -> None:
    for name, answer in answers(max, CLOSED, places):
        # A form without anything filled in is refused on the page, never by a breakdown.
        assert answer.status_code in (200, 302, 400, 404, 409), (name, answer)
        assert "no-store" in answer["Cache-Control"], name


def test_a_colleague_has_no_business_with_another_users_filters(
    places: dict[str, str], max: User, dee: User
) -> None:
    other = make_user(dee.memberships.get().employer, "eva@acme.example", Role.MANAGER)
    path = f"/filters/{places['filter_id']}/delete"
    client = Client()
    client.force_login(other)
    assert client.post(path).status_code == 404
    client.force_login(max)
    assert client.post(path).status_code == 302
