"""Links for consignees: who makes and takes back one, how long it works, and what it opens.

A link names one stop of one mission. Its token is shown once and stored as a hash; what is
expired, taken back, switched off or made up is told apart from nothing by nobody outside.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Employer
from accounts.refusals import Conflict, Invalid
from accounts.secrets import new_secret, secret_hash
from missions.edits import record_beside
from missions.models import Mission, MissionStatus, ShareLink, Stop

SHARE_PREFIX: Final = "mps_"
AFTER_COMPLETION: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=30)  # from now to a date that somebody chooses
# A mission that nobody ever drives ends no link: then this does.
LONGEST_WITHOUT_AN_END: Final = timedelta(days=90)
IN_FORCE_AT_MOST: Final = 20  # for one stop: more is a program that forgot what it made

State = Literal["in_force", "expired", "revoked", "off"]
Made = tuple[ShareLink, str]


class ShareDisabled(Conflict):
    """The employer does not share; a manager can change that."""

    code = "share_disabled"


class TooManyLinks(Conflict):
    """As many links to one stop as there may be."""

    code = "too_many_links"


@dataclass(frozen=True, slots=True)
class Shows:
    """What a link shows besides the stop's window and state."""

    position: bool = False
    proof: bool = False


def make_share_link(
    actor: Actor, stop: Stop, shows: Shows, expires_at: datetime | None = None
) -> Made:
    """A new link to a stop, and its token, which nobody can read again.

    Without an end it works until 24 hours after the mission was completed. ShareDisabled,
    TooManyLinks, or Invalid for an end that is past or farther away than 30 days.
    """
    now = timezone.now()
    _refuse_end(stop.mission, expires_at, now)
    token = new_secret(SHARE_PREFIX)
    with transaction.atomic():
        # Locked, so that whoever turns sharing off waits for this link or prevents it.
        employer = Employer.objects.select_for_update(no_key=True).get(pk=actor.employer.pk)
        if not employer.is_share_enabled:
            raise ShareDisabled("Sharing is off for this employer; a manager can turn it on.")
        own = ShareLink.objects.filter(stop=stop).select_related("stop__mission", "employer")
        if sum(state_of(link, now) == "in_force" for link in own) >= IN_FORCE_AT_MOST:
            raise TooManyLinks(f"This stop has {IN_FORCE_AT_MOST} links: take some back first.")
        link = ShareLink.objects.create(
            employer=employer,
            stop=stop,
            token_hash=secret_hash(token),
            shows_position=shows.position,
            shows_proof=shows.proof,
            expires_at=expires_at,
        )
        record_beside(stop.mission, "share_link.made", actor, of=link, stop=stop)
    return link, token


@transaction.atomic
def revoke_share_link(actor: Actor, link: ShareLink) -> ShareLink:
    """Nobody opens it any more, from the next request on. Twice is once."""
    link = (
        ShareLink.objects.select_for_update(of=("self",))
        .select_related("stop__mission", "employer")
        .get(pk=link.pk)
    )
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        record_beside(link.stop.mission, "share_link.revoked", actor, of=link, stop=link.stop)
    return link


def links_of(mission: Mission) -> QuerySet[ShareLink]:
    """Every link to a stop of a mission, the newest first."""
    links = ShareLink.objects.filter(stop__mission=mission)
    return links.select_related("stop__mission", "stop__site", "employer").order_by("-id")


def ends_at(link: ShareLink) -> datetime | None:
    """When it stops working by itself. None while the mission's end is to come."""
    if link.expires_at is not None:
        return link.expires_at
    mission = link.stop.mission
    if mission.status not in (MissionStatus.COMPLETED, MissionStatus.CANCELLED):
        return None
    # A mission that was cancelled before it began has no end of its own.
    return (mission.ended_at or mission.updated_at) + AFTER_COMPLETION


def state_of(link: ShareLink, now: datetime) -> State:
    """Wants the stop's mission and the employer joined."""
    if link.revoked_at is not None:
        return "revoked"
    end_at = ends_at(link) or link.created_at + LONGEST_WITHOUT_AN_END
    if end_at <= now:
        return "expired"
    return "in_force" if link.employer.is_share_enabled else "off"


def opened(token: str, now: datetime) -> ShareLink | None:
    """The link in force that a token opens; None for every other, whatever the reason."""
    if not token.startswith(SHARE_PREFIX) or not token.isascii():
        return None
    link = (
        ShareLink.objects.filter(token_hash=secret_hash(token))
        .select_related("employer", "stop__mission__employer", "stop__site__employer")
        .first()
    )
    return link if link is not None and state_of(link, now) == "in_force" else None


def share_url(token: str, base_url: str) -> str:
    """Where the public finds the page; `base_url` is how this very request found us."""
    return f"{settings.PUBLIC_URL or base_url.rstrip('/')}/s/{token}"


def count_view(link: ShareLink, now: datetime) -> None:
    """One more, whoever else looks at this very moment."""
    ShareLink.objects.filter(pk=link.pk).update(views=F("views") + 1, last_viewed_at=now)


def _refuse_end(mission: Mission, expires_at: datetime | None, now: datetime) -> None:
    if expires_at is None:
        if _is_long_over(mission, now):
            raise Invalid(
                "The mission ended more than 24 hours ago: say until when the link shall work.",
                field="expires_at",
            )
    elif expires_at <= now:
        raise Invalid("This moment is past.", field="expires_at")
    elif expires_at > now + LONGEST:
        raise Invalid(f"A link works for {LONGEST.days} days at most.", field="expires_at")


def _is_long_over(mission: Mission, now: datetime) -> bool:
    ended_at = mission.ended_at if mission.status == MissionStatus.COMPLETED else None
    return ended_at is not None and ended_at + AFTER_COMPLETION <= now
