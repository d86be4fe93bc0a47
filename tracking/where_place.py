"""Which place somebody means by what they typed: a site, a town, coordinates, an address."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.folding import folded
from accounts.models import Employer
from missions.models import Site
from tracking.places import PLACES, Place
from tracking.where_area import Area, Circle, Point

Kind = Literal["site", "town", "coordinates", "address", "box"]

DEFAULT_RADIUS_M: Final = 500
TOWN_RADIUS_M: Final = 3_000
MOST_CHOICES: Final = 12
# Names are folded here, one by one: the column of sites is not.
MOST_SITES: Final = 20_000
_NUMBER: Final = r"[-+]?\d{1,3}(?:[.,]\d{1,12})?"
_COORDINATES: Final = re.compile(rf"({_NUMBER})\s*[,;\s]\s*({_NUMBER})", re.ASCII)

# From what was typed, in a language.
Geocode = Callable[[str, str], "Address | None"]


@dataclass(frozen=True, slots=True)
class Address:
    """What a geocoder made of a text."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Named:
    """A place to search, and what it is called."""

    kind: Kind
    name: str
    point: Point
    radius_m: int = DEFAULT_RADIUS_M
    site: UUID | None = None

    def area(self, radius_m: int | None) -> Area:
        return Circle(*self.point, radius_m or self.radius_m)


class NotOnePlace(Exception):
    """Nothing is meant, or more than one thing; `choices` are those to choose from."""

    def __init__(self, detail: str, choices: list[Named] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.choices = choices or []


def place_of_site(employer: Employer, site_id: UUID) -> Named:
    """One of the employer's sites. NotOnePlace when it is none, or has no place on the map."""
    site = Site.objects.filter(employer=employer, uuid=site_id).first()
    if site is None:
        raise NotOnePlace(_("This site does not exist. Type its name instead."))
    if site.latitude is None or site.longitude is None:
        raise NotOnePlace(
            _("%(site)s has no place on the map yet. Click on the map instead.")
            % {"site": site.name}
        )
    return _of_site(
        site.uuid, site.name, site.address, site.latitude, site.longitude, site.radius_m
    )


def place_named(employer: Employer, text: str, geocode: Geocode | None = None) -> Named:
    """What a text means: a site by its whole name, a town, coordinates, a site by words of its
    name or address, and last what a geocoder knows. At most one query.

    Raises NotOnePlace.
    """  # fmt: skip
    sites = _sites(employer)
    wanted = folded(text)
    exact = [site for site, names in sites if wanted in names]
    found = exact or _towns(wanted) or _coordinates(text)
    if not found:
        words = wanted.split()
        found = [
            site for site, names in sites if words and all(word in names[-1] for word in words)
        ]
    if (
        not found
        and geocode is not None
        and (address := geocode(text, get_language() or "en")) is not None
    ):
        found = [Named("address", address.name, (address.latitude, address.longitude))]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotOnePlace(_("Several places are called so. Choose one."), found[:MOST_CHOICES])
    raise NotOnePlace(
        _(
            "No site, town or coordinates are known by this. Type a word of a site's name or "
            "address, a town, coordinates such as 50.85, 4.35, or click on the map."
        )
    )


def suggestions(employer: Employer, text: str) -> list[str]:
    """Names that may be meant, to choose from while typing. One query."""
    words = folded(text).split()
    if not words:
        return []
    sites = [
        site.name for site, names in _sites(employer) if all(word in names[-1] for word in words)
    ]
    towns = [
        name
        for place in PLACES
        for name in {*place.names.values()}
        if folded(name).startswith(" ".join(words))
    ]
    return [*towns[:3], *sites][:MOST_CHOICES]


def _sites(employer: Employer) -> list[tuple[Named, tuple[str, ...]]]:
    """Each site with a point, and how it may be called: whole name, name and address."""
    rows = (
        Site.objects.filter(employer=employer, latitude__isnull=False)
        .order_by("name", "id")
        .values_list("uuid", "name", "address", "latitude", "longitude", "radius_m")
    )
    found: list[tuple[Named, tuple[str, ...]]] = []
    for uuid, name, address, latitude, longitude, radius_m in rows[:MOST_SITES]:
        if latitude is not None and longitude is not None:
            site = _of_site(uuid, name, address, latitude, longitude, radius_m)
            found.append((site, (folded(name), folded(site.name))))
    return found


def _of_site(
    uuid: UUID, name: str, address: str, latitude: float, longitude: float, radius_m: int
) -> Named:
    called = f"{name}, {address}" if address else name
    # Fixes lie 500 m apart: a smaller circle is asked for, never assumed.
    return Named("site", called, (latitude, longitude), max(radius_m, DEFAULT_RADIUS_M), uuid)


def _towns(wanted: str) -> list[Named]:
    return [
        Named("town", _town_name(place, wanted), (place.latitude, place.longitude), TOWN_RADIUS_M)
        for place in PLACES
        if wanted in {folded(name) for name in place.names.values()}
    ]


def _town_name(place: Place, wanted: str) -> str:
    return next(name for name in place.names.values() if folded(name) == wanted)


def _coordinates(text: str) -> list[Named]:
    matched = _COORDINATES.fullmatch(text.strip())
    if matched is None:
        return []
    latitude, longitude = (float(number.replace(",", ".")) for number in matched.groups())
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return []
    return [Named("coordinates", f"{latitude:g}, {longitude:g}", (latitude, longitude))]
