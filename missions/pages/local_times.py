"""A moment as people type it: a day and a time on the clocks of one zone.

The input is the browser's own for a day and a time. Where the clocks there showed a time
twice, a second input asks which of the two; a time that they skipped is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.forms.utils import flatatt
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from missions.import_cells import WrongCell, cell_text, moment_there
from missions.pages.plain_widgets import options

OFFSET: Final = "-offset"


def typed(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment as the input holds it; with its offset when the clocks showed it twice."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    plain = local.replace(tzinfo=None, microsecond=0)
    text = plain.isoformat() if plain.second else plain.isoformat(timespec="minutes")
    return text + (_offset(local) if offsets_at(text, zone) else "")


def offsets_at(text: str, zone: ZoneInfo) -> list[str]:
    """Both offsets of a local time that the clocks showed twice; else none."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return []
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    # Summer time is the first of the two; where the clocks skip, it is the other way round.
    if (first.utcoffset() or second.utcoffset()) is None or local.tzinfo is not None:
        return []
    is_twice = first.utcoffset() > second.utcoffset()  # type: ignore[operator]
    return [_offset(first), _offset(second)] if is_twice else []


def _offset(local: datetime) -> str:
    return local.isoformat()[-6:]


def _split(value: str) -> tuple[str, str]:
    """The local time and its offset; "" without one."""
    has_offset = len(value) > 6 and value[-6] in "+-" and value[-3] == ":"
    return (value[:-6], value[-6:]) if has_offset else (value, "")


class LocalTimeInput(forms.DateTimeInput):
    """A day and a time, and which of two where there are two."""

    input_type = "datetime-local"

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    def format_value(self, value: Any) -> str:
        return str(value or "")

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        local, offset = _split(self.format_value(value))
        shown = {"type": self.input_type, "name": name, "value": local or None}
        if local.count(":") > 1:
            shown["step"] = "1"
        drawn = format_html("<input{}>", flatatt({**shown, **self.build_attrs(self.attrs, attrs)}))
        if offsets := offsets_at(local, self.zone):
            drawn += _which(name, offsets, offset)
        return drawn

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> str:
        local = str(data.get(name) or "").strip()
        offset = str(data.get(name + OFFSET) or "")
        return local + (offset if offset in offsets_at(local, self.zone) else "")


def _which(name: str, offsets: list[str], chosen: str) -> SafeString:
    """The input that asks which of two times is meant."""
    words = (_("the first time"), _("the second time"))
    offered = [(one, f"{said} ({one})") for one, said in zip(offsets, words, strict=True)]
    shown = flatatt({"name": name + OFFSET, "aria-label": _("Which of the two")})
    choices = [("", _("which of the two?")), *offered]
    return format_html("<select{}>{}</select>", shown, options(choices, chosen))


class LocalTimeField(forms.Field):
    """Cleans to an RFC 3339 time in UTC for the API's serializers, or None."""

    def __init__(self, zone: ZoneInfo, *, required: bool = False, **options: Any) -> None:
        """One that is `required` is only shown so: the API's serializer refuses what is missing."""
        super().__init__(widget=LocalTimeInput(zone), required=required, **options)
        self.zone = zone

    def clean(self, value: Any) -> str | None:
        local, offset = _split(str(value or ""))
        try:
            text = cell_text(local, "time")
            return moment_there(text + offset, self.zone).isoformat() if text else None
        except (WrongCell, ValueError) as wrong:
            code = getattr(wrong, "code", "not_a_time")
            raise forms.ValidationError(_sentence(code, self.zone), code=code) from None


def _sentence(code: str, zone: ZoneInfo) -> str:
    if code == "local_time_skipped":
        return _("This time does not exist in %(zone)s: the clocks were put forward.") % {
            "zone": zone.key
        }
    if code == "local_time_twice":
        return _("This time came twice in %(zone)s: say which of the two.") % {"zone": zone.key}
    return _("This is not a day and a time.")
