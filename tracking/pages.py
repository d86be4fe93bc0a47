"""The dispatcher's pages: the fleet now, and a driver's day.

Each page with positions is for dispatchers and managers of the driver's employer, is never
stored by a browser or proxy, and says everything in a table; the map only shows it again.
"""

from hashlib import sha256
from typing import Any, Final
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
from accounts.page_access import for_dispatchers, not_for_this_role
from accounts.permissions import may
from accounts.tenants import of_employer
from tracking.basemap import basemap_folder
from tracking.day_page import day_asked, day_context
from tracking.days import whole_day
from tracking.fleet_rows import fleet_view
from tracking.floor_map import fleet_map

MAP_FILES: Final = ("land", "places")
MAP_AGE_S: Final = 24 * 3600


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The fleet for who may see it; for a data protection officer, what is not theirs to see."""
    actor = actor_of(request)
    if not may(actor, Role.DISPATCHER):
        return not_for_this_role(request, actor, status=200)
    return fleet(request)


@for_dispatchers
def fleet(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Each driver's newest fix, on a map and in a table."""
    context = _fleet_context(actor.employer)
    context["floor_map"] = fleet_map(context["fleet"], translation.get_language())
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
    today = now.astimezone(ZoneInfo(driver.employer.timezone)).date()
    day = day_asked(request.GET.get("date", ""), today)
    if day is None:
        context: dict[str, Any] = {"employer": actor.employer}
        return render(request, "tracking/no_such_date.html", context, status=400)
    context = day_context(driver, day, now, translation.get_language())
    return render(request, "tracking/driver_day.html", context)


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
