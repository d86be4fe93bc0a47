"""The page of one truck, as it is asked for and as its forms come back to it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Truck, TruckAssignment
from accounts.pages.forms_fleet import EndForm, GiveTruckForm
from accounts.pages.showing import PAGE, show


def truck_shown(
    request: HttpRequest, actor: Actor, truck: Truck, status: int = 200, **forms: Any
) -> HttpResponse:
    """The truck, its newest assignments, and a form for each thing that can be done."""
    now = timezone.now()
    found = TruckAssignment.objects.filter(truck=truck).select_related("driver")
    rows = list(found.order_by("-period", "-id")[:PAGE])
    context = {
        "truck": truck,
        "assignments": rows,
        "current": next((row for row in rows if _covers(row, now)), None),
        "give": GiveTruckForm(actor, initial={"driver": request.GET.get("driver", "")}),
        "end": EndForm(auto_id="end_%s"),
        "shows_at_most": PAGE,
        **forms,
    }
    return show(request, actor, "manage/truck.html", status=status, **context)


def _covers(row: TruckAssignment, at: datetime) -> bool:
    begin, end = row.period.lower, row.period.upper
    return (begin is None or begin <= at) and (end is None or at < end)
