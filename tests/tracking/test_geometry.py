"""Distances against geopy, whose sphere is 20 cm larger."""

import pytest
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.geometry import EARTH_RADIUS_M, distance_m, mean_speed_mps

GEOPY_RADIUS_M = 6_371_009.0

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((50.8503, 4.3517), (51.0543, 3.7174)),  # Brussels to Ghent
        ((50.8503, 4.3517), (50.8504, 4.3518)),  # a few steps
        ((0.0, 179.9), (0.0, -179.9)),  # over the date line
        ((89.9, 0.0), (89.9, 180.0)),  # over the pole
        ((0.0, 0.0), (0.0, 180.0)),  # half-way round
    ],
)
def test_it_agrees_with_geopy(a: tuple[float, float], b: tuple[float, float]) -> None:
    expected_m = great_circle(a, b).meters * EARTH_RADIUS_M / GEOPY_RADIUS_M
    assert distance_m(*a, *b) == pytest.approx(expected_m, rel=1e-9, abs=1e-3)


@settings(deadline=None)  # the machine may be busy
@given(latitudes, longitudes, latitudes, longitudes)
def test_it_agrees_with_geopy_anywhere(
    a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float
) -> None:
    a, b = (a_latitude, a_longitude), (b_latitude, b_longitude)
    expected_m = great_circle(a, b).meters * EARTH_RADIUS_M / GEOPY_RADIUS_M
    # Near the antipode a haversine loses digits: a metre on 20,000 km.
    assert distance_m(*a, *b) == pytest.approx(expected_m, rel=1e-7, abs=1.0)


@settings(deadline=None)  # the machine may be busy
@given(latitudes, longitudes, latitudes, longitudes)
def test_a_distance_is_the_same_both_ways(
    a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float
) -> None:
    there_m = distance_m(a_latitude, a_longitude, b_latitude, b_longitude)
    back_m = distance_m(b_latitude, b_longitude, a_latitude, a_longitude)
    assert there_m >= 0
    assert there_m == pytest.approx(back_m, rel=1e-12)


def test_one_degree_on_the_equator() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_195.08, abs=0.01)


def test_the_speed_of_two_places_in_one_instant_is_infinite() -> None:
    assert mean_speed_mps(500, 100) == 5
    assert mean_speed_mps(500, 0) == float("inf")
    assert mean_speed_mps(0, 0) == 0
