"""Where a page's map finds what lies under the trucks."""

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tracking.tile_file import tile_file_path, tiles_link_token

register = template.Library()


@register.simple_tag
def basemap_data() -> SafeString:
    """Attributes for map.js: the built-in files, or the operator's, or an outside server's."""
    found = {
        "land-url": reverse("basemap_file", args=["land"]),
        "places-url": reverse("basemap_file", args=["places"]),
    }
    if settings.BASEMAP_TILES_URL:
        found["pictures-url"] = settings.BASEMAP_TILES_URL
        found["pictures-attribution"] = settings.BASEMAP_TILES_ATTRIBUTION
    elif tile_file_path().is_file():
        token = tiles_link_token(timezone.now().date())
        found["tiles-url"] = reverse("tile_file", args=[token])
        found["tiles-script"] = static("protomaps/protomaps-leaflet.js")
    return format_html_join(" ", 'data-{}="{}"', found.items())
