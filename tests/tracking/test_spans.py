"""Which ranges of whose key make up a history."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from accounts.models import Driver
from tracking.spans import Belongs, Span, joined, spans_of_driver, windows

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def span(driver_id: int, begin: int, end: int) -> Span:
    return Span(driver_id, EIGHT + timedelta(hours=begin), EIGHT + timedelta(hours=end))


def test_it_joins_touching_and_overlapping_ranges_of_one_driver() -> None:
    ranges = [span(1, 4, 6), span(1, 0, 2), span(1, 2, 3), span(1, 5, 8), span(2, 1, 2)]
    assert [*joined(ranges)] == [span(1, 0, 3), span(1, 4, 8), span(2, 1, 2)]


def test_a_range_inside_another_does_not_shorten_it() -> None:
    assert [*joined([span(1, 0, 9), span(1, 2, 3)])] == [span(1, 0, 9)]


def test_few_spans_are_read_in_one_window() -> None:
    spans = [span(1, 0, 2), span(2, 1, 3)]
    (window,) = windows(spans, most=16)
    assert window.spans == tuple(spans)
    assert (window.begin_at, window.end_at) == (spans[0].begin_at, spans[1].end_at)


@pytest.mark.parametrize("most", [1, 2, 3, 16])
def test_windows_cover_every_span_once_and_follow_each_other(most: int) -> None:
    spans = [span(driver, 2 * n + driver % 3, 2 * n + driver % 3 + 3) for driver in range(1, 5)
             for n in range(0, 20, 2)]  # fmt: skip
    found = [*windows(spans, most)]
    assert all(a.end_at <= b.begin_at for a, b in pairwise(found))
    assert all(w.begin_at <= s.begin_at < s.end_at <= w.end_at for w in found for s in w.spans)
    assert [*joined(s for w in found for s in w.spans)] == [*joined(spans)]


def test_a_window_holds_more_spans_only_when_they_begin_at_the_same_moment() -> None:
    spans = [span(driver, 0, 4) for driver in range(5)] + [span(9, 1, 2)]
    sizes = [len(window.spans) for window in windows(spans, most=2)]
    # Five drivers begin at once; the sixth opens a second window, into which they reach.
    assert sizes == [5, 6]


def test_windows_keep_the_conditions() -> None:
    belongs = Belongs("f.truck_id = %s", (7,))
    spans = [Span(1, EIGHT, EIGHT + timedelta(hours=3), belongs), span(2, 1, 2)]
    assert {s.belongs for w in windows(spans, most=1) for s in w.spans if s.driver_id == 1} == {
        belongs
    }


def test_a_frozen_driver_has_no_spans() -> None:
    driver = Driver(pk=1)
    later = EIGHT + timedelta(hours=1)
    assert spans_of_driver(driver, EIGHT, later) == [span(1, 0, 1)]
    driver.frozen_at = EIGHT
    assert spans_of_driver(driver, EIGHT, later) == []


def test_an_empty_range_has_no_spans() -> None:
    assert spans_of_driver(Driver(pk=1), EIGHT, EIGHT) == []
