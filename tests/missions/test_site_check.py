import pytest

from missions.site_check import SiteCheckResult, site_check, site_distance_m


def test_the_distance_is_the_great_circle_on_the_mean_earth() -> None:
    distance_m = site_distance_m((48.85, 2.35), (48.85, 2.3909544))
    assert distance_m == pytest.approx(2_996.6, abs=0.05)


def test_a_place_is_not_far_from_itself() -> None:
    assert site_distance_m((50.85, 4.35), (50.85, 4.35)) == 0


@pytest.mark.parametrize(
    ("position", "site"), [(None, (50.85, 4.35)), ((50.85, 4.35), None), (None, None)]
)
def test_without_both_points_there_is_no_distance(
    position: tuple[float, float] | None, site: tuple[float, float] | None
) -> None:
    assert site_distance_m(position, site) is None


@pytest.mark.parametrize(
    ("distance_m", "accuracy_m", "result"),
    [
        (None, 5.0, "unknown"),
        (None, None, "unknown"),
        (10.0, 200.1, "unknown"),
        (10.0, 200.0, "inside"),
        (350.0, 200.0, "inside"),
        (350.1, 200.0, "outside"),
        (150.0, None, "inside"),
        (150.1, None, "outside"),
        (155.0, 5.0, "inside"),
        (0.0, 0.0, "inside"),
    ],
)
def test_inside_is_said_within_accuracy_and_radius(
    distance_m: float | None, accuracy_m: float | None, result: SiteCheckResult
) -> None:
    assert site_check(distance_m, accuracy_m=accuracy_m, radius_m=150) == result
