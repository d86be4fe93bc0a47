"""The pages of sites: a list beside a map, and one site with its point and its hours."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.refusals import Problem
from accounts.tenants import of_employer
from missions.models import Site, SiteKind
from missions.pages.forms_hours import Day, days_of, days_sent, hours_of
from missions.pages.forms_sites import KINDS, SiteForm
from missions.pages.refusals import add_errors, add_problem, flat
from missions.pages.site_list import MOST_ON_MAP, median_stays_s, sites_like, stop_counts
from missions.proof_words import duration
from missions.serializers import SiteSerializer
from missions.sites import SiteInUse, change_site, create_site, remove_site

PAGE: Final = 50


@for_dispatchers
def sites_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Fifty a page, all found ones on the map. Eight queries, however many sites."""
    words = request.GET.get("q", "").strip()[:200]
    found = sites_like(actor.employer, words)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "employer": actor.employer,
        "q": words,
        "page": page,
        "rows": _rows(list(page)),
        "points": _points(found),
        "most_on_map": MOST_ON_MAP,
    }
    return render(request, "missions/sites.html", context)


def _rows(sites: Sequence[Site]) -> list[dict[str, Any]]:
    stays, counts = median_stays_s(sites, timezone.now()), stop_counts(sites)
    return [
        {
            "site": site,
            "kind": KINDS[SiteKind(site.kind)],
            "stop_count": counts.get(site.pk, 0),
            "has_point": site.latitude is not None,
            "stay": duration(stays[site.pk][1]) if site.pk in stays else "",
            "stay_count": stays[site.pk][0] if site.pk in stays else 0,
        }
        for site in sites
    ]


def _points(sites: QuerySet[Site]) -> list[dict[str, Any]]:
    """What the map draws; the table has the same and those without a point."""
    placed = sites.filter(latitude__isnull=False)
    columns = ("uuid", "name", "latitude", "longitude")
    # Not reversed for each: of two thousand that takes longer than all the rest.
    begin = reverse("sites_page")
    return [
        {
            "name": name,
            "latitude": latitude,
            "longitude": longitude,
            "url": f"{begin}/{uuid}",
        }
        for uuid, name, latitude, longitude in placed.values_list(*columns)[:MOST_ON_MAP]
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def site_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a site."""
    if request.method != "POST":
        start = {"name": request.GET.get("name", ""), "country": actor.employer.country}
        return _form_page(request, actor, None, SiteForm(None, initial=start), days_of([]))
    form, days = SiteForm(None, request.POST), days_sent(request.POST)
    asked = _asked(form, days, None)
    if asked is None:
        return _form_page(request, actor, None, form, days, status=400)
    try:
        made = create_site(actor, asked)
    except Problem as refused:
        add_problem(form, refused)
        return _form_page(request, actor, None, form, days, status=refused.status)
    said = _("%(name)s is there now.") if made.is_new else _("%(name)s was there already.")
    messages.success(request, said % {"name": made.site.name})
    return redirect("site_page", made.site.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def site_page(request: HttpRequest, actor: Actor, site_id: UUID) -> HttpResponse:
    """One site, to look at and to change."""
    site = of_employer(Site, actor, site_id)
    if request.method != "POST":
        return _form_page(request, actor, site, SiteForm(site), days_of(site.opening_hours))
    form, days = SiteForm(site, request.POST), days_sent(request.POST)
    asked = _asked(form, days, site)
    if asked is None:
        return _form_page(request, actor, site, form, days, status=400)
    try:
        change_site(actor, site, asked)
    except Problem as refused:
        add_problem(form, refused)
        return _form_page(request, actor, site, form, days, status=refused.status)
    messages.success(request, _("Saved."))
    return redirect("site_page", site_id)


def _asked(form: SiteForm, days: tuple[Day, ...], site: Site | None) -> dict[str, Any] | None:
    """What to store, as the API's serializer has let it through; None: the form says why not."""
    if not form.is_valid():
        return None
    data = form.asked()
    hours = hours_of(days)
    # Hours that nobody touched stay in the very entries in which they came.
    if site is None or days != days_of(site.opening_hours):
        data["opening_hours"] = hours
    asked = SiteSerializer(site, data=data, partial=site is not None)
    if asked.is_valid():
        return dict(asked.validated_data)
    errors = dict(asked.errors)
    of_hours = errors.pop("opening_hours", {})
    add_errors(form, errors)
    for path, said in flat(of_hours):
        form.add_error(None, f"{_span_named(hours, path)}: {said}")
    return None


def _span_named(hours: Sequence[dict[str, Any]], path: tuple[str, ...]) -> str:
    """Which of the typed spans it is about; without one, all of the opening hours."""
    if not path or not path[0].isdigit() or int(path[0]) >= len(hours):
        return _("Opening hours")
    entry = hours[int(path[0])]
    return f"{_('Opening hours')} {entry['opens'] or '…'}\N{EN DASH}{entry['closes'] or '…'}"


def _form_page(
    request: HttpRequest,
    actor: Actor,
    site: Site | None,
    form: SiteForm,
    days: tuple[Day, ...],
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "employer": actor.employer,
        "site": site,
        "form": form,
        "days": days,
    }
    if site is not None:
        context |= _rows([site])[0]
    return render(request, "missions/site.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def site_remove(request: HttpRequest, actor: Actor, site_id: UUID) -> HttpResponse:
    """Ask first. A site where missions stop stays."""
    site = of_employer(Site, actor, site_id)
    if request.method != "POST":
        context = {"employer": actor.employer, "site": site}
        return render(request, "missions/site_remove.html", context)
    name = site.name
    try:
        remove_site(actor, site)
    except SiteInUse:
        messages.error(request, _("Missions stop at this site, so it stays."))
        return redirect("site_page", site_id)
    messages.success(request, _("%(name)s is removed.") % {"name": name})
    return redirect("sites_page")
