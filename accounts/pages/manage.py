"""The page from which everything is kept: what there is, and who may change it."""

from django.http import HttpRequest, HttpResponse

from accounts.actors import Actor
from accounts.page_access import for_dispatchers
from accounts.pages.showing import show


@for_dispatchers
def manage(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Links to each page of management; those for managers only to managers."""
    return show(request, actor, "manage/index.html")
