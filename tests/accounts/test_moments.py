"""Times of commands and of the API."""

from datetime import UTC, datetime

import pytest

from accounts.moments import moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T08:15:30Z", datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)),
        ("2026-11-22t08:15:30.250z", datetime(2026, 11, 22, 8, 15, 30, 250000, tzinfo=UTC)),
        ("2026-11-22 09:15+01:00", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        ("2026-11-22T08:15:30.123456789Z", datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)),
    ],
)
def test_it_reads_rfc_3339(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["2026-11-22T08:15:30", "2026-11-22 08:15"])
def test_a_time_without_a_zone_is_refused_and_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="has no zone"):
        moment(text)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-22", "1795335330", "2026-W47-7T08:00Z", "2026-11-22T08:15:30 CET"],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time like"):
        moment(text)


@pytest.mark.parametrize(
    "text",
    ["2026-02-30T00:00Z", "2026-11-22T25:00Z", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"],
)
def test_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time that exists"):
        moment(text)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2200-01-01T00:00Z", "0001-01-01T00:00Z"])
def test_times_that_nobody_means_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too far away"):
        moment(text)
