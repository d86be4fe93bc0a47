"""Links to private files: what they open, for how long, and what nobody can open with them."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core import signing
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.test import AsyncClient, Client

from accounts.models import Driver, Employer
from missions import stored_files
from missions.file_links import CHUNK_BYTES, KINDS, file_link, new_link
from missions.models import Attachment, Signature
from tests.missions.builders import make_mission
from tests.missions.pictures import put_photo

pytestmark = pytest.mark.django_db
CONTENT = b"\xff\xd8" + bytes(range(256)) * 1000  # several chunks


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def photo(acme: Employer, ada: Driver) -> Attachment:
    return put_photo(make_mission(acme, ada), ada, CONTENT)


def read(url: str) -> tuple[Any, bytes]:
    """The response and its whole body, read as the server does: on an event loop."""

    async def read_all() -> tuple[Any, bytes]:
        response: Any = await AsyncClient().get(url)
        body = b"".join([chunk async for chunk in response])
        response.close()
        # The view ran in a thread of its own, whose connection nobody else would close.
        await sync_to_async(connections.close_all)()
        return response, body

    return asyncio.run(read_all())


@pytest.mark.django_db(transaction=True)
def test_a_link_streams_the_file_to_whoever_has_it(photo: Attachment) -> None:
    response, body = read(file_link("attachment", photo.uuid))
    assert response.status_code == 200
    assert body == CONTENT
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert len(CONTENT) > CHUNK_BYTES


def test_head_answers_without_the_file(photo: Attachment) -> None:
    answer = Client().head(file_link("attachment", photo.uuid))
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(CONTENT)))
    assert answer.content == b""


def test_a_link_is_good_for_five_minutes(photo: Attachment, monkeypatch: Any) -> None:
    link = new_link("attachment", photo.uuid)
    expires_s = link.expires_at.timestamp()
    monkeypatch.setattr("missions.file_links.time.time", lambda: expires_s - 0.1)
    assert Client().head(link.url).status_code == 200
    monkeypatch.setattr("missions.file_links.time.time", lambda: expires_s)
    late = Client().get(link.url)
    assert (late.status_code, late.json()["code"]) == (410, "link_expired")
    assert late["Cache-Control"] == "private, no-store"


def resigned(kind: str, photo: Attachment, salt: str) -> str:
    content = [kind, photo.uuid.hex, 4_000_000_000]
    return "/files/" + signing.Signer(salt=salt).sign_object(content)


def test_an_altered_link_opens_nothing(photo: Attachment) -> None:
    link = file_link("attachment", photo.uuid)
    payload, signature = link.removeprefix("/files/").split(":")
    longer = json.loads(base64.urlsafe_b64decode(payload + "=="))
    longer[2] += 3600
    extended = base64.urlsafe_b64encode(json.dumps(longer).encode()).decode().rstrip("=")
    forged = [
        f"/files/{extended}:{signature}",
        f"/files/{payload}:{signature[:-1]}",
        f"/files/{payload}:{signature}x",
        f"/files/{payload}:",
        f"/files/{payload}",
        f"/files/{photo.uuid}",
        f"/files/{str(photo.file).replace('/', '%2F')}",
        f"/files/{photo.file.name}",
        f"/media/{photo.file.name}",
        "/files/..%2F..%2Fsecret_key",
        resigned("attachment", photo, "another.purpose"),
        "/files/",
    ]
    assert Client().head(link).status_code == 200
    for url in forged:
        assert Client().get(url).status_code == 404, url


def test_a_link_dies_with_its_row_and_with_its_file(photo: Attachment) -> None:
    link = file_link("attachment", photo.uuid)
    assert Client().head(link).status_code == 200
    stored_files.delete(str(photo.file))
    assert Client().get(link).status_code == 404
    photo.file = stored_files.store(b"again", ".jpg")
    photo.save()
    assert Client().head(link).status_code == 200
    photo.delete()
    assert Client().get(link).status_code == 404


def test_a_file_that_is_not_there_yet_is_404(photo: Attachment) -> None:
    assert Client().get(file_link("thumbnail", photo.uuid)).status_code == 404
    assert Client().get(file_link("signature", uuid4())).status_code == 404
    assert Signature in {kind.model for kind in KINDS.values()}


def test_while_storage_is_away_the_answer_is_503(photo: Attachment, monkeypatch: Any) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    link = file_link("attachment", photo.uuid)
    monkeypatch.setattr(FileSystemStorage, "open", away)
    answer = Client().get(link)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_away")
    monkeypatch.undo()
    assert Client().head(link).status_code == 200


def test_what_is_no_picture_is_never_shown_by_a_browser(photo: Attachment) -> None:
    photo.file = stored_files.store(b"<svg onload=alert(1)>", ".svg")
    photo.save()
    answer = Client().head(file_link("attachment", photo.uuid))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_nothing_is_changed_through_a_link(photo: Attachment) -> None:
    assert Client().post(file_link("attachment", photo.uuid)).status_code == 405


def test_a_kind_that_is_none_has_no_links() -> None:
    with pytest.raises(KeyError):
        file_link("secret_key", uuid4())
