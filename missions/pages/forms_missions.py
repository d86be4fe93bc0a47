"""The form of a mission: one for itself, one for each stop, one for each line of goods.

They read what was typed and show what is wrong; what may be is judged by the API's own
serializers and rules (mission_saving.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.driver_choice import listed_as
from accounts.drivers import visible_drivers
from accounts.models import Truck
from missions.models import Mission
from missions.pages.local_times import LocalTimeField
from missions.pages.mission_rows import (
    HEAD,
    NEW_SITE,
    STOP_TIMES,
    Fields,
    MissionRow,
    StopRow,
    blank_goods,
)
from missions.pages.plain_widgets import (
    PlainCheckbox,
    PlainHidden,
    PlainSelect,
    PlainText,
    PlainTextarea,
)
from missions.proof_words import PURPOSES

SITES_LIST: Final = "sites"
_MORE: Final = ("planned_service_min", "free_time_min", "reference", "external_id",
                "contact_name", "contact_phone", "remark")  # fmt: skip

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Offers:
    """What the selects of the form offer. Two queries."""

    zone: ZoneInfo
    drivers: Choices
    trucks: Choices


def offers_for(actor: Actor, mission: Mission | None = None) -> Offers:
    """Drivers who are available and trucks in service, with the truck that it has already."""
    people = visible_drivers(actor).order_by("name_folded", "id")
    drivers = [
        (str(uuid), listed_as(name, number))
        for uuid, name, number in people.values_list("uuid", "name", "number")
    ]
    trucks = Truck.objects.filter(employer=actor.employer).order_by("plate", "id")
    kept = mission.planned_truck_id if mission else None
    offered = [
        (str(truck.uuid), f"{truck.plate} ({truck.name})" if truck.name else truck.plate)
        for truck in trucks
        if truck.retired_at is None or truck.pk == kept
    ]
    return Offers(ZoneInfo(actor.employer.timezone), drivers, offered)


class Lenient(forms.Form):
    """Nothing is required here, and no input refuses before the rules do."""

    use_required_attribute = False

    def text(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")


def _text(label: Any, most: int, **attrs: Any) -> forms.CharField:
    widget = PlainText(attrs=attrs)
    return forms.CharField(label=label, max_length=most, required=False, widget=widget)


def people_fields(offers: Offers, nobody: str, *, required: bool) -> dict[str, forms.Field]:
    """Who drives, and in which truck; `nobody` is what no choice of a driver is called."""
    none = _("the driver's own, or none")
    return {
        "driver": forms.ChoiceField(
            choices=[("", nobody), *offers.drivers],
            label=_("Driver"),
            required=required,
            widget=PlainSelect,
        ),
        "truck": forms.ChoiceField(
            choices=[("", none), *offers.trucks],
            label=_("Truck"),
            required=False,
            widget=PlainSelect,
        ),
    }


class MissionForm(Lenient):
    """What is said of a mission itself."""

    external_id = _text(gettext_lazy("Your own number"), 100, autocomplete="off")
    reference = _text(gettext_lazy("Reference"), 200, autocomplete="off")
    ecmr_number = _text(gettext_lazy("e-CMR number"), 100, autocomplete="off")
    is_draft = forms.BooleanField(
        label=gettext_lazy("Draft: not to be driven yet"), required=False, widget=PlainCheckbox
    )

    def __init__(self, offers: Offers, *args: Any, without: Iterable[str] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields |= people_fields(offers, _("nobody yet"), required=False)
        for name, label in (
            ("planned_start_at", _("Planned start")),
            ("planned_end_at", _("Planned end")),
        ):
            self.fields[name] = LocalTimeField(offers.zone, label=label)
        for name in without:
            del self.fields[name]
        self.order_fields(HEAD)


class StopForm(Lenient):
    """One stop; the fields of a new site are for one that is not in the list yet."""

    id = forms.CharField(required=False, max_length=40, widget=PlainHidden)
    site = _text(gettext_lazy("Site"), 600, list=SITES_LIST, autocomplete="off")
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"),
        choices=list(PURPOSES.items()),
        required=False,
        widget=PlainSelect,
    )
    planned_service_min = _text(
        gettext_lazy("Planned minutes on site"), 10, inputmode="decimal", autocomplete="off"
    )
    free_time_min = _text(
        gettext_lazy("Free minutes on site"), 10, inputmode="decimal", autocomplete="off"
    )
    requires_signature = forms.BooleanField(
        label=gettext_lazy("A signature is wanted"), required=False, widget=PlainCheckbox
    )
    requires_photo = forms.BooleanField(
        label=gettext_lazy("A photo is wanted"), required=False, widget=PlainCheckbox
    )
    reference = _text(gettext_lazy("Reference of the stop"), 100, autocomplete="off")
    external_id = _text(gettext_lazy("Your own number of the stop"), 100, autocomplete="off")
    contact_name = _text(gettext_lazy("Contact"), 200, autocomplete="off")
    contact_phone = _text(gettext_lazy("Telephone"), 40, inputmode="tel", autocomplete="off")
    remark = forms.CharField(
        label=gettext_lazy("Remark for the driver"),
        max_length=2000,
        required=False,
        widget=PlainTextarea(attrs={"rows": 2}),
    )
    new_site_name = _text(gettext_lazy("Name of the new site"), 200, autocomplete="off")
    new_site_address = _text(gettext_lazy("Its address"), 300, autocomplete="off")
    new_site_latitude = _text(gettext_lazy("Latitude"), 30, inputmode="decimal", autocomplete="off")
    new_site_longitude = _text(
        gettext_lazy("Longitude"), 30, inputmode="decimal", autocomplete="off"
    )

    def __init__(self, offers: Offers, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (
            ("window_start_at", _("Window from")),
            ("window_end_at", _("Window to")),
            ("planned_arrival_at", _("Planned arrival")),
            ("planned_departure_at", _("Planned departure")),
        ):
            self.fields[name] = LocalTimeField(offers.zone, label=label)
        self.notes: dict[str, str] = {}

    def bound(self, names: Iterable[str]) -> list[forms.BoundField]:
        return [self[name] for name in names]

    @property
    def times(self) -> list[forms.BoundField]:
        return self.bound(STOP_TIMES)

    @property
    def more(self) -> list[forms.BoundField]:
        return self.bound(_MORE)

    @property
    def new_site(self) -> list[forms.BoundField]:
        return self.bound(NEW_SITE)

    @property
    def has_more(self) -> bool:
        """Whether the part that is folded away says something."""
        return any(field.value() or field.errors for field in self.more)

    @property
    def has_new_site(self) -> bool:
        return any(field.value() or field.errors for field in self.new_site)


class GoodsForm(Lenient):
    """A line of goods. An empty one is no line."""

    line_no = forms.CharField(required=False, max_length=5, widget=PlainHidden)
    description = _text(gettext_lazy("Goods"), 300, autocomplete="off")
    quantity = _text(gettext_lazy("Quantity"), 20, inputmode="decimal", autocomplete="off")
    unit = _text(gettext_lazy("Unit"), 20, autocomplete="off")
    weight_kg = _text(gettext_lazy("Weight in kg"), 20, inputmode="decimal", autocomplete="off")
    reference = _text(gettext_lazy("Reference of the goods"), 100, autocomplete="off")


@dataclass(frozen=True, slots=True)
class StopForms:
    """A stop's form and those of its goods."""

    stop: StopForm
    goods: list[GoodsForm]


