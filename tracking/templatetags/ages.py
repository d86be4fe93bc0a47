"""The words in which ages.js goes on counting what the server has begun to say."""

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.simple_tag
def age_words() -> SafeString:
    """A hidden element, once on a page: words with their gaps, and the server's clock in ms."""
    words = {
        "just-now": _("just now"),
        "ago": _("%(duration)s ago"),
        "silent": _("silent %(duration)s"),
        "minutes": _("%(minutes)s min"),
        "hours": _("%(hours)s h %(minutes)s min"),
        "day": ngettext("%(days)s day ago", "%(days)s days ago", 1),
        "days": ngettext("%(days)s day ago", "%(days)s days ago", 2),
        "now": int(timezone.now().timestamp() * 1000),
    }
    said = format_html_join("", ' data-{}="{}"', words.items())
    return format_html('<div id="age-words" hidden{}></div>', said)
