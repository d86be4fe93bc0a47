"""The dispatcher's pages: the fleet now, and a driver's day.

Each page with positions is for dispatchers and managers of the driver's employer, is never
stored by a browser or proxy, and says everything in a table; the map only shows it again.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from tracking.basemap import basemap_folder

MAP_FILES: Final = ("land", "places")
MAP_AGE_S: Final = 24 * 3600


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
