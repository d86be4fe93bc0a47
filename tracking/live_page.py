"""The live page: the whole fleet on a map and in a table, and the stream that keeps both fresh."""

from typing import Any, Final, cast

from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation

from accounts.actors import Actor
from accounts.open_sessions import open_session_of
from accounts.page_access import for_dispatchers
from tracking.fleet_view import LONGEST_SEARCH, fleet_view, words_of
from tracking.floor_map import fleet_map
from tracking.live_stream import Viewer, events, may_join

# When to ask again where no more streams are to be had; until then the page asks by itself.
RETRY_AFTER_S: Final = 60


@for_dispatchers
def live(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Each driver's newest fix, on a map and in a table. `?q=` narrows both."""
    context = _context(request, actor)
    context["floor_map"] = fleet_map(context["fleet"], translation.get_language())
    return render(request, "tracking/live.html", context)


@for_dispatchers
def fleet_table(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The table alone, for the page to refresh itself; 304 while nothing in it has changed."""
    context = _context(request, actor)
    # The browser may not keep the answer, so the page itself sends back what it shows.
    etag = context["etag"]
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = render(request, "tracking/fleet_table.html", context)
    response["ETag"] = etag
    return response


@for_dispatchers
def live_stream(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What changes in the table, as server-sent events. 429 when too many are open."""
    session = open_session_of(request, actor)
    viewer = Viewer(
        session=session,
        language=translation.get_language() or "en",
        words=words_of(request.GET.get("q", "")),
        last_event_id=request.headers.get("Last-Event-ID", ""),
    )
    # A stream is idle for most of its life: it holds no connection meanwhile.
    if not connection.in_atomic_block:
        connection.close()
    if not may_join(viewer):
        return HttpResponse(status=429, headers={"Retry-After": str(RETRY_AFTER_S)})
    stream = StreamingHttpResponse(
        events(viewer),
        content_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
    # The guard's types know pages only; all that it does to an answer is set a header.
    return cast("HttpResponse", stream)


def _context(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    search = request.GET.get("q", "")[:LONGEST_SEARCH]
    view = fleet_view(actor.employer, timezone.now(), words_of(search))
    return {
        "employer": actor.employer,
        "fleet": view,
        "zone": view.zone,
        "q": search,
        "etag": view.etag,
    }
