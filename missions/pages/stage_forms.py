"""The pages on which a dispatcher says what happened, for a driver who telephoned.

A stage is entered, corrected or taken back, and a stop's result said, by entering.py and
stops.py: what a phone sent stays beside its correction, with the reason and who said so.
"""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from missions.entering import enter_stage, stage_asked_for
from missions.models import Mission, StageEvent, Stop, StopResult
from missions.pages.forms_moves import ResultForm, StageForm
from missions.pages.local_times import typed
from missions.pages.mission_moves import asked_of, done, mission_of, move_page, said_in
from missions.proof_words import REASONS, RESULTS, STAGES, moment
from missions.requests import NewStage, ResultRequest
from missions.stages import Stage
from missions.stops import set_stop_result


def _stages(mission: Mission, zone: str) -> list[dict[str, Any]]:
    """What stands, in order, each with the page that corrects it; none of a hidden driver."""
    rows = (
        mission.stage_events.filter(corrections=None, is_retraction=False, driver__frozen_at=None)
        .select_related("stop__site")
        .order_by("recorded_at", "id")
    )
    return [
        {
            "id": row.uuid,
            "at": moment(row.recorded_at, zone),
            "stage": STAGES[Stage(row.stage).label],
            "reason": REASONS.get(row.reason, ""),
            "stop": _name(row.stop),
            "is_entered": row.author_id is not None,
        }
        for row in rows
    ]


def _name(stop: Stop | None) -> str:
    if stop is None:
        return ""
    return f"{stop.seq}. {stop.site.name}" if stop.site else str(stop.seq)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def stage_new(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """Enter a stage for whoever drove at that moment. Beside it: what stands already."""
    mission = mission_of(actor, mission_id)
    zone = ZoneInfo(actor.employer.timezone)
    sent = request.POST if request.method == "POST" else None
    begin = {"recorded_at": typed(timezone.now().replace(second=0), zone)}
    form = StageForm(zone, list(mission.stops.all()), sent, initial=begin, is_correction=False)
    if sent is not None and _enter(actor, mission, form, {}):
        messages.success(request, _("The stage is entered."))
        return redirect("mission_page", mission_id)
    texts = {
        "title": _("Enter a stage"),
        "button": _("Enter it"),
        "words": _(
            "For whoever drove at that moment. It is marked as entered by the dispatcher and has"
            " no position."
        ),
        "stages": _stages(mission, zone.key),
    }
    return move_page(request, actor, mission, form, 200 if sent is None else 400, **texts)


def _enter(actor: Actor, mission: Mission, form: StageForm, also: dict[str, Any]) -> bool:
    asked = asked_of(form, NewStage(data={**said_in(form), **also})) if form.is_valid() else None
    return done(
        form,
        asked,
        lambda said: enter_stage(mission, stage_asked_for(mission, said), actor=actor),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def stage_correct(
    request: HttpRequest, actor: Actor, mission_id: UUID, stage_id: UUID
) -> HttpResponse:
    """Say what was so instead, or that it did not happen, and why."""
    mission = mission_of(actor, mission_id)
    zone = ZoneInfo(actor.employer.timezone)
    wrong = _correctable(mission, stage_id)
    begin = {
        "stage": Stage(wrong.stage).label,
        "recorded_at": typed(wrong.recorded_at, zone),
        "stop": str(wrong.stop.uuid) if wrong.stop else "",
        "reason": wrong.reason if wrong.stage == Stage.EXCEPTION else "",
        "ends_mission": wrong.ends_mission,
    }
    sent = request.POST if request.method == "POST" else None
    form = StageForm(zone, list(mission.stops.all()), sent, initial=begin, is_correction=True)
    also: dict[str, Any] = {"corrects": str(wrong.uuid)}
    if sent is not None and "retract" in sent:
        also["is_retraction"] = True
    elif sent is not None and sent.get("recorded_at") == begin["recorded_at"]:
        # Untouched, it is the very moment that the phone said, not the minute.
        also["recorded_at"] = wrong.recorded_at.isoformat()
    if sent is not None and _enter(actor, mission, form, also):
        messages.success(request, _("The stage is corrected. What was said first stays beside it."))
        return redirect("mission_page", mission_id)
    texts = {
        "title": _("Correct a stage"),
        "button": _("Correct it"),
        "retract": True,
        "words": f"{STAGES[Stage(wrong.stage).label]}, {moment(wrong.recorded_at, zone.key)}",
    }
    return move_page(request, actor, mission, form, 200 if sent is None else 400, **texts)


def _correctable(mission: Mission, stage_id: UUID) -> StageEvent:
    """A stage of this mission that stands, or was corrected since. 404 for a hidden driver's."""
    found = mission.stage_events.filter(
        uuid=stage_id, driver__frozen_at=None, is_retraction=False
    ).select_related("stop")
    stage = found.first()
    if stage is None:
        raise Http404
    return stage


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def stop_result_new(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """Say how a stop ended; the last one's result ends the mission."""
    mission = mission_of(actor, mission_id)
    zone = ZoneInfo(actor.employer.timezone)
    stops = {str(stop.uuid): stop for stop in mission.stops.all()}
    sent = request.POST if request.method == "POST" else None
    begin = {"stop": request.GET.get("stop", "")}
    form = ResultForm(zone, list(stops.values()), sent, initial=begin)
    if sent is not None and _said(actor, stops, form):
        messages.success(request, _("It is said how the stop ended."))
        return redirect("mission_page", mission_id)
    texts = {
        "title": _("Say how a stop ended"),
        "button": _("Say so"),
        "words": _("What is said here holds over what a phone said before, or sends later."),
        "results": [
            {"stop": _name(stop), "result": RESULTS[stop.result]} for stop in stops.values()
        ],
    }
    return move_page(request, actor, mission, form, 200 if sent is None else 400, **texts)


def _said(actor: Actor, stops: dict[str, Stop], form: ResultForm) -> bool:
    if not form.is_valid():
        return False
    said = said_in(form)
    stop = stops[said.pop("stop")]

    def say(asked: dict[str, Any]) -> None:
        set_stop_result(
            stop,
            StopResult(asked["result"]),
            reason=asked.get("reason", ""),
            remark=asked.get("remark"),
            at=asked.get("at") or timezone.now(),
            actor=actor,
        )

    return done(form, asked_of(form, ResultRequest(data=said)), say)
