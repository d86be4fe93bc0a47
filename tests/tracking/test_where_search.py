"""Who was where: what counts as having been there, and what does not."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Employer
from tests.cast import Phone, put_fixes
from tests.tracking.reading import at, drive
from tracking.where_area import Circle
from tracking.where_search import Sighting, sightings

pytestmark = pytest.mark.django_db
# Where a drive along 50.85 north is after ten minutes.
THERE = Circle(50.85, 4.35 + 0.0071 * 10, 300)


def search(
    employer: Employer, begin: float, end: float, area: Circle = THERE, now: datetime = at(24 * 60)
) -> list[Sighting]:
    return sightings(employer, area, at(begin), at(end), now)


def spans(found: list[Sighting]) -> list[tuple[str, str, float, float]]:
    """Who, how surely, from minute, to minute after eight."""
    return [
        (
            one.driver.name,
            one.visit.how,
            (one.visit.began_at - at(0)) / timedelta(minutes=1),
            (one.visit.ended_at - at(0)) / timedelta(minutes=1),
        )
        for one in found
    ]


def test_whoever_has_a_position_there_was_there(acme: Employer, ada_phone: Phone) -> None:
    put_fixes(ada_phone, drive(0, 20))
    ((name, how, began, ended),) = spans(search(acme, 0, 60))
    assert (name, how) == ("Ada Peeters", "position")
    assert 9 < began < 10 < ended < 11
