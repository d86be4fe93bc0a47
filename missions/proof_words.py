"""The words on a proof that stand for codes and numbers: stages, reasons, times, distances.

Each speaks the language that is active.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

NOTHING: Final = "\u2013"

STAGES: Final = {
    "departure": gettext_lazy("Departure"),
    "arrival": gettext_lazy("Arrival"),
    "waiting_started": gettext_lazy("Waiting began"),
    "loading_started": gettext_lazy("Loading began"),
    "loading_ended": gettext_lazy("Loading ended"),
    "unloading_started": gettext_lazy("Unloading began"),
    "unloading_ended": gettext_lazy("Unloading ended"),
    "signature": gettext_lazy("Signature"),
    "break_started": gettext_lazy("Break began"),
    "break_ended": gettext_lazy("Break ended"),
    "exception": gettext_lazy("Exception"),
}
CHECKS: Final = {
    "inside": pgettext_lazy("at the site", "inside"),
    "outside": pgettext_lazy("at the site", "outside"),
    "unknown": pgettext_lazy("at the site", "unknown"),
}
PURPOSES: Final = {
    "load": pgettext_lazy("purpose of a stop", "load"),
    "unload": pgettext_lazy("purpose of a stop", "unload"),
    "both": pgettext_lazy("purpose of a stop", "load and unload"),
    "hand_over": pgettext_lazy("purpose of a stop", "hand over"),
    "other": pgettext_lazy("purpose of a stop", "other"),
}
RESULTS: Final = {
    "": pgettext_lazy("result of a stop", "not known yet"),
    "succeeded": pgettext_lazy("result of a stop", "succeeded"),
    "partially_succeeded": pgettext_lazy("result of a stop", "partially succeeded"),
    "failed": pgettext_lazy("result of a stop", "failed"),
    "cancelled": pgettext_lazy("result of a stop", "cancelled"),
}
REASONS: Final = {
    "damage": gettext_lazy("damage"),
    "delivered_elsewhere": gettext_lazy("delivered elsewhere"),
    "delivered_to_wrong_receiver": gettext_lazy("delivered to the wrong receiver"),
    "inaccessible_address": gettext_lazy("address cannot be reached"),
    "incomplete": gettext_lazy("incomplete"),
    "invalid_address": gettext_lazy("wrong address"),
    "invalid_shipping_label": gettext_lazy("wrong shipping label"),
    "receiver_absent": gettext_lazy("receiver absent"),
    "rejected_by_receiver": gettext_lazy("rejected by the receiver"),
    "other": gettext_lazy("other reason"),
}
OUTCOMES: Final = {
    "signed": gettext_lazy("Signed"),
    "refused": gettext_lazy("Refused to sign"),
    "nobody_there": gettext_lazy("Nobody there"),
    "left_with_neighbour": gettext_lazy("Left with a neighbour"),
}
PHOTO_KINDS: Final = {
    "goods": pgettext_lazy("photo of", "goods"),
    "damage": pgettext_lazy("photo of", "damage"),
    "place": pgettext_lazy("photo of", "the place"),
    "document": pgettext_lazy("photo of", "a document"),
    "other": pgettext_lazy("photo of", "something else"),
}
MISSING: Final = {
    "photo": gettext_lazy("A photo is expected and not there yet."),
    "signature": gettext_lazy("A signature is expected and not there yet."),
}


def moment(at: datetime, zone: str) -> str:
    """Date and time on the wall of a zone; the zone is named once, elsewhere."""
    local = at.astimezone(ZoneInfo(zone))
    # Only English has capitals there; Django's M has them in every language.
    month = "M" if (get_language() or "en").startswith("en") else "b"
    return f"{date_format(local, f'j {month} Y')} {local:%H:%M}"


def clock(at: datetime, zone: str) -> str:
    """With the offset's name in the hour that comes twice."""
    local = at.astimezone(ZoneInfo(zone))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{moment(at, zone)} {local:%Z}" if twice else moment(at, zone)


def duration(seconds: int | None) -> str:
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


def distance(metres: float) -> str:
    if metres < 1000:
        return f"{round(metres)} m"
    return f"{number_format(metres / 1000, decimal_pos=1)} km"


def late(seconds: int | None) -> str:
    if seconds is None:
        return NOTHING
    if abs(seconds) < 60:
        return _("on the minute")
    how_long = duration(abs(seconds))
    word = _("%(duration)s late") if seconds > 0 else _("%(duration)s early")
    return word % {"duration": how_long}
