"""The phones of an employer as pages: how each of them is, and what can be done with one."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import Actor
from accounts.assignments import hand_over_device
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.phones import DeviceRevoked, revoke_device, rotate_token, set_payload_key
from accounts.refusals import Problem
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer
from tracking.phone_clients import CLIENT_BY_SLUG, PhoneClient
from tracking.phone_forms import ClientForm, HandOverForm, PassphraseForm
from tracking.phone_pages import setup_context
from tracking.phone_rows import PhoneRow, phone_rows, phones_of

PAGE: Final = 200


@for_dispatchers
def phones(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every phone, two hundred a page, those that are shut out last. Six queries."""
    page = Paginator(phones_of(actor), PAGE).get_page(request.GET.get("page"))
    context = {
        "employer": actor.employer,
        "rows": phone_rows(actor, list(page), timezone.now()),
        "page": page,
    }
    return render(request, "tracking/phones/list.html", context)


@for_dispatchers
def phone(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """One phone, and a form for each thing that can be done with it."""
    return _shown(request, actor, _row_of(actor, device_id))


def _row_of(actor: Actor, device_id: UUID) -> PhoneRow:
    device = of_employer(phones_of(actor), actor, device_id)
    (row,) = phone_rows(actor, [device], timezone.now())
    return row


def _shown(
    request: HttpRequest, actor: Actor, row: PhoneRow, status: int = 200, **forms: Any
) -> HttpResponse:
    context = {
        "employer": actor.employer,
        "row": row,
        "has_passphrase": row.device.payload_key is not None,
        "hand_over": HandOverForm(actor, row.driver),
        "choose_client": None if row.client else ClientForm(),
        "passphrase": PassphraseForm(),
        **forms,
    }
    return render(request, "tracking/phones/one.html", context, status=status)


@require_POST
@dispatchers_only
def give_new_token(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """A new token in the settings of the phone's app, this once; the old ones end in 14 days.

    Our own app asks for its new token itself.
    """
    row = _row_of(actor, device_id)
    form = ClientForm(request.POST)
    if row.client is None and not form.is_valid():
        return _shown(request, actor, row, status=400, choose_client=form)
    client = row.client or CLIENT_BY_SLUG[form.cleaned_data["client"]]
    if row.is_own_app:
        return _shown(request, actor, row, status=400)
    try:
        token, ends_at = rotate_token(actor, row.device, platform=client.slug)
    except DeviceRevoked:
        return _shown(request, actor, row, status=409)
    context = {
        **setup_context(request, client, token, _name_in_app(row, client)),
        "employer": actor.employer,
        "device": row.device,
        "driver_name": row.driver_name,
        "older_end_at": ends_at,
    }
    return sealed_off(render(request, "tracking/phones/ready.html", context))


def _name_in_app(row: PhoneRow, client: PhoneClient) -> str:
    """What it was called when it was set up: some apps empty their queue when that changes."""
    return row.device.name or (row.driver.name if row.driver else "") or client.slug


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def revoke_phone(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """Ask first: a phone that is shut out must be set up anew."""
    row = _row_of(actor, device_id)
    if request.method != "POST":
        context = {"employer": actor.employer, "row": row}
        return render(request, "tracking/phones/revoke.html", context)
    revoke_device(actor, row.device)
    messages.success(request, _("%(name)s is shut out.") % {"name": row.name})
    return redirect("phones")


@require_POST
@dispatchers_only
def hand_over_phone(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """From now on another driver carries it."""
    row = _row_of(actor, device_id)
    form = HandOverForm(actor, row.driver, request.POST)
    if row.is_revoked:
        return _shown(request, actor, row, status=409)
    if not form.is_valid():
        return _shown(request, actor, row, status=400, hand_over=form)
    try:
        hand_over_device(actor, row.device, form.cleaned_data["driver"], timezone.now())
    except Problem as refused:
        form.add_error("driver", refused.detail)
        return _shown(request, actor, row, status=refused.status, hand_over=form)
    name = form.cleaned_data["driver"].name
    messages.success(request, _("%(driver)s carries this phone now.") % {"driver": name})
    return redirect("phone", device_id)


@require_POST
@dispatchers_only
def phone_passphrase(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """Keep the passphrase with which the app encrypts, or forget it. It is never shown."""
    row = _row_of(actor, device_id)
    if row.is_revoked or not row.may_encrypt:
        return _shown(request, actor, row, status=409)
    if "forget" in request.POST:
        set_payload_key(actor, row.device, None)
        messages.success(request, _("The passphrase is forgotten."))
        return redirect("phone", device_id)
    form = PassphraseForm(request.POST)
    if not form.is_valid():
        return _shown(request, actor, row, status=400, passphrase=form)
    set_payload_key(actor, row.device, form.cleaned_data["passphrase"])
    messages.success(request, _("The passphrase is kept. What the phone encrypts can be read."))
    return redirect("phone", device_id)
