"""The forms of drivers, trucks and who drives which."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.drivers import visible_drivers
from accounts.models import Driver
from accounts.trucks import MAX_PLATE

# Django's fields can be subscripted in annotations only.
if TYPE_CHECKING:
    OneDriver: TypeAlias = forms.ModelChoiceField[Driver]
else:
    OneDriver = forms.ModelChoiceField


class DriverForm(forms.Form):
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


class TruckForm(forms.Form):
    """What is written on the truck, and what you call it."""

    plate = forms.CharField(max_length=MAX_PLATE, label=_("Plate"))
    country = forms.CharField(
        max_length=2,
        initial="BE",
        label=_("Country of the plate"),
        help_text=_("Two letters, such as BE, NL or FR."),
        validators=[RegexValidator(r"^[A-Za-z]{2}\Z", _("A country has two letters, such as BE."))],
    )
    name = forms.CharField(
        max_length=100,
        required=False,
        label=_("Name"),
        help_text=_("As you call it, such as “truck 12”."),
    )


class LocalMoment(forms.DateTimeField):
    """A moment on the employer's clocks; one that does not exist or comes twice is refused."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class DriverChoice(OneDriver):
    """A driver by the id that the API uses, shown by name and number."""

    def label_from_instance(self, driver: Driver) -> str:
        name = driver.name or str(_("without a name"))
        return f"{name} ({driver.number})" if driver.number else name


class GiveTruckForm(forms.Form):
    """Who drives the truck, and when."""

    driver = DriverChoice(Driver.objects.none(), to_field_name="uuid", label=_("Driver"))
    begin = LocalMoment(required=False, label=_("From"), help_text=_("Empty: from now on."))
    end = LocalMoment(required=False, label=_("Until"), help_text=_("Empty: until further notice."))

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drivers = self.fields["driver"]
        assert isinstance(drivers, DriverChoice)  # noqa: S101 (declared just above)
        drivers.queryset = visible_drivers(actor).order_by("name_folded", "id")


class CorrectForm(GiveTruckForm):
    """What was true all along of an assignment; empty has no bound."""

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self.fields["begin"].help_text = _("Empty: always.")


class EndForm(forms.Form):
    """When the driver gave the truck back."""

    at = LocalMoment(required=False, label=_("Given back at"), help_text=_("Empty: now."))
