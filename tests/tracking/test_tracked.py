"""When a driver was tracked at all."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.duty_marks import DutyMarkKind
from accounts.duty_periods import Mark
from tracking.tracked import (
    Period,
    cut_at,
    periods_on,
    reach,
    tracked_periods,
    with_strays,
    without,
)

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def at(hours: float) -> datetime:
    return EIGHT + timedelta(hours=hours)


def period(begin: float, end: float) -> Period:
    return at(begin), at(end)


def marks(**pressed: float) -> list[Mark]:
    return [Mark(at(hours), DutyMarkKind[kind.upper()]) for kind, hours in pressed.items()]


def test_a_duty_lasts_from_its_start_to_its_end() -> None:
    pressed = marks(duty_started=1, duty_ended=3)
    assert periods_on(pressed, "duty", at(0), at(9)) == [period(1, 3)]
    assert periods_on(pressed, "private", at(0), at(9)) == []


def test_what_was_on_before_the_range_is_on_when_it_begins() -> None:
    assert periods_on(marks(duty_started=-5), "duty", at(0), at(9)) == [period(0, 9)]


def test_what_ended_before_the_range_is_off() -> None:
    assert periods_on(marks(duty_ended=-5), "duty", at(0), at(9)) == []


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("mission", [period(2, 4)]),
        ("duty", [period(1, 6), period(2, 4)]),
        ("always", [period(0, 9), period(2, 4)]),
    ],
)
def test_the_window_says_what_counts(window: str, expected: list[Period]) -> None:
    pressed = marks(duty_started=1, duty_ended=6)
    assert tracked_periods(window, pressed, [period(2, 4)], at(0), at(9)) == expected


@pytest.mark.parametrize("window", ["mission", "duty", "always"])
def test_private_mode_is_a_hole_in_every_window(window: str) -> None:
    pressed = marks(duty_started=0, private_started=2, private_ended=3)
    found = tracked_periods(window, pressed, [period(0, 9)], at(0), at(9))
    assert {*found} == {period(0, 2), period(3, 9)}


def test_holes_at_the_edges_shorten_and_whole_ones_remove() -> None:
    assert without([period(0, 4), period(5, 6)], [period(-1, 1), period(3, 7)]) == [period(1, 3)]


def test_a_fix_that_was_stored_outside_is_shown_and_the_night_is_not() -> None:
    """The employer tracked always then, and by duty now."""
    recorded = [at(hours) for hours in (0.5, 1, 5, 5.5, 6, 9.5, 9.6)]
    found = with_strays([period(0, 2), period(8, 9)], recorded)
    assert found == [period(0, 2), period(5, 6), period(8, 9), period(9.5, 9.6)]


def test_fixes_inside_need_no_period_of_their_own() -> None:
    windows = [period(0, 2), period(1, 4)]
    assert with_strays(windows, [at(0), at(2), at(3), at(4)]) == windows


def test_cutting_adds_a_bound_without_a_hole() -> None:
    assert cut_at([period(0, 4), period(6, 8)], at(2)) == [
        period(0, 4),
        period(2, 4),
        period(6, 8),
    ]
    assert cut_at([period(0, 4)], at(4)) == [period(0, 4)]


def test_it_reaches_as_far_as_what_goes_on_through_a_moment() -> None:
    periods = [period(0, 4), period(3, 6), period(5, 9)]
    assert reach(periods, at(3.5)) == period(0, 6)
    assert reach(periods, at(20)) == (at(20), at(20))
