"""What counts as driven: doubtful legs, several phones, odometers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.tracking.tracks import at, drive, entries, window
from tracking.segmentation import Moment, segmentation, segments


def test_doubtful_legs_are_said() -> None:
    cut = segmentation([at(0, 0), at(36, 500), at(46, 5500)])
    assert cut.flagged_legs == cut.segments[0].flagged_legs == 1
    assert cut.distance_m == pytest.approx(500)


def phone(device: str, moments: list[Moment]) -> list[Moment]:
    return [replace(moment, device=device) for moment in moments]


def test_two_phones_in_one_truck_do_not_drive_twice() -> None:
    both = phone("a", drive(0, 0, 10)) + phone("b", drive(10, 140, 10))
    assert segmentation(both).distance_m == pytest.approx(5000)


def test_a_phone_left_at_the_depot_does_not_hide_the_drive() -> None:
    left = phone("a", [at(0, 0), at(7200, 10)])
    assert entries(segments(left)) == [("standstill", 0, 7200, 7199, 10)]
    driven = phone("b", drive(1000, 0, 10))
    assert entries(segments(left + driven)) == [("move", 1000, 1360, 360, 5000)]


def test_two_drivers_of_a_truck_come_one_after_the_other_without_a_leg_between() -> None:
    day = phone("a", drive(0, 0, 2)) + phone("b", drive(5000, 9000, 2))
    assert entries(segments(day)) == [("move", 0, 72, 72, 1000), ("move", 5000, 5072, 72, 1000)]


def counted(*readings: int | None) -> list[Moment]:
    return [at(36 * n, 500 * n, odometer_m=reading) for n, reading in enumerate(readings)]


@pytest.mark.parametrize(
    ("reason", "moments", "expected"),
    [
        ("both ends have it", counted(1000, None, 2300), (1300, "odometer")),
        ("the first has none", counted(None, 1600, 2300), (1000, "fixes")),
        ("the last has none", counted(1000, 1600, None), (1000, "fixes")),
        ("it was set back", counted(1000, 10, 2300), (1000, "fixes")),
        ("another truck's counter", counted(1000, 1600, 900_000), (1000, "fixes")),
        ("nothing was driven", [], (0, "fixes")),
    ],
)
def test_the_odometer_is_preferred_where_it_can_be_believed(
    reason: str, moments: list[Moment], expected: tuple[int, str]
) -> None:
    cut = segmentation(moments)
    found = [(round(s.distance_m), str(s.distance_method)) for s in cut.segments]
    assert found == ([expected] if moments else [])
    assert (round(cut.distance_m), str(cut.distance_method)) == expected


def test_kilometres_between_two_duties_are_not_in_the_odometer_distance() -> None:
    moments = counted(1000, 1600) + [
        replace(m, recorded_at=m.recorded_at + timedelta(hours=9)) for m in counted(50_000, 50_700)
    ]
    cut = segmentation(moments, windows=[window(0, 100), window(32_400, 33_000)])
    assert (cut.distance_m, cut.distance_method) == (1300, "odometer")
