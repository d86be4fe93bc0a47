"""Two people changed one mission: put both together, field by field, for one of them to look at.

What only the other changed is taken over; what both changed stays as this person typed it,
with a note of how it is now. Nothing is stored by this.
"""

from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from missions.edits import Edits, edits_since
from missions.models import Mission
from missions.pages.forms_missions import Forms, Offers
from missions.pages.mission_rows import ON, STOP_FLAGS, Fields, MissionRow, StopRow, filled
from missions.proof_words import PURPOSES, moment

_KEPT: Final = frozenset({"id"})


@dataclass
class Merged:
    """The mission as it would be saved now, and what is to be said of its fields.

    `notes` are by the place of the stop (None: the mission itself) and the field's name, and
    hold how it is now; None: it is only said that it was changed. `stop_notes` are by place.
    """

    row: MissionRow
    notes: dict[tuple[int | None, str], str | None] = field(default_factory=dict)
    stop_notes: dict[int, str] = field(default_factory=dict)


def told(mission: Mission, version: int, zone: ZoneInfo) -> list[str]:
    """Who changed it since a version and when; empty when only phones and clocks did."""
    edits: Edits = edits_since(mission, version)
    people = {(edit.name or _("another system"), edit.at) for edit in edits.fields}
    return [
        f"{name}, {moment(at, zone.key)}" for name, at in sorted(people, key=lambda one: one[1])
    ]


def merged(sent: MissionRow, base: MissionRow, now: MissionRow) -> Merged:
    """What this person sent, on top of how the mission is now."""
    found = Merged(MissionRow({}, []))
    found.row.head = _fields(found, None, (sent.head, base.head, now.head))
    was, is_now = base.by_id(), now.by_id()
    for row in sent.stops:
        place = len(found.row.stops)
        if not row.id or row.id not in was:
            found.row.stops.append(row)
        elif row.id in is_now:
            three = (row, was[row.id], is_now[row.id])
            found.row.stops.append(_stop(found, place, three))
        else:
            found.stop_notes[place] = _("It was removed meanwhile; saving adds it again.")
            found.row.stops.append(StopRow({**row.fields, "id": ""}, row.goods))
    for id, stop in is_now.items():
        if id not in was:
            found.stop_notes[len(found.row.stops)] = _("It was added meanwhile.")
            found.row.stops.append(stop)
    return found


def _stop(found: Merged, place: int, three: tuple[StopRow, StopRow, StopRow]) -> StopRow:
    sent, base, now = three
    fields = _fields(found, place, (sent.fields, base.fields, now.fields))
    lines = [[line for _place, line in filled(row.goods)] for row in three]
    if lines[1] == lines[2]:
        return StopRow(fields, sent.goods)
    is_mine = lines[0] != lines[1]
    said = _("Its goods were changed meanwhile; yours stand here.")
    found.stop_notes[place] = said if is_mine else _("Its goods were changed meanwhile.")
    return StopRow(fields, sent.goods if is_mine else now.goods)


def _fields(found: Merged, place: int | None, three: tuple[Fields, Fields, Fields]) -> Fields:
    sent, base, now = three
    fields = {}
    for name in sent:
        mine, before, theirs = sent[name], base.get(name, ""), now.get(name, "")
        is_mine, is_theirs = mine != before, theirs != before
        fields[name] = theirs if is_theirs and not is_mine else mine
        if is_theirs and mine != theirs and name not in _KEPT:
            found.notes[place, name] = theirs if is_mine else None
    return fields


def put_notes(forms: Forms, found: Merged, offers: Offers) -> None:
    """Say at each field what became of it meanwhile, as its hint."""
    labels = {"driver": dict(offers.drivers), "truck": dict(offers.trucks), "purpose": PURPOSES}
    for (place, name), theirs in found.notes.items():
        form = forms.head if place is None else forms.stops[place].stop
        if name not in form.fields:
            continue
        if theirs is None:
            said = _("Changed meanwhile.")
        else:
            shown = _shown(name, theirs, labels.get(name, {}))
            said = _("Meanwhile it was changed to: %(value)s") % {"value": shown}
        form.fields[name].help_text = said
        form.fields[name].is_note = True  # type: ignore[attr-defined]  # for the template


def _shown(name: str, theirs: str, labels: object) -> str:
    if name in STOP_FLAGS or name == "is_draft":
        return _("yes") if theirs == ON else _("no")
    known = str(labels.get(theirs, "")) if isinstance(labels, dict) else ""
    if name.endswith("_at"):
        theirs = theirs.replace("T", " ")
    return known or theirs or _("empty")
