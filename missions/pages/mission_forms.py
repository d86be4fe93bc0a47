"""The pages that make and change a mission: one form, with its stops in order.

Without a script each button sends the form: one that adds, moves or removes a stop gets the
page back with that done and nothing stored. With one, htmx swaps only the stops.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from accounts.tenants import of_employer
from missions.lifecycle import OVER
from missions.models import Mission, MissionStatus, StopPurpose
from missions.pages.forms_missions import Forms, Offers, forms_of, offers_for
from missions.pages.mission_actions import actions_of
from missions.pages.mission_conflict import Merged, merged, put_notes, told
from missions.pages.mission_rows import (
    MissionRow,
    blank_goods,
    blank_stop,
    read_text,
    row_of,
    row_sent,
)
from missions.pages.mission_saving import NotSaved, Sent, make_mission, save_changes
from missions.pages.site_names import SiteNames
from missions.reading import shown_missions

SAVE: Final = "save"
CONFLICT: Final = 412


@dataclass
class Shown:
    """What a page of the form shows; `at` is which input has the focus, by its name."""

    row: MissionRow
    forms: Forms
    at: str = ""
    conflict: tuple[str, ...] = ()
    found: Merged | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a mission. It begins with a stop to load and one to unload, both to be filled in."""
    offers, names = offers_for(actor), SiteNames(actor.employer)
    if request.method != "POST":
        begin = [blank_stop(StopPurpose.LOAD), blank_stop(StopPurpose.UNLOAD)]
        row = MissionRow(dict.fromkeys(("driver", "truck"), ""), begin)
        row.head |= {name: request.GET.get(name, "") for name in ("driver", "truck")}
        return _page(request, actor, names, Shown(row, forms_of(row, offers, is_sent=False)))
    row = row_sent(request.POST, offers.zone)
    if (done := _rearranged(request, row)) is not None:
        return _page(request, actor, names, Shown(row, forms_of(row, offers, is_sent=False), done))
    forms = forms_of(_without_blank(row), offers, is_sent=True)
    try:
        mission, is_new = make_mission(actor, Sent(row, forms, names))
    except NotSaved:
        return _page(request, actor, names, Shown(row, forms), status=400)
    said = _("The mission is made.") if is_new else _("This mission was there already, just so.")
    messages.success(request, said)
    return redirect("mission_page", mission.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_edit(request: HttpRequest, actor: Actor, mission_id: UUID) -> HttpResponse:
    """Change a mission; who changed it meanwhile is said, and both changes are put together."""
    mission = of_employer(shown_missions(), actor, mission_id)
    offers, names = offers_for(actor, mission), SiteNames(actor.employer)
    now, without = row_of(mission, offers.zone, names), _settled(mission)
    if request.method != "POST":
        shown = Shown(now, forms_of(now, offers, is_sent=False, without=without))
        return _page(request, actor, names, shown, mission=mission, base=now)
    row, base = row_sent(request.POST, offers.zone), _base(request, now)
    _keep_settled(row, base, mission)
    if (done := _rearranged(request, row)) is not None:
        shown = Shown(row, forms_of(row, offers, is_sent=False, without=without), done)
        return _page(request, actor, names, shown, mission=mission, base=base)
    if people := _changed_by(request, mission, offers):
        found = merged(row, base, now)
        shown = _conflict(found, offers, without, people)
        return _page(request, actor, names, shown, mission=mission, base=now, status=CONFLICT)
    forms = forms_of(_without_blank(row), offers, is_sent=True, without=without)
    try:
        save_changes(actor, mission, Sent(row, forms, names), base)
    except NotSaved:
        shown = Shown(row, forms)
        return _page(request, actor, names, shown, mission=mission, base=base, status=400)
    messages.success(request, _("Saved."))
    return redirect("mission_page", mission.uuid)


def _settled(mission: Mission) -> list[str]:
    """Fields that are no longer changed here: a number never, people once it has started."""
    settled = ["external_id"]
    if mission.status != MissionStatus.DRAFT:
        settled.append("is_draft")
    if mission.status == MissionStatus.STARTED or mission.status in OVER:
        settled += ["driver", "truck"]
    return settled


def _keep_settled(row: MissionRow, base: MissionRow, mission: Mission) -> None:
    """What the form did not show is as it was, not emptied."""
    for name in _settled(mission):
        row.head[name] = base.head.get(name, "")
    if mission.status in OVER:
        row.stops = base.stops


def _base(request: HttpRequest, now: MissionRow) -> MissionRow:
    """The mission as this form was filled from it; a form that lost that counts as fresh."""
    return read_text(request.POST.get("base", "")) or now


def _changed_by(request: HttpRequest, mission: Mission, offers: Offers) -> tuple[str, ...]:
    """The people who changed it since the form was made. What phones sent changes no plan."""
    sent = request.POST.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    if version == mission.version:
        return ()
    return tuple(told(mission, version, offers.zone))


def _conflict(found: Merged, offers: Offers, without: list[str], people: tuple[str, ...]) -> Shown:
    forms = forms_of(found.row, offers, is_sent=False, without=without)
    put_notes(forms, found, offers)
    return Shown(found.row, forms, conflict=people, found=found)


def _without_blank(row: MissionRow) -> MissionRow:
    """Stops in which nothing stands are not meant: the form offers two to begin with."""
    row.stops = [
        stop
        for stop in row.stops
        if stop.id
        or any(value for name, value in stop.fields.items() if name != "purpose")
        or any(any(line.values()) for line in stop.goods)
    ]
    return row


def _rearranged(request: HttpRequest, row: MissionRow) -> str | None:
    """Do what a button of the stops asks for; where to go on. None: it is to be saved."""
    what, _dash, place = request.POST.get("do", SAVE).partition("-")
    stops = row.stops
    at = int(place) if place.isascii() and place.isdigit() else -1
    if what == "add":
        stops.append(blank_stop(StopPurpose.UNLOAD))
        return f"stops-{len(stops) - 1}-site"
    if not 0 <= at < len(stops):
        return None
    if what == "remove":
        del stops[at]
        return f"stops-{min(at, len(stops) - 1)}-site" if stops else "add"
    if what == "goods":
        stops[at].goods.append(blank_goods())
        return f"stops-{at}-goods-{len(stops[at].goods) - 1}-description"
    return _moved(row, what, at)


def _moved(row: MissionRow, what: str, at: int) -> str | None:
    to = {"up": at - 1, "down": at + 1}.get(what)
    if to is None:
        return None
    if 0 <= to < len(row.stops):
        row.stops[at], row.stops[to] = row.stops[to], row.stops[at]
        at = to
    return f"stops-{at}-site"


def _page(
    request: HttpRequest,
    actor: Actor,
    names: SiteNames,
    shown: Shown,
    *,
    mission: Mission | None = None,
    base: MissionRow | None = None,
    status: int = 200,
) -> HttpResponse:
    for one in shown.forms.stops:
        if shown.at.startswith(f"{one.stop.prefix}-"):
            _focus(one.stop, shown.at)
            for line in one.goods:
                _focus(line, shown.at)
    context: dict[str, Any] = {
        "employer": actor.employer,
        "zone": actor.employer.timezone,
        "mission": mission,
        "head": shown.forms.head,
        "stops": [
            {"forms": one, "place": place, "number": place + 1, "note": _note(shown, place)}
            for place, one in enumerate(shown.forms.stops)
        ],
        "sites": names.offered,
        "at": shown.at,
        "conflict": shown.conflict,
        "base": base.as_text() if base else "",
        "has_errors": status == 400,
        "is_over": mission is not None and mission.status in OVER,
        "actions": actions_of(mission) if mission else [],
    }
    return render(request, "missions/mission_form.html", context, status=status)


def _note(shown: Shown, place: int) -> str:
    return shown.found.stop_notes.get(place, "") if shown.found else ""


def _focus(form: Any, name: str) -> None:
    for field in form:
        if field.html_name == name:
            field.field.widget.attrs["autofocus"] = True
