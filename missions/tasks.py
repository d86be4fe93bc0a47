"""What missions do in the background. Each run finds by itself what waits."""

from celery import shared_task
from django.utils import timezone

from missions import importing


@shared_task
def forget_old_imports() -> None:
    """Delete the tables of missions that were checked more than a day ago."""
    importing.forget_old_imports(timezone.now())
