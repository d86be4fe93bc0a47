"""The dispatcher's pages: the fleet now, and a driver's day.

Each page with positions is for dispatchers and managers of the driver's employer, is never
stored by a browser or proxy, and says everything in a table; the map only shows it again.
"""

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from accounts.actors import Actor, actor_of
from accounts.models import Driver, Role
from accounts.page_access import for_dispatchers, not_for_this_role
from accounts.permissions import may
from tracking.basemap import basemap_folder
from tracking.live_page import live

MAP_FILES: Final = ("land", "places")
MAP_AGE_S: Final = 24 * 3600


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The fleet for who may see it; for a data protection officer, what is not theirs to see."""
    actor = actor_of(request)
    if not may(actor, Role.DISPATCHER):
        return not_for_this_role(request, actor, status=200)
    return live(request)


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
