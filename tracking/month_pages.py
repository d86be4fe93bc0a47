"""The pages and files of one month: a driver's and a truck's, one row for each day."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Driver, Truck
from accounts.page_access import for_dispatchers
from missions.table_answers import table_answer
from missions.tables import MEDIA_TYPES
from tracking.month_page import TABLE, month_asked, month_context, month_table
from tracking.subjects import driver_of, today_of, truck_of


@for_dispatchers
def driver_month(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """A driver's month. `?month=YYYY-MM` in the employer's zone, else this one."""
    return _page(request, actor, driver_of(actor, driver_id))


@for_dispatchers
def truck_month(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """A truck's month, across its drivers."""
    return _page(request, actor, truck_of(actor, truck_id))


@for_dispatchers
def driver_month_file(
    request: HttpRequest, actor: Actor, driver_id: UUID, ending: str
) -> HttpResponse:
    """The same days as a CSV or XLSX file."""
    return _file(request, actor, driver_of(actor, driver_id), ending)


@for_dispatchers
def truck_month_file(
    request: HttpRequest, actor: Actor, truck_id: UUID, ending: str
) -> HttpResponse:
    """The same days as a CSV or XLSX file."""
    return _file(request, actor, truck_of(actor, truck_id), ending)


def _page(request: HttpRequest, actor: Actor, subject: Driver | Truck) -> HttpResponse:
    now = timezone.now()
    month = month_asked(request.GET.get("month", ""), today_of(actor.employer, now))
    if month is None:
        return _no_such_month(request, actor)
    kind = "driver" if isinstance(subject, Driver) else "truck"
    context = month_context(subject, month, now) | {
        "subject": subject,
        "day_page": f"{kind}_day",
        "month_file": f"{kind}_month_file",
        "is_truck": kind == "truck",
    }
    return render(request, "tracking/month.html", context)


def _file(request: HttpRequest, actor: Actor, subject: Driver | Truck, ending: str) -> HttpResponse:
    if ending not in MEDIA_TYPES:
        raise Http404
    now = timezone.now()
    month = month_asked(request.GET.get("month", ""), today_of(actor.employer, now))
    if month is None:
        return _no_such_month(request, actor)
    kind = "driver" if isinstance(subject, Driver) else "truck"
    name = f"{kind}-{subject.uuid}-{month:%Y-%m}"
    rows = month_table(subject, month, now)
    return table_answer(name, ending, f"{month:%Y-%m}", TABLE, [rows])


def _no_such_month(request: HttpRequest, actor: Actor) -> HttpResponse:
    context = {"employer": actor.employer}
    return render(request, "tracking/no_such_month.html", context, status=400)
