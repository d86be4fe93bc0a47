"""The form of a site. It only reads what was typed: the API's serializer judges it."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.employers import zones
from missions.models import Site, SiteKind

KINDS: Final = {
    SiteKind.CUSTOMER: pgettext_lazy("kind of a site", "customer"),
    SiteKind.WAREHOUSE: pgettext_lazy("kind of a site", "warehouse"),
    SiteKind.DEPOT: pgettext_lazy("kind of a site", "depot"),
    SiteKind.OTHER: pgettext_lazy("kind of a site", "other"),
}
FIELDS: Final = (
    "name",
    "kind",
    "address",
    "country",
    "latitude",
    "longitude",
    "radius_m",
    "timezone",
    "language",
    "contact_name",
    "contact_phone",
    "external_id",
)


def _degrees(label: Any, example: str) -> forms.CharField:
    return forms.CharField(
        max_length=30,
        required=False,
        label=label,
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "placeholder": example, "autocomplete": "off"}
        ),
    )


class SiteForm(forms.Form):
    """What people know of a place."""

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=list(KINDS.items()))
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        help_text=_("Two letters, such as BE."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "size": 4}),
    )
    latitude = _degrees(_("Latitude"), "50.8467")
    longitude = _degrees(_("Longitude"), "4.3525")
    radius_m = forms.CharField(
        label=_("Radius in metres"),
        help_text=_(
            "How far from the point still counts as there. Take more for an industrial zone."
        ),
        widget=forms.NumberInput(attrs={"min": 1, "max": 50_000}),
    )
    timezone = forms.ChoiceField(label=_("Time zone"), required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        help_text=_("Of the people there: the proof of delivery is written in it."),
    )
    contact_name = forms.CharField(label=_("Contact"), max_length=200, required=False)
    contact_phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    external_id = forms.CharField(
        label=_("Your own number"),
        max_length=100,
        required=False,
        help_text=_("As your other systems and your tables call it. Once each."),
    )

    def __init__(self, site: Site | None, *args: Any, **kwargs: Any) -> None:
        shown = _shown(site) if site else {"kind": SiteKind.CUSTOMER, "radius_m": 150}
        kwargs["initial"] = {**shown, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self._is_there = site is not None
        zone = site.timezone if site else ""
        as_employer = ("", _("as the employer's"))
        offered = [name for name in zones() if name.startswith("Europe/")]
        kept = [] if zone in {"", *offered} else [zone]
        self._offer("timezone", [as_employer, *((name, name) for name in (*kept, *offered))])
        self._offer("language", [as_employer, *settings.LANGUAGES])

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = choices

    def asked(self) -> dict[str, Any]:
        """What was typed, as the API takes it: nothing for a blank point or number.

        Of a site that is there, only what was changed: its other fields stay as they are to
        the last digit.
        """
        said: dict[str, Any] = dict(self.cleaned_data)
        for name in ("latitude", "longitude"):
            said[name] = said.get(name, "").replace(",", ".") or None
        said["external_id"] = said.get("external_id") or None
        said["country"] = said.get("country", "").upper()
        if not self._is_there:
            return said
        return {name: said[name] for name in self.changed_data if name in said}


def _shown(site: Site) -> dict[str, Any]:
    """As it is stored; degrees with their seven decimals at most, whatever was computed."""
    shown = {name: getattr(site, name) for name in FIELDS}
    for name in ("latitude", "longitude"):
        value = shown[name]
        shown[name] = "" if value is None else f"{value:.7f}".rstrip("0").rstrip(".")
    return shown
