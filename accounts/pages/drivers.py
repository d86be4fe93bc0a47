"""The drivers as pages: who they are, what they carry and drive, and how one is changed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.drivers import change_driver, create_driver, drivers_like, visible_drivers
from accounts.models import DeviceHolding, Driver, TruckAssignment
from accounts.page_access import for_dispatchers, managers_only
from accounts.pages.driver_rows import driver_rows
from accounts.pages.forms_fleet import DriverForm, NewDriverForm
from accounts.pages.showing import PAGE, page_of, show
from accounts.refusals import AlreadyTaken
from accounts.tenants import of_employer

HISTORY = PAGE  # assignments and holdings on one driver's page, newest first


@for_dispatchers
def drivers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every driver, or those whose name or number holds what was typed."""
    words = request.GET.get("q", "")[:200]
    found = visible_drivers(actor)
    if words.strip():
        found = drivers_like(found, words)
    page = page_of(request, found.order_by("name_folded", "id"))
    rows = driver_rows(list(page), timezone.now())
    return show(request, actor, "manage/drivers.html", rows=rows, page=page, q=words)


@for_dispatchers
def driver(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """One driver: the phones and the trucks, now and before."""
    found = _driver_of(actor, driver_id)
    now = timezone.now()
    (row,) = driver_rows([found], now)
    holdings = DeviceHolding.objects.filter(driver=found).select_related("device")
    assignments = TruckAssignment.objects.filter(driver=found).select_related("truck")
    return show(
        request,
        actor,
        "manage/driver.html",
        row=row,
        holdings=holdings.order_by("-period", "-id")[:HISTORY],
        assignments=assignments.order_by("-period", "-id")[:HISTORY],
        shows_at_most=HISTORY,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def new_driver(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a driver; saving is the employer's word that the person is 18 or older."""
    form = NewDriverForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = {name: form.cleaned_data[name] for name in ("name", "number", "language")}
        try:
            made = create_driver(actor, **asked)
        except AlreadyTaken:
            form.add_error("number", _("This number is another driver's."))
        else:
            messages.success(request, _("%(name)s is added.") % {"name": made.name})
            return redirect("driver_page", made.uuid)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/driver_form.html", status=status, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def edit_driver(request: HttpRequest, actor: Actor, driver_id: UUID) -> HttpResponse:
    """Change a driver's name, number or language."""
    found = _driver_of(actor, driver_id)
    before = {"name": found.name, "number": found.number or "", "language": found.language}
    form = DriverForm(request.POST if request.method == "POST" else None, initial=before)
    if form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            if changes:
                change_driver(actor, found, changes)
        except AlreadyTaken:
            form.add_error("number", _("This number is another driver's."))
            found = _driver_of(actor, driver_id)
        else:
            messages.success(request, _("Saved."))
            return redirect("driver_page", driver_id)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/driver_form.html", status=status, form=form, driver=found)


def _driver_of(actor: Actor, driver_id: UUID) -> Driver:
    return of_employer(visible_drivers(actor), actor, driver_id)
