"""Marks make periods, whatever the order in which they arrived."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from accounts.duty_marks import DutyMarkKind
from accounts.duty_periods import DutyPeriod, Mark, duty_periods

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
ON, OFF = DutyMarkKind.DUTY_STARTED, DutyMarkKind.DUTY_ENDED
PRIVATE_ON, PRIVATE_OFF = DutyMarkKind.PRIVATE_STARTED, DutyMarkKind.PRIVATE_ENDED


def at(hour: int) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def hours(periods: list[DutyPeriod]) -> list[tuple[int, int | None]]:
    return [
        (
            (period.started.recorded_at - MIDNIGHT) // timedelta(hours=1),
            (period.ended.recorded_at - MIDNIGHT) // timedelta(hours=1) if period.ended else None,
        )
        for period in periods
    ]


def duties(*marks: tuple[int, int]) -> list[tuple[int, int | None]]:
    return hours(list(duty_periods([Mark(at(hour), kind) for hour, kind in marks], "duty")))


def test_a_start_and_an_end_are_a_duty() -> None:
    assert duties((8, ON), (17, OFF)) == [(8, 17)]


def test_a_start_alone_goes_on() -> None:
    assert duties((8, ON), (12, OFF), (13, ON)) == [(8, 12), (13, None)]


def test_a_second_start_changes_nothing() -> None:
    assert duties((8, ON), (9, ON), (17, OFF)) == [(8, 17)]


def test_an_end_of_nothing_is_passed_over() -> None:
    assert duties((7, OFF), (8, ON), (17, OFF), (18, OFF)) == [(8, 17)]


def test_at_the_same_instant_the_end_is_the_newer() -> None:
    assert duties((8, OFF), (8, ON)) == []
    assert duties((8, ON), (12, ON), (12, OFF)) == [(8, 12)]


def test_private_marks_do_not_end_a_duty() -> None:
    marks = [Mark(at(8), ON), Mark(at(12), PRIVATE_ON), Mark(at(13), PRIVATE_OFF)]
    assert hours(list(duty_periods(marks, "duty"))) == [(8, None)]
    assert hours(list(duty_periods(marks, "private"))) == [(12, 13)]


marks_in_a_day = st.lists(
    st.builds(Mark, st.integers(0, 23).map(at), st.sampled_from([ON, OFF])), max_size=12
)


@given(marks_in_a_day, st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repeats_do_not_matter(marks: list[Mark], random: Random) -> None:
    expected = list(duty_periods(marks, "duty"))
    again = marks + marks[:3]
    random.shuffle(again)
    assert list(duty_periods(again, "duty")) == expected


@given(marks_in_a_day, st.integers(0, 23))
def test_what_is_on_follows_from_the_newest_mark(marks: list[Mark], hour: int) -> None:
    newest = max((mark for mark in marks if mark.recorded_at <= at(hour)), default=None)
    is_on = any(
        period.started.recorded_at <= at(hour)
        and (period.ended is None or at(hour) < period.ended.recorded_at)
        for period in duty_periods(marks, "duty")
    )
    assert is_on == (newest is not None and newest.kind == ON)
