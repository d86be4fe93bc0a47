"""The places where missions stop."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, ProtectedError, Window
from django.db.models.functions import RowNumber

from accounts.actors import Actor
from accounts.audit import record
from accounts.refusals import AlreadyTaken, Conflict
from missions.models import Mission, PositionSource, Site, SiteCheck, StageEvent
from missions.site_check import Point, as_point, site_distance_m

SPOT_M: Final = 150.0  # a yard: stages this near to each other are at one spot
SEVERAL: Final = 3
NEWEST: Final = 60


class SiteInUse(Conflict):
    """Missions stop there."""

    code = "site_in_use"


@dataclass(frozen=True, slots=True)
class BetterPoint:
    """Where drivers stop for a site whose point is elsewhere.

    `stages` of so many `missions` were marked at the spot, `at_site` others at the site.
    """

    site: Site
    latitude: float
    longitude: float
    distance_m: float
    stages: int
    missions: int
    at_site: int


@dataclass(frozen=True, slots=True)
class CreatedSite:
    """The site, and whether this very request made it."""

    site: Site
    is_new: bool


def create_site(actor: Actor, fields: Mapping[str, object]) -> CreatedSite:
    """A new site. The external id is the natural key: asked for again, the stored one comes back.

    AlreadyTaken when the stored one says something else.
    """
    try:
        with transaction.atomic():
            site = Site.objects.create(employer=actor.employer, **fields)
            record(actor, "site.created", site)
    except IntegrityError:
        return CreatedSite(_stored(actor, fields), is_new=False)
    return CreatedSite(site, is_new=True)


def _stored(actor: Actor, fields: Mapping[str, object]) -> Site:
    """The site that has this external id already; the index allows no other reason to clash."""
    site = Site.objects.get(employer=actor.employer, external_id=fields.get("external_id"))
    differing = [name for name, value in fields.items() if getattr(site, name) != value]
    if differing:
        detail = f"A site with this external_id has another {', '.join(differing)}."
        raise AlreadyTaken(detail, extra={"site": str(site.uuid)})
    return site


@transaction.atomic
def change_site(actor: Actor, site: Site, changes: Mapping[str, object]) -> Site:
    """Set these columns. What was measured against the site before stays as it was measured.

    What it says already changes nothing.
    """
    site = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    fields = sorted(name for name, value in changes.items() if value != getattr(site, name))
    if not fields:
        return site
    for name in fields:
        setattr(site, name, changes[name])
    try:
        with transaction.atomic():
            site.save(update_fields=fields)
    except IntegrityError:
        raise AlreadyTaken("There is another site with this external_id.") from None
    record(actor, "site.changed", site, {"fields": fields})
    return site


@transaction.atomic
def move_site(actor: Actor, site: Site, to: Point, *, mission: Mission) -> Site:
    """Put a site where drivers stood. Distances measured before stay as they were measured.

    The trail names the mission in which somebody saw it, and how far, but no place.
    """
    site = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    away_m = site_distance_m(to, as_point(site.latitude, site.longitude))
    site.latitude, site.longitude = to
    site.save(update_fields=["latitude", "longitude"])
    detail = {"fields": ["latitude", "longitude"], "moved_m": round(away_m) if away_m else None}
    record(actor, "site.moved", site, {**detail, "mission": str(mission.uuid)})
    return site


def better_points(sites: Collection[Site]) -> list[BetterPoint]:
    """Of each site that drivers keep missing at one and the same spot, that spot. One query.

    At least three stages within 150 m of it, more than at the site, of the newest 60 there.
    """
    if not sites:
        return []
    stages = _stages_at(sites)
    return [point for site in sites if (point := _better(site, stages[site.pk])) is not None]


def _stages_at(sites: Collection[Site]) -> defaultdict[int, list[StageEvent]]:
    """The newest stages with a place of each site, those that stand; nobody's who is frozen."""
    place = Window(RowNumber(), partition_by=F("stop__site"), order_by=F("id").desc())
    events = (
        StageEvent.objects.filter(
            stop__site__in=sites, latitude__isnull=False, driver__frozen_at__isnull=True
        )
        .filter(site_check__in=(SiteCheck.INSIDE, SiteCheck.OUTSIDE), is_retraction=False)
        .exclude(position_source=PositionSource.LAST_KNOWN)
        .filter(~Exists(StageEvent.objects.filter(corrects=OuterRef("pk"))))
        .annotate(place=place, site_id=F("stop__site"))
        .filter(place__lte=NEWEST)
    )
    found: defaultdict[int, list[StageEvent]] = defaultdict(list)
    for event in events:
        found[event.site_id].append(event)
    return found


def _better(site: Site, stages: Sequence[StageEvent]) -> BetterPoint | None:
    here = as_point(site.latitude, site.longitude)
    outside = [event for event in stages if event.site_check == SiteCheck.OUTSIDE]
    if here is None or len(outside) < SEVERAL:
        return None
    at_spot = max((_near(event, outside) for event in outside), key=len)
    spot = (
        median(event.latitude or 0.0 for event in at_spot),
        median(event.longitude or 0.0 for event in at_spot),
    )
    away_m = site_distance_m(here, spot) or 0.0
    is_told = len(at_spot) >= SEVERAL and len(at_spot) > len(stages) - len(outside)
    # Once the site was moved, what was measured before says nothing any more.
    if not is_told or away_m <= site.radius_m:
        return None
    return BetterPoint(
        site,
        *spot,
        distance_m=away_m,
        stages=len(at_spot),
        missions=len({event.mission_id for event in at_spot}),
        at_site=len(stages) - len(outside),
    )


def _near(one: StageEvent, others: Iterable[StageEvent]) -> list[StageEvent]:
    middle = as_point(one.latitude, one.longitude)
    return [
        other
        for other in others
        if (site_distance_m(middle, as_point(other.latitude, other.longitude)) or 0.0) <= SPOT_M
    ]


@transaction.atomic
def remove_site(actor: Actor, site: Site) -> None:
    """Remove a site where no mission ever stopped. SiteInUse otherwise."""
    record(actor, "site.removed", site)
    try:
        site.delete()
    except ProtectedError:
        raise SiteInUse("Missions stop at this site.") from None
