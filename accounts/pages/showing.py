"""What the pages of management have in common: how they are shown, and how they refuse."""

from contextlib import AbstractContextManager
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import Role
from accounts.refusals import Problem

PAGE: Final = 50  # rows


def show(
    request: HttpRequest, actor: Actor, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the actor's employer; its times are those of the employer's zone."""
    context = {
        "employer": actor.employer,
        "is_manager": Role.MANAGER in actor.roles,
        "query": _query_of(request),
        **context,
    }
    with employers_clocks(actor):
        return render(request, template, context, status=status)


def employers_clocks(actor: Actor) -> AbstractContextManager[None]:
    """In here times are written and read as on the clocks of the actor's employer."""
    return timezone.override(ZoneInfo(actor.employer.timezone))


def _query_of(request: HttpRequest) -> str:
    """What else the address asks for beside a page, to keep it on the next one."""
    asked = request.GET.copy()
    asked.pop("page", None)
    return asked.urlencode()


def page_of(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """The page of rows that the address asks for; the last one when it asks for too much."""
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))


def refuse(form: forms.Form, refused: Problem, field: str | None = None) -> None:
    """Say a refusal of the rules at the field it is about, else above the form."""
    pointed = refused.errors[0].pointer.removeprefix("/") if refused.errors else None
    at = field or pointed
    form.add_error(at if at in form.fields else None, _(refused.detail))
