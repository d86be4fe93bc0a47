"""What the rules and the API's serializers refuse, said on a form in the reader's language.

The rules write one English sentence each, for machines and logs. Those that people meet on
pages have a translation here, by their code; the others are shown as they are.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.refusals import FieldError, Problem

WORDS: Final[Mapping[str, Promise]] = {
    "differs": _("There it has another value."),
    "request_differs": _("Another mission has this number already."),
    "not_available": _("This driver or truck is not available."),
    "draft": _("A draft has no driver yet."),
    "stop_in_use": _(
        "A stop with stages or a result stays: somebody has been there. Nothing was changed."
    ),
    "site_in_use": _("Missions stop at this site, so it stays."),
    "in_future": _("This moment lies in the future."),
    "move_refused": _("The mission's status does not allow this now."),
    "already_corrected": _("This stage was corrected before."),
    "no_driver": _("Nobody drove this mission then."),
    "recorded_at_too_old": _("This is too long ago to be entered."),
    "reason_and_stage": _("An exception has a reason from the list, and no other stage has one."),
    "reason_and_result": _("What succeeded has no reason: then it succeeded in part."),
    "overlaps": _("It overlaps with what is there already."),
    "over_midnight": _(
        "It closes after it opens. For open over midnight: close at 00:00, and open at 00:00 on"
        " the day after."
    ),
    "already_taken": _("Another one has this number already."),
    "refused_url": _("An https address is needed, without a user, a password or a fragment."),
    "refused_address": _("This name leads to an address that is not on the public internet."),
    "name": _("This name leads to no address."),
    "timeout": _("This name could not be looked up in time; try again."),
    "too_many_endpoints": _("There are as many webhooks as there may be: remove one first."),
    "endpoint_disabled": _("This webhook is off: switch it on first."),
    "share_disabled": _("Sharing is off; a manager can turn it on in the settings."),
    "too_many_links": _("This stop has as many links as it may have: take some back first."),
    "does_not_exist": _("There is no such stop on this mission."),
}
BY_SENTENCE: Final[Mapping[str, Promise]] = {
    "The plan ends before it starts.": _("The plan ends before it starts."),
    "Say why it was not delivered.": _("Say why it was not delivered."),
    "Say why it is corrected.": _("Say why it is corrected."),
    "This mission never started: cancel it instead.": _(
        "This mission never started: cancel it instead."
    ),
    "This is before window_start_at.": _("This is before the window begins."),
    "This is before planned_arrival_at.": _("This is before the planned arrival."),
    "A site has a latitude and a longitude, or neither.": _(
        "A site has a latitude and a longitude, or neither."
    ),
    "This moment is past.": _("This moment is past."),
    "A link works for 30 days at most.": _("A link works for 30 days at most."),
    "The mission ended more than 24 hours ago: say until when the link shall work.": _(
        "The mission ended more than 24 hours ago: say until when the link shall work."
    ),
    "Two stops have the same external_id.": _("Two stops have the same number."),
}
# The field of a form that a field of the API is.
NameOf = Callable[[tuple[str, ...]], str | None]


def sentence(code: str, detail: str) -> str:
    """What to tell a person: by the very words, else by the code, else what the rule said."""
    return str(BY_SENTENCE.get(detail) or WORDS.get(code) or detail)


def flat(errors: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """A serializer's errors one by one, each with the path of names and places to its field."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from flat(inner, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(errors, list):
        for inner in errors:
            yield from flat(inner, path)
    else:
        yield path, sentence(getattr(errors, "code", "") or "", str(errors))


def add_errors(form: forms.Form, errors: Any) -> None:
    """A serializer's errors at the form's fields of the same names, others above the form."""
    for path, said in flat(errors):
        name = path[0] if path and path[0] in form.fields else None
        form.add_error(name, said)


def add_problem(form: forms.Form, refused: Problem) -> None:
    """A rule's refusal, at the field that it names if the form has it."""
    named = [error for error in refused.errors if _field_of(error) in form.fields]
    for error in named:
        form.add_error(_field_of(error), sentence(error.code, error.detail))
    if refused.detail not in {error.detail for error in named}:
        form.add_error(None, sentence(refused.code, refused.detail))


def _field_of(error: FieldError) -> str:
    return error.pointer.strip("/").split("/")[0]
