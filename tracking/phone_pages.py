"""Set up a phone: by a QR code on this screen, or by a link that its driver taps.

A token is made on POST and shown once. The link holds a pairing code: opening it shows a
button, and only the button spends the code, so that the preview of a chat does not.
"""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.models import Device, PairingCode, TokenScope
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.pairing import CodeRefused, make_pairing_code, spend_pairing_code
from accounts.phones import enrol_device
from accounts.qr_codes import qr_svg
from accounts.refusals import DriverFrozen, TooManyTries
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer
from tracking.first_fix import heard_of
from tracking.phone_clients import CLIENT_BY_SLUG, PhoneClient
from tracking.phone_forms import PhoneForm


def _base_url(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def set_up_phone(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form; after it, this once, the code or the link that sets the phone up."""
    if request.method != "POST":
        form = PhoneForm(actor, initial={"driver": request.GET.get("driver", "")})
        return _form_page(request, actor, form)
    form = PhoneForm(actor, request.POST)
    if not form.is_valid():
        return _form_page(request, actor, form, status=400)
    try:
        return sealed_off(_set_up(request, actor, form.cleaned_data))
    except DriverFrozen as frozen:
        form.add_error("driver", frozen.detail)
        return _form_page(request, actor, form, status=400)


def _form_page(
    request: HttpRequest, actor: Actor, form: PhoneForm, status: int = 200
) -> HttpResponse:
    context = {"employer": actor.employer, "form": form}
    page = render(request, "tracking/phones/form.html", context, status=status)
    return sealed_off(page, has_form=True)


def _set_up(request: HttpRequest, actor: Actor, asked: dict[str, Any]) -> HttpResponse:
    client = CLIENT_BY_SLUG.get(asked["client"])
    if client is None or "link" in request.POST:
        return _by_code(request, actor, asked, client)
    device, token = enrol_device(
        actor,
        asked["driver"],
        name=asked["name"],
        scope=TokenScope.INGEST,
        platform=client.slug,
    )
    context = {
        **setup_context(request, client, token, asked["name"]),
        "employer": actor.employer,
        "device": device,
        "driver": asked["driver"],
        "status_url": reverse("first_fix", args=[device.uuid]),
    }
    return render(request, "tracking/phones/ready.html", context)


def _by_code(
    request: HttpRequest, actor: Actor, asked: dict[str, Any], client: PhoneClient | None
) -> HttpResponse:
    scope = TokenScope.INGEST if client else TokenScope.APP
    row, code = make_pairing_code(actor, asked["driver"], device_name=asked["name"], scope=scope)
    if client is None:
        # After the #, so that the code is in no server's log when a camera app opens it.
        text = request.build_absolute_uri(reverse("api-pairing")) + "#" + code
    else:
        text = request.build_absolute_uri(reverse("phone_link", args=[client.slug, code]))
    context = {
        "employer": actor.employer,
        "client": client,
        "driver": asked["driver"],
        "code": f"{code[:4]}-{code[4:]}",
        "link": text if client else None,
        "qr": mark_safe(qr_svg(text)),  # noqa: S308 (drawn here, of numbers only)
        "expires_at": row.expires_at,
        "status_url": reverse("first_fix_by_code", args=[row.uuid]),
    }
    return render(request, "tracking/phones/code.html", context)


def setup_context(
    request: HttpRequest, client: PhoneClient, token: str, name: str
) -> dict[str, Any]:
    """What setup_box.html shows: the app's settings with the token, and a code to scan."""
    setup = client.setup(_base_url(request), token, name)
    return {
        "client": client,
        "setup": setup,
        "qr": mark_safe(qr_svg(setup.link)) if setup.link else None,  # noqa: S308 (as above)
    }


@require_http_methods(["GET", "HEAD", "POST"])
def phone_link(request: HttpRequest, client: str, code: str) -> HttpResponse:
    """The driver's side of a link: a button first; then, this once, the app's settings."""
    known = CLIENT_BY_SLUG.get(client)
    if known is None:
        raise Http404
    if request.method != "POST":
        page = render(request, "tracking/phones/tap.html", {"client": known})
        return sealed_off(page, has_form=True)
    try:
        paired = spend_pairing_code(
            code, request.META["REMOTE_ADDR"], platform=known.slug, scope=TokenScope.INGEST
        )
    except (CodeRefused, TooManyTries, DriverFrozen) as refused:
        context = {
            "client": known,
            "refused": refused,
            "is_wait": isinstance(refused, TooManyTries),
        }
        page = render(request, "tracking/phones/tap.html", context, status=refused.status)
        return sealed_off(page)
    name = paired.device.name or paired.driver.name or known.slug
    context = setup_context(request, known, paired.token, name)
    return sealed_off(render(request, "tracking/phones/driver.html", context))


@for_dispatchers
def first_fix(request: HttpRequest, actor: Actor, device_id: UUID) -> HttpResponse:
    """A fragment: what has been heard of this phone."""
    return _heard(request, actor, of_employer(Device, actor, device_id))


@for_dispatchers
def first_fix_by_code(request: HttpRequest, actor: Actor, code_id: UUID) -> HttpResponse:
    """The same of the phone that spent a code; before that, that nobody has yet."""
    code = of_employer(PairingCode, actor, code_id)
    if code.used_at is None:
        context = {
            "is_expired": code.expires_at <= timezone.now(),
            "status_url": request.path,
        }
        return sealed_off(render(request, "tracking/phones/unspent.html", context))
    device = (
        Device.objects.filter(
            employer=actor.employer,
            holdings__driver=code.driver_id,
            created_at__gte=code.used_at,
        )
        .order_by("id")
        .first()
    )
    if device is None:
        raise Http404
    return _heard(request, actor, device)


def _heard(request: HttpRequest, actor: Actor, device: Device) -> HttpResponse:
    context = {
        "heard": heard_of(device, timezone.now()),
        "device": device,
        "status_url": request.path,
        "zone": actor.employer.timezone,
    }
    return sealed_off(render(request, "tracking/phones/heard.html", context))
