"""A truck's row as HTML, in the language that is on."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from django.template.backends.django import Template
from django.template.loader import get_template
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe

from accounts.moments import rfc3339
from tracking.fleet_rows import FleetRow


def row_html(row: FleetRow, zone: ZoneInfo, now: datetime) -> SafeString:
    """The `<tr>`; its age is that of `now`, and counts on in the browser."""
    local = row.recorded_at.astimezone(zone)
    context = {
        "row": row,
        "age": row.age(now),
        # Numbers and times are written here: for hundreds of rows it is half the time.
        "place": (str(row.latitude), str(row.longitude)),
        "heading": None if row.heading_deg is None else str(row.heading_deg),
        "ms": str(row.recorded_ms),
        "recorded_at": rfc3339(row.recorded_at),
        "time": f"{local:%H:%M}" if row.is_today else date_format(local, "j M H:i"),
    }
    return mark_safe(_template().render(context))  # noqa: S308 (the template escapes)


@cache
def _template() -> Template:
    found = get_template("tracking/fleet_row.html")
    assert isinstance(found, Template)  # noqa: S101 (for the type checker)
    return found
