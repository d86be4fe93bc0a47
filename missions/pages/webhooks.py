"""The pages of webhooks, for managers: endpoints, their secrets, and what came of each message.

A secret is shown once, on a page without a form that no cache keeps and no Referer names.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import Actor
from accounts.page_access import for_managers, managers_only
from accounts.refusals import Problem
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer
from missions import webhooks
from missions.api.webhooks import EndpointFields, WebhookView, shown_deliveries
from missions.models import ChangeType, DeliveryState, WebhookDelivery, WebhookEndpoint
from missions.pages.refusals import add_errors, add_problem, sentence
from missions.pages.webhook_words import DISABLED, STATES, TYPES, attempt_text
from missions.proof_words import moment
from missions.webhook_delivery import message, post

PAGE: Final = 50


class EndpointForm(forms.Form):
    """Where to send what."""

    url = forms.CharField(
        label=gettext_lazy("Address of your system"),
        max_length=500,
        help_text=gettext_lazy("https. No redirect is followed."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    description = forms.CharField(label=gettext_lazy("What it is"), max_length=200, required=False)
    types = forms.MultipleChoiceField(
        label=gettext_lazy("Of what it is told"),
        choices=[(kind.value, words) for kind, words in TYPES.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def asked(self) -> dict[str, Any] | None:
        """What the API's serializer lets through; None: the form says why not."""
        if not self.is_valid():
            return None
        request = EndpointFields(data=self.cleaned_data)
        if request.is_valid():
            return dict(request.validated_data)
        add_errors(self, request.errors)
        return None


def _form_of(endpoint: WebhookEndpoint) -> EndpointForm:
    names = ("url", "description", "types")
    return EndpointForm(initial={name: getattr(endpoint, name) for name in names})


@for_managers
def webhooks_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The employer's endpoints: at most twenty. One query."""
    waiting = Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING))
    own = WebhookEndpoint.objects.filter(employer=actor.employer)
    zone = actor.employer.timezone
    context = {
        "employer": actor.employer,
        "zone": zone,
        "rows": [
            {"endpoint": endpoint, **_state(endpoint, zone)}
            for endpoint in own.annotate(waiting=waiting).order_by("id")
        ],
    }
    return render(request, "missions/webhooks.html", context)


