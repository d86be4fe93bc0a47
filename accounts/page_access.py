"""Who may open which page: the guards that every page of people is wrapped in.

A page with data of drivers or of an employer is never stored by a browser or proxy.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from accounts.actors import Actor, actor_of
from accounts.models import Role
from accounts.permissions import may

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponse]


def only_for(*roles: str) -> Callable[[Page[P]], Guarded[P]]:
    """Sign in first; another role gets a page that says so; nothing of it is kept anywhere."""

    def guard(page: Page[P]) -> Guarded[P]:
        @login_required
        @wraps(page)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            actor = actor_of(request)
            if may(actor, *roles):
                response = page(request, actor, *args, **kwargs)
            else:
                response = not_for_this_role(request, actor)
            patch_cache_control(response, no_store=True, private=True)
            return response

        return guarded

    return guard


def dispatchers_only(page: Page[P]) -> Guarded[P]:
    """A page for dispatchers and managers."""
    return only_for(Role.DISPATCHER)(page)


def for_dispatchers(page: Page[P]) -> Guarded[P]:
    """A page to read, for dispatchers and managers."""
    return require_GET(dispatchers_only(page))


def managers_only(page: Page[P]) -> Guarded[P]:
    """A page for managers: people, trucks, keys, settings."""
    return only_for(Role.MANAGER)(page)


def for_managers(page: Page[P]) -> Guarded[P]:
    """A page to read, for managers."""
    return require_GET(managers_only(page))


def not_for_this_role(request: HttpRequest, actor: Actor, status: int = 403) -> HttpResponse:
    """Say which roles may, and whom to ask."""
    context = {
        "employer": actor.employer,
        "roles": actor.roles,
        "is_dpo": Role.DPO in actor.roles,
        "is_dispatcher": may(actor, Role.DISPATCHER),
    }
    return render(request, "not_for_this_role.html", context, status=status)
