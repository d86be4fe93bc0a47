"""Links for consignees as a list of the pages shows them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from missions.models import ShareLink
from missions.proof_words import moment
from missions.sharing import State, ends_at, state_of

STATES: Final[dict[State, Promise]] = {
    "in_force": pgettext_lazy("state of a link", "works"),
    "expired": pgettext_lazy("state of a link", "has ended"),
    "revoked": pgettext_lazy("state of a link", "taken back"),
    "off": pgettext_lazy("state of a link", "off: sharing is turned off"),
}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link, in words; `may_revoke`: taking it back would change something."""

    link: ShareLink
    place: str
    shows: str
    until: str
    viewed: str
    state: str
    is_in_force: bool
    may_revoke: bool


def link_rows(links: Iterable[ShareLink], zone: str, now: datetime) -> list[LinkRow]:
    """In the order given; times of the zone."""
    return [_row(link, zone, now) for link in links]


def _row(link: ShareLink, zone: str, now: datetime) -> LinkRow:
    state = state_of(link, now)
    end_at = ends_at(link)
    site = link.stop.site
    place = site.name if site else _("stop %(number)s") % {"number": link.stop.seq}
    return LinkRow(
        link=link,
        place=f"{link.stop.seq}. {place}",
        shows=", ".join(_shows(link)),
        until=moment(end_at, zone) if end_at else _("24 h after the mission is completed"),
        viewed=moment(link.last_viewed_at, zone) if link.last_viewed_at else "",
        state=str(STATES[state]),
        is_in_force=state == "in_force",
        may_revoke=state in ("in_force", "off"),
    )


def _shows(link: ShareLink) -> Iterator[str]:
    yield _("window and state")
    if link.shows_position:
        yield _("position")
    if link.shows_proof:
        yield _("proof and photos")
