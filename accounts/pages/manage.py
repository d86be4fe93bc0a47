"""The page from which everything is kept: what there is, and who may change it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actors import Actor
from accounts.models import Role
from accounts.page_access import for_dispatchers


@for_dispatchers
def manage(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Links to each page of management; those for managers only to managers."""
    context = {"employer": actor.employer, "is_manager": Role.MANAGER in actor.roles}
    return render(request, "manage/index.html", context)
