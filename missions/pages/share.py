"""Share one stop with a consignee: a form, the link once, and taking it back."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from accounts.refusals import Problem
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer
from missions.models import Mission, ShareLink, Stop
from missions.pages.refusals import add_problem
from missions.share_words import link_rows
from missions.sharing import (
    LONGEST,
    Shows,
    links_of,
    make_share_link,
    revoke_share_link,
    share_url,
)


class ShareForm(forms.Form):
    """What the link shows, and until when it works."""

    shows_position = forms.BooleanField(
        required=False,
        label=gettext_lazy("About where the truck is"),
        help_text=gettext_lazy("Only while the driver is on the way to this very stop."),
    )
    shows_proof = forms.BooleanField(
        required=False, label=gettext_lazy("The proof of delivery and the photos of this stop")
    )
    expires_at = forms.DateField(
        required=False,
        label=gettext_lazy("Works until the end of"),
        help_text=gettext_lazy(
            "Left empty, it works until 24 hours after the mission is completed. At most 30 days."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def share_stop(request: HttpRequest, actor: Actor, mission_id: UUID, stop_id: UUID) -> HttpResponse:
    """The form and the links there are; after the form, this once, the new link."""
    stop = _stop(actor, mission_id, stop_id)
    form = ShareForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _form_page(request, actor, stop, form)
    if not form.is_valid():
        return _form_page(request, actor, stop, form, status=400)
    said = form.cleaned_data
    shows = Shows(position=said["shows_position"], proof=said["shows_proof"])
    try:
        _link, token = make_share_link(actor, stop, shows, _end_of(said["expires_at"], actor))
    except Problem as refused:
        add_problem(form, refused)
        return _form_page(request, actor, stop, form, status=refused.status)
    url = share_url(token, request.build_absolute_uri("/"))
    context = {"employer": actor.employer, "stop": stop, "url": url, "shows": shows}
    return sealed_off(render(request, "missions/share_made.html", context))


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def share_revoke(
    request: HttpRequest, actor: Actor, mission_id: UUID, link_id: UUID
) -> HttpResponse:
    """Ask first, then take a link back."""
    mission = of_employer(Mission, actor, mission_id)
    link = of_employer(links_of(mission), actor, link_id)
    if request.method == "POST":
        revoke_share_link(actor, link)
        messages.success(request, _("The link is taken back: it opens nothing any more."))
        return redirect("share_stop", mission_id, link.stop.uuid)
    (row,) = link_rows([link], actor.employer.timezone, timezone.now())
    context = {"employer": actor.employer, "stop": link.stop, "row": row}
    return render(request, "missions/share_revoke.html", context)


def _stop(actor: Actor, mission_id: UUID, stop_id: UUID) -> Stop:
    mission = of_employer(Mission, actor, mission_id)
    return of_employer(mission.stops.select_related("mission", "site"), actor, stop_id)


def _end_of(day: date | None, actor: Actor) -> datetime | None:
    """The midnight after a day, in the employer's zone; of the last possible day, the moment."""
    if day is None:
        return None
    zone, now = ZoneInfo(actor.employer.timezone), timezone.now()
    last_at = now + LONGEST
    end_at = datetime.combine(day, time(), tzinfo=zone) + timedelta(days=1)
    return last_at if day == last_at.astimezone(zone).date() else end_at


def _form_page(
    request: HttpRequest, actor: Actor, stop: Stop, form: ShareForm, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    zone = ZoneInfo(actor.employer.timezone)
    limits = {"min": now.astimezone(zone).date(), "max": (now + LONGEST).astimezone(zone).date()}
    form.fields["expires_at"].widget.attrs |= {name: str(day) for name, day in limits.items()}
    context: dict[str, Any] = {
        "employer": actor.employer,
        "stop": stop,
        "form": form,
        "zone": zone,
        "links": link_rows(_links(stop), actor.employer.timezone, now),
    }
    response = render(request, "missions/share.html", context, status=status)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _links(stop: Stop) -> list[ShareLink]:
    return list(links_of(stop.mission).filter(stop=stop))
