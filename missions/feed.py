"""The feed of changes: numbered once they are committed, read by number.

A number that is taken when a row is written would be seen out of order: of two transactions
the one with the higher number may commit first, and who has read up to it never looks back.
So the rows are numbered later, by one transaction at a time for each employer, which sees
only what has been committed. The same transaction makes the deliveries of webhooks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import connection, transaction
from django.db.models import Max, Min

from accounts.models import Employer
from accounts.refusals import Problem
from missions.models import Change, WebhookDelivery, WebhookEndpoint

KEPT: Final = timedelta(days=90)
BATCH: Final = 1000
# The first half of the advisory lock's key; the other is the employer.
NUMBERING_LOCK: Final = 70_117


class ChangesExpired(Problem):
    """What came after this number is no longer kept, or the number was never given.

    `last_seq` in the answer: read everything anew, then go on after this number.
    """

    status: ClassVar[int] = 410
    code: ClassVar[str] = "changes_expired"


@dataclass(frozen=True, slots=True)
class Page:
    """Changes in order; `has_more` says whether others follow them already."""

    changes: list[Change]
    has_more: bool
    last_seq: int


def number_changes(employer_id: int) -> int:
    """Number what has been committed since, in the order written; how many that were."""
    numbered = 0
    while batch := _number_batch(employer_id):
        numbered += batch
        if batch < BATCH:
            break
    return numbered


@transaction.atomic
def _number_batch(employer_id: int) -> int:
    """One transaction's worth. Later ones wait for it: numbers are given out in turn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NUMBERING_LOCK, employer_id])
    own = Change.objects.filter(employer_id=employer_id)
    waiting = list(own.filter(seq=None).order_by("id").only("id", "type", "employer_id")[:BATCH])
    if not waiting:
        return 0
    for seq, change in enumerate(waiting, start=_last_seq(employer_id) + 1):
        change.seq = seq
    Change.objects.bulk_update(waiting, ["seq"])
    _queue_deliveries(employer_id, waiting)
    return len(waiting)


def _queue_deliveries(employer_id: int, changes: list[Change]) -> None:
    """One row for each change and endpoint that asked for its type and is not disabled.

    Locked: one that somebody removes or disables at this moment is waited for, and left out.
    """
    own = WebhookEndpoint.objects.filter(employer_id=employer_id, disabled_at=None)
    endpoints = list(own.select_for_update(no_key=True).order_by("pk"))
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(employer_id=employer_id, endpoint=endpoint, change=change)
        for change in changes
        for endpoint in endpoints
        if change.type in endpoint.types
    )


def _last_seq(employer_id: int) -> int:
    """The newest number given; the row that has it is never forgotten."""
    last = Change.objects.filter(employer_id=employer_id).aggregate(seq=Max("seq"))["seq"]
    return last or 0


def number_all() -> int:
    """Number the changes of every employer that has some to number."""
    waiting = Change.objects.filter(seq=None).order_by("employer_id")
    employers = waiting.values_list("employer_id", flat=True).distinct()
    return sum(number_changes(employer_id) for employer_id in list(employers))


def changes_after(employer: Employer, after: int | None, limit: int) -> Page:
    """The changes that follow a number, all that were committed before this call among them.

    None: from the oldest that is kept. ChangesExpired when some may be missing in between.
    """
    number_changes(employer.pk)
    own = Change.objects.filter(employer=employer, seq__isnull=False)
    bounds = own.aggregate(first=Min("seq"), last=Max("seq"))
    first, last = bounds["first"] or 1, bounds["last"] or 0
    if after is None:
        after = first - 1
    # Up to the bound that was read: what is numbered meanwhile is for the next page.
    rows = list(own.filter(seq__gt=after, seq__lte=last).order_by("seq")[: limit + 1])
    # The last: what followed was forgotten between the two queries.
    if not first - 1 <= after <= last or (rows and rows[0].seq != after + 1):
        raise ChangesExpired(
            "What came after this number is no longer kept. Read everything anew, then go on"
            " after last_seq.",
            extra={"last_seq": last},
        )
    return Page(rows[:limit], len(rows) > limit, last)


def forget_old_changes(now: datetime) -> int:
    """Delete what is older than 90 days, the deliveries with it; how many changes that were.

    Only from the front, so that no gap appears, and never the newest one, which holds the
    count. Each batch is a transaction of its own.
    """
    employers = Change.objects.filter(changed_at__lt=now - KEPT).values_list("employer_id")
    return sum(_forget_of(employer_id, now) for (employer_id,) in list(employers.distinct()))


def _forget_of(employer_id: int, now: datetime) -> int:
    own = Change.objects.filter(employer_id=employer_id, seq__isnull=False)
    young = own.filter(changed_at__gte=now - KEPT).aggregate(seq=Min("seq"))["seq"]
    first_kept = young or own.aggregate(seq=Max("seq"))["seq"] or 0
    forgotten = 0
    while old := list(own.filter(seq__lt=first_kept).order_by("seq").values("pk")[:BATCH]):
        own.filter(pk__in=[row["pk"] for row in old]).delete()
        forgotten += len(old)
    return forgotten
