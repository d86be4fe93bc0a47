"""What the page of a shared stop says, in words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from missions.models import Stop
from missions.proof_words import PURPOSES, RESULTS, moment
from missions.sharing import ends_at
from missions.site_check import as_point
from tracking.day_rows import Clock, duration_text
from tracking.floor_map import area_map
from tracking.mission_words import span_text
from tracking.nearby import nearby
from tracking.shared_stop import SharedPosition, SharedStop, StateOfStop, photos_with_thumbnail
from tracking.svg_map import Dot, Line

STATES: Final[dict[StateOfStop, Promise]] = {
    "planned": pgettext_lazy("state of a shared stop", "Planned"),
    "on_the_way": pgettext_lazy("state of a shared stop", "The driver is on the way to this stop"),
    "arrived": pgettext_lazy("state of a shared stop", "The driver has arrived"),
    "done": pgettext_lazy("state of a shared stop", "Done"),
    "cancelled": pgettext_lazy("state of a shared stop", "Cancelled"),
    "not_visited": pgettext_lazy("state of a shared stop", "Nobody came to this stop"),
    "no_news": pgettext_lazy("state of a shared stop", "There is no news of this stop now"),
}
ICONS: Final[dict[StateOfStop, str]] = {
    "planned": "planned",
    "on_the_way": "moving",
    "arrived": "started",
    "done": "completed",
    "cancelled": "cancelled",
    "not_visited": "warning",
    "no_news": "warning",
}
# Until the driver is there, somebody who waits asks when that will be.
TO_COME: Final = frozenset({"planned", "on_the_way"})
WHEN_SHOWN: Final = gettext_lazy(
    "The position of the truck is shown here while the driver is on the way to this stop."
)
NOT_SENT: Final = gettext_lazy("The phone has not sent a position since the stop before this one.")


def shared_context(shown: SharedStop, token: str, now: datetime, language: str) -> dict[str, Any]:
    """All that the page names; times as the clocks at the site show them."""
    stop, link = shown.link.stop, shown.link
    clock = Clock(shown.zone, says_offset=False, day=now.astimezone(shown.zone).date())
    state = STATES[shown.state]
    result = shown.times.result if shown.state == "done" else ""
    end_at = ends_at(link)
    return {
        "token": token,
        "sender": link.employer.name,
        "site": stop.site,
        "title": stop.site.name if stop.site else _("A stop"),
        "purpose": PURPOSES[stop.purpose],
        "references": list(dict.fromkeys(filter(None, (stop.reference, stop.external_id)))),
        "state": RESULTS.get(result, state) if result else state,
        "is_state": shown.state,
        "icon": f"icons/{ICONS[shown.state]}.html",
        "planned": list(_planned(stop, clock)),
        "arrived": clock.text(shown.times.arrived_at) if shown.times.arrived_at else "",
        "left": clock.text(shown.times.departed_at) if shown.times.departed_at else "",
        "is_to_come": shown.state in TO_COME,
        "zone": shown.zone,
        "now": clock.text(now),
        "position": _position_text(shown.position, now, clock, language),
        "why_no_position": _why_not(shown),
        "map": _map(shown, language),
        "proof": shown.proof,
        "photos": photos_with_thumbnail(shown),
        "ends": clock.text(end_at) if end_at else "",
    }


def _planned(stop: Stop, clock: Clock) -> Iterator[str]:
    if stop.window_start_at or stop.window_end_at:
        yield span_text(stop.window_start_at, stop.window_end_at, clock.zone, None)
    elif stop.planned_arrival_at:
        yield moment(stop.planned_arrival_at, clock.zone.key)


def _why_not(shown: SharedStop) -> str:
    if not shown.link.shows_position or shown.position or shown.state not in TO_COME:
        return ""
    return str(NOT_SENT if shown.state == "on_the_way" else WHEN_SHOWN)


def _position_text(
    position: SharedPosition | None, now: datetime, clock: Clock, language: str
) -> list[str]:
    """Where, how long ago, and how exactly."""
    if position is None:
        return []
    age_s = max(0, round((now - position.recorded_at).total_seconds()))
    age = duration_text(max(60, age_s))
    return [
        _where(position, language),
        _("%(age)s ago, at %(time)s") % {"age": age, "time": clock.text(position.recorded_at)},
        _("exact to some 50 m")
        if position.is_exact
        else _("somewhere in the circle, which is 7 km across"),
    ]


def _where(position: SharedPosition, language: str) -> str:
    """By the middle of the circle: a distance from the true place would say where that is."""
    found = nearby(position.area.latitude, position.area.longitude)
    if found is None:
        return _("far from any town of our map")
    name = found.place.names.get(language, found.place.english)
    if found.distance_m < 8_000:
        return _("near %(place)s") % {"place": name}
    distance = round(found.distance_m / 1000)
    return _("about %(distance)s km from %(place)s") % {"distance": distance, "place": name}


def _map(shown: SharedStop, language: str) -> str:
    if shown.position is None:
        return ""
    area, site = shown.position.area, shown.link.stop.site
    dots = [Dot("truck", (area.latitude, area.longitude))] if shown.position.is_exact else []
    point = as_point(site.latitude, site.longitude) if site else None
    if site and point:
        dots.append(Dot("stop", point, site.name))
    title = _("Map: about where the truck was, and the stop")
    return area_map(title, [Line("area", area.outline())], dots, language)
