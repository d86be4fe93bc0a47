"""Store what a form says of a mission: through the API's serializers, by the API's rules.

All of it or nothing, in one transaction. Of a mission that is there, only what differs from
what the person was shown is asked for, so nobody's change is undone by a form that is older.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound

from accounts.actors import Actor
from accounts.refusals import Problem
from missions.changing import change_mission
from missions.lifecycle import create_mission, locked
from missions.models import Mission, Site, Stop
from missions.pages.forms_missions import Forms, StopForms
from missions.pages.mission_rows import (
    MINUTES,
    NEW_SITE,
    STOP_FLAGS,
    STOP_TEXTS,
    STOP_TIMES,
    Fields,
    MissionRow,
    StopRow,
    filled,
)
from missions.pages.refusals import add_problem, flat
from missions.pages.site_names import SiteNames
from missions.requests import MissionFields, NewMission, StopFields
from missions.serializers import SiteSerializer
from missions.sites import create_site
from missions.stops import add_stop, change_stop, remove_stop, reorder_stops

_FORM_NAME: Final = {column: name for name, column in MINUTES.items()}
_SITE_FORM_NAME: Final = {name.removeprefix("new_site_"): name for name in NEW_SITE}


class NotSaved(Exception):
    """Nothing was stored; the forms say why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, as text and as forms that have read it."""

    row: MissionRow
    forms: Forms
    names: SiteNames


@transaction.atomic
def make_mission(actor: Actor, sent: Sent) -> tuple[Mission, bool]:
    """The mission, and whether this made it. NotSaved when it cannot be."""
    _refuse_unread(sent)
    data = {name: value for name, value in _head(sent).items() if value not in ("", None)}
    data["stops"] = [_stop_data(actor, sent, place, {}) for place in range(len(sent.row.stops))]
    _refuse_unread(sent)
    asked = NewMission(data=data, context={"employer": actor.employer})
    if not _is_valid(asked, sent):
        _put_errors(sent, asked.errors)
        raise NotSaved
    try:
        made = create_mission(actor.employer, asked.plan(), actor=actor)
    except Problem as refused:
        add_problem(sent.forms.head, refused)
        raise NotSaved from None
    return made.mission, made.is_new


@transaction.atomic
def save_changes(actor: Actor, mission: Mission, sent: Sent, base: MissionRow) -> Mission:
    """Change what differs from `base`, which the person was shown. NotSaved when it cannot be."""
    _refuse_unread(sent)
    mission = locked(mission)
    try:
        _change_head(actor, mission, sent, base)
        _change_stops(actor, mission, sent, base)
    except Problem as refused:
        add_problem(sent.forms.head, refused)
        raise NotSaved from None
    return locked(mission)


def _refuse_unread(sent: Sent) -> None:
    """NotSaved when a form holds what it cannot read, or an error was put on one."""
    if not sent.forms.are_valid():
        raise NotSaved


def _is_valid(asked: Any, sent: Sent) -> bool:
    try:
        return bool(asked.is_valid())
    except NotFound:
        # Gone since the form was shown.
        sent.forms.head.add_error(None, _("A driver, truck or site of this form is gone."))
        raise NotSaved from None


def _head(sent: Sent) -> dict[str, Any]:
    """What the form of the mission itself says, as the API takes it."""
    form = sent.forms.head
    said: dict[str, Any] = {name: form.cleaned_data[name] for name in form.fields}
    for name in ("driver", "truck", "external_id"):
        if name in said:
            said[name] = said[name] or None
    return said


def _change_head(actor: Actor, mission: Mission, sent: Sent, base: MissionRow) -> None:
    said = _head(sent)
    changed = {
        name: value
        for name, value in said.items()
        if sent.row.head.get(name, "") != base.head.get(name, "")
    }
    if not changed:
        return
    asked = MissionFields(data=changed, partial=True, context={"employer": actor.employer})
    if not _is_valid(asked, sent):
        _put_errors(sent, asked.errors)
        raise NotSaved
    change_mission(mission, asked.validated_data, actor=actor)


def _change_stops(actor: Actor, mission: Mission, sent: Sent, base: MissionRow) -> None:
    """Add before removing: a mission whose last open stop goes would end by that."""
    stored = {str(stop.uuid): stop for stop in mission.stops.select_related("site", "mission")}
    shown = base.by_id()
    wanted = [
        _saved_stop(actor, mission, sent, place, stored.get(row.id), shown.get(row.id))
        for place, row in enumerate(sent.row.stops)
    ]
    kept = {stop.pk for stop in wanted}
    for id in shown:
        stop = stored.get(id)
        if stop is not None and stop.pk not in kept:
            remove_stop(stop, actor=actor)
    _reorder(actor, mission, [stop.uuid for stop in wanted])


def _reorder(actor: Actor, mission: Mission, wanted: list[UUID]) -> None:
    order = list(mission.stops.order_by("seq").values_list("uuid", flat=True))
    # Those that the form did not know stay last, in their order.
    wanted = [*wanted, *(uuid for uuid in order if uuid not in wanted)]
    if wanted != order:
        reorder_stops(mission, wanted, actor=actor)


def _saved_stop(
    actor: Actor, mission: Mission, sent: Sent, place: int, stored: Stop | None, was: StopRow | None
) -> Stop:
    data = _stop_data(actor, sent, place, was.fields if stored and was else {})
    if stored is not None and was is not None and not _goods_differ(sent.row.stops[place], was):
        data.pop("goods", None)
    _refuse_unread(sent)
    asked = StopFields(
        stored, data=data, partial=stored is not None, context={"employer": actor.employer}
    )
    if not _is_valid(asked, sent):
        _put_errors(sent, {"stops": {str(place): asked.errors}})
        raise NotSaved
    try:
        if stored is None:
            return add_stop(mission, asked.plan(), actor=actor)
        return change_stop(stored, asked.validated_data, actor=actor) if data else stored
    except Problem as refused:
        add_problem(sent.forms.stops[place].stop, refused)
        raise NotSaved from None


def _goods_differ(row: StopRow, was: StopRow) -> bool:
    return [line for _, line in filled(row.goods)] != [line for _, line in filled(was.goods)]


def _stop_data(actor: Actor, sent: Sent, place: int, was: Fields) -> dict[str, Any]:
    """A stop as the API takes it: what differs from how it was, of a new one what is said."""
    forms, row = sent.forms.stops[place], sent.row.stops[place]
    said = _said(forms)
    differing = {
        name: value
        for name, value in said.items()
        if row.fields.get(_FORM_NAME.get(name, name), "") != was.get(_FORM_NAME.get(name, name), "")
    }
    if row.fields.get("site", "") != was.get("site", "") or _new_site(forms):
        differing["site"] = _site(actor, sent, forms)
    differing["goods"] = [_line(line) for _, line in filled(row.goods)]
    return differing


def _said(forms: StopForms) -> dict[str, Any]:
    form = forms.stop
    said: dict[str, Any] = {
        name: form.cleaned_data.get(name) for name in (*STOP_TIMES, *STOP_FLAGS)
    }
    said |= {name: form.text(name) for name in STOP_TEXTS}
    said["external_id"] = said["external_id"] or None
    if form.text("purpose"):
        said["purpose"] = form.text("purpose")
    for name, column in MINUTES.items():
        said[column] = _seconds(forms, name)
    return said


def _seconds(forms: StopForms, name: str) -> int | None:
    """Minutes as whole seconds; the serializer says whether that may be."""
    text = forms.stop.text(name).replace(",", ".")
    if not text:
        return None
    try:
        return round(Decimal(text) * 60)
    except (InvalidOperation, ValueError, OverflowError):
        forms.stop.add_error(name, _("This is not a number of minutes."))
        return None


def _line(line: Fields) -> dict[str, Any]:
    numbers = {name: line[name].replace(",", ".") for name in ("quantity", "weight_kg")}
    said: dict[str, Any] = {**line, **numbers}
    for name in ("line_no", "weight_kg"):
        said[name] = said[name] or None
    return said


def _new_site(forms: StopForms) -> dict[str, str]:
    """What is said of a site that is not in the list yet, by the API's names."""
    said = {name: forms.stop.text(form_name) for name, form_name in _SITE_FORM_NAME.items()}
    return {name: text for name, text in said.items() if text}


