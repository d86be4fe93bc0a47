"""Make the thumbnails of photos. The row is the queue: blank until there is one."""

import io
import logging
from typing import Final

from django.db import transaction
from django.utils import timezone

from missions.models import Attachment
from missions.photos import KEPT_SUFFIX, thumbnail
from missions.stored_files import stored

log = logging.getLogger(__name__)

# A run of the sweep makes so many; the next one takes the rest.
BATCH: Final = 200


def waiting_thumbnails() -> list[int]:
    """Attachments without a thumbnail, oldest first."""
    waiting = Attachment.objects.filter(thumbnail="", thumbnail_failed_at=None)
    return list(waiting.order_by("id").values_list("id", flat=True)[:BATCH])


def make_thumbnail(attachment_id: int) -> bool:
    """Make one, unless it is there, given up, or being made by another worker right now.

    A picture that is gone or cannot be read is given up. When storage is away the row stays
    in the queue.
    """
    with transaction.atomic():
        attachment = (
            Attachment.objects.select_for_update(skip_locked=True)
            .filter(pk=attachment_id, thumbnail="", thumbnail_failed_at=None)
            .first()
        )
        return attachment is not None and _made(attachment)


def _made(attachment: Attachment) -> bool:
    small = _small_picture(attachment)
    if small is None:
        attachment.thumbnail_failed_at = timezone.now()
        attachment.save(update_fields=["thumbnail_failed_at"])
        return False
    # Were the row's transaction to fail later, at its commit, the sweep takes the file.
    with stored(small, KEPT_SUFFIX) as name:
        attachment.thumbnail.name = name
        attachment.save(update_fields=["thumbnail"])
    return True


def _small_picture(attachment: Attachment) -> bytes | None:
    try:
        with attachment.file.open("rb") as file:
            kept = file.read()
    except FileNotFoundError:
        log.warning("the file of attachment %s is missing", attachment.uuid)
        return None
    try:
        return thumbnail(io.BytesIO(kept))
    # Whatever a decoder trips over: the file is damaged, and trying again does not mend it.
    except Exception:
        log.warning("the file of attachment %s cannot be decoded", attachment.uuid)
        return None