@dataclass(frozen=True, slots=True)
class Forms:
    """All forms of a mission's page."""

    head: MissionForm
    stops: list[StopForms]

    def are_valid(self) -> bool:
        """Asks each, so that everything that cannot be read is said at once."""
        every = [self.head, *(form for one in self.stops for form in (one.stop, *one.goods))]
        unread = [form for form in every if not form.is_valid()]
        return not unread


def forms_of(
    row: MissionRow, offers: Offers, *, is_sent: bool, without: Iterable[str] = ()
) -> Forms:
    """The forms that hold this text; sent ones are checked, others only shown."""
    head = MissionForm(offers, without=without, **_held(row.head, "", is_sent=is_sent))
    stops = [
        _stop_forms(stop, offers, f"stops-{place}", is_sent=is_sent)
        for place, stop in enumerate(row.stops)
    ]
    return Forms(head, stops)


def _stop_forms(row: StopRow, offers: Offers, prefix: str, *, is_sent: bool) -> StopForms:
    stop = StopForm(offers, **_held(row.fields, prefix, is_sent=is_sent))
    lines = [*row.goods]
    if not lines or any(lines[-1].values()):
        lines.append(blank_goods())
    goods = [
        GoodsForm(**_held(line, f"{prefix}-goods-{place}", is_sent=is_sent))
        for place, line in enumerate(lines)
    ]
    return StopForms(stop, goods)


def _held(fields: Fields, prefix: str, *, is_sent: bool) -> dict[str, Any]:
    shown = {name: value for name, value in fields.items() if value}
    if not is_sent:
        return {"initial": shown, "prefix": prefix or None}
    data = {f"{prefix}-{n}" if prefix else n: v for n, v in shown.items()}
    return {"data": data, "prefix": prefix or None}