def _site(actor: Actor, sent: Sent, forms: StopForms) -> str | None:
    """The id of the site that is meant, made first when it is a new one."""
    words, new = forms.stop.text("site"), _new_site(forms)
    if new and words:
        forms.stop.add_error("site", _("Choose a site or describe a new one, not both."))
        return None
    if new:
        return _made_site(actor, forms, new)
    if not words:
        return None
    found = sent.names.find(words)
    if found.site is not None:
        return str(found.site)
    if found.candidates:
        several = _("Several sites are like that: %(names)s. Type more of it.")
        forms.stop.add_error("site", several % {"names": "; ".join(found.candidates)})
    else:
        none = _("No site is called so. Choose one from the list, or describe a new one below.")
        forms.stop.add_error("site", none)
    return None


def _made_site(actor: Actor, forms: StopForms, new: Mapping[str, str]) -> str | None:
    point = {name: new[name].replace(",", ".") for name in ("latitude", "longitude") if name in new}
    asked = SiteSerializer(data={"country": actor.employer.country, **new, **point})
    if not asked.is_valid():
        for path, said in flat(asked.errors):
            name = _SITE_FORM_NAME.get(path[0] if path else "", "new_site_name")
            forms.stop.add_error(name, said)
        return None
    site: Site = create_site(actor, asked.validated_data).site
    return str(site.uuid)


def _put_errors(sent: Sent, errors: Any) -> None:
    """A serializer's errors, each at the input that it is about."""
    for path, said in flat(errors):
        if path[:1] == ("stops",) and len(path) > 1 and path[1].isdigit():
            _put_stop_error(sent, int(path[1]), path[2:], said)
        else:
            head = sent.forms.head
            head.add_error(path[0] if path and path[0] in head.fields else None, said)


def _put_stop_error(sent: Sent, place: int, path: Sequence[str], said: str) -> None:
    forms = sent.forms.stops[place]
    if path[:1] == ["goods"] or path[:1] == ("goods",):
        line = int(path[1]) if len(path) > 1 and path[1].isdigit() else 0
        places = [at for at, _line in filled(sent.row.stops[place].goods)]
        form = forms.goods[places[line] if line < len(places) else 0]
        form.add_error(path[2] if len(path) > 2 and path[2] in form.fields else None, said)
        return
    name = _FORM_NAME.get(path[0], path[0]) if path else ""
    forms.stop.add_error(name if name in forms.stop.fields else None, said)
