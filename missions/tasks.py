"""What missions do in the background. Each run finds by itself what waits.

A message carries an id and may be lost: a sweep finds the row.
"""

from celery import shared_task
from django.utils import timezone

from missions import feed, importing, stored_files, thumbnails, webhook_delivery


@shared_task
def forget_old_imports() -> None:
    """Delete the tables of missions that were checked more than a day ago."""
    importing.forget_old_imports(timezone.now())


@shared_task
def make_thumbnail(attachment_id: int) -> None:
    """Right after a photo came in."""
    thumbnails.make_thumbnail(attachment_id)


@shared_task
def make_thumbnails() -> None:
    """Those whose message was lost, or that storage was away for."""
    for attachment_id in thumbnails.waiting_thumbnails():
        thumbnails.make_thumbnail(attachment_id)


@shared_task
def sweep_orphans() -> None:
    """Delete files whose row was never committed."""
    stored_files.sweep_orphans(timezone.now())


@shared_task
def tell_of_changes() -> None:
    """Number what was committed, then send what is due to the employers' systems."""
    feed.number_all()
    webhook_delivery.deliver_due()


@shared_task
def forget_old_changes() -> None:
    """Delete changes, and the log of their deliveries, after 90 days."""
    feed.forget_old_changes(timezone.now())
