"""The forms of drivers, trucks and who drives which."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.driver_choice import DriverChoice, offer_drivers
from accounts.drivers import visible_drivers
from accounts.moments import EARLIEST, LATEST
from accounts.pages.edits import EditForm, country_field
from accounts.trucks import MAX_PLATE


class DriverForm(EditForm):
    """Who the driver is. Saving a new one is the employer's word that the person is 18."""

    name = forms.CharField(max_length=200, label=_("Name"))
    number = forms.CharField(
        max_length=50,
        required=False,
        label=_("Number"),
        help_text=_("Your own staff number, if you have one; each is used once."),
    )
    language = forms.ChoiceField(
        choices=[("", _("Not known")), *settings.LANGUAGES],
        required=False,
        label=_("Language"),
        help_text=_("What the driver reads on the phone."),
    )


class NewDriverForm(DriverForm):
    """A new driver, with the attestation in so many words."""

    is_adult = forms.BooleanField(label=_("This person is 18 or older."))


class TruckForm(EditForm):
    """What is written on the truck, and what you call it."""

    plate = forms.CharField(max_length=MAX_PLATE, label=_("Plate"))
    country = country_field(_("Country of the plate"), initial="BE")
    name = forms.CharField(
        max_length=100,
        required=False,
        label=_("Name"),
        help_text=_("As you call it, such as “truck 12”."),
    )


class LocalMoment(forms.DateTimeField):
    """A moment on the employer's clocks; one that does not exist or comes twice is refused.

    `kept` is what an edit began with: the form shows its minute, and that minute, sent back
    as it was, means this very moment, also where the clocks showed it twice.
    """

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    kept: datetime | None = None

    def to_python(self, value: Any) -> datetime | None:
        """In UTC. As in the API, a year that nobody means is refused: it breaks what reads it."""
        if self.kept is not None and value == self._shown(self.kept):
            return self.kept
        try:
            found = super().to_python(value)
            if found is None or EARLIEST <= (found := found.astimezone(UTC)) < LATEST:
                return found
        except OverflowError:
            pass
        raise ValidationError(self.error_messages["invalid"], code="invalid")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (self.kept if self.kept is not None else initial)
        except ValidationError:
            return True

    def _shown(self, at: datetime) -> str | None:
        return self.widget.format_value(timezone.make_naive(at))


class GiveTruckForm(forms.Form):
    """Who drives the truck, and when."""

    driver = DriverChoice(label=_("Driver"))
    begin = LocalMoment(required=False, label=_("From"), help_text=_("Empty: from now on."))
    end = LocalMoment(required=False, label=_("Until"), help_text=_("Empty: until further notice."))

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_drivers(self, visible_drivers(actor))


class CorrectForm(GiveTruckForm):
    """What was true all along of an assignment; empty has no bound."""

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self.fields["begin"].help_text = _("Empty: always.")
        for name in ("begin", "end"):
            moment = self.fields[name]
            assert isinstance(moment, LocalMoment)  # noqa: S101 (declared above)
            moment.kept = self.initial.get(name)


class EndForm(forms.Form):
    """When the driver gave the truck back."""

    at = LocalMoment(required=False, label=_("Given back at"), help_text=_("Empty: now."))
