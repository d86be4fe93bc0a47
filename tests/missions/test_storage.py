"""Where files lie, how they get there, and what is swept away when they were left behind."""

import os
import stat
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Driver, Employer
from config.s3_storage import PrivateS3Storage
from missions import stored_files, tasks, thumbnails
from missions.models import Attachment, ProofOfDelivery, Signature
from missions.stored_files import SWEPT_DAYS, StorageAway, delete, store, stored, sweep_orphans
from tests.accounts.racing import raced
from tests.missions.builders import make_mission
from tests.missions.pictures import jpeg, put_photo


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def photo(acme: Employer, ada: Driver) -> Attachment:
    return make_photo(acme, ada)


def make_photo(employer: Employer, driver: Driver, **fields: Any) -> Attachment:
    return put_photo(make_mission(employer, driver), driver, jpeg(1024, 768), **fields)


def make_old(name: str, hours: float) -> None:
    before = timezone.now().timestamp() - hours * 3600
    os.utime(default_storage.path(name), (before, before))


# --- Written --------------------------------------------------------------------------------


def test_a_file_is_readable_by_its_owner_alone(files: Path) -> None:
    path = files / store(b"goods", ".jpg")
    assert path.read_bytes() == b"goods"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_its_name_is_random_and_says_only_the_day() -> None:
    names = {store(b"goods", ".jpg") for _ in range(20)}
    assert len(names) == 20
    day = f"{timezone.now():%Y%m%d}"
    assert all(name.startswith(f"{day}/") and len(name) == 8 + 1 + 32 + 4 for name in names)


def test_it_is_synced_before_its_name_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    path = Path(default_storage.path(store(b"goods", ".jpg")))
    assert synced == [str(path), str(path.parent), str(path.parent.parent)]


def test_a_file_is_deleted_when_its_block_fails() -> None:
    names: list[str] = []
    with suppress(KeyError), stored(b"goods", ".jpg") as name:
        names.append(name)
        assert default_storage.exists(name)
        raise KeyError
    (name,) = names
    assert not default_storage.exists(name)
    delete(name)  # again is no error


def test_but_not_when_nobody_knows_whether_its_row_was_committed() -> None:
    with pytest.raises(OperationalError), stored(b"goods", ".jpg") as name:
        raise OperationalError("server closed the connection unexpectedly")
    assert default_storage.exists(name)


def test_a_disk_that_is_full_is_a_refusal_that_says_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    with pytest.raises(StorageAway) as refused:
        store(b"goods", ".jpg")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "30"})


# --- Swept ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_a_crash_left_behind_is_swept_after_an_hour(photo: Attachment) -> None:
    orphan, fresh = store(b"left behind", ".jpg"), store(b"being stored", ".jpg")
    for name in (orphan, str(photo.file)):
        make_old(name, hours=1.1)
    assert sweep_orphans(timezone.now()) == 1
    assert not default_storage.exists(orphan)
    assert default_storage.exists(fresh)
    assert default_storage.exists(str(photo.file))
    assert sweep_orphans(timezone.now()) == 0


@pytest.mark.django_db
def test_a_row_that_is_committed_while_it_is_swept_keeps_its_file(
    photo: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = store(b"late", ".jpg")
    make_old(late, hours=2)
    is_old = stored_files._is_old  # noqa: SLF001

    def commit_then(name: str, now: Any) -> bool:
        verdict = is_old(name, now)
        if name == late:
            Attachment.objects.filter(pk=photo.pk).update(thumbnail=late)
        return verdict

    monkeypatch.setattr(stored_files, "_is_old", commit_then)
    assert sweep_orphans(timezone.now()) == 0
    assert default_storage.exists(late)


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "swept"), [(1, 1), (SWEPT_DAYS, 1), (SWEPT_DAYS + 2, 0)])
def test_the_days_before_are_swept_too(files: Path, days: int, swept: int) -> None:
    day = files / f"{timezone.now() - timedelta(days=days):%Y%m%d}"
    day.mkdir(parents=True)
    left = day / f"{'0' * 32}.jpg"
    left.write_bytes(b"left behind")
    make_old(f"{day.name}/{left.name}", hours=24 * days)
    (day / "notes.txt").write_bytes(b"none of ours")
    make_old(f"{day.name}/notes.txt", hours=24 * days)
    assert sweep_orphans(timezone.now()) == swept
    assert (day / "notes.txt").exists()


