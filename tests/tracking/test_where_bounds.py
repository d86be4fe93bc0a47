"""What one search for who was where may not ask for, and how that is refused."""

from datetime import timedelta

import pytest

from accounts.models import Driver, Employer
from tests.cast import Phone, put_fixes
from tests.tracking.reading import at, drive
from tests.tracking.test_where_search import FAR, LATITUDE, LONGITUDE, search
from tracking.where_area import Box, Circle
from tracking.where_bounds import (
    MOST_VISITS,
    BoxTooLarge,
    RadiusOutOfRange,
    TimeTooLong,
    TooManyVisits,
    longest_time,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("radius_m", [0, 49, 25_001, float("nan")])
def test_a_radius_out_of_range_is_refused(acme: Employer, radius_m: float) -> None:
    with pytest.raises(RadiusOutOfRange, match="50 m to 25000 m"):
        search(acme, 0, 60, Circle(LATITUDE, LONGITUDE, radius_m))


def test_a_box_that_is_too_large_is_refused(acme: Employer) -> None:
    with pytest.raises(BoxTooLarge, match="50 km"):
        search(acme, 0, 60, Box(4.0, 50.0, 4.1, 50.5))


def test_a_long_time_is_searched_only_by_who_has_few_drivers(
    acme: Employer, ada_phone: Phone
) -> None:
    put_fixes(ada_phone, drive(0, 20))
    days = 20 * 24 * 60
    assert len(search(acme, -days, 60)) == 1
    with pytest.raises(TimeTooLong, match="744 hours"):
        search(acme, -2 * days, 60)


@pytest.mark.parametrize(("drivers", "hours"), [(500, 24), (1000, 12), (9000, 2)])
def test_who_has_many_drivers_searches_a_shorter_time(
    acme: Employer, drivers: int, hours: int
) -> None:
    Driver.objects.bulk_create(
        Driver(employer=acme, name=f"D {n}", name_folded=f"d {n}", adult_attested_on="2026-01-12")
        for n in range(drivers)
    )
    assert longest_time(acme) == timedelta(hours=hours)
    assert search(acme, 0, hours * 60) == []
    with pytest.raises(TimeTooLong, match=f"{hours} hours"):
        search(acme, 0, hours * 60 + 1)


def test_too_many_visits_are_an_error_and_not_cut(acme: Employer, ada_phone: Phone) -> None:
    spots = [
        (at(15 * n), *(FAR if n % 2 else (LATITUDE, LONGITUDE))) for n in range(2 * MOST_VISITS)
    ]
    put_fixes(ada_phone, spots)
    assert len(search(acme, 0, 15 * 2 * MOST_VISITS)) == MOST_VISITS
    put_fixes(ada_phone, [(at(15 * 2 * MOST_VISITS), LATITUDE, LONGITUDE)])
    with pytest.raises(TooManyVisits, match="more than 200"):
        search(acme, 0, 15 * 2 * MOST_VISITS + 1)
