"""The places where missions stop."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.actors import Actor
from accounts.audit import record
from accounts.refusals import AlreadyTaken, Conflict
from missions.models import Site


class SiteInUse(Conflict):
    """Missions stop there."""

    code = "site_in_use"


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
def remove_site(actor: Actor, site: Site) -> None:
    """Remove a site where no mission ever stopped. SiteInUse otherwise."""
    record(actor, "site.removed", site)
    try:
        site.delete()
    except ProtectedError:
        raise SiteInUse("Missions stop at this site.") from None
