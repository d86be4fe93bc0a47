"""The forms that set up a phone, and those of the page of one."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.drivers import visible_drivers
from accounts.models import Driver
from tracking.phone_clients import CLIENTS

OWN_APP = "milepost"

# Django's fields can be subscripted in annotations only.
if TYPE_CHECKING:
    OneDriver: TypeAlias = forms.ModelChoiceField[Driver]
else:
    OneDriver = forms.ModelChoiceField


class DriverChoice(OneDriver):
    """A driver by the id that the API uses, shown by name and number."""

    def label_from_instance(self, driver: Driver) -> str:
        name = driver.name or str(_("without a name"))
        return f"{name} ({driver.number})" if driver.number else name


class PhoneForm(forms.Form):
    """Whose phone, which app, and what to call it."""

    driver = DriverChoice(Driver.objects.none(), to_field_name="uuid", label=_("Driver"))
    client = forms.ChoiceField(
        choices=[
            (OWN_APP, _("Our own app")),
            *((client.slug, client.name) for client in CLIENTS),
        ],
        label=_("App on the phone"),
    )
    name = forms.CharField(
        max_length=40,
        label=_("Name of the phone"),
        help_text=_("As you want to see it in lists, such as “Samsung of truck 12”."),
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drivers = self.fields["driver"]
        assert isinstance(drivers, DriverChoice)  # noqa: S101 (declared just above)
        drivers.queryset = visible_drivers(actor).order_by("name_folded", "id")


class HandOverForm(forms.Form):
    """Who carries the phone from now on."""

    driver = DriverChoice(Driver.objects.none(), to_field_name="uuid", label=_("New driver"))

    def __init__(self, actor: Actor, holder: Driver | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drivers = self.fields["driver"]
        assert isinstance(drivers, DriverChoice)  # noqa: S101 (declared just above)
        others = visible_drivers(actor)
        if holder is not None:
            others = others.exclude(pk=holder.pk)
        drivers.queryset = others.order_by("name_folded", "id")


class ClientForm(forms.Form):
    """Which app, of a phone of which nobody has said it yet."""

    client = forms.ChoiceField(
        choices=[(client.slug, client.name) for client in CLIENTS], label=_("App on the phone")
    )


class PassphraseForm(forms.Form):
    """What the app encrypts with. Spaces count, as they do in the app."""

    passphrase = forms.CharField(
        max_length=100,
        strip=False,
        label=_("Passphrase of the app"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
