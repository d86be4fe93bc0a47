"""How far a mission's driver is from a stop, by the newest fix."""

from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django.db.models.functions import Now

from missions.delays import Distance
from missions.models import Mission, MissionAssignment, MissionStatus, Stop
from tracking.geometry import distance_m
from tracking.histories import CLOCK_AHEAD
from tracking.models import E7, Fix

# An older fix says nothing of where the driver is by now.
FRESH: Final = timedelta(hours=1)


def distance_at(now: datetime) -> Distance:
    """As the crow flies; None without a site's point, a driver on the way or a fresh fix.

    Two queries for each mission, however many of its stops are asked for.
    """

    @cache
    def place_of(mission_id: int) -> tuple[float, float] | None:
        running = MissionAssignment.objects.filter(
            mission=mission_id, period__contains=Now(), driver__frozen_at=None
        )
        driver_id = running.values_list("driver_id", flat=True).first()
        if driver_id is None:
            return None
        fixes = Fix.objects.filter(
            driver_id=driver_id,
            recorded_at__gt=now - FRESH,
            recorded_at__lt=now + CLOCK_AHEAD,
        )
        newest = fixes.order_by("-recorded_at").values_list("latitude_e7", "longitude_e7").first()
        return (newest[0] / E7, newest[1] / E7) if newest else None

    def distance(mission: Mission, stop: Stop) -> float | None:
        site = stop.site
        if mission.status != MissionStatus.STARTED or site is None:
            return None
        if site.latitude is None or site.longitude is None:
            return None
        place = place_of(mission.pk)
        return distance_m(*place, site.latitude, site.longitude) if place else None

    return distance
