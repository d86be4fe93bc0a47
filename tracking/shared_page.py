"""The page behind a link for a consignee: no session, no cookie, no other host, kept nowhere.

A link that is made up, expired, taken back or switched off gets one and the same answer.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_GET

from accounts.looks import record_look_by_link
from accounts.refusals import TooManyTries
from accounts.sealed_pages import sealed_off
from accounts.tries import refuse_too_many
from missions.file_links import file_link
from missions.models import Stop
from missions.proof_texts import LOCALES
from missions.proofs import locale_for
from missions.sharing import count_view, opened
from tracking.shared_stop import SharedPosition, SharedStop, may_open, shared_stop
from tracking.shared_words import shared_context

# An hour, of one address: some people behind one, each with a page that refreshes itself,
# and the photos of it. Nobody guesses 256 bits; this holds off a flood.
MAX_TRIES: Final = 600
TRIES: Final = "shared"
REFRESHES: Final = "Milepost-Refresh"  # a header of the page's own script


@require_GET
def shared_page(request: HttpRequest, token: str) -> HttpResponse:
    """The stop. Who was shown a position is written down before it is shown."""
    now = timezone.now()
    shown = _shown(request, token, now)
    if isinstance(shown, HttpResponse):
        return shown
    if shown.position is not None:
        _write_down(shown, shown.position)
    if REFRESHES not in request.headers:
        count_view(shown.link, now)
    with translation.override(_language(request, shown.link.stop)):
        context = shared_context(shown, token, now, translation.get_language() or "en")
        return _page("tracking/shared_stop.html", context)


@require_GET
def shared_file(request: HttpRequest, token: str, kind: str, file_id: UUID) -> HttpResponse:
    """To the proof or a photo, if the link shows it, by a link made at this click."""
    shown = _shown(request, token, timezone.now())
    if isinstance(shown, HttpResponse):
        return shown
    if not may_open(shown, kind, file_id):
        return _gone(request)
    of_kind = "attachment" if kind == "photo" else kind
    return sealed_off(HttpResponseRedirect(file_link(of_kind, file_id)))


def _shown(request: HttpRequest, token: str, now: datetime) -> SharedStop | HttpResponse:
    try:
        refuse_too_many(TRIES, request.META.get("REMOTE_ADDR", ""), MAX_TRIES)
    except TooManyTries as refused:
        response = _page("tracking/shared_gone.html", {"is_too_often": True}, status=429)
        response["Retry-After"] = refused.headers["Retry-After"]
        return response
    link = opened(token, now)
    return shared_stop(link, now) if link is not None else _gone(request)


def _write_down(shown: SharedStop, position: SharedPosition) -> None:
    at = position.recorded_at
    record_look_by_link(
        shown.link.employer, shown.link.uuid, position.driver, at, at + timedelta(seconds=1)
    )


def _gone(request: HttpRequest) -> HttpResponse:
    with translation.override(_language(request, None)):
        return _page("tracking/shared_gone.html", {}, status=404)


def _page(template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    # Without the request: nothing here may depend on who is signed in, or read a cookie.
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Content-Language"] = translation.get_language() or LOCALES[0]
    return sealed_off(response)


def _language(request: HttpRequest, stop: Stop | None) -> str:
    """What the browser asks for, else the language of the people at the site."""
    for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        if code.split("-")[0] in LOCALES:
            return code.split("-")[0]
    return locale_for(stop, stop.mission.employer) if stop is not None else LOCALES[0]
