"""A truck's row, alike on the page and in what the stream sends to take its place."""

from django import template
from django.utils.safestring import SafeString

from tracking.fleet_html import row_html
from tracking.fleet_rows import FleetRow
from tracking.fleet_view import FleetView

register = template.Library()


@register.simple_tag
def fleet_row(row: FleetRow, fleet: FleetView) -> SafeString:
    """A `<tr>` in the language of the page."""
    return row_html(row, fleet.zone, fleet.at)
