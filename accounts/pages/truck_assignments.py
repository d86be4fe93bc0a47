"""Who drives which truck, as pages: give a truck, take it back, correct what was said."""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import Actor
from accounts.assignments import (
    Corrected,
    DriverNotAvailable,
    assign_truck,
    correct_assignment,
    end_assignment,
)
from accounts.models import Truck, TruckAssignment
from accounts.page_access import dispatchers_only
from accounts.pages.forms_fleet import CorrectForm, EndForm, GiveTruckForm
from accounts.pages.showing import employers_clocks, refuse, show
from accounts.pages.truck_view import truck_shown
from accounts.refusals import Overlaps, Problem
from accounts.tenants import of_employer
from accounts.trucks import TruckRetired


@require_POST
@dispatchers_only
def give_truck(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """From a moment on, now unless another is said, this driver drives the truck."""
    truck = of_employer(Truck, actor, truck_id)
    form = GiveTruckForm(actor, request.POST)
    with employers_clocks(actor):
        if not form.is_valid():
            return truck_shown(request, actor, truck, 400, give=form)
        asked = form.cleaned_data
        begin = asked["begin"] or timezone.now()
        try:
            assign_truck(actor, truck, asked["driver"], begin=begin, end=asked["end"])
        except Problem as refused:
            _say(form, actor, refused)
            return truck_shown(request, actor, truck, refused.status, give=form)
    said = {"plate": truck.plate, "driver": asked["driver"].name}
    messages.success(request, _("%(plate)s is assigned to %(driver)s.") % said)
    return redirect("truck_page", truck_id)


@require_POST
@dispatchers_only
def take_back(request: HttpRequest, actor: Actor, assignment_id: UUID) -> HttpResponse:
    """The driver gave the truck back, now or at the moment that is said."""
    assignment = _assignment_of(actor, assignment_id)
    form = EndForm(request.POST, auto_id="end_%s")
    with employers_clocks(actor):
        if not form.is_valid():
            return truck_shown(request, actor, assignment.truck, 400, end=form)
        try:
            ended = end_assignment(actor, assignment, form.cleaned_data["at"] or timezone.now())
        except Problem as refused:
            _say(form, actor, refused)
            return truck_shown(request, actor, assignment.truck, refused.status, end=form)
    _tell(request, ended)
    return redirect("truck_page", assignment.truck.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def correct(request: HttpRequest, actor: Actor, assignment_id: UUID) -> HttpResponse:
    """Say what was true all along: another driver, another beginning, another end."""
    assignment = _assignment_of(actor, assignment_id)
    driver = assignment.driver
    is_available = driver is not None and driver.frozen_at is None
    before = {
        "driver": str(driver.uuid) if driver is not None and is_available else "",
        "begin": assignment.period.lower,
        "end": assignment.period.upper,
    }
    form = CorrectForm(actor, request.POST if request.method == "POST" else None, initial=before)
    status = 200
    with employers_clocks(actor):
        if form.is_valid():
            # What was not touched stays to the microsecond: the form shows minutes only.
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            try:
                corrected = correct_assignment(actor, assignment, **changes)
            except Problem as refused:
                _say(form, actor, refused)
                status = refused.status
            else:
                _tell(request, corrected)
                return redirect("truck_page", assignment.truck.uuid)
        elif form.is_bound:
            status = 400
        context = {"form": form, "assignment": assignment, "is_available": is_available}
        return show(request, actor, "manage/truck_assignment.html", status=status, **context)


def _assignment_of(actor: Actor, assignment_id: UUID) -> TruckAssignment:
    rows = TruckAssignment.objects.select_related("truck", "driver")
    return of_employer(rows, actor, assignment_id)


def _tell(request: HttpRequest, done: Corrected) -> None:
    """Saved; and what it means for fixes that were linked by what was said before."""
    messages.success(request, _("Saved."))
    settled = timezone.now() - timedelta(minutes=1)
    if any(span.begin is None or span.begin < settled for span in done.spans):
        messages.info(
            request,
            _(
                "Positions recorded before this change keep the truck they were linked to until "
                "they are linked again: see the link below."
            ),
        )


def _say(form: EndForm | GiveTruckForm, actor: Actor, refused: Problem) -> None:
    """The refusal in the reader's words; of an overlap, what is in the way."""
    if isinstance(refused, Overlaps):
        form.add_error(None, _in_the_way(actor, refused))
    elif isinstance(refused, TruckRetired):
        form.add_error(None, _("This truck is out of service by then."))
    elif isinstance(refused, DriverNotAvailable):
        form.add_error(None, _("This driver is not available; nothing was changed."))
    elif refused.errors and refused.errors[0].pointer == "/to":
        field = "end" if "end" in form.fields else "at"
        form.add_error(field, _("An assignment ends after it begins."))
    else:
        refuse(form, refused)


def _in_the_way(actor: Actor, refused: Overlaps) -> str:
    named = refused.extra.get("in_the_way")
    other = (
        TruckAssignment.objects.filter(employer=actor.employer, uuid=named["id"])
        .select_related("truck", "driver")
        .first()
        if isinstance(named, dict)
        else None
    )
    if other is None:
        return _("Another assignment was in the way a moment ago; try again.")
    driver = other.driver
    if driver is None or driver.frozen_at is not None:
        name = _("a driver who is not available")
    else:
        name = driver.name or driver.number or _("without a name")
    begin, end = other.period.lower, other.period.upper
    said = {
        "driver": name,
        "plate": other.truck.plate,
        "begin": _clock(begin) if begin else _("always"),
        "end": _clock(end) if end else _("further notice"),
    }
    return _("In the way: %(plate)s is %(driver)s's from %(begin)s until %(end)s.") % said


def _clock(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "j M Y H:i")
