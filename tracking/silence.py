"""What ends by itself because nothing was heard for 24 hours: missions and duties.

Each ends at the last thing that was heard of it, never at the moment the sweep runs.
"""

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from accounts.audit import record
from accounts.duty_marks import DutyMarkKind
from accounts.models import Driver, DutyMark, MarkSource
from missions.models import Mission
from missions.silence import SILENT_AFTER
from tracking.histories import CLOCK_AHEAD, history_of_mission


def last_fix_at(mission: Mission, now: datetime) -> datetime | None:
    """The newest fix of a mission while it was open. One query for each of its drivers."""
    if mission.opened_at is None:
        return None
    return history_of_mission(mission, mission.opened_at, now + CLOCK_AHEAD).newest_at()


# The drivers whose newest duty mark is a start, and the newest thing heard of each since:
# that mark, a fix or a stage, but never a later start of something else.
_SILENT_DUTIES: Final = """
SELECT d.id, greatest(k.recorded_at, f.recorded_at, e.recorded_at) AS heard_at
  FROM accounts_driver d
 CROSS JOIN LATERAL (
    SELECT recorded_at, kind FROM accounts_dutymark
     WHERE driver_id = d.id AND kind IN (30, 31)
     ORDER BY recorded_at DESC, kind DESC LIMIT 1) k
  LEFT JOIN LATERAL (
    SELECT recorded_at FROM tracking_fix
     WHERE driver_id = d.id AND recorded_at >= k.recorded_at
       AND recorded_at >= %(oldest)s AND recorded_at < %(newest)s
     ORDER BY recorded_at DESC LIMIT 1) f ON true
  LEFT JOIN LATERAL (
    SELECT recorded_at FROM missions_stageevent
     WHERE driver_id = d.id AND recorded_at >= k.recorded_at
     ORDER BY recorded_at DESC LIMIT 1) e ON true
 WHERE d.frozen_at IS NULL AND (%(driver)s::int IS NULL OR d.id = %(driver)s)
   AND k.kind = 30 AND k.recorded_at < %(silent_since)s
   AND greatest(k.recorded_at, f.recorded_at, e.recorded_at) < %(silent_since)s
 ORDER BY d.id
"""


def end_silent_duties(now: datetime, oldest_fix_at: datetime) -> list[Driver]:
    """End duties of which nothing was heard for 24 h, at the last thing heard of them.

    `oldest_fix_at` bounds the months that are looked into. Each driver is a transaction.
    """
    asked = {
        "driver": None,
        "oldest": oldest_fix_at,
        "newest": now + CLOCK_AHEAD,
        "silent_since": now - SILENT_AFTER,
    }
    ended = (_end_duty({**asked, "driver": driver_id}) for driver_id, _ in _silent(asked))
    return [driver for driver in ended if driver is not None]


def _silent(asked: dict[str, Any]) -> list[tuple[int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(_SILENT_DUTIES, asked)
        return [(driver_id, heard_at) for driver_id, heard_at in cursor.fetchall()]


@transaction.atomic
def _end_duty(asked: dict[str, Any]) -> Driver | None:
    # Waits for a group of fixes that is being stored, as freezing does, and asks once more.
    driver = Driver.objects.select_for_update().get(pk=asked["driver"])
    for _, heard_at in _silent(asked):
        DutyMark.objects.create(
            employer_id=driver.employer_id,
            driver=driver,
            recorded_at=heard_at,
            kind=DutyMarkKind.DUTY_ENDED,
            source=MarkSource.AUTOMATIC,
        )
        record(None, "duty.ended_automatically", driver, {"recorded_at": heard_at.isoformat()})
        return driver
    return None


def take_back_ends() -> int:
    """Remove automatic ends of duties that the driver's own, later end shows to be wrong.

    A phone that was out of reach for a day sends its marks late; the duty then lasted until
    the driver ended it.
    """
    later = DutyMark.objects.filter(
        driver=OuterRef("driver"),
        recorded_at__gt=OuterRef("recorded_at"),
        kind__in=(DutyMarkKind.DUTY_STARTED, DutyMarkKind.DUTY_ENDED),
    ).order_by("recorded_at", "-kind")
    wrong = DutyMark.objects.filter(
        Exists(later.filter(kind=DutyMarkKind.DUTY_ENDED, source=MarkSource.DRIVER)),
        source=MarkSource.AUTOMATIC,
        kind=DutyMarkKind.DUTY_ENDED,
    ).annotate(next_kind=later.values("kind")[:1])
    deleted, _ = DutyMark.objects.filter(
        pk__in=list(wrong.filter(next_kind=DutyMarkKind.DUTY_ENDED).values_list("pk", flat=True))
    ).delete()
    return deleted
