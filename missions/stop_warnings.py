"""What a dispatcher should know of a stop's plan, which is never refused for it."""

from typing import Final
from zoneinfo import ZoneInfo

from missions.models import Mission, Site, Stop
from missions.opening_hours import is_open_between

OUTSIDE_HOURS: Final = "window_outside_opening_hours"


def site_zone(site: Site) -> ZoneInfo:
    """The zone of a site: its own, else its employer's."""
    return ZoneInfo(site.timezone or site.employer.timezone)


def stop_warnings(stop: Stop) -> list[str]:
    """Fixed words. Wants the site and its employer joined, else it asks for them."""
    begin, end = stop.window_start_at, stop.window_end_at
    if stop.site is None or begin is None or end is None:
        return []
    is_open = is_open_between(stop.site.opening_hours, site_zone(stop.site), begin, end)
    return [] if is_open else [OUTSIDE_HOURS]


def warned_stops(mission: Mission) -> list[int]:
    """The places in the order of the stops that have a warning: one query."""
    may_have = (
        mission.stops.filter(window_start_at__isnull=False, window_end_at__isnull=False)
        .exclude(site__opening_hours=[])
        .select_related("site__employer")
        .order_by("seq")
    )
    return [stop.seq for stop in may_have if stop_warnings(stop)]
