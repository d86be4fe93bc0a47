"""A day as a bar: its parts cover it to the second, and the most telling one is shown."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracking.day_bars import Bar, bars, hour_ticks, loadings, passed_s, sums_of
from tracking.days import whole_day
from tracking.moments import Segment, SegmentType

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = whole_day(date(2026, 11, 24), BRUSSELS)
DAY_S = 24 * 3600


def at(hours: float) -> datetime:
    """So many hours into the day."""
    return DAY[0] + timedelta(hours=hours)


def lasting(kind: SegmentType, begin: float, end: float, **more: object) -> Segment:
    duration_s = round((end - begin) * 3600)
    return Segment(kind, at(begin), at(end), **{"duration_s": duration_s, **more})  # type: ignore[arg-type]


def stage(kind: str, hours: float, stop: int | None = 1) -> Segment:
    return Segment("stage", at(hours), at(hours), 0, kind=kind, stop=stop)


def told(parts: list[Bar]) -> list[tuple[str, float, float]]:
    begin = DAY[0]
    return [
        (
            part.kind,
            (part.started_at - begin).total_seconds() / 3600,
            (part.ended_at - begin).total_seconds() / 3600,
        )
        for part in parts
    ]


def test_a_day_is_covered_from_midnight_to_midnight() -> None:
    segments = [lasting("move", 6, 8), lasting("dwell", 8, 9), lasting("gap", 9, 10)]
    parts = bars(segments, DAY, until=at(30), tracked=[(at(5), at(11))])
    assert told(parts) == [
        ("untracked", 0, 5),
        ("silent", 5, 6),
        ("move", 6, 8),
        ("standing", 8, 9),
        ("gap", 9, 10),
        ("silent", 10, 11),
        ("untracked", 11, 24),
    ]
    assert [part.index for part in parts] == [None, None, 0, 1, 2, None, None]
    assert sum(sums_of(parts, segments).lasted_s.values()) == DAY_S


def test_of_today_nothing_is_said_beyond_now() -> None:
    parts = bars([lasting("move", 6, 8)], DAY, until=at(9), tracked=[(at(5), at(24))])
    assert told(parts)[-1] == ("silent", 8, 9)


def test_a_day_that_has_not_begun_has_no_parts() -> None:
    assert bars([], DAY, until=at(-1)) == []


def test_loading_is_shown_within_the_visit_and_belongs_to_its_row() -> None:
    segments = [lasting("dwell", 8, 10)]
    parts = bars(segments, DAY, until=at(24), loadings=[(at(8.5), at(9.5))])
    assert told(parts)[1:-1] == [
        ("standing", 8, 8.5),
        ("loading", 8.5, 9.5),
        ("standing", 9.5, 10),
    ]
    assert {part.index for part in parts[1:-1]} == {0}


def test_whoever_drives_does_not_load() -> None:
    segments = [lasting("standstill", 8, 9), lasting("move", 9, 10)]
    parts = bars(segments, DAY, until=at(24), loadings=[(at(8.5), at(9.5))])
    assert ("loading", 8.5, 9.0) in told(parts)
    assert ("move", 9, 10) in told(parts)


def test_two_visits_at_once_count_once() -> None:
    segments = [lasting("dwell", 8, 10), lasting("dwell", 9, 11)]
    parts = bars(segments, DAY, until=at(24))
    assert sums_of(parts, segments).standing_s == 3 * 3600


def test_the_driving_on_a_standstills_leg_is_driving() -> None:
    segments = [lasting("standstill", 8, 9, duration_s=3000)]
    sums = sums_of(bars(segments, DAY, until=at(24)), segments)
    assert (sums.standing_s, sums.moving_s) == (3000, 600)
    assert sum(sums.lasted_s.values()) == DAY_S


def test_what_may_not_be_shown_is_no_gap_and_not_untracked() -> None:
    parts = bars(
        [lasting("move", 6, 8)],
        DAY,
        until=at(24),
        withheld=[("not_available", (at(0), at(12))), ("erased", (at(12), at(24)))],
    )
    assert told(parts) == [
        ("not_available", 0, 6),
        ("move", 6, 8),
        ("not_available", 8, 12),
        ("erased", 12, 24),
    ]


def test_of_a_day_whose_route_has_expired_the_visits_are_left() -> None:
    parts = bars(
        [lasting("dwell", 8, 9)],
        DAY,
        until=at(24),
        tracked=[(at(7), at(10))],
        withheld=[("expired", DAY)],
    )
    assert told(parts) == [("expired", 0, 8), ("standing", 8, 9), ("expired", 9, 24)]


@pytest.mark.parametrize(
    ("stages", "found"),
    [
        # From the first start to the last end: pauses are part of it.
        (["loading_started 8.1", "loading_ended 8.2", "loading_started 8.3", "loading_ended 8.4"],
         [(8.1, 8.4)]),
        # Without an end until the signature, else until the departure.
        (["unloading_started 8.1", "signature 8.5"], [(8.1, 8.5)]),
        (["unloading_started 8.1"], [(8.1, 9.0)]),
        # An end alone says nothing of when it began.
        (["unloading_ended 8.5"], []),
        (["unloading_started 8.1", "unloading_ended 8.3", "loading_started 8.4",
          "loading_ended 8.8"], [(8.1, 8.3), (8.4, 8.8)]),
    ],
)  # fmt: skip
def test_when_something_was_loaded(stages: list[str], found: list[tuple[float, float]]) -> None:
    marks = [stage(text.split()[0], float(text.split()[1])) for text in stages]
    periods = loadings([lasting("dwell", 8, 9, stop=1), *marks], DAY)
    assert periods == [(at(begin), at(end)) for begin, end in found]


def test_loading_outside_of_visits_needs_both_ends() -> None:
    alone = [stage("loading_started", 8), stage("loading_ended", 8.5), stage("loading_started", 9)]
    assert loadings(alone, DAY) == [(at(8), at(8.5))]


def test_loading_over_midnight_is_on_both_days() -> None:
    over = [
        Segment("dwell", at(23), at(25), 7200, stop=1),
        stage("unloading_started", 23.5),
        stage("unloading_ended", 24.5),
    ]
    following = DAY[1], DAY[1] + timedelta(days=1)
    assert loadings(over, DAY) == [(at(23.5), DAY[1])]
    assert loadings(over, following) == [(DAY[1], at(24.5))]


@pytest.mark.parametrize(
    ("day", "hours", "twice", "missing"),
    [
        (date(2026, 3, 29), 23, [], 2),
        (date(2026, 10, 25), 25, [2], None),
        (date(2026, 11, 24), 24, [], None),
    ],
)
def test_the_scale_has_the_hours_that_the_clock_shows(
    day: date, hours: int, twice: list[int], missing: int | None
) -> None:
    bounds = whole_day(day, BRUSSELS)
    ticks = hour_ticks(bounds, BRUSSELS)
    assert len(ticks) == hours
    assert [tick.hour for tick in ticks if tick.is_again] == twice
    assert (missing in {tick.hour for tick in ticks}) is False
    parts = bars([], bounds, until=bounds[1] + timedelta(days=1))
    assert sums_of(parts, []).lasted_s == {"untracked": hours * 3600}


def test_what_lasts_is_counted_until_now() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    periods = [(noon - timedelta(hours=2), noon), (noon, noon + timedelta(hours=5))]
    assert passed_s(periods, noon + timedelta(hours=1)) == 3 * 3600
    assert passed_s(periods, noon - timedelta(hours=1)) == 3600
