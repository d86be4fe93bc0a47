"""End missions of which nothing was heard any more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from accounts.models import MarkSource
from missions.lifecycle import end_mission, last_stage_at, locked
from missions.models import Mission

SILENT_AFTER: Final = timedelta(hours=24)


def end_silent_missions(
    now: datetime, last_fix_at: Callable[[Mission], datetime | None]
) -> list[Mission]:
    """End missions whose newest evidence is older than 24 h, at that evidence.

    `last_fix_at` gives the newest fix of a mission while it was open, or None; it is asked
    under the mission's lock. Each mission is a transaction of its own, so a sweep that is
    interrupted keeps what it has done.
    """
    long_open = Mission.objects.filter(ended_at=None, opened_at__lt=now - SILENT_AFTER)
    ended = (_end_if_silent(mission, now, last_fix_at) for mission in long_open.order_by("id"))
    return [mission for mission in ended if mission is not None]


@transaction.atomic
def _end_if_silent(
    mission: Mission, now: datetime, last_fix_at: Callable[[Mission], datetime | None]
) -> Mission | None:
    mission = locked(mission)
    if mission.opened_at is None or mission.ended_at is not None:
        return None
    evidence = (mission.opened_at, last_stage_at(mission), last_fix_at(mission))
    newest = max(moment for moment in evidence if moment is not None)
    if newest >= now - SILENT_AFTER:
        return None
    return end_mission(mission, at=newest, source=MarkSource.AUTOMATIC)
