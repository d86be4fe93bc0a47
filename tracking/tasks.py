"""What tracking does by the clock. Each run finds by itself what waits."""

from datetime import datetime, timedelta
from typing import Final

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from missions import delays
from missions import silence as mission_silence
from missions.proofs import waiting_proofs
from tracking import nearness, partitions, proofs, silence
from tracking.models import QuarantinedFix

QUARANTINE_KEPT: Final = timedelta(days=14)
# One transaction; the next run or the next round takes the rest.
BATCH: Final = 500


@shared_task
def make_partitions() -> None:
    """Make the months that phones may write to."""
    partitions.make_partitions()


@shared_task
def end_silent_missions() -> None:
    """End missions of which nothing was heard for 24 h, at their last fix or stage."""
    now = timezone.now()
    mission_silence.end_silent_missions(now, lambda mission: silence.last_fix_at(mission, now))


@shared_task
def tell_of_delays() -> None:
    """Say of stops that they will be late, once each."""
    now = timezone.now()
    delays.tell_of_delays(now, nearness.distance_at(now))


@shared_task
def end_silent_duties() -> None:
    """End duties of which nothing was heard for 24 h, and take back ends that were wrong."""
    now = timezone.now()
    silence.take_back_ends()
    silence.end_silent_duties(now, now - timedelta(days=settings.MAX_FIX_AGE_DAYS))


@shared_task
def expire_quarantine() -> None:
    """Delete what lay in quarantine for 14 days, in bounded batches."""
    while _expire_batch(timezone.now() - QUARANTINE_KEPT):
        pass


def _expire_batch(before: datetime) -> int:
    expired = QuarantinedFix.objects.filter(last_received_at__lt=before).order_by("pk")
    deleted, _ = QuarantinedFix.objects.filter(
        pk__in=list(expired.values_list("pk", flat=True)[:BATCH])
    ).delete()
    return deleted


@shared_task
def issue_proof(proof_id: int) -> None:
    """Right after somebody asked for a proof of delivery."""
    proofs.issue_proof(proof_id)


@shared_task
def issue_proofs() -> None:
    """Those whose message was lost, or that could not be made yet."""
    for proof_id in waiting_proofs():
        proofs.issue_proof(proof_id)