@pytest.mark.django_db
def test_every_column_of_files_is_asked_and_has_an_index() -> None:
    columns = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()  # noqa: SLF001
        if isinstance(field, models.FileField)
    }
    assert {
        (Attachment, "file"), (Attachment, "thumbnail"), (Signature, "image"),
        (ProofOfDelivery, "pdf"),
    } <= columns  # fmt: skip
    for model, name in columns:
        indexed = [index.fields for index in model._meta.indexes]  # noqa: SLF001
        assert [name] in indexed, (model, name)


@pytest.mark.django_db
def test_a_sweep_asks_by_batches_and_not_by_files(photo: Attachment) -> None:
    for _ in range(5):
        make_old(store(b"left behind", ".jpg"), hours=2)
    with CaptureQueriesContext(connection) as few:
        assert sweep_orphans(timezone.now()) == 5
    for _ in range(50):
        make_old(store(b"left behind", ".jpg"), hours=2)
    with CaptureQueriesContext(connection) as many:
        assert sweep_orphans(timezone.now()) == 50
    assert len(few) == len(many)


# --- Thumbnails -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_sweep_makes_thumbnails_that_wait(acme: Employer, ada: Driver) -> None:
    photos = [make_photo(acme, ada, client_id=f"p-{n}") for n in range(3)]
    tasks.make_thumbnails()
    for photo in photos:
        photo.refresh_from_db()
        with photo.thumbnail.open() as small:
            assert small.read(2) == b"\xff\xd8"
        assert not thumbnails.make_thumbnail(photo.pk)
    assert thumbnails.waiting_thumbnails() == []


@pytest.mark.django_db
@pytest.mark.parametrize("content", [None, b"\xff\xd8\xff no picture", jpeg(600, 600)[:-300]])
def test_a_picture_that_is_gone_or_damaged_is_given_up(
    photo: Attachment, content: bytes | None
) -> None:
    delete(str(photo.file))
    if content is not None:
        photo.file.name = store(content, ".jpg")
        photo.save()
    assert thumbnails.waiting_thumbnails() == [photo.pk]
    tasks.make_thumbnail(photo.pk)
    photo.refresh_from_db()
    assert photo.thumbnail_failed_at is not None
    assert not photo.thumbnail
    assert thumbnails.waiting_thumbnails() == []


@pytest.mark.django_db
def test_while_storage_is_away_a_thumbnail_waits(
    photo: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "open", away)
        with pytest.raises(ConnectionRefusedError):
            tasks.make_thumbnail(photo.pk)
    assert thumbnails.waiting_thumbnails() == [photo.pk]
    tasks.make_thumbnail(photo.pk)
    assert thumbnails.waiting_thumbnails() == []


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_another_worker_has_is_left_to_it(photo: Attachment) -> None:
    with transaction.atomic():
        Attachment.objects.select_for_update().get(pk=photo.pk)
        assert raced(lambda: thumbnails.make_thumbnail(photo.pk)) == [False]
    assert thumbnails.make_thumbnail(photo.pk)


# --- S3 -------------------------------------------------------------------------------------

SHOW_STORAGE = """
from config import settings
default = settings.STORAGES["default"]
print(default["BACKEND"], default.get("OPTIONS", {}).get("bucket_name"))
"""


def storage_by(**env: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", SHOW_STORAGE],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def test_files_are_local_until_a_bucket_is_named() -> None:
    assert storage_by(S3_BUCKET="") == "django.core.files.storage.FileSystemStorage None"
    assert storage_by(S3_BUCKET="photos") == "config.s3_storage.PrivateS3Storage photos"


def test_a_file_in_a_bucket_has_no_address_of_its_own() -> None:
    bucket = PrivateS3Storage(bucket_name="photos", access_key="key", secret_key="secret")
    assert bucket.default_acl is None
    assert bucket.querystring_auth
    with pytest.raises(NotImplementedError):
        bucket.url("20261124/x.jpg")
