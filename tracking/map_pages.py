"""The operator's map file, range by range, for pages of ours."""

from http import HTTPStatus
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from whitenoise.responders import StaticFile

from accounts.file_answers import as_response
from tracking.tile_file import opens_tiles, tile_file_path

# A map asks for some kilobytes at a time; nobody gets a gigabyte into our memory.
MOST_BYTES: Final = 8 << 20
AGE_S: Final = 24 * 3600


@require_safe
def tile_file(request: HttpRequest, token: str) -> HttpResponse:
    """A range of the file. 404 without one, or with an address that no page gave out lately.

    The address is all it needs: a consignee with a share link has no session, and the map
    itself tells nothing about anybody. The whole file is not for the asking: 416.
    """
    path = tile_file_path()
    if not opens_tiles(token, timezone.now().date()) or not path.is_file():
        raise Http404
    headers = [
        ("Content-Type", "application/vnd.pmtiles"),
        ("Cache-Control", f"private, max-age={AGE_S}"),
        ("Accept-Ranges", "bytes"),
    ]
    answer = StaticFile(str(path), headers).get_response(request.method, request.META)
    sizes = [int(value) for name, value in answer.headers if name == "Content-Length"]
    if answer.file and sizes and sizes[0] > MOST_BYTES:
        answer.file.close()
        response = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        response["Content-Range"] = f"bytes */{path.stat().st_size}"
        return response
    return as_response(answer)
