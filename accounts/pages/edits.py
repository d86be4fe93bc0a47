"""A form that changes what is there: of it, only what its reader changed."""

from typing import Any

from django import forms


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
