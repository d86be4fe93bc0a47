"""A mission's own page: planned against actual, the track, the evidence, and who changed what."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.actors import Actor
from accounts.tenants import of_employer
from missions.file_links import file_link
from missions.models import Attachment, Mission, Signature
from tracking.pages import for_dispatchers


@for_dispatchers
def mission_page(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    of_employer(Mission, actor, mission_id)
    raise Http404


@for_dispatchers
def mission_now(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    of_employer(Mission, actor, mission_id)
    raise Http404


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
