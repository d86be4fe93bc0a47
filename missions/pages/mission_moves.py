"""The pages that assign a mission, hand it over, end it and call it off.

Each asks first and then calls the rule that the API calls; which of them there are for a
mission now is said by mission_actions.py.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import NotFound
from rest_framework.serializers import Serializer

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from accounts.refusals import Problem
from accounts.tenants import of_employer
from missions.lifecycle import (
    assign_mission,
    cancel_mission,
    end_mission,
    hand_over_mission,
    unassign_mission,
)
from missions.models import Mission, MissionStatus
from missions.pages.forms_missions import Lenient, Offers, offers_for
from missions.pages.forms_moves import AssignForm, MomentForm
from missions.pages.mission_rows import row_of
from missions.pages.refusals import add_errors, add_problem
from missions.pages.site_names import SiteNames
from missions.reading import shown_missions
from missions.requests import AssignRequest, HandOverRequest, MomentRequest
from missions.running import running_of, truck_of

Do = Callable[[dict[str, Any]], object]


def mission_of(actor: Actor, mission_id: UUID) -> Mission:
    """The employer's mission, with what is shown of it. 404 for another's."""
    return of_employer(shown_missions(), actor, mission_id)


def asked_of(form: Form, request: Serializer[Any]) -> dict[str, Any] | None:
    """What the API's serializer lets through; None: the form says why not."""
    try:
        if request.is_valid():
            return dict(request.validated_data)
    except NotFound:
        form.add_error(None, _("What was chosen is gone. Open the page anew."))
        return None
    add_errors(form, request.errors)
    return None


def said_in(form: Form) -> dict[str, Any]:
    """What a valid form says, without what was left empty."""
    return {name: value for name, value in form.cleaned_data.items() if value}


def done(form: Form, asked: dict[str, Any] | None, do: Do) -> bool:
    """Do it by the rule; when that refuses, the form says so."""
    if asked is None:
        return False
    try:
        do(asked)
    except Problem as refused:
        add_problem(form, refused)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_assign_page(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """Give it to a driver; once it has started, hand it over at a moment."""
    mission = mission_of(actor, mission_id)
    offers = offers_for(actor, mission)
    is_started = mission.status == MissionStatus.STARTED
    if request.method != "POST":
        form = AssignForm(offers, initial=_people(actor, mission, offers), has_moment=is_started)
        return _assign(request, actor, mission, form)
    if "unassign" in request.POST:
        form = AssignForm(offers, {}, has_moment=is_started)
        form.full_clean()
        form.errors.clear()
        if not done(form, {}, lambda _asked: unassign_mission(mission, actor=actor)):
            return _assign(request, actor, mission, form, status=409)
        messages.success(request, _("The mission has no driver now."))
        return redirect("mission_page", mission_id)
    form = AssignForm(offers, request.POST, has_moment=is_started)
    asked = _assignment_asked(actor, form, is_started=is_started) if form.is_valid() else None

    def assign(said: dict[str, Any]) -> None:
        if is_started:
            at = said.pop("at", None) or timezone.now()
            truck = said.get("truck") or truck_of(mission)
            hand_over_mission(mission, said["driver"], truck=truck, at=at, actor=actor)
        else:
            assign_mission(mission, said["driver"], truck=said.get("truck"), actor=actor)

    if not done(form, asked, assign):
        return _assign(request, actor, mission, form, status=400)
    messages.success(request, _("The mission is handed over.") if is_started else _("Assigned."))
    return redirect("mission_page", mission_id)


def _people(actor: Actor, mission: Mission, offers: Offers) -> dict[str, str]:
    head = row_of(mission, offers.zone, SiteNames(actor.employer)).head
    return {name: head[name] for name in ("driver", "truck")}


def _assignment_asked(actor: Actor, form: AssignForm, *, is_started: bool) -> dict[str, Any] | None:
    serializer = HandOverRequest if is_started else AssignRequest
    return asked_of(form, serializer(data=said_in(form), context={"employer": actor.employer}))


def _assign(
    request: HttpRequest, actor: Actor, mission: Mission, form: AssignForm, status: int = 200
) -> HttpResponse:
    is_started = mission.status == MissionStatus.STARTED
    running = running_of(mission)
    context = {
        "title": _("Hand over") if is_started else _("Assign a driver"),
        "button": _("Hand over") if is_started else _("Assign"),
        "can_unassign": mission.status == MissionStatus.ASSIGNED,
        "is_hidden": bool(running and running.driver and running.driver.frozen_at),
    }
    return move_page(request, actor, mission, form, status=status, **context)


def move_page(
    request: HttpRequest, actor: Actor, mission: Mission, form: Form, status: int, **context: Any
) -> HttpResponse:
    """One form about a mission, with a way back."""
    shown = {"employer": actor.employer, "zone": actor.employer.timezone, "mission": mission}
    return render(request, "missions/move.html", {**shown, "form": form, **context}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_end_page(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """End a started mission, never before its latest stage."""

    def end(mission: Mission, said: dict[str, Any]) -> None:
        end_mission(mission, at=said.get("at") or timezone.now(), actor=actor)

    texts = {
        "title": _("End this mission?"),
        "button": _("End it"),
        "words": _(
            "Nothing more is expected of its driver. What the phone still sends of before then"
            " is kept; its end is never before its latest stage."
        ),
        "said": _("The mission has ended."),
    }
    return _moment_page(request, actor, mission_id, end, texts)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_cancel_page(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """Call a mission off, for good."""

    def cancel(mission: Mission, said: dict[str, Any]) -> None:
        cancel_mission(mission, at=said.get("at"), actor=actor)

    texts = {
        "title": _("Call this mission off?"),
        "button": _("Call it off"),
        "words": _("It cannot be undone. What was recorded of it stays."),
        "said": _("The mission is called off."),
    }
    return _moment_page(request, actor, mission_id, cancel, texts)


def _moment_page(
    request: HttpRequest,
    actor: Actor,
    mission_id: UUID,
    do: Callable[[Mission, dict[str, Any]], None],
    texts: dict[str, str],
) -> HttpResponse:
    mission = mission_of(actor, mission_id)
    zone = ZoneInfo(actor.employer.timezone)
    has_moment = mission.opened_at is not None
    sent = request.POST if request.method == "POST" else None
    form: Lenient = MomentForm(zone, _("When"), sent) if has_moment else Lenient(sent)
    if sent is None:
        return move_page(request, actor, mission, form, 200, **texts)
    asked = asked_of(form, MomentRequest(data=said_in(form))) if form.is_valid() else None
    if not done(form, asked, lambda moment: do(mission, moment)):
        return move_page(request, actor, mission, form, 400, **texts)
    messages.success(request, texts["said"])
    return redirect("mission_page", mission_id)
