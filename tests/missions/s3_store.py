"""The same photos in a real S3 server: upload, link, thumbnail, sweep, delete.

Not collected with the others, since it needs such a server. With S3_BUCKET and its companions
set (README: Run it for real):

    .venv/bin/python -m pytest tests/missions/s3_store.py
"""

import asyncio
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import Driver, Employer
from missions import stored_files, tasks
from missions.file_links import file_link
from missions.models import Attachment
from tests.cast import ClientFor
from tests.missions.builders import make_mission
from tests.missions.pictures import form, jpeg

pytestmark = pytest.mark.django_db(transaction=True)
MINE = "/api/v1/me/attachments"


@pytest.fixture(autouse=True)
def bucket() -> None:
    """Without one these tests would pass on local files and say nothing."""
    assert settings.S3_BUCKET, "S3_BUCKET names no bucket to try against"


@pytest.fixture
def photo(client_for: ClientFor, acme: Employer, ada: Driver) -> Attachment:
    make_mission(acme, ada, external_id="M-1")
    content = jpeg(2000, 1500, quality=95)
    phone = client_for("driver")
    for status in (201, 200):
        answer = phone.post(MINE, form(content, mission="M-1"), format="multipart")
        assert answer.status_code == status, answer.content
    return Attachment.objects.get()


def body_of(url: str) -> bytes:
    async def read() -> bytes:
        response: Any = await AsyncClient().get(url)
        body = b"".join([chunk async for chunk in response])
        response.close()
        await sync_to_async(connections.close_all)()
        return body

    return asyncio.run(read())


def test_it_lies_in_the_bucket_and_is_read_through_a_link(photo: Attachment) -> None:
    assert default_storage.size(str(photo.file)) == photo.size_bytes
    assert len(body_of(file_link("attachment", photo.uuid))) == photo.size_bytes


def test_the_bucket_answers_nobody_else(photo: Attachment) -> None:
    options = settings.STORAGES["default"]["OPTIONS"]
    address = f"{options['endpoint_url']}/{settings.S3_BUCKET}/{photo.file.name}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)  # noqa: S310 (the store under test)
    assert refused.value.code in (401, 403)
    refused.value.close()


def test_the_worker_makes_its_thumbnail(photo: Attachment) -> None:
    tasks.make_thumbnails()
    photo.refresh_from_db()
    assert body_of(file_link("thumbnail", photo.uuid)).startswith(b"\xff\xd8")


def test_orphans_are_swept_and_files_deleted(photo: Attachment) -> None:
    orphan = stored_files.store(b"left behind", ".jpg")
    assert default_storage.exists(orphan)
    assert stored_files.sweep_orphans(timezone.now() + timedelta(minutes=50)) == 0
    assert stored_files.sweep_orphans(timezone.now() + timedelta(minutes=70)) >= 1
    assert not default_storage.exists(orphan)
    assert default_storage.exists(str(photo.file))
    stored_files.delete(str(photo.file))
    assert not default_storage.exists(str(photo.file))
    stored_files.delete(str(photo.file))  # again is no error
