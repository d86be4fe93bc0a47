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
from accounts.tenants import of_employer
from missions.exporting import STAGE_TABLE, chunks_of
from missions.models import StageEvent
from missions.tables import MEDIA_TYPES, writer_for
from tracking.day_page import day_asked, driver_day_context, truck_day_context
from tracking.days import whole_day


@for_dispatchers
def driver_day(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """A driver's day as a bar, a timeline and a track. `?date=` in the employer's zone, else today.

    A frozen driver has no day: 404, and nobody is told why.
    """
    driver = _driver(actor, driver_id)
    now = timezone.now()
    day = day_asked(request.GET.get("date", ""), now.astimezone(_zone(actor)).date())
    if day is None:
        return no_such_date(request, actor)
    context = driver_day_context(driver, day, now, translation.get_language())
    return render(request, "tracking/driver_day.html", context)


@for_dispatchers
def truck_day(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """A truck's day, its drivers one after the other. `?date=` as for a driver."""
    truck = of_employer(Truck.objects.select_related("employer"), actor, truck_id)
    now = timezone.now()
    day = day_asked(request.GET.get("date", ""), now.astimezone(_zone(actor)).date())
    if day is None:
        return no_such_date(request, actor)
    context = truck_day_context(truck, day, now, translation.get_language())
    return render(request, "tracking/truck_day.html", context)


@for_dispatchers
def driver_day_file(
    request: HttpRequest, actor: Actor, driver_id: UUID, ending: str
) -> HttpResponse:
    """The day's stages as CSV or XLSX, corrected ones too."""
    driver = _driver(actor, driver_id)
    return _file(request, actor, driver, ending, StageEvent.objects.filter(driver=driver))


@for_dispatchers
def truck_day_file(request: HttpRequest, actor: Actor, truck_id: UUID, ending: str) -> HttpResponse:
    """The same of a truck; the stages of a driver who is not available are left out."""
    truck = of_employer(Truck.objects.select_related("employer"), actor, truck_id)
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
    day = day_asked(request.GET.get("date", ""), timezone.now().astimezone(_zone(actor)).date())
    if day is None:
        return no_such_date(request, actor)
    begin_at, end_at = whole_day(day, _zone(actor))
    within = events.filter(recorded_at__gte=begin_at, recorded_at__lt=end_at)
    written = writer_for(ending, "stages")
    content = written.head(STAGE_TABLE)
    content += b"".join(written.rows(chunk) for chunk in chunks_of(within, actor.employer))
    content += written.tail()
    response = HttpResponse(content, content_type=MEDIA_TYPES[ending])
    kind = "driver" if isinstance(subject, Driver) else "truck"
    name = f"{kind}-{subject.uuid}-{day}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _driver(actor: Actor, driver_id: UUID) -> Driver:
    driver = of_employer(Driver.objects.select_related("employer"), actor, driver_id)
    if driver.frozen_at is not None:
        raise Http404
    return driver


def _zone(actor: Actor) -> ZoneInfo:
    return ZoneInfo(actor.employer.timezone)


def no_such_date(request: HttpRequest, actor: Actor) -> HttpResponse:
    """400, and what a date looks like."""
    return render(request, "tracking/no_such_date.html", {"employer": actor.employer}, status=400)
