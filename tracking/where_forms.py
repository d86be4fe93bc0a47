"""What somebody asks for: a place by its name or on the map, and a time by the clock."""

from datetime import date, datetime, time
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Employer
from tracking.geocoding import GeocoderAway
from tracking.where_area import Area, Box, Point
from tracking.where_bounds import LEAST_RADIUS_M, MOST_RADIUS_M
from tracking.where_place import (
    Geocode,
    Named,
    NotOnePlace,
    place_named,
    place_of_site,
)
from tracking.where_times import NoTime, TypedTime, last_full_hour, typed_time

BOX: Final = ("west", "south", "east", "north")
# A form's field is called `date`, too.
Day: TypeAlias = date
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


def _time_field(label: Any) -> forms.TimeField:
    widget = forms.TimeInput({"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, widget=widget, input_formats=["%H:%M", "%H:%M:%S"])


def _date_field(label: Any, **options: Any) -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, input_formats=["%Y-%m-%d"], **options)


def _degrees_field(label: Any, most: int) -> forms.FloatField:
    widget = forms.NumberInput({"step": "any"})
    return forms.FloatField(
        label=label, required=False, min_value=-most, max_value=most, widget=widget
    )


class WhereForm(forms.Form):
    """A search, read from the address. Valid: `area`, `typed` and, but for a box, `named`.

    `choices`: what the text may mean, when it means several places.
    """

    place = forms.CharField(
        label=gettext_lazy("Place"),
        required=False,
        max_length=300,
        help_text=gettext_lazy(
            "A site's name or address, a town, or coordinates such as 50.85, 4.35. "
            "Or click on the map."
        ),
        widget=forms.TextInput({"type": "search", "list": "places", "autocomplete": "off"}),
    )
    site = forms.UUIDField(required=False, widget=forms.HiddenInput)
    radius_m = forms.IntegerField(
        label=gettext_lazy("Within (metres)"),
        required=False,
        min_value=LEAST_RADIUS_M,
        max_value=MOST_RADIUS_M,
        help_text=gettext_lazy("Empty: 500 m, and 3 km around a town."),
        widget=forms.NumberInput({"step": "any", "inputmode": "numeric"}),
    )
    date = _date_field(gettext_lazy("Date"))
    begin = _time_field(gettext_lazy("From"))
    end = _time_field(gettext_lazy("Until"))
    end_date = _date_field(gettext_lazy("Last day"), required=False)
    west = _degrees_field(gettext_lazy("West edge"), 180)
    south = _degrees_field(gettext_lazy("South edge"), 90)
    east = _degrees_field(gettext_lazy("East edge"), 180)
    north = _degrees_field(gettext_lazy("North edge"), 90)

    area: Area
    typed: TypedTime
    named: Named | None = None

    def __init__(
        self, query: QueryDict | None, employer: Employer, now: datetime, geocode: Geocode | None
    ) -> None:
        self._employer = employer
        self._zone = ZoneInfo(employer.timezone)
        self._geocode = geocode
        self.choices: list[Named] = []
        begin, end = last_full_hour(now, self._zone)
        initial = {"date": begin.date(), "begin": begin.time(), "end": end.time()}
        super().__init__(query, initial=initial, use_required_attribute=False)

    def clean_date(self) -> Day:
        return _sensible(self.cleaned_data["date"])

    def clean_end_date(self) -> Day | None:
        last: Day | None = self.cleaned_data["end_date"]
        return _sensible(last) if last else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(name in self.errors for name in ("date", "begin", "end", "end_date")):
            self._read_time(cleaned)
        if not any(name in self.errors for name in ("place", "site", "radius_m", *BOX)):
            self._read_place(cleaned)
        return cleaned

    def _read_time(self, cleaned: dict[str, Any]) -> None:
        begin: time = cleaned["begin"]
        end: time = cleaned["end"]
        try:
            self.typed = typed_time(
                cleaned["date"], begin, end, self._zone, cleaned.get("end_date")
            )
        except NoTime:
            self.add_error(
                "end",
                _("The clocks were put forward over all of this time: it did not exist that day."),
            )
        except ValueError:
            self.add_error("end_date", _("This is before the beginning."))

    def _read_place(self, cleaned: dict[str, Any]) -> None:
        edges = [cleaned.get(name) for name in BOX]
        is_boxed = any(edge is not None for edge in edges)
        if is_boxed and (cleaned["place"] or cleaned["site"]):
            self.add_error(
                "place", _("There is a place and a box. Empty one of them: only one is searched.")
            )
        elif is_boxed:
            self._read_box(edges)
        elif not (cleaned["place"] or cleaned["site"]):
            self.add_error("place", _("Type a place, click on the map, or draw a box on it."))
        else:
            self._read_name(cleaned)

    def _read_box(self, edges: list[float | None]) -> None:
        west, south, east, north = edges
        if west is None or south is None or east is None or north is None:
            for name, edge in zip(BOX, edges, strict=True):
                if edge is None:
                    self.add_error(name, _("A box needs all four edges."))
        elif west >= east:
            self.add_error("east", _("The east edge lies east of the west edge."))
        elif south >= north:
            self.add_error("north", _("The north edge lies north of the south edge."))
        else:
            self.area = Box(west, south, east, north)

    def _read_name(self, cleaned: dict[str, Any]) -> None:
        try:
            if cleaned["place"]:
                self.named = place_named(self._employer, cleaned["place"], self._geocode)
            else:
                self.named = place_of_site(self._employer, cleaned["site"])
        except NotOnePlace as error:
            self.choices = error.choices
            self.add_error("place", error.detail)
        except GeocoderAway:
            self.add_error(
                "place",
                _(
                    "The address service does not answer. Type a site, a town or coordinates, or "
                    "click on the map."
                ),
            )
        else:
            self.area = self.named.area(cleaned.get("radius_m"))


def _sensible(day: date) -> date:
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise ValidationError(_("No such day can be searched."))
    return day


def coordinates(point: Point) -> str:
    """As they are typed: to a metre."""
    return f"{point[0]:.5f}, {point[1]:.5f}"
