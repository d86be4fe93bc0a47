"""The page of missions: a list whose filters live in the address, without any script."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Driver, Employer, Truck
from accounts.moments import rfc3339
from accounts.page_access import for_dispatchers
from missions.models import MissionStatus
from tracking.addresses import with_changes
from tracking.days import whole_day
from tracking.fleet_rows import driver_name
from tracking.mission_flags import FLAGS
from tracking.mission_words import STATUSES
from tracking.missions_list import Asked, asked_of, in_words, missions_page, next_day
from tracking.saved_filters import kept_query, saved_filters


@for_dispatchers
def missions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Fifty a page. Fifteen queries, however many missions."""
    employer = actor.employer
    zone = ZoneInfo(employer.timezone)
    now = timezone.now()
    today = now.astimezone(zone).date()
    asked = asked_of(request.GET, zone, today)
    page = missions_page(employer, asked, now)
    context = {
        "employer": employer,
        "zone": zone,
        "today": today,
        "asked": asked,
        "page": page,
        "next_url": with_changes(request.GET, cursor=page.next) if page.next else "",
        "first_url": with_changes(request.GET, cursor="") if asked.after else "",
        **_choices(employer, asked, request.GET),
        **_days(asked, request.GET),
        "exports": _exports(asked, zone),
        "saved": saved_filters(actor),
        "saved_page": "missions_page",
        "kept_query": kept_query(request.GET),
    }
    status = 400 if asked.errors else 200
    return render(request, "tracking/missions.html", context, status=status)


def _choices(employer: Employer, asked: Asked, query: QueryDict) -> dict[str, Any]:
    """What the form offers, and the filters in force as words. Two queries."""
    drivers = [
        (str(uuid), driver_name(name, number))
        for uuid, name, number in Driver.objects.filter(employer=employer, frozen_at=None)
        .order_by("name_folded", "id")
        .values_list("uuid", "name", "number")
    ]
    trucks = [
        (str(uuid), plate)
        for uuid, plate in Truck.objects.filter(employer=employer)
        .order_by("plate", "id")
        .values_list("uuid", "plate")
    ]
    chosen = {"driver": query.get("driver", ""), "truck": query.get("truck", "")}
    names = {
        "driver": dict(drivers).get(chosen["driver"], ""),
        "truck": dict(trucks).get(chosen["truck"], ""),
    }
    asked_for = asked.filters.get("status", ())
    return {
        "drivers": drivers,
        "trucks": trucks,
        "chosen": chosen,
        "q": query.get("q", ""),
        "statuses": [
            (one, STATUSES[MissionStatus(one)], one in asked_for) for one in MissionStatus.values
        ],
        "flags": [(name, words, name in asked.flags) for name, words in FLAGS.items()],
        "narrowed": in_words(asked, names),
        "narrowed_more": any(name != "q" for name in [*asked.flags, *_named(asked)]),
    }


def _named(asked: Asked) -> list[str]:
    return [name for name in ("driver", "truck", "status", "q") if asked.filters.get(name)]


def _days(asked: Asked, query: QueryDict) -> dict[str, str]:
    """Links to the day before and after, and to the same search without days."""
    days = {"all_days": with_changes(query, **{"from": "", "to": "", "cursor": ""})}
    if asked.one_day and not asked.errors:
        for name, step in (("before", -1), ("after", 1)):
            day = next_day(asked.one_day, step).isoformat()
            days[name] = with_changes(query, **{"from": day, "to": day, "cursor": ""})
    return days


def _exports(asked: Asked, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The same missions as tables. None while a filter is on that the API does not have."""
    if asked.flags or asked.errors:
        return []
    query = QueryDict(mutable=True)
    query.update(
        {
            name: str(asked.filters[name])
            for name in ("driver", "truck", "q")
            if name in asked.filters
        }
    )
    query.setlist("status", sorted(asked.filters.get("status", ())))
    if asked.first:
        query["from"] = rfc3339(whole_day(asked.first, zone)[0])
    if asked.last:
        query["to"] = rfc3339(whole_day(asked.last, zone)[1])
    return [
        (name, f"{reverse(f'missions-{name.lower()}')}?{query.urlencode()}")
        for name in ("CSV", "XLSX")
    ]
