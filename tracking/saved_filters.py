"""Filters of a user under names of their own: kept, listed and forgotten."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actors import Actor
from accounts.models import User
from accounts.page_access import dispatchers_only
from missions.models import SavedFilter
from tracking.mission_flags import FLAGS

# More than these nobody finds in a list.
AT_MOST: Final = 30
PAGES: Final = ("home", "missions_page")
KEPT: Final = ("from", "to", "status", "driver", "truck", "q", "order", *FLAGS)


class SaveForm(forms.Form):
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=1000, required=False)
    page = forms.ChoiceField(choices=[(page, page) for page in PAGES])


def saved_filters(actor: Actor) -> list[SavedFilter]:
    """In order of their names. One query."""
    return list(_own(actor).order_by("name", "id"))


def kept_query(query: QueryDict) -> str:
    """The filters of an address, as they are kept: known names, without the place in a list."""
    pairs = [(name, value) for name in KEPT for value in query.getlist(name) if name in query]
    return urlencode([(name, value) for name, value in pairs if value or name in ("from", "to")])


@require_POST
@dispatchers_only
def save_filter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keep the filters of a page under a name; one of that name is replaced."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Not saved: a name of at most 60 characters is needed."))
        return redirect(_back(request.POST.get("page", ""), request.POST.get("query", "")))
    asked = form.cleaned_data
    query = kept_query(QueryDict(asked["query"]))
    with transaction.atomic():
        # Two windows that save at once wait for each other.
        User.objects.select_for_update(no_key=True).get(pk=_user(actor).pk)
        is_known = _own(actor).filter(name=asked["name"]).exists()
        if not is_known and _own(actor).count() >= AT_MOST:
            said = _("Not saved: there are %(n)s saved filters already. Delete one first.")
            messages.error(request, said % {"n": AT_MOST})
            return redirect(_back(asked["page"], query))
        SavedFilter.objects.update_or_create(
            employer=actor.employer,
            user=_user(actor),
            name=asked["name"],
            defaults={"query": query},
        )
    messages.success(request, _("Saved as “%(name)s”.") % {"name": asked["name"]})
    return redirect(_back(asked["page"], query))


@require_POST
@dispatchers_only
def delete_filter(request: HttpRequest, actor: Actor, filter_id: UUID) -> HttpResponse:
    """Forget a filter of one's own; anybody else's does not exist."""
    found = _own(actor).filter(uuid=filter_id).first()
    if found is None:
        raise Http404
    found.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": found.name})
    return redirect(_back(request.POST.get("page", ""), request.POST.get("query", "")))


def _own(actor: Actor) -> QuerySet[SavedFilter]:
    return SavedFilter.objects.filter(employer=actor.employer, user=_user(actor))


def _user(actor: Actor) -> User:
    if actor.user is None:
        raise PermissionDenied("Sign in first.")
    return actor.user


def _back(page: str, query: str) -> str:
    url = reverse(page if page in PAGES else "home")
    kept = kept_query(QueryDict(query))
    return f"{url}?{kept}" if kept else url
