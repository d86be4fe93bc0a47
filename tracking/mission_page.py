"""A mission's own page: planned against actual, the track, the evidence, and who changed what."""

from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from accounts.actors import Actor
from accounts.page_access import for_dispatchers
from accounts.tenants import of_employer
from missions.file_links import file_link
from missions.models import Attachment, Mission, Signature
from missions.pages.mission_actions import actions_of
from missions.share_words import link_rows
from missions.sharing import links_of
from tracking.mission_changes import changes_of, exports_of
from tracking.mission_facts import mission_context
from tracking.mission_stops import PAD_HEIGHT, PAD_WIDTH

PAD: Final = f"0 0 {PAD_WIDTH} {PAD_HEIGHT}"


@for_dispatchers
def mission_page(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """The page; while the mission is under way a script asks for mission_now()."""
    mission = _mission(actor, mission_id)
    context = _context(mission)
    parts = _parts(request, context)
    context |= {
        **parts,
        "etag": _etag(parts),
        "exports": exports_of(mission),
        "changes": changes_of(mission, is_hidden=context["is_hidden"]),
        "actions": actions_of(mission),
        "links": link_rows(links_of(mission), mission.employer.timezone, timezone.now()),
    }
    return render(request, "tracking/mission.html", context)


@for_dispatchers
def mission_now(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """What may have changed, for the page to refresh itself; 304 while nothing has."""
    parts = _parts(request, _context(_mission(actor, mission_id)))
    etag = _etag(parts)
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = render(request, "tracking/mission_now.html", dict(parts))
    response["ETag"] = etag
    return response


@for_dispatchers
def mission_picture(
    request: HttpRequest, actor: Actor, mission_id: UUID, kind: str, file_id: UUID
) -> HttpResponse:
    """A photo, its thumbnail or a signature of a mission, by a link made at this look."""
    mission = of_employer(Mission, actor, mission_id)
    if kind in ("photo", "thumbnail"):
        photos = Attachment.objects.filter(mission=mission, driver__frozen_at=None)
        photo = of_employer(photos, actor, file_id)
        return redirect(file_link("attachment" if kind == "photo" else kind, photo.uuid))
    if kind != "signature":
        raise Http404
    signatures = Signature.objects.filter(mission=mission, driver__frozen_at=None)
    return redirect(file_link(kind, of_employer(signatures, actor, file_id).uuid))


def _mission(actor: Actor, mission_id: UUID) -> Mission:
    return of_employer(
        Mission.objects.select_related("employer", "planned_truck"), actor, mission_id
    )


def _context(mission: Mission) -> dict[str, Any]:
    language = translation.get_language()
    return {**mission_context(mission, timezone.now(), language), "pad": PAD}


def _parts(request: HttpRequest, context: dict[str, Any]) -> dict[str, SafeString]:
    """The two parts that the page refreshes: above the map, and beside it."""
    return {
        "top": render_to_string("tracking/mission_top.html", context, request),
        "beside": render_to_string("tracking/mission_beside.html", context, request),
    }


def _etag(parts: dict[str, SafeString]) -> str:
    """The browser may not keep the answer, so the page itself sends back what it shows."""
    return f'"{sha256("".join(parts.values()).encode()).hexdigest()[:32]}"'
