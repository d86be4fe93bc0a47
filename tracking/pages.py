"""The dispatcher's pages: the fleet now, and a driver's day.

Each page with positions is for dispatchers and managers of the driver's employer, is never
stored by a browser or proxy, and says everything in a table; the map only shows it again.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, Final, ParamSpec
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from accounts.actors import Actor, actor_of
from accounts.models import Driver, Employer, Role
from accounts.permissions import may
from accounts.tenants import of_employer
from tracking.basemap import basemap_folder
from tracking.day_rows import Clock, day_rows, track, whole_distance
from tracking.days import whole_day
from tracking.days_with_data import neighbours
from tracking.fleet_rows import driver_name, fleet_view
from tracking.histories import history_of_driver
from tracking.timeline import Timeline, timeline_of_driver

MAP_FILES: Final = ("land", "places")
MAP_AGE_S: Final = 24 * 3600

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]


def for_dispatchers(page: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Sign in first; another role gets a page that says so; nothing of it is kept anywhere."""

    @require_GET
    @login_required
    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        actor = actor_of(request)
        if may(actor, Role.DISPATCHER):
            response = page(request, actor, *args, **kwargs)
        else:
            response = _not_for_this_role(request, actor)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return guarded


def _not_for_this_role(request: HttpRequest, actor: Actor, status: int = 403) -> HttpResponse:
    context = {"employer": actor.employer, "is_dpo": Role.DPO in actor.roles}
    return render(request, "tracking/no_positions.html", context, status=status)


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The fleet for who may see it; for a data protection officer, what is not theirs to see."""
    actor = actor_of(request)
    if not may(actor, Role.DISPATCHER):
        return _not_for_this_role(request, actor, status=200)
    return fleet(request)


@for_dispatchers
def fleet(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Each driver's newest fix, on a map and in a table."""
    context = _fleet_context(actor.employer)
    return render(request, "tracking/fleet.html", context)


@for_dispatchers
def fleet_table(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The table alone, for the page to refresh itself; 304 while nothing in it has changed."""
    response = render(request, "tracking/fleet_table.html", _fleet_context(actor.employer))
    # The browser may not keep the answer, so the page itself sends back what it shows.
    etag = f'"{sha256(response.content).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    response["ETag"] = etag
    return response


def _fleet_context(employer: Employer) -> dict[str, Any]:
    now = timezone.now()
    zone = ZoneInfo(employer.timezone)
    today_at, _ = whole_day(now.astimezone(zone).date(), zone)
    view = fleet_view(employer, now, today_at, translation.get_language())
    return {"employer": employer, "fleet": view, "zone": zone}


@for_dispatchers
def driver_day(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """A driver's day as a timeline and a track. `?date=` in the employer's zone, else today."""
    driver = of_employer(Driver.objects.select_related("employer"), actor, driver_id)
    if driver.frozen_at is not None:
        raise Http404
    now = timezone.now()
    zone = ZoneInfo(driver.employer.timezone)
    today = now.astimezone(zone).date()
    day = _day_asked(request.GET.get("date", ""), today)
    if day is None:
        return render(
            request, "tracking/no_such_date.html", {"employer": actor.employer}, status=400
        )
    begin_at, end_at = whole_day(day, zone)
    timeline = timeline_of_driver(driver, day)
    fixes = history_of_driver(driver, begin_at, end_at).fixes()
    clock = Clock.of_day(zone, begin_at, end_at)
    nearest = neighbours(driver, day, now)
    context = {
        "employer": driver.employer,
        "driver": driver,
        "driver_name": driver_name(driver.name, driver.number),
        "day": day,
        "today": today,
        "before": nearest.before,
        "after": nearest.after,
        "zone": zone,
        "timeline": timeline,
        "rows": day_rows(timeline, clock, translation.get_language()),
        "distance": whole_distance(timeline),
        "trucks": _distinct(entry.truck and entry.truck.plate for entry in timeline.entries),
        "missions": _distinct(
            entry.mission and (entry.mission.reference or entry.mission.external_id)
            for entry in timeline.entries
        ),
        "track": track(timeline, fixes),
        "last_fix": clock.text(timeline.last_fix_at) if timeline.last_fix_at else "",
        "is_running": day == today and _has_open_end(timeline, now),
        "is_past_its_period": end_at < _kept_since(driver.employer, now),
    }
    return render(request, "tracking/driver_day.html", context)


def _day_asked(text: str, today: date) -> date | None:
    """The asked day; today when none is asked; None when it is no date a calendar has."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2200 else None


def _distinct(names: Any) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _has_open_end(timeline: Timeline, now: datetime) -> bool:
    return timeline.last_fix_at is not None and (now - timeline.last_fix_at).total_seconds() < 1800


def _kept_since(employer: Employer, now: datetime) -> datetime:
    # Inexact on purpose: it chooses between two sentences on an empty page.
    return now - timedelta(days=31 * employer.route_months)


@require_GET
def basemap_file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the basemap; 204 where set-up could not build it: the map has no borders then."""
    path = basemap_folder() / f"{name}.json.gz"
    if name not in MAP_FILES or not path.is_file():
        return HttpResponse(status=204)
    made = path.stat()
    etag = f'"{made.st_mtime_ns:x}-{made.st_size:x}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(path.read_bytes(), content_type="application/geo+json")
        response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    patch_cache_control(response, private=True, max_age=MAP_AGE_S)
    return response
