"""Write down that somebody was shown where drivers were, before they are shown it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actors import Actor
from accounts.models import Driver, Employer, Look


def record_looks(
    actor: Actor, page: str, drivers: Iterable[Driver], seen_from: datetime, seen_until: datetime
) -> None:
    """One row for each driver, with the stretch of time [seen_from, seen_until) and no place.

    `page` says what was shown, for example `where_was_who`. One query.
    """
    _write(
        [
            Look(
                employer=actor.employer,
                driver=driver,
                actor_kind=actor.kind,
                actor=actor.uuid,
                roles=",".join(sorted(actor.roles)),
                page=page,
                seen_period=DateTimeTZRange(seen_from, seen_until),
            )
            for driver in drivers
        ]
    )


def record_look_by_link(
    employer: Employer, link: UUID, driver: Driver, seen_from: datetime, seen_until: datetime
) -> None:
    """Somebody with a link, whom nobody knows, was shown where the driver is. One query."""
    _write(
        [
            Look(
                employer=employer,
                driver=driver,
                actor_kind="link",
                actor=link,
                page="shared_stop",
                seen_period=DateTimeTZRange(seen_from, seen_until),
            )
        ]
    )


def _write(looks: list[Look]) -> None:
    Look.objects.bulk_create(looks)
