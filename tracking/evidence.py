"""What a timeline rests on beside the fixes: stages, proofs, duty marks, open missions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.duty_periods import Mark
from accounts.models import Driver, Truck
from missions.models import Attachment, Mission, MissionAssignment, Signature, StageEvent
from tracking.histories import Subject
from tracking.spans import TICK, Hand
from tracking.stop_times import is_corrected
from tracking.tracked import Period

# The newest mark of each class before the range says what was on when it began.
_MARKS: Final = """
SELECT d.id, k.recorded_at, k.kind
  FROM unnest(%(drivers)s::int[]) AS d(id)
 CROSS JOIN LATERAL (
    (SELECT recorded_at, kind FROM accounts_dutymark
      WHERE driver_id = d.id AND kind IN (30, 31) AND recorded_at < %(begin)s
      ORDER BY recorded_at DESC, kind DESC LIMIT 1)
     UNION ALL
    (SELECT recorded_at, kind FROM accounts_dutymark
      WHERE driver_id = d.id AND kind IN (32, 33) AND recorded_at < %(begin)s
      ORDER BY recorded_at DESC, kind DESC LIMIT 1)
     UNION ALL
    SELECT recorded_at, kind FROM accounts_dutymark
     WHERE driver_id = d.id AND recorded_at >= %(begin)s AND recorded_at < %(end)s) k
"""


def marks_of(
    driver_ids: Collection[int], begin_at: datetime, end_at: datetime
) -> Mapping[int, list[Mark]]:
    """Each driver's marks in a range and the newest before it. One query."""
    found: defaultdict[int, list[Mark]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, {"drivers": list(driver_ids), "begin": begin_at, "end": end_at})
        for driver_id, recorded_at, kind in cursor.fetchall():
            found[driver_id].append(Mark(recorded_at, kind))
    return found


def open_missions_of(
    driver_ids: Collection[int], begin_at: datetime, end_at: datetime
) -> Mapping[int, list[Period]]:
    """When each driver had a mission open in a range. One query."""
    found: defaultdict[int, list[Period]] = defaultdict(list)
    rows = MissionAssignment.objects.filter(
        driver__in=driver_ids, open_period__overlap=(begin_at, end_at)
    ).values_list("driver_id", "open_period")
    for driver_id, period in rows:
        if period is not None:
            until = period.upper or end_at
            found[driver_id].append(
                (period.lower or begin_at, until + TICK if period.upper_inc else until)
            )
    return found


def stages_of(
    subject: Subject, driver_ids: Collection[int], begin_at: datetime, end_at: datetime
) -> list[StageEvent]:
    """The stages of a driver, a truck or a mission in a range, oldest first. One query.

    Those of `driver_ids`, and those whose driver has been erased; of a mission all, since a
    corrected driver leaves what the former one marked. Never a frozen driver's.
    """
    events = _events(subject, driver_ids).filter(recorded_at__gte=begin_at, recorded_at__lt=end_at)
    return list(
        events.annotate(is_superseded=is_corrected())
        .select_related("stop__site", "corrects", "author")
        .order_by("recorded_at", "id")
    )


def _events(subject: Subject, driver_ids: Collection[int]) -> QuerySet[StageEvent]:
    if isinstance(subject, Driver):
        return StageEvent.objects.filter(driver__in=driver_ids)
    if isinstance(subject, Mission):
        return StageEvent.objects.filter(mission=subject, driver__frozen_at__isnull=True)
    return StageEvent.objects.filter(Q(driver__in=driver_ids) | Q(driver=None, truck=subject))


def superseded(events: Iterable[StageEvent]) -> set[int]:
    """Those of `stages_of` that a later correction takes the place of."""
    return {event.pk for event in events if getattr(event, "is_superseded", False)}


def corrections_of(events: Iterable[StageEvent]) -> dict[int, StageEvent]:
    """What takes the place of each corrected one of `stages_of`. No query when none was."""
    gone = superseded(events)
    if not gone:
        return {}
    corrections = StageEvent.objects.filter(corrects__in=gone).select_related("author")
    return {event.corrects_id: event for event in corrections.order_by("id") if event.corrects_id}


def proofs_of(
    subject: Subject, hands: Collection[Hand], begin_at: datetime, end_at: datetime
) -> list[Attachment | Signature]:
    """Photos and signatures in a range; of a mission all, also those made after it. Two queries.

    Of a truck those that its drivers made while they had it. Never a frozen driver's.
    """
    photos: QuerySet[Attachment] = Attachment.objects.filter(driver__frozen_at=None)
    signatures: QuerySet[Signature] = Signature.objects.filter(driver__frozen_at=None)
    if isinstance(subject, Mission):
        wanted = Q(mission=subject)
    else:
        people = {hand.driver_id for hand in hands if hand.driver_id is not None}
        wanted = Q(driver__in=people, recorded_at__gte=begin_at, recorded_at__lt=end_at)
    proofs: list[Attachment | Signature] = [
        *photos.filter(wanted).select_related("stop__site").order_by("recorded_at", "id"),
        *signatures.filter(wanted).select_related("stop__site").order_by("recorded_at", "id"),
    ]
    if not isinstance(subject, Truck):
        return proofs
    return [proof for proof in proofs if _had_it(proof, hands)]


def _had_it(proof: Attachment | Signature, hands: Iterable[Hand]) -> bool:
    return any(
        hand.driver_id == proof.driver_id and hand.begin_at <= proof.recorded_at < hand.end_at
        for hand in hands
    )


def named(
    driver_ids: set[int], truck_ids: set[int], mission_ids: set[int]
) -> tuple[dict[int, Driver], dict[int, Truck], dict[int, Mission]]:
    """The rows that a timeline names. At most three queries."""
    return (
        Driver.objects.in_bulk(driver_ids) if driver_ids else {},
        Truck.objects.in_bulk(truck_ids) if truck_ids else {},
        Mission.objects.in_bulk(mission_ids) if mission_ids else {},
    )
