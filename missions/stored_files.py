"""Private files: written under random names before the row that holds the name, or not at all.

A file is on disk before its row is committed. When the row is refused the file is deleted
at once; what a crash leaves behind between the two, `sweep_orphans` deletes later. The first
folder of a name is the day it was stored, so that the sweep lists days and not everything.
"""

import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, models
from django.utils import timezone

from accounts.refusals import Problem

log = logging.getLogger(__name__)

# Nothing of ours takes this long between a file and the commit of its row.
ORPHAN_AFTER: Final = timedelta(hours=1)
# A sweep looks so far back: longer than a worker is ever away unnoticed.
SWEPT_DAYS: Final = 7
RETRY_AFTER_S: Final = 30
# Names asked of the database at once.
BATCH: Final = 500

_OURS: Final = re.compile(r"[0-9a-f]{32}\.[a-z]{2,5}")


class StorageAway(Problem):
    """The disk or the store that keeps files cannot take or give one now; nothing was stored."""

    status = 503
    code = "storage_away"

    def __init__(self) -> None:
        super().__init__(
            "Files cannot be stored at this moment.", headers={"Retry-After": str(RETRY_AFTER_S)}
        )


def store(content: bytes, suffix: str) -> str:
    """Write a file that nobody has a link to yet, and give its name; `suffix` is like ".jpg".

    On local disks it is synced, as a committed row is: an answer means that it is stored.
    StorageAway when it cannot be, for whatever reason the store has.
    """
    name = f"{timezone.now():%Y%m%d}/{secrets.token_hex(16)}{suffix}"
    try:
        name = default_storage.save(name, ContentFile(content))
        _sync(name)
    except Exception as why:
        log.exception("a file could not be stored")
        raise StorageAway from why
    return name


def content_of(name: str) -> bytes:
    """A stored file. FileNotFoundError when it is gone, StorageAway while nobody can say."""
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        raise
    except Exception as why:  # whatever the store trips over
        log.exception("a file could not be read")
        raise StorageAway from why
    return content


def delete(name: str) -> None:
    """Delete a file; one that is gone already is no error."""
    default_storage.delete(name)


@contextmanager
def stored(content: bytes, suffix: str) -> Iterator[str]:
    """A stored file's name for the block that commits its row; deleted when the block fails.

    But not when the connection to the database broke: then nobody knows whether the row was
    committed, and the sweep decides.
    """
    name = store(content, suffix)
    try:
        yield name
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        delete(name)
        raise


def sweep_orphans(now: datetime) -> int:
    """Delete files of the last days that no row names and that are over an hour old.

    Gives how many. Files with other names than ours are left alone.
    """
    return sum(
        _delete_orphans(names[start : start + BATCH], now)
        for names in (_names_of(now - timedelta(days=back)) for back in range(SWEPT_DAYS + 1))
        for start in range(0, len(names), BATCH)
    )


def _names_of(day: datetime) -> list[str]:
    folder = f"{day:%Y%m%d}"
    try:
        files = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in sorted(files) if _OURS.fullmatch(name)]


def _delete_orphans(names: list[str], now: datetime) -> int:
    # Few files are without a row, and only those are asked for their age, a request each on
    # S3. Then the rows again: one that was committed in between is seen.
    old = [name for name in _without_row(names) if _is_old(name, now)]
    orphans = _without_row(old)
    for name in orphans:
        delete(name)
    return len(orphans)


def _without_row(names: list[str]) -> list[str]:
    unnamed = set(names)
    for field in _file_fields():
        unnamed -= _named_in(field, sorted(unnamed))
    return sorted(unnamed)


def _is_old(name: str, now: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < now - ORPHAN_AFTER
    except FileNotFoundError:  # deleted meanwhile, with its row
        return False


def _file_fields() -> list[models.FileField]:
    """Every column that holds names of files, so that a new one is never forgotten."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.get_fields()  # noqa: SLF001 (Django's documented API)
        if isinstance(field, models.FileField)
    ]


def _named_in(field: models.FileField, names: list[str]) -> set[str]:
    # Said so that the partial index serves it: planners do not see it in a long list.
    rows = field.model._default_manager.exclude(**{field.name: ""})  # noqa: SLF001
    rows = rows.filter(**{f"{field.name}__in": names})
    return set(rows.values_list(field.name, flat=True))


def _sync(name: str) -> None:
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # S3 answers when it is stored
        return
    for synced in (path, path.parent, path.parent.parent):
        descriptor = os.open(synced, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
