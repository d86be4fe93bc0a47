"""The pages of one day: a driver's across trucks, and a truck's across drivers.

Each is for dispatchers and managers of the employer, is never stored by a browser or proxy, and
says everything in a table; the bar and the map only show it again.
"""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation

from accounts.actors import Actor
from accounts.models import Driver, Truck
from accounts.page_access import for_dispatchers
from missions.exporting import STAGE_TABLE, chunks_of
from missions.models import StageEvent
from missions.table_answers import table_answer
from missions.tables import MEDIA_TYPES
from tracking.day_page import driver_day_context, truck_day_context
from tracking.days import whole_day
from tracking.subjects import day_of, driver_of, no_such_date, truck_of


@for_dispatchers
def driver_day(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """A driver's day as a bar, a timeline and a track. `?date=` in the employer's zone, else today.

    A frozen driver has no day: 404, and nobody is told why.
    """
    driver = driver_of(actor, driver_id)
    now = timezone.now()
    day = day_of(request, actor.employer, now)
    if day is None:
        return no_such_date(request, actor.employer)
    context = driver_day_context(driver, day, now, translation.get_language())
    return render(request, "tracking/driver_day.html", context)


@for_dispatchers
def truck_day(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """A truck's day, its drivers one after the other. `?date=` as for a driver."""
    truck = truck_of(actor, truck_id)
    now = timezone.now()
    day = day_of(request, actor.employer, now)
    if day is None:
        return no_such_date(request, actor.employer)
    context = truck_day_context(truck, day, now, translation.get_language())
    return render(request, "tracking/truck_day.html", context)


@for_dispatchers
def driver_day_file(
    request: HttpRequest, actor: Actor, driver_id: UUID, ending: str
) -> HttpResponse:
    """The day's stages as CSV or XLSX, corrected ones too."""
    driver = driver_of(actor, driver_id)
    return _file(request, actor, driver, ending, StageEvent.objects.filter(driver=driver))


@for_dispatchers
def truck_day_file(request: HttpRequest, actor: Actor, truck_id: UUID, ending: str) -> HttpResponse:
    """The same of a truck; the stages of a driver who is not available are left out."""
    truck = truck_of(actor, truck_id)
    return _file(request, actor, truck, ending, StageEvent.objects.filter(truck=truck))


def _file(
    request: HttpRequest,
    actor: Actor,
    subject: Driver | Truck,
    ending: str,
    events: QuerySet[StageEvent],
) -> HttpResponse:
    if ending not in MEDIA_TYPES:
        raise Http404
    employer = actor.employer
    day = day_of(request, employer, timezone.now())
    if day is None:
        return no_such_date(request, employer)
    begin_at, end_at = whole_day(day, ZoneInfo(employer.timezone))
    within = events.filter(recorded_at__gte=begin_at, recorded_at__lt=end_at)
    kind = "driver" if isinstance(subject, Driver) else "truck"
    name = f"{kind}-{subject.uuid}-{day}"
    return table_answer(name, ending, "stages", STAGE_TABLE, chunks_of(within, employer))
