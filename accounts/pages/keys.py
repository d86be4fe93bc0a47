"""The API keys of an employer as pages: which there are, make one, revoke one."""

from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.api_keys import create_api_key, revoke_api_key
from accounts.models import ApiKey
from accounts.page_access import for_managers, managers_only
from accounts.pages.forms_people import ROLE_NAMES, NewKeyForm
from accounts.pages.showing import page_of, show
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer


@for_managers
def keys(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every key, those in use first and the newest first."""
    found = ApiKey.objects.filter(employer=actor.employer)
    newest = found.order_by(F("revoked_at").desc(nulls_first=True), "-id")
    page = page_of(request, newest)
    rows = [(key, ROLE_NAMES.get(key.role, key.role)) for key in page]
    return show(request, actor, "manage/keys.html", rows=rows, page=page)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def new_key(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a key; it is in this answer and nowhere else."""
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = form.cleaned_data
        key, secret = create_api_key(actor, asked["role"], name=asked["name"])
        role = ROLE_NAMES[key.role]
        page = show(request, actor, "manage/key_made.html", key=key, secret=secret, role=role)
        return sealed_off(page)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/key_form.html", status=status, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def revoke_key(request: HttpRequest, actor: Actor, key_id: UUID) -> HttpResponse:
    """Ask first: whatever uses the key stops at once."""
    key = of_employer(ApiKey, actor, key_id)
    if request.method != "POST":
        return show(request, actor, "manage/key_revoke.html", key=key)
    revoke_api_key(actor, key)
    messages.success(request, _("The key is revoked."))
    return redirect("keys_page")
