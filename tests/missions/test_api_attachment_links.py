"""Photos of a mission: listed, linked to, and given to nobody by any other way."""

import re
import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts.models import Driver, Employer
from missions.api import my_attachments
from missions.file_links import file_link
from missions.models import Attachment, Mission
from tests.cast import ClientFor
from tests.missions.builders import make_mission
from tests.missions.photo_phone import MINE, Sender, ago, send, stored_on_disk
from tests.missions.pictures import jpeg, put_photo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Sender:
    sender = Sender()
    monkeypatch.setattr(my_attachments, "make_thumbnail", sender)
    return sender


@pytest.fixture
def mission(acme: Employer, ada: Driver) -> Mission:
    return make_mission(acme, ada, stops=2, external_id="M-1")


@pytest.fixture
def phone(client_for: ClientFor, mission: Mission) -> APIClient:
    return client_for("driver")


# --- Lists and links ------------------------------------------------------------------------


def test_photos_are_listed_in_the_order_they_were_taken_page_by_page(
    phone: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    for hours in (1, 3, 2):
        taken_at = ago(hours=hours).isoformat()
        assert send(phone, client_id=f"p-{hours}", recorded_at=taken_at).status_code == 201
    path = f"/api/v1/missions/{mission.uuid}/attachments"
    first = client_for("dispatcher").get(path, {"limit": 2}).json()
    rest = client_for("dispatcher").get(first["next"]).json()
    found = [row["client_id"] for row in first["results"] + rest["results"]]
    assert found == ["p-3", "p-2", "p-1"]
    assert rest["next"] is None


def queries_of(client: APIClient, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


@pytest.mark.parametrize("whose", ["driver", "dispatcher"])
def test_lists_cost_the_same_for_1_and_30_photos(
    phone: APIClient, client_for: ClientFor, mission: Mission, whose: str
) -> None:
    url = MINE if whose == "driver" else f"/api/v1/missions/{mission.uuid}/attachments"
    client = client_for(whose)
    send(phone)
    for_one = queries_of(client, url)
    for n in range(2, 31):
        send(phone, client_id=f"p-{n}", stop=str(mission.stops.get(seq=1).uuid))
    assert len(client.get(url).json()["results"]) == 30
    assert queries_of(client, url) == for_one


def links(client: APIClient, path: str, size: str) -> Any:
    return client.post(f"{path}/link", {"size": size})


def test_a_dispatcher_and_the_driver_get_links(
    phone: APIClient, client_for: ClientFor, mission: Mission
) -> None:
    photo = send(phone).json()["id"]
    path = f"/api/v1/missions/{mission.uuid}/attachments/{photo}"
    for client, where in ((client_for("dispatcher"), path), (phone, f"{MINE}/{photo}")):
        answer = links(client, where, "full")
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        expires_at = datetime.fromisoformat(answer.json()["expires_at"])
        assert timedelta(minutes=4.9) < expires_at - datetime.now(UTC) <= timedelta(minutes=5)
        assert APIClient().head(answer.json()["url"])["Content-Type"] == "image/jpeg"
        waiting = links(client, where, "thumbnail")
        assert (waiting.status_code, waiting.json()["code"]) == (409, "thumbnail_not_ready")
        assert links(client, where, "huge").status_code == 400


def test_a_photo_of_another_mission_has_no_link_here(
    phone: APIClient, client_for: ClientFor, mission: Mission, acme: Employer, ada: Driver
) -> None:
    other = make_mission(acme, ada, external_id="M-2")
    photo = send(phone).json()["id"]
    dispatcher = client_for("dispatcher")
    here = f"/api/v1/missions/{mission.uuid}/attachments/{photo}/link"
    assert dispatcher.post(here).status_code == 200
    assert dispatcher.post(here.replace(str(mission.uuid), str(other.uuid))).status_code == 404


# --- Many, and from everywhere ---------------------------------------------------------------


def test_500_photos_on_one_mission_are_listed_and_uploads_cost_no_memory(
    phone: APIClient, client_for: ClientFor, mission: Mission, ada: Driver, files: Path
) -> None:
    content = jpeg(640, 480)
    peaks_kb = []
    for n in range(60):
        assert send(phone, content, client_id=f"p-{n}").status_code == 201
        peaks_kb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks_kb[-1] - peaks_kb[10] < 20 * 1024
    assert len(stored_on_disk(files)) == 60
    for n in range(60, 500):
        put_photo(mission, ada, client_id=f"p-{n}")
    url = f"/api/v1/missions/{mission.uuid}/attachments?limit=200"
    dispatcher = client_for("dispatcher")
    found: list[str] = []
    while url:
        with CaptureQueriesContext(connection) as caught:
            page = dispatcher.get(url).json()
        assert len(caught) <= 8
        found += [row["client_id"] for row in page["results"]]
        url = page["next"]
    assert sorted(found) == sorted(f"p-{n}" for n in range(500))


def every_path() -> Iterator[str]:
    """Every route of the site, with ids and tokens still to be put in."""

    def walk(patterns: list[Any], before: str) -> Iterator[str]:
        for pattern in patterns:
            here = before + str(pattern.pattern).lstrip("^").rstrip("$")
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, here)
            else:
                yield "/" + here

    yield from walk(get_resolver().url_patterns, "")


def guesses(photo: Attachment) -> Iterator[str]:
    """What somebody might put into a route who knows every id and every name of a file."""
    name = str(photo.file)
    link = file_link("attachment", photo.uuid).removeprefix("/files/")
    payload, signature = link.split(":")
    yield from (str(photo.uuid), photo.uuid.hex, str(photo.pk), name, name.split("/")[1])
    yield from (f"../media/{name}", "..%2F..%2Fmedia%2F" + name.replace("/", "%2F"))
    yield from (payload, f"{payload}:{signature[::-1]}", f"{payload}:{'A' * len(signature)}")


def put_in(path: str, guess: str) -> str:
    return re.sub(r"<[^>]+>|\(\?P[^)]*\)", guess, path)


@pytest.mark.parametrize("whose", ["nobody", "stranger"])
def test_no_route_gives_a_photo_away_to_a_guess(
    phone: APIClient, client_for: ClientFor, ben: Driver, whose: str
) -> None:
    assert send(phone).status_code == 201
    photo = Attachment.objects.get()
    with photo.file.open() as kept:
        secret = kept.read()
    client = client_for(whose)
    client.raise_request_exception = False
    asked = 0
    for path in every_path():
        for guess in guesses(photo) if "<" in path or "(?P" in path else ("",):
            url = put_in(path, guess)
            answer: Any = client.get(url)
            asked += 1
            if answer.streaming:
                assert not answer["Content-Type"].startswith("image/"), url
            else:
                assert secret not in answer.content, url
    assert asked > 300
    # And yet it is there for whoever has a link.
    assert client.head(file_link("attachment", photo.uuid))["Content-Type"] == "image/jpeg"


def test_media_files_have_no_route_of_their_own(phone: APIClient, settings: Any) -> None:
    assert send(phone).status_code == 201
    name = str(Attachment.objects.get().file)
    for prefix in ("/media/", "/static/", "/static/../media/", "/", "/var/media/", "/files/"):
        assert phone.get(prefix + name).status_code == 404, prefix
