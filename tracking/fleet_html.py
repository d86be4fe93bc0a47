"""A truck's row as HTML, in the language that is on."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from django.template.backends.django import Template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from tracking.fleet_rows import FleetRow


def row_html(row: FleetRow, zone: ZoneInfo, now: datetime) -> SafeString:
    """The `<tr>`; its age is that of `now`, and counts on in the browser."""
    html = _template().render({"row": row, "zone": zone, "age": row.age(now)})
    return mark_safe(html)  # noqa: S308 (the template escapes)


@cache
def _template() -> Template:
    found = get_template("tracking/fleet_row.html")
    assert isinstance(found, Template)  # noqa: S101 (for the type checker)
    return found
