"""Inputs that are written by Python, where Django would render a template for each.

A mission with thirty stops has seven hundred inputs, and a select of drivers five hundred
options: with a template for each, the page takes seconds.
"""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class _Input(forms.widgets.Input):
    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        shown = {"type": widget["type"], "name": widget["name"], "value": widget["value"]}
        return format_html("<input{}>", flatatt({**shown, **widget["attrs"]}))


class PlainText(_Input, forms.TextInput):
    """A line of text."""


class PlainHidden(_Input, forms.HiddenInput):
    """What the form carries along."""


class PlainCheckbox(_Input, forms.CheckboxInput):
    """Yes or no."""


class PlainTextarea(forms.Textarea):
    """Some lines of text."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        shown = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<textarea{}>\n{}</textarea>", shown, self.format_value(value) or "")


class PlainSelect(forms.Select):
    """One of some; without groups."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        shown = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>{}</select>", shown, options(self.choices, str(value or "")))


def options(choices: Any, chosen: str) -> SafeString:
    """The options of a select, one of them chosen."""
    rows = (
        (flatatt({"value": str(key), "selected": str(key) == chosen}), label)
        for key, label in choices
    )
    return format_html_join("", "<option{}>{}</option>", rows)
