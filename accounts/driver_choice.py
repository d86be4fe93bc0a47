"""A driver to choose in a form: by the id that the API uses, shown by name and number."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Driver

# Django's fields can be subscripted in annotations only.
if TYPE_CHECKING:
    OneDriver: TypeAlias = forms.ModelChoiceField[Driver]
else:
    OneDriver = forms.ModelChoiceField


class DriverChoice(OneDriver):
    """Offers nobody until its form is given drivers to choose from."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Driver.objects.none(), to_field_name="uuid", **options)

    def label_from_instance(self, driver: Driver) -> str:
        return listed_as(driver.name, driver.number)


def listed_as(name: str, number: str | None) -> str:
    """A driver among others: the name, and the number that tells two of one name apart."""
    called = name or _("without a name")
    return f"{called} ({number})" if number else called


def offer_drivers(form: forms.Form, drivers: QuerySet[Driver]) -> None:
    """Let a form's `driver` be one of these, by name."""
    field = form.fields["driver"]
    assert isinstance(field, DriverChoice)  # noqa: S101 (each of these forms declares it so)
    field.queryset = drivers.order_by("name_folded", "id")
