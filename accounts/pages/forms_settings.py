"""The form of an employer's settings, with what each of them means for the drivers."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.employers import MAX_SPACING_M, zones
from accounts.models import Employer, TrackingWindow
from accounts.pages.edits import EditForm, country_field

WINDOWS: Final = [
    (TrackingWindow.MISSION, _("while a mission is open")),
    (TrackingWindow.DUTY, _("while a driver is on duty or a mission is open")),
    (TrackingWindow.ALWAYS, _("always, with a recorded reason")),
]
MINUTE_S: Final = 60
# Named in minutes on the page, kept in seconds.
IN_MINUTES: Final = ("early_s", "late_s")
# Which fields stand together, under which heading.
PARTS: Final = {
    "company": ("name", "country", "timezone", "language"),
    "tracking": (
        "tracking_window",
        "window_justification",
        "staff_informed_on",
        "min_spacing_m",
        "route_months",
    ),
    "punctuality": ("early_s", "late_s"),
    "sharing": ("is_share_enabled", "is_shared_position_exact"),
    "signing_in": ("is_two_factor_required",),
}


class EmployerForm(EditForm):
    """The settings; what changes holds from the next fix on."""

    name = forms.CharField(max_length=200, label=_("Name"))
    country = country_field(_("Country"))
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("The clocks of all pages and files, and where a day begins."),
    )
    language = forms.ChoiceField(
        choices=settings.LANGUAGES,
        label=_("Language"),
        help_text=_("Of what is sent and printed in the company's name."),
    )
    tracking_window = forms.ChoiceField(
        choices=WINDOWS,
        label=_("Drivers are tracked"),
        help_text=_(
            "What a phone sends outside this time is not stored. A break does not end it; "
            "private mode does, whatever is chosen here."
        ),
    )
    window_justification = forms.CharField(
        required=False,
        max_length=5000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Reason for tracking always"),
        help_text=_(
            "Only for “always”: why less is not enough, and who agreed. Drivers may ask for it."
        ),
    )
    staff_informed_on = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        label=_("Staff informed on"),
        help_text=_("Needed for “always”; the law asks for it in any case, before tracking."),
    )
    min_spacing_m = forms.IntegerField(
        min_value=0,
        max_value=MAX_SPACING_M,
        label=_("Least distance between two fixes, in metres"),
        help_text=_("500 keeps the route readable. Stages are kept however near they are."),
    )
    route_months = forms.IntegerField(
        min_value=1,
        max_value=12,
        label=_("Months that routes are kept"),
        help_text=_(
            "2 is what the authorities take for enough. Longer, up to 12, only where the service "
            "cannot be proved otherwise; write down why."
        ),
    )
    early_s = forms.IntegerField(
        min_value=0,
        max_value=1440,
        label=_("Minutes early that are on time"),
        help_text=_("For a planned time; a time window has its own two ends."),
    )
    late_s = forms.IntegerField(
        min_value=0, max_value=1440, label=_("Minutes late that are on time")
    )
    is_share_enabled = forms.BooleanField(
        required=False,
        label=_("A consignee may be sent a link to one stop"),
        help_text=_(
            "The link shows the stop, its window and, only while that stop is the next one, "
            "roughly where the truck is: to some kilometres. No driver's name, no other stop. "
            "It ends by itself and can be taken back."
        ),
    )
    is_shared_position_exact = forms.BooleanField(
        required=False,
        label=_("Such a link shows the exact position"),
        help_text=_("A stranger then sees to the metre where your driver is. Tell the drivers."),
    )
    is_two_factor_required = forms.BooleanField(
        required=False,
        label=_("Every user needs a second factor"),
        help_text=_(
            "A code of an app on the phone besides the password. Who has none is led to setting "
            "it up, you too, and can do nothing else until it is done. API keys are not affected."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["timezone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 (declared just above)
        zone.choices = [(name, name.replace("_", " ")) for name in zones()]

    def changes(self) -> dict[str, Any]:
        """What was changed, in the units that are kept."""
        found = {name: self.cleaned_data[name] for name in self.changed_data}
        for name in IN_MINUTES:
            if name in found:
                found[name] *= MINUTE_S
        if "country" in found:
            found["country"] = found["country"].upper()
        return found

    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields by the heading they stand under."""
        return {part: [self[name] for name in names] for part, names in PARTS.items()}


def settings_of(employer: Employer) -> dict[str, Any]:
    """The values of the form as they are now. Odd seconds are shown as the minute before."""
    values = {name: getattr(employer, name) for names in PARTS.values() for name in names}
    return {
        name: value // MINUTE_S if name in IN_MINUTES else value for name, value in values.items()
    }
