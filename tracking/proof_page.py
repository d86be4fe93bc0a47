"""The proof page of a stop: everything the PDF says, the pictures, and the proofs issued.

Pictures are links that die after five minutes, made anew with every look at the page.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.tenants import of_employer
from missions.file_links import file_link
from missions.models import Attachment, Mission, ProofOfDelivery, Signature, Stop
from missions.proof_parts import PhotoTexts, ProofTexts, SignatureTexts
from missions.proof_texts import LOCALES, proof_texts
from missions.proof_values import ProofValues, as_json
from missions.proof_words import moment
from missions.proofs import locale_for, state_of
from missions.site_sketch import site_sketch, svg
from missions.strokes import svg_path
from tracking.api.proofs import wake_worker
from tracking.proofs import ask_for_proof, has_frozen_driver, proof_values

PAD_WIDTH: Final = 320
PAD_HEIGHT: Final = 120
LANGUAGES: Final = {"en": "English", "nl": "Nederlands", "fr": "Français"}


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A photo with its caption; without a source until the worker has made the thumbnail."""

    texts: PhotoTexts
    source: str
    full: str


@dataclass(frozen=True, slots=True)
class ShownSignature:
    """A signature with its strokes as a path, else a picture, else neither."""

    texts: SignatureTexts
    path: str
    source: str


@dataclass(frozen=True, slots=True)
class ShownProof:
    """A line of the list. `is_outdated`: in force, and more is known since."""

    proof: ProofOfDelivery
    state: str
    issued: str
    language: str
    is_outdated: bool


@dispatchers_only
@require_http_methods(["GET", "HEAD", "POST"])
def proof_page(request: HttpRequest, actor: Actor, mission_id: UUID, stop_id: UUID) -> HttpResponse:
    """The page; its button asks for a proof and comes back to it."""
    stop = _stop(actor, mission_id, stop_id)
    is_hidden = has_frozen_driver(stop.mission)
    if request.method == "POST":
        locale = request.POST.get("locale", "")
        if locale not in LOCALES:
            raise Http404
        if not is_hidden:
            asked = ask_for_proof(stop, locale, actor=actor)
            if asked.is_new:
                wake_worker(asked.proof)
        return redirect("proof_page", mission_id, stop_id)
    context = {"employer": actor.employer, "stop": stop, "is_hidden": is_hidden}
    return render(request, "missions/proof.html", {**context, **_context(stop, is_hidden)})


@for_dispatchers
def proof_file(
    request: HttpRequest, actor: Actor, mission_id: UUID, stop_id: UUID, kind: str, file_id: UUID
) -> HttpResponse:
    """To a link made at this click: the PDF of a proof, or a photo in full."""
    stop = _stop(actor, mission_id, stop_id)
    if kind == "pdf":
        issued = ProofOfDelivery.objects.filter(stop=stop, issued_at__isnull=False)
        return redirect(file_link("proof", of_employer(issued, actor, file_id).uuid))
    if kind != "photo":
        raise Http404
    photos = Attachment.objects.filter(mission=stop.mission, driver__frozen_at=None)
    return redirect(file_link("attachment", of_employer(photos, actor, file_id).uuid))


def _stop(actor: Actor, mission_id: UUID, stop_id: UUID) -> Stop:
    mission = of_employer(Mission, actor, mission_id)
    stops = Stop.objects.select_related("site", "mission__employer").filter(mission=mission)
    return of_employer(stops, actor, stop_id)


def _context(stop: Stop, is_hidden: bool) -> dict[str, Any]:
    language = (translation.get_language() or LOCALES[0])[:2]
    locale = language if language in LOCALES else LOCALES[0]
    values = proof_values(stop)
    texts = proof_texts(values, locale)
    return {
        "texts": texts,
        "zone": values.timezone,
        "drivers": _drivers(stop.mission),
        "sketch": _sketch(texts),
        "photos": _photos(texts, stop),
        "signatures": _signatures(texts),
        "proofs": _proofs(stop, values),
        "languages": LANGUAGES.items(),
        "locale": locale_for(stop, stop.mission.employer),
        "pad": f"0 0 {PAD_WIDTH} {PAD_HEIGHT}",
        "is_waiting": _own_proofs(stop).filter(issued_at=None, failure="").exists(),
    }


def _drivers(mission: Mission) -> list[str]:
    """Who drives, by the rows of now: the PDF never says."""
    drivers = [row.driver for row in mission.assignments.select_related("driver").order_by("id")]
    return [
        _("erased")
        if driver is None
        else _("not available")
        if driver.frozen_at
        else driver.name or driver.number or _("without a name")
        for driver in drivers
    ]


def _sketch(texts: ProofTexts) -> SafeString | None:
    if texts.radius_m is None:
        return None
    # Ours from end to end: numbers, letters, and a title that svg() escapes.
    return mark_safe(svg(site_sketch(texts.radius_m, texts.marks), texts.sketch_title))  # noqa: S308


def _photos(texts: ProofTexts, stop: Stop) -> list[ShownPhoto]:
    rows = Attachment.objects.filter(uuid__in=[photo.id for photo in texts.photos])
    has_thumbnail = {str(row.uuid): bool(row.thumbnail) for row in rows}
    return [
        ShownPhoto(
            photo,
            source=file_link("thumbnail", UUID(photo.id)) if has_thumbnail.get(photo.id) else "",
            full=f"/missions/{stop.mission.uuid}/stops/{stop.uuid}/proof/photo/{photo.id}",
        )
        for photo in texts.photos
    ]


def _signatures(texts: ProofTexts) -> list[ShownSignature]:
    rows = Signature.objects.filter(uuid__in=[signature.id for signature in texts.signatures])
    by_id = {str(row.uuid): row for row in rows}
    return [_signature(row, by_id[row.id]) for row in texts.signatures if row.id in by_id]


def _signature(texts: SignatureTexts, row: Signature) -> ShownSignature:
    path = svg_path(row.strokes, width=PAD_WIDTH, height=PAD_HEIGHT, margin=8)
    source = file_link("signature", row.uuid) if row.image and not path else ""
    return ShownSignature(texts, path, source)


def _own_proofs(stop: Stop) -> QuerySet[ProofOfDelivery]:
    return ProofOfDelivery.objects.filter(stop=stop).select_related("superseded_by")


def _proofs(stop: Stop, values: ProofValues) -> list[ShownProof]:
    printed = as_json(values)
    return [
        ShownProof(
            proof,
            state_of(proof),
            moment(proof.issued_at, values.timezone) if proof.issued_at else "",
            LANGUAGES.get(proof.locale, proof.locale),
            is_outdated=_is_outdated(proof, printed),
        )
        for proof in _own_proofs(stop).order_by("-id")
    ]


def _is_outdated(proof: ProofOfDelivery, printed: dict[str, Any]) -> bool:
    is_in_force = proof.issued_at is not None and proof.superseded_by_id is None
    return bool(is_in_force and proof.printed != printed)
