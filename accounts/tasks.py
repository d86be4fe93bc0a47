"""What accounts do by the clock. Each run finds by itself what waits."""

from celery import shared_task
from django.utils import timezone

from accounts import idempotency, pairing


@shared_task
def forget_spent_codes() -> None:
    """Delete pairing codes and counts of tries that can no longer matter."""
    pairing.forget_spent(timezone.now())


@shared_task
def forget_answers() -> None:
    """Delete answers that were kept for a day in case their request came again."""
    idempotency.forget_answers(timezone.now())