def _state(endpoint: WebhookEndpoint, zone: str) -> dict[str, Any]:
    return {
        "disabled": DISABLED.get(endpoint.disabled_reason, "") if endpoint.disabled_at else "",
        "disabled_at": moment(endpoint.disabled_at, zone) if endpoint.disabled_at else "",
        "failing_since": moment(endpoint.failing_since, zone) if endpoint.failing_since else "",
        "types": [TYPES[ChangeType(kind)] for kind in endpoint.types],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def webhook_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form; after it, this once, the secret."""
    if request.method != "POST":
        return _new(request, actor, EndpointForm(initial={"types": list(TYPES)}))
    form = EndpointForm(request.POST)
    asked = form.asked()
    if asked is None:
        return _new(request, actor, form, 400)
    try:
        endpoint, secret = webhooks.create_endpoint(
            actor,
            asked["url"],
            asked["types"],
            description=asked["description"],
            gate=WebhookView.gate,
        )
    except Problem as refused:
        add_problem(form, refused)
        return _new(request, actor, form, refused.status)
    return _secret_page(request, actor, endpoint, secret)


def _new(request: HttpRequest, actor: Actor, form: EndpointForm, status: int = 200) -> HttpResponse:
    context = {"employer": actor.employer, "form": form}
    return render(request, "missions/webhook_new.html", context, status=status)


def _secret_page(
    request: HttpRequest, actor: Actor, endpoint: WebhookEndpoint, secret: str, ends: str = ""
) -> HttpResponse:
    context = {
        "employer": actor.employer,
        "endpoint": endpoint,
        "secret": secret,
        "older_end": ends,
        "zone": actor.employer.timezone,
    }
    return sealed_off(render(request, "missions/webhook_secret.html", context))


def _endpoint(actor: Actor, id: UUID) -> WebhookEndpoint:
    return of_employer(WebhookEndpoint, actor, id)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def webhook_page(request: HttpRequest, actor: Actor, id: UUID) -> HttpResponse:
    """One endpoint: what it is, what can be done with it, and its log."""
    endpoint = _endpoint(actor, id)
    if request.method != "POST":
        return _page(request, actor, endpoint, _form_of(endpoint))
    form = EndpointForm(request.POST)
    asked = form.asked()
    if asked is None:
        return _page(request, actor, endpoint, form, 400)
    try:
        webhooks.change_endpoint(actor, endpoint, asked, gate=WebhookView.gate)
    except Problem as refused:
        add_problem(form, refused)
        return _page(request, actor, endpoint, form, refused.status)
    messages.success(request, _("Saved."))
    return redirect("webhook_page", id)


def _page(
    request: HttpRequest,
    actor: Actor,
    endpoint: WebhookEndpoint,
    form: EndpointForm,
    status: int = 200,
) -> HttpResponse:
    zone = actor.employer.timezone
    rows, older = _log(request, endpoint, zone)
    state = request.GET.get("state", "")
    context = {
        "employer": actor.employer,
        "zone": zone,
        "endpoint": endpoint,
        **_state(endpoint, zone),
        "form": form,
        "rows": rows,
        "older": older,
        "states": [(value, words, value == state) for value, words in STATES.items()],
        "state": state if state in DeliveryState.values else "",
    }
    return render(request, "missions/webhook.html", context, status=status)


def _log(
    request: HttpRequest, endpoint: WebhookEndpoint, zone: str
) -> tuple[list[dict[str, Any]], str]:
    """Fifty deliveries, the newest change first, and the id after which older ones follow."""
    found = shown_deliveries().filter(endpoint=endpoint)
    if (state := request.GET.get("state", "")) in DeliveryState.values:
        found = found.filter(state=state)
    if before := request.GET.get("before"):
        found = found.filter(change_id__lt=_change_before(endpoint, before))
    page = list(found.order_by("-change_id")[: PAGE + 1])
    older = str(page[PAGE - 1].uuid) if len(page) > PAGE else ""
    return [_delivery(delivery, zone) for delivery in page[:PAGE]], older


def _change_before(endpoint: WebhookEndpoint, before: str) -> int:
    """The change of a delivery of this endpoint; 404 for any other text."""
    try:
        wanted = UUID(before)
    except ValueError:
        wanted = uuid4()
    return get_object_or_404(endpoint.deliveries.all(), uuid=wanted).change_id


def _delivery(delivery: WebhookDelivery, zone: str) -> dict[str, Any]:
    return {
        "delivery": delivery,
        "type": TYPES[ChangeType(delivery.change.type)],
        "changed_at": moment(delivery.change.changed_at, zone),
        "state": STATES[DeliveryState(delivery.state)],
        "is_bad": delivery.state == DeliveryState.GIVEN_UP,
        "next_at": moment(delivery.next_at, zone) if delivery.next_at else "",
        "attempts": [
            {
                "at": moment(one.attempted_at, zone),
                "said": attempt_text(one.status_code, one.error),
                "is_bad": bool(one.error),
                "duration_ms": one.duration_ms,
            }
            for one in delivery.attempt_log.all()
        ],
    }


def _done(request: HttpRequest, id: UUID, do: Callable[[], object], said: str) -> HttpResponse:
    """Do it and say so, or say why not; either way back to the endpoint's page."""
    try:
        do()
    except Problem as refused:
        messages.error(request, sentence(refused.code, refused.detail))
    else:
        messages.success(request, said)
    return redirect("webhook_page", id)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def webhook_rotate(request: HttpRequest, actor: Actor, id: UUID) -> HttpResponse:
    """Ask first; then a new secret, shown this once. The old one signs beside it for a day."""
    endpoint = _endpoint(actor, id)
    if request.method != "POST":
        context = {"employer": actor.employer, "endpoint": endpoint}
        return render(request, "missions/webhook_rotate.html", context)
    secret, ends_at = webhooks.rotate_secret(actor, endpoint)
    ends = moment(ends_at, actor.employer.timezone)
    return _secret_page(request, actor, endpoint, secret, ends)


@require_POST
@managers_only
def webhook_test(request: HttpRequest, actor: Actor, id: UUID) -> HttpResponse:
    """Send a signed message of the type `endpoint.test` now, and say what came back."""
    endpoint, now = _endpoint(actor, id), timezone.now()
    body = message("endpoint.test", now, str(endpoint.uuid), None)
    outcome = post(endpoint, str(uuid4()), body, now=now, gate=WebhookView.gate)
    said = attempt_text(outcome.status_code, outcome.error)
    words = {"said": said, "duration": outcome.duration_ms}
    if outcome.is_delivered:
        messages.success(
            request, _("The test was delivered: %(said)s, after %(duration)d ms.") % words
        )
    else:
        messages.error(request, _("The test was not delivered: %(said)s.") % words)
    return redirect("webhook_page", id)


@require_POST
@managers_only
def webhook_switch(request: HttpRequest, actor: Actor, id: UUID) -> HttpResponse:
    """Switch it on or off, as the button said: pressed twice, it stays so."""
    endpoint = _endpoint(actor, id)
    if request.POST.get("to") == "on":
        said = _("The webhook is on. What waited is sent now.")
        return _done(request, id, lambda: webhooks.enable_endpoint(actor, endpoint), said)
    said = _("The webhook is off. Nothing more is sent to it.")
    return _done(request, id, lambda: webhooks.disable_endpoint(actor, endpoint), said)


@require_POST
@managers_only
def webhook_redeliver(
    request: HttpRequest, actor: Actor, id: UUID, delivery_id: UUID
) -> HttpResponse:
    """Send it again, whatever came of it before, under the same webhook-id."""
    own = _endpoint(actor, id).deliveries.all()
    delivery = get_object_or_404(own, uuid=delivery_id)
    said = _("It is sent again within a minute.")
    return _done(request, id, lambda: webhooks.redeliver(actor, delivery), said)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def webhook_remove(request: HttpRequest, actor: Actor, id: UUID) -> HttpResponse:
    """Ask first: its secrets and its log go along, and what waits is not sent."""
    endpoint = _endpoint(actor, id)
    if request.method != "POST":
        context = {"employer": actor.employer, "endpoint": endpoint}
        return render(request, "missions/webhook_remove.html", context)
    webhooks.remove_endpoint(actor, endpoint)
    messages.success(request, _("The webhook is removed."))
    return redirect("webhooks_page")
