"""Forms that change what is there: of it, only what their reader changed."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _


class EditForm(forms.Form):
    """Sends along what it showed, so that `changed_data` is what this reader changed.

    Without that, whoever opened the form before a colleague saved would undo the colleague's
    change by saving their own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            sent = self.add_initial_prefix(name) in self.data
            field.show_hidden_initial = sent or not self.is_bound


def country_field(label: Any, **options: Any) -> forms.CharField:
    """A country by its two letters, in any case."""
    return forms.CharField(
        max_length=2,
        label=label,
        help_text=_("Two letters, such as BE, NL or FR."),
        validators=[RegexValidator(r"^[A-Za-z]{2}\Z", _("A country has two letters, such as BE."))],
        **options,
    )
