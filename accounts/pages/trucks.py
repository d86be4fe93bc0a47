"""The trucks as pages: which there are, who drives each, and how one is changed or retired."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.models import Truck
from accounts.page_access import for_dispatchers, managers_only
from accounts.pages.forms_fleet import TruckForm
from accounts.pages.showing import page_of, refuse, show
from accounts.pages.truck_rows import truck_rows
from accounts.pages.truck_view import truck_shown
from accounts.refusals import AlreadyTaken, Problem
from accounts.tenants import of_employer
from accounts.trucks import StillAssigned, change_truck, create_truck, plain_plate, retire_truck

STATES: Final = ("in_service", "retired")


@for_dispatchers
def trucks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The trucks in service, or the retired ones, or those whose plate or name is like it."""
    words = request.GET.get("q", "").replace("\0", "")[:100]
    state = request.GET.get("state", STATES[0])
    found = Truck.objects.filter(employer=actor.employer, retired_at__isnull=state != "retired")
    if words.strip():
        like = Q(plate__contains=plain_plate(words)) | Q(name__icontains=words.strip())
        found = found.filter(like)
    page = page_of(request, found.order_by("plate", "id"))
    rows = truck_rows(list(page), timezone.now())
    return show(request, actor, "manage/trucks.html", rows=rows, page=page, q=words, state=state)


@for_dispatchers
def truck(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """One truck: who drives it, who did, and a form to give it to somebody."""
    return truck_shown(request, actor, of_employer(Truck, actor, truck_id))


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def new_truck(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Put a truck into service."""
    form = TruckForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = create_truck(actor, **form.cleaned_data)
        except Problem as refused:
            _refuse_plate(form, refused)
        else:
            messages.success(request, _("%(plate)s is in service.") % {"plate": made.plate})
            return redirect("truck_page", made.uuid)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/truck_form.html", status=status, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def edit_truck(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """Change a truck's plate, country or name."""
    found = of_employer(Truck, actor, truck_id)
    before = {"plate": found.plate, "country": found.country, "name": found.name}
    form = TruckForm(request.POST if request.method == "POST" else None, initial=before)
    if form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            if changes:
                change_truck(actor, found, changes)
        except Problem as refused:
            _refuse_plate(form, refused)
            found = of_employer(Truck, actor, truck_id)
        else:
            messages.success(request, _("Saved."))
            return redirect("truck_page", truck_id)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/truck_form.html", status=status, form=form, truck=found)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def retire(request: HttpRequest, actor: Actor, truck_id: UUID) -> HttpResponse:
    """Ask first: a truck that is out of service does not come back; its history stays."""
    found = of_employer(Truck, actor, truck_id)
    if request.method != "POST":
        return show(request, actor, "manage/truck_retire.html", truck=found)
    try:
        retire_truck(actor, found, timezone.now())
    except StillAssigned:
        why = _("Somebody drives this truck still, or is to drive it. End that assignment first.")
    except Problem as refused:
        why = _(refused.detail)
    else:
        messages.success(request, _("%(plate)s is out of service.") % {"plate": found.plate})
        return redirect("trucks_page")
    return show(request, actor, "manage/truck_retire.html", status=409, truck=found, why=why)


def _refuse_plate(form: TruckForm, refused: Problem) -> None:
    if isinstance(refused, AlreadyTaken):
        form.add_error("plate", _("A truck with this plate is in service."))
    else:
        refuse(form, refused)
