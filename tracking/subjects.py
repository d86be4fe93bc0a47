"""Whose day or month a page is asked for: a driver's or a truck's, and which day."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors import Actor
from accounts.drivers import visible_drivers
from accounts.models import Driver, Employer, Truck
from accounts.tenants import of_employer
from tracking.day_page import day_asked


def driver_of(actor: Actor, driver_id: UUID) -> Driver:
    """A frozen one has no pages: 404, and nobody is told why."""
    return of_employer(visible_drivers(actor).select_related("employer"), actor, driver_id)


def truck_of(actor: Actor, truck_id: UUID) -> Truck:
    return of_employer(Truck.objects.select_related("employer"), actor, truck_id)


def today_of(employer: Employer, now: datetime) -> date:
    """The day that the employer's clocks show."""
    return now.astimezone(ZoneInfo(employer.timezone)).date()


def day_of(request: HttpRequest, employer: Employer, now: datetime) -> date | None:
    """The day of `?date=`, else today; None when it is no date: answer with `no_such_date`."""
    return day_asked(request.GET.get("date", ""), today_of(employer, now))


def no_such_date(request: HttpRequest, employer: Employer) -> HttpResponse:
    """400, and what a date looks like."""
    return render(request, "tracking/no_such_date.html", {"employer": employer}, status=400)
