"""Move a site to where drivers keep stopping for it: old and new point, then a confirmation."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from accounts.tenants import of_employer
from missions.models import Mission, Site
from missions.proof_words import distance
from missions.site_check import site_distance_m
from missions.sites import SPOT_M, BetterPoint, better_points, move_site
from tracking.floor_map import area_map
from tracking.mission_words import mission_name
from tracking.svg_map import Dot, Line
from tracking.where_area import Circle


class PointForm(forms.Form):
    """The point that the page showed."""

    latitude = forms.FloatField(min_value=-90, max_value=90)
    longitude = forms.FloatField(min_value=-180, max_value=180)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def move_site_page(
    request: HttpRequest, actor: Actor, mission_id: UUID, site_id: UUID
) -> HttpResponse:
    """Only to a spot that stages speak for; when none does any more, the page says so."""
    mission = of_employer(Mission, actor, mission_id)
    sites = Site.objects.filter(stops__mission=mission).distinct()
    site = of_employer(sites, actor, site_id)
    better = next(iter(better_points([site])), None)
    form = PointForm(request.POST)
    if request.method == "POST" and better is not None and _is_of(form, better):
        to = (form.cleaned_data["latitude"], form.cleaned_data["longitude"])
        move_site(actor, site, to, mission=mission)
        messages.success(
            request,
            _("%(name)s was moved by %(distance)s.")
            % {"name": site.name, "distance": distance(better.distance_m)},
        )
        return redirect("mission_page", mission_id)
    context: dict[str, Any] = {
        "employer": actor.employer,
        "mission": mission,
        "name": mission_name(mission),
        "site": site,
        "better": better,
        "distance": distance(better.distance_m) if better else "",
        "map": _map(site, better) if better else "",
    }
    status = 409 if request.method == "POST" else 200
    return render(request, "tracking/move_site.html", context, status=status)


def _is_of(form: PointForm, better: BetterPoint) -> bool:
    """Whether what was confirmed is, but for what came in meanwhile, what stages speak for."""
    if not form.is_valid():
        return False
    asked = (form.cleaned_data["latitude"], form.cleaned_data["longitude"])
    away_m = site_distance_m(asked, (better.latitude, better.longitude))
    return away_m is not None and away_m <= SPOT_M


def _map(site: Site, better: BetterPoint) -> SafeString:
    new = Circle(better.latitude, better.longitude, float(site.radius_m))
    old = Circle(site.latitude or 0.0, site.longitude or 0.0, float(site.radius_m))
    lines = [Line("old area", old.outline()), Line("area", new.outline())]
    dots = [
        Dot("resting", (old.latitude, old.longitude), _("now")),
        Dot("truck", (new.latitude, new.longitude), _("proposed")),
    ]
    title = _("Map: the point of the site now, and where it would be")
    return area_map(title, lines, dots, translation.get_language() or "en")
