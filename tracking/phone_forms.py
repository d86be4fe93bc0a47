"""The forms that set up a phone, and those of the page of one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.driver_choice import DriverChoice, offer_drivers
from accounts.drivers import visible_drivers
from accounts.models import Driver
from tracking.phone_clients import CLIENTS

OWN_APP = "milepost"


class PhoneForm(forms.Form):
    """Whose phone, which app, and what to call it."""

    driver = DriverChoice(label=_("Driver"))
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
        offer_drivers(self, visible_drivers(actor))


class HandOverForm(forms.Form):
    """Who carries the phone from now on."""

    driver = DriverChoice(label=_("New driver"))

    def __init__(self, actor: Actor, holder: Driver | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = visible_drivers(actor)
        if holder is not None:
            others = others.exclude(pk=holder.pk)
        offer_drivers(self, others)


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
