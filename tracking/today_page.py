"""Today: every mission of the day with how it stands, beside a map of the trucks."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from accounts.actors import Actor, actor_of
from accounts.models import Driver, Role, Truck
from accounts.page_access import for_dispatchers, not_for_this_role
from accounts.permissions import may
from tracking.addresses import toggled, with_changes
from tracking.fleet_rows import driver_name
from tracking.floor_map import trucks_map
from tracking.mission_flags import FLAGS
from tracking.mission_words import STATUSES
from tracking.missions_list import in_words
from tracking.saved_filters import kept_query, saved_filters
from tracking.today_board import ORDERS, Board, Wanted, board_of, wanted_of
from tracking.today_rows import Clockwork, board_rows, trucks_of

# What counts on by itself in the browser: no news, however often it is asked for.
_AGES: Final = re.compile(rb'(data-recorded-at="\d+"[^>]*>)[^<]*')


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that sets or takes back a filter, with how many of the day have it."""

    name: str
    words: str
    count: int
    url: str
    is_on: bool


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The board for who may see it; for a data protection officer, what is not theirs to see."""
    actor = actor_of(request)
    if not may(actor, Role.DISPATCHER):
        return not_for_this_role(request, actor, status=200)
    return today(request)


@for_dispatchers
def today(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Fifty missions a page; the number of queries does not depend on how many there are."""
    context = _context(request, actor)
    wanted: Wanted = context["wanted"]
    names = _names(actor, wanted)
    context |= {
        "narrowed": in_words(wanted.asked, names),
        "q": request.GET.get("q", ""),
        "kept": [
            (name, value)
            for name in ("status", *FLAGS, "order", "driver", "truck")
            for value in request.GET.getlist(name)
            if value
        ],
        "saved": saved_filters(actor),
        "saved_page": "home",
        "kept_query": kept_query(request.GET),
        "floor_map": trucks_map(context["trucks"], translation.get_language()),
    }
    status = 400 if wanted.errors else 200
    return render(request, "tracking/today.html", context, status=status)


@for_dispatchers
def today_board(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The board alone, for the page to refresh itself; 304 while nothing in it has changed."""
    response = render(request, "tracking/today_board.html", _context(request, actor))
    news = _AGES.sub(rb"\1", response.content)
    etag = f'"{sha256(news).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    response["ETag"] = etag
    return response


def _context(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    employer, query = actor.employer, request.GET
    zone = ZoneInfo(employer.timezone)
    now = timezone.now()
    wanted = wanted_of(query, zone, now.astimezone(zone).date())
    board = board_of(employer, wanted, now)
    clock = Clockwork(employer, zone, wanted.day, now)
    return {
        "employer": employer,
        "zone": zone,
        "today": wanted.day,
        "wanted": wanted,
        "board": board,
        "rows": board_rows(board.rows, board.day.fleet, clock),
        "trucks": trucks_of(board.day.fleet),
        "statuses": _statuses(board, wanted, query),
        "flags": _flags(board, wanted, query),
        "orders": _orders(wanted, query),
        "pager": _pager(board, query),
        "board_url": f"{reverse('today_board')}?{query.urlencode()}",
        "is_narrowed": bool(wanted.asked.flags or set(wanted.asked.filters) - {"begin", "end"}),
    }


def _statuses(board: Board, wanted: Wanted, query: QueryDict) -> list[Choice]:
    """Those that some mission has, and those that are filtered on."""
    counts, chosen = board.by_status, wanted.asked.filters.get("status", ())
    return [
        Choice(name, str(words), counts[name], toggled(query, "status", name), name in chosen)
        for name, words in STATUSES.items()
        if counts[name] or name in chosen
    ]


def _flags(board: Board, wanted: Wanted, query: QueryDict) -> list[Choice]:
    counts, chosen = board.by_flag, wanted.asked.flags
    return [
        Choice(name, str(words), counts[name], toggled(query, name, "1"), name in chosen)
        for name, words in FLAGS.items()
        if counts[name] or name in chosen
    ]


def _orders(wanted: Wanted, query: QueryDict) -> list[Choice]:
    return [
        Choice(name, str(words), 0, with_changes(query, order=name, page=""), name == wanted.order)
        for name, words in ORDERS.items()
    ]


def _pager(board: Board, query: QueryDict) -> dict[str, str]:
    pages = {"previous": board.page - 1, "next": board.page + 1}
    return {
        name: with_changes(query, page=str(number))
        for name, number in pages.items()
        if 1 <= number <= board.pages
    }


def _names(actor: Actor, wanted: Wanted) -> dict[str, str]:
    """Of the driver and the truck in the address. A query for each that is there."""
    filters, names = wanted.asked.filters, {}
    if filters.get("driver"):
        drivers = Driver.objects.filter(employer=actor.employer, frozen_at=None)
        found = drivers.filter(uuid=filters["driver"]).values_list("name", "number").first()
        names["driver"] = driver_name(*found) if found else ""
    if filters.get("truck"):
        trucks = Truck.objects.filter(employer=actor.employer, uuid=filters["truck"])
        names["truck"] = trucks.values_list("plate", flat=True).first() or ""
    return names
