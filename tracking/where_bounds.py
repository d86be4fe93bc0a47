"""How much one search for who was where may ask for: each bound has a name and an error.

What is over a bound is refused and never cut: an answer that leaves somebody out would be
read as "nobody else was there".
"""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from accounts.models import Driver, Employer
from accounts.refusals import FieldError, Problem
from tracking.where_area import Area, Box, Circle

LEAST_RADIUS_M: Final = 50
MOST_RADIUS_M: Final = 25_000
MOST_SIDE_M: Final = 50_000
# All that one search reads: 500 drivers for a day, 16 for a month. Two hours in any case.
MOST_DRIVER_TIME: Final = timedelta(hours=12_000)
SHORTEST_BOUND: Final = timedelta(hours=2)
LONGEST_TIME: Final = timedelta(days=31)
MOST_VISITS: Final = 200
MOST_POSITIONS: Final = 20_000


class SearchTooWide(Problem):
    """A bound of the search is passed; the detail names it and what it is."""

    status = 400
    code: ClassVar[str] = "search_too_wide"

    def __init__(self, detail: str, *fields: str) -> None:
        super().__init__(
            detail, errors=[FieldError(f"/{name}", self.code, detail) for name in fields]
        )


class RadiusOutOfRange(SearchTooWide):
    code = "radius_out_of_range"


class BoxTooLarge(SearchTooWide):
    code = "box_too_large"


class TimeTooLong(SearchTooWide):
    code = "time_too_long"


class TooManyPositions(SearchTooWide):
    code = "too_many_positions"


class TooManyVisits(SearchTooWide):
    code = "too_many_visits"


def check_bounds(employer: Employer, area: Area, begin_at: datetime, end_at: datetime) -> None:
    """Refuse what would read too much. One query where the time is longer than two hours."""
    if isinstance(area, Circle) and not LEAST_RADIUS_M <= area.radius_m <= MOST_RADIUS_M:
        raise RadiusOutOfRange(
            f"The radius is from {LEAST_RADIUS_M} m to {MOST_RADIUS_M} m.", "radius_m"
        )
    if isinstance(area, Box) and max(area.width_m, area.height_m) > MOST_SIDE_M:
        raise BoxTooLarge(
            f"The box is at most {MOST_SIDE_M // 1000} km wide and high.",
            "west", "south", "east", "north",
        )  # fmt: skip
    if end_at - begin_at > SHORTEST_BOUND:
        most = longest_time(employer)
        if end_at - begin_at > most:
            hours = int(most.total_seconds() // 3600)
            raise TimeTooLong(f"The time is at most {hours} hours.", "from", "to")


def longest_time(employer: Employer) -> timedelta:
    """How long a time this employer may search at once: less the more drivers it has."""
    drivers = Driver.objects.filter(employer=employer, frozen_at=None).count()
    return min(max(MOST_DRIVER_TIME / max(drivers, 1), SHORTEST_BOUND), LONGEST_TIME)
