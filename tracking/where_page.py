"""Who was where: a place and a time in, and which trucks and drivers were there.

The search stands in the address, so that "back" works and a colleague can be sent a link.
It may hold coordinates: our logs leave queries out, nothing is kept on the way (no-store),
and other sites are told nothing of where somebody came from (Referrer-Policy same-origin).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.page_access import for_dispatchers
from missions.proof_words import distance
from missions.table_answers import table_answer
from tracking.addresses import with_changes
from tracking.day_rows import Clock
from tracking.floor_map import area_map
from tracking.geocoding import geocoded, geocoder_host
from tracking.kept import kept_since
from tracking.svg_map import Dot, Line
from tracking.where_area import Box, Circle
from tracking.where_bounds import (
    MOST_POSITIONS,
    MOST_SIDE_M,
    MOST_VISITS,
    SearchTooWide,
    longest_time,
)
from tracking.where_forms import BOX, WhereForm, coordinates
from tracking.where_place import suggestions
from tracking.where_rows import VisitRow, visit_rows
from tracking.where_search import looked_up
from tracking.where_table import WHERE_TABLE, table_rows
from tracking.where_times import HOUR

TIMES: Final = ("date", "begin", "end")
ODD: Final = {
    "twice": gettext_lazy("The clocks showed %(time)s twice that day; both are searched."),
    "skipped": gettext_lazy(
        "The clocks never showed %(time)s that day; the moment of the change is meant."
    ),
}


@for_dispatchers
def where_was_who(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form; with a search in the address, the answer below it. At most 14 queries."""
    employer, now = actor.employer, timezone.now()
    query = request.GET if _is_search(request.GET) else None
    form = WhereForm(query, employer, now, geocoded)
    form.initial.update({name: request.GET[name] for name in TIMES if name in request.GET})
    context: dict[str, Any] = {
        "employer": employer,
        "zone": employer.timezone,
        "geocoder": geocoder_host(),
        "form": form,
        "box_fields": [form[name] for name in BOX],
        "is_boxed": any(form[name].value() for name in BOX),
        "quick": _quick(request.GET, now, ZoneInfo(employer.timezone)),
    }
    status = 200
    if query is not None and form.is_valid():
        try:
            context |= _answer(actor, form, query)
        except SearchTooWide as error:
            context["too_wide"] = _too_wide(error, actor)
            status = 400
    elif query is not None:
        context["choices"] = [
            (choice.name, with_changes(query, place="", site=str(choice.site)))
            if choice.site
            else (choice.name, with_changes(query, place=coordinates(choice.point)))
            for choice in form.choices
        ]
        status = 400
    return render(request, "tracking/where.html", context, status=status)


@for_dispatchers
def where_places(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Names to choose from while typing, as JSON."""
    return JsonResponse({"places": suggestions(actor.employer, request.GET.get("q", "")[:300])})


@for_dispatchers
def where_file(request: HttpRequest, actor: Actor, ending: str) -> HttpResponse:
    """The visits of a search as CSV or XLSX; a look like the page itself."""
    now = timezone.now()
    form = WhereForm(request.GET, actor.employer, now, geocoded)
    if not form.is_valid():
        return where_was_who(request)
    try:
        found = looked_up(actor, form.area, form.typed.begin_at, form.typed.end_at, now)
    except SearchTooWide:
        return where_was_who(request)
    name = f"whereabouts-{form.typed.begin_at:%Y%m%dT%H%M}"
    rows = table_rows(found, ZoneInfo(actor.employer.timezone))
    return table_answer(name, ending, "whereabouts", WHERE_TABLE, [rows])


def _is_search(query: QueryDict) -> bool:
    """A time alone is none: the form is shown with it."""
    return any(name in query for name in ("place", "site", *BOX))


def _quick(query: QueryDict, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Times that are often meant, with the place that is there already."""
    local = now.astimezone(zone)
    hour_ago = (now - HOUR).astimezone(zone)
    yesterday = (local - timedelta(days=1)).date()
    times = [
        (_("the last hour"), hour_ago.date(), f"{hour_ago:%H:%M}", f"{local:%H:%M}"),
        (_("yesterday"), yesterday, "00:00", "00:00"),
        (_("a week ago"), (local - timedelta(days=7)).date(), *_clocks(query, hour_ago, local)),
    ]
    return [
        (words, with_changes(query, date=day.isoformat(), begin=begin, end=end, end_date=""))
        for words, day, begin, end in times
    ]


def _clocks(query: QueryDict, begin: datetime, end: datetime) -> tuple[str, str]:
    """The times that were asked for, so that one can go from day to day."""
    return query.get("begin") or f"{begin:%H}:00", query.get("end") or f"{end:%H}:00"


def _answer(actor: Actor, form: WhereForm, query: QueryDict) -> dict[str, Any]:
    zone = ZoneInfo(actor.employer.timezone)
    typed, now = form.typed, timezone.now()
    found = looked_up(actor, form.area, typed.begin_at, typed.end_at, now)
    clock = Clock.of_period(zone, typed.begin_at, typed.end_at)
    rows = visit_rows(found, clock, zone)
    name = form.named.name if form.named else _("the box")
    title = _("Map of %(place)s and who was there; the table says the same") % {"place": name}
    return {
        "rows": rows,
        "is_answered": True,
        "place_name": name,
        "reach": distance(form.area.radius_m) if isinstance(form.area, Circle) else "",
        "began": clock.text(typed.begin_at),
        "ended": clock.text(typed.end_at),
        "day": typed.begin_at.astimezone(zone).date(),
        "odd": [str(ODD[why]) % {"time": time_format(at, "H:i")} for at, why in typed.odd],
        "kept_since": kept_since(actor.employer, now),
        "is_past_its_period": typed.begin_at < kept_since(actor.employer, now),
        "exports": [
            (ending.upper(), f"{reverse(f'where_{ending}')}?{query.urlencode()}")
            for ending in ("csv", "xlsx")
        ],
        "area": _drawn(form.area),
        "rows_data": [
            {"key": row.key, "name": f"{row.truck} {row.driver}".strip(), "points": row.points}
            for row in rows
        ],
        "floor_map": area_map(
            title, [Line("area", form.area.outline())], _dots(rows), translation.get_language()
        ),
    }


def _dots(rows: Iterable[VisitRow]) -> list[Dot]:
    return [
        Dot("stop", (latitude, longitude)) for row in rows for latitude, longitude, _ in row.points
    ]


def _drawn(area: object) -> dict[str, float]:
    """For the script that draws the map."""
    if isinstance(area, Circle):
        return {
            "latitude": area.latitude, "longitude": area.longitude, "radius_m": area.radius_m
        }  # fmt: skip
    if isinstance(area, Box):
        return {name: getattr(area, name) for name in BOX}
    return {}


def _too_wide(error: SearchTooWide, actor: Actor) -> str:
    """A bound of the search that was passed, in the reader's language."""
    hours = int(longest_time(actor.employer).total_seconds() // 3600)
    said = {
        "box_too_large": _("The box is too large: it may be %(km)s km wide and high."),
        "time_too_long": _("The time is too long: %(hours)s hours can be searched at once."),
        "too_many_positions": _(
            "More than %(positions)s positions lie there. Choose a shorter time or a smaller place."
        ),
        "too_many_visits": _(
            "There are more than %(visits)s visits. Choose a shorter time or a smaller place."
        ),
    }
    return said[error.code] % {
        "km": MOST_SIDE_M // 1000,
        "hours": hours,
        "positions": MOST_POSITIONS,
        "visits": MOST_VISITS,
    }
