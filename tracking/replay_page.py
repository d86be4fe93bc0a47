"""The replay of a mission, a driver's day or a truck's day: the page, and the data it plays.

For dispatchers and managers of the employer, like the pages it belongs to.
(The command `replay`, which says a recorded track again as a phone would: tracking/replaying.py.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page

from accounts.actors import Actor
from accounts.models import Driver, Employer, Truck
from accounts.page_access import for_dispatchers
from accounts.tenants import of_employer
from missions.models import Mission
from tracking.day_rows import duration_text, track, whole_distance
from tracking.fleet_rows import driver_name
from tracking.floor_map import track_map
from tracking.kept import kept_since
from tracking.mission_words import mission_name
from tracking.replay_data import (
    IDLE_SHOWN_S,
    Replay,
    played,
    replay_of_day,
    replay_of_mission,
    table_of,
)
from tracking.subjects import day_of, driver_of, no_such_date, truck_of

# How much faster than real time.
SPEEDS: Final = (10, 30, 60, 120, 300, 600)
FIRST_SPEED: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose replay, of which day (None: a whole mission), and the addresses of its pages."""

    subject: Mission | Driver | Truck
    name: str
    day: date | None
    back: str
    data: str

    @property
    def employer(self) -> Employer:
        return self.subject.employer

    def replay(self, now: datetime) -> Replay:
        language = translation.get_language()
        if isinstance(self.subject, Mission):
            return replay_of_mission(self.subject, now, language)
        assert self.day is not None  # noqa: S101
        return replay_of_day(self.subject, self.day, now, language)


@for_dispatchers
def mission_replay(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """A mission, from its first position to its last."""
    return _page(request, _mission(actor, mission_id))


@for_dispatchers
@gzip_page
def mission_replay_data(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """What its page plays. Packed, as it holds nothing that guesses could be tried on."""
    return _data(_mission(actor, mission_id))


@for_dispatchers
def driver_replay(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """A driver's day. `?date=` in the employer's zone, else today."""
    driver = driver_of(actor, driver_id)
    return _of_day(request, driver, driver_name(driver.name, driver.number), "driver", _page)


@for_dispatchers
@gzip_page
def driver_replay_data(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """What its page plays."""
    return _of_day(
        request, driver_of(actor, driver_id), "", "driver", lambda _, asked: _data(asked)
    )


@for_dispatchers
def truck_replay(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """A truck's day, its drivers one after the other. `?date=` in the employer's zone."""
    truck = truck_of(actor, truck_id)
    return _of_day(request, truck, truck.plate, "truck", _page)


@for_dispatchers
@gzip_page
def truck_replay_data(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """What its page plays."""
    return _of_day(request, truck_of(actor, truck_id), "", "truck", lambda _, asked: _data(asked))


def _mission(actor: Actor, mission_id: UUID) -> Asked:
    mission = of_employer(Mission.objects.select_related("employer"), actor, mission_id)
    back = reverse("mission_page", args=[mission.uuid])
    data = reverse("mission_replay_data", args=[mission.uuid])
    return Asked(mission, mission_name(mission), None, back, data)


def _of_day(
    request: HttpRequest,
    subject: Driver | Truck,
    name: str,
    kind: str,
    answer: Callable[[HttpRequest, Asked], HttpResponse],
) -> HttpResponse:
    day = day_of(request, subject.employer, timezone.now())
    if day is None:
        return no_such_date(request, subject.employer)
    back, data = (
        f"{reverse(page, args=[subject.uuid])}?date={day}"
        for page in (f"{kind}_day", f"{kind}_replay_data")
    )
    return answer(request, Asked(subject, name, day, back, data))


def _data(asked: Asked) -> HttpResponse:
    replay = asked.replay(timezone.now())
    return JsonResponse(played(replay), json_dumps_params={"separators": (",", ":")})


def _page(request: HttpRequest, asked: Asked) -> HttpResponse:
    now = timezone.now()
    replay = asked.replay(now)
    line = track(replay.timeline, replay.fixes)
    title = _("Map of the replay; the table says the same")
    begin_at = replay.timeline.started_at or now
    zone = replay.clock.zone
    context = {
        "employer": asked.employer,
        "name": asked.name,
        "is_mission": asked.day is None,
        "day": asked.day or begin_at.astimezone(zone).date(),
        "zone": zone,
        "back_url": asked.back,
        "data_url": asked.data,
        "rows": table_of(replay),
        "has_line": bool(replay.fixes),
        "floor_map": track_map(title, line, replay.rows, translation.get_language()),
        "is_past_its_period": not replay.fixes and _is_past(asked.employer, replay, now),
        "hidden": list(_hidden(replay)),
        "speeds": SPEEDS,
        "first_speed": FIRST_SPEED,
        "idle_shown_s": IDLE_SHOWN_S,
        **_sums(replay),
    }
    return render(request, "tracking/replay.html", context)


def _sums(replay: Replay) -> dict[str, str]:
    totals = replay.totals
    return {
        "distance": whole_distance(replay.timeline),
        "moving": duration_text(totals.moving_s),
        "standing": duration_text(totals.standing_s),
        "gaps": duration_text(totals.gap_s),
    }


def _hidden(replay: Replay) -> Iterator[str]:
    """What of it is not shown, and no more of why than may be said."""
    for shift in replay.timeline.shifts:
        if shift.availability != "available":
            began, ended = map(replay.clock.text, (shift.started_at, shift.ended_at))
            is_erased = shift.availability == "erased"
            what = _("driver and positions erased") if is_erased else _("not available")
            yield f"{began}\N{EN DASH}{ended}: {what}"


def _is_past(employer: Employer, replay: Replay, now: datetime) -> bool:
    ended_at = replay.timeline.ended_at
    return ended_at is not None and ended_at < kept_since(employer, now)
