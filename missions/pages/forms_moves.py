"""The small forms by which a dispatcher moves a mission, and says what happened on it.

They read what was typed; requests.py and the rules judge it.
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from missions.models import Stop
from missions.pages.forms_missions import Lenient, Offers, people_fields
from missions.pages.local_times import LocalTimeField
from missions.proof_words import REASONS, RESULTS, STAGES

NO_REASON = ("", gettext_lazy("none"))


def _reason(hint: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[NO_REASON, *REASONS.items()],
        required=False,
        help_text=hint,
    )


def _remark() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Remark"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AssignForm(Lenient):
    """Who drives from now on, or from a moment on, and in which truck."""

    def __init__(self, offers: Offers, *args: Any, has_moment: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= people_fields(offers, _("choose"), required=True)
        if has_moment:
            self.fields["at"] = LocalTimeField(
                offers.zone,
                label=_("From when on"),
                help_text=_("Empty: from now on. What was driven before stays with who drove it."),
            )


class MomentForm(Lenient):
    """A moment, now when it is left empty."""

    def __init__(self, zone: ZoneInfo, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"] = LocalTimeField(zone, label=label, help_text=_("Empty: now."))


class StageForm(Lenient):
    """A stage as the driver told it, by telephone."""

    stage = forms.ChoiceField(
        label=gettext_lazy("What happened"), choices=[("", gettext_lazy("choose")), *STAGES.items()]
    )
    reason = _reason(gettext_lazy("For an exception, and for nothing else."))
    remark = _remark()
    ends_mission = forms.BooleanField(
        label=gettext_lazy("The mission ends with it"), required=False
    )

    def __init__(
        self, zone: ZoneInfo, stops: Sequence[Stop], *args: Any, is_correction: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recorded_at"] = LocalTimeField(zone, required=True, label=_("When"))
        self.fields["stop"] = forms.ChoiceField(
            label=_("At which stop"), choices=[("", _("at none")), *named(stops)], required=False
        )
        self.order_fields(["stage", "recorded_at", "stop", "reason", "remark", "ends_mission"])
        if is_correction:
            self.fields["remark"].label = _("Why it is corrected")


class ResultForm(Lenient):
    """How a stop ended."""

    result = forms.ChoiceField(
        label=gettext_lazy("How it ended"),
        choices=[("", gettext_lazy("choose")), *((k, v) for k, v in RESULTS.items() if k)],
    )
    reason = _reason(gettext_lazy("Needed where it failed, or succeeded in part."))
    remark = _remark()

    def __init__(self, zone: ZoneInfo, stops: Sequence[Stop], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stop"] = forms.ChoiceField(label=_("Stop"), choices=named(stops))
        self.fields["at"] = LocalTimeField(zone, label=_("When"), help_text=_("Empty: now."))
        self.order_fields(["stop", "result", "reason", "at", "remark"])


def named(stops: Sequence[Stop]) -> list[tuple[str, str]]:
    """Each stop by its id, with its place and the name of its site."""
    return [
        (str(stop.uuid), f"{stop.seq}. {stop.site.name if stop.site else _('stop without a site')}")
        for stop in stops
    ]
