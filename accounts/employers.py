"""Make an employer and change its settings."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.db import transaction

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Employer, TrackingWindow
from accounts.refusals import Invalid

# Settings whose values go into the audit trail: they say what was tracked when, and what
# counted as late. A name or a justification is text a person wrote, so of those only the
# name of the field does.
_VALUES_IN_TRAIL: Final = frozenset(
    {
        "tracking_window",
        "min_spacing_m",
        "route_months",
        "early_s",
        "late_s",
        "is_share_enabled",
        "is_shared_position_exact",
        "is_two_factor_required",
    }
)
MAX_SPACING_M: Final = 100_000


def create_employer(
    name: str,
    *,
    timezone: str = "Europe/Brussels",
    min_spacing_m: int = 500,
    staff_informed_on: date | None = None,
    tracking_window: str = TrackingWindow.DUTY,
    justification: str = "",
) -> Employer:
    """A new employer, made by whoever runs the installation. Invalid on a bad setting."""
    if not name.strip():
        raise Invalid("An employer needs a name.", field="name")
    employer = Employer(
        name=name.strip(),
        timezone=timezone,
        min_spacing_m=min_spacing_m,
        staff_informed_on=staff_informed_on,
        tracking_window=tracking_window,
        window_justification=justification.strip(),
    )
    check_settings(employer)
    with transaction.atomic():
        employer.save(force_insert=True)
        record(Actor("command", employer), "employer.created", employer)
    return employer


def change_employer(actor: Actor, changes: Mapping[str, Any]) -> Employer:
    """Change settings of the actor's employer; takes effect on the next fix."""
    with transaction.atomic():
        employer = Employer.objects.select_for_update(no_key=True).get(pk=actor.employer.pk)
        before = {name: getattr(employer, name) for name in changes}
        for name, value in changes.items():
            setattr(employer, name, value)
        changed = sorted(name for name, value in changes.items() if before[name] != value)
        check_settings(employer)
        if changed:
            employer.save(update_fields=changed)
            values = {name: [before[name], changes[name]] for name in changed}
            kept = {name: values[name] for name in changed if name in _VALUES_IN_TRAIL}
            record(actor, "employer.changed", employer, {"fields": changed, **kept})
    return employer


def check_settings(employer: Employer) -> None:
    """Invalid when a zone does not exist or a window is not allowed as it stands."""
    if not is_zone(employer.timezone):
        raise Invalid(f"There is no time zone {employer.timezone!r}.", field="timezone")
    if employer.tracking_window not in TrackingWindow.values:
        raise Invalid("The window is mission, duty or always.", field="tracking_window")
    if not 0 <= employer.min_spacing_m <= MAX_SPACING_M:
        raise Invalid(f"The spacing is 0 to {MAX_SPACING_M} m.", field="min_spacing_m")
    if employer.tracking_window == TrackingWindow.ALWAYS:
        _check_always(employer)


def _check_always(employer: Employer) -> None:
    if not employer.window_justification.strip():
        raise Invalid(
            "Tracking always needs a justification on record.", field="window_justification"
        )
    if employer.staff_informed_on is None:
        raise Invalid(
            "Tracking always needs the day on which the staff was informed.",
            field="staff_informed_on",
        )


def zones() -> list[str]:
    """The names of all zones, in the order of the alphabet."""
    return sorted(_zones())


def is_zone(name: str) -> bool:
    """Whether this is the name of a zone of the tz database, the same on every machine."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    """Read from the disk once. ZoneInfo itself would open any file there, as posix/… or right/…"""
    return frozenset(available_timezones() - {"localtime", "Factory"})
