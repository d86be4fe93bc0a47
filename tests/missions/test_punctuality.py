"""Planned against actual, as tables of moments; no database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions.punctuality import (
    Done,
    Plan,
    Punctuality,
    beside_plan_s,
    detention_s,
    is_at_risk,
    is_on_time,
    is_otif,
    punctuality,
    whole_seconds,
)
from missions.stages import STAGE_BY_LABEL, Stage

EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return EIGHT + timedelta(minutes=minutes)


def of(*stages: tuple[float, str], **plan: Any) -> Punctuality:
    """What becomes of stages, each (minutes after eight, name)."""
    done = [Done(STAGE_BY_LABEL[name], at(minute)) for minute, name in stages]
    return punctuality(Plan(**plan), done)


ARRIVAL, DEPARTURE = (0.0, "arrival"), (30.0, "departure")
IN, OUT, SIGN = "unloading_started", "unloading_ended", "signature"

# reason, stages, (waiting, loading, unloading, paperwork, dwell) in minutes, end_inferred
Minutes = tuple[float | None, ...]
SPLITS: list[tuple[str, list[tuple[float, str]], Minutes, bool]] = [
    (
        "all was marked",
        [ARRIVAL, (5, IN), (20, OUT), (25, SIGN), DEPARTURE],
        (5, None, 15, 10, 30),
        False,
    ),
    (
        "no end: until the signature",
        [ARRIVAL, (5, IN), (25, SIGN), DEPARTURE],
        (5, None, 20, 5, 30),
        True,
    ),
    ("no end, no signature: until the departure", [ARRIVAL, (5, IN), DEPARTURE],
     (5, None, 25, 0, 30), True),
    ("signed before it began: that signature ends nothing",
     [ARRIVAL, (2, SIGN), (5, IN), DEPARTURE], (5, None, 25, 0, 30), True),
    ("still unloading: nothing is inferred from what has not happened", [ARRIVAL, (5, IN)],
     (5, None, None, None, None), False),
    ("an end without a start: the paperwork is known, the unloading not",
     [ARRIVAL, (20, OUT), DEPARTURE], (None, None, None, 10, 30), False),
    ("an end before its start is no end", [ARRIVAL, (3, OUT), (5, IN), (25, SIGN), DEPARTURE],
     (5, None, 20, 5, 30), True),
    ("nothing was done there", [ARRIVAL, DEPARTURE], (None, None, None, None, 30), False),
    ("waiting_started marks, it does not count", [ARRIVAL, (1, "waiting_started"), (5, IN),
     (20, OUT), DEPARTURE], (5, None, 15, 10, 30), False),
    ("a pause is part of it", [ARRIVAL, (5, IN), (8, OUT), (12, IN), (20, OUT), DEPARTURE],
     (5, None, 15, 10, 30), False),
    ("unloaded, then loaded", [ARRIVAL, (5, IN), (10, OUT), (12, "loading_started"),
     (20, "loading_ended"), DEPARTURE], (5, 8, 5, 10, 30), False),
    ("one more press of arrival", [ARRIVAL, (2, "arrival"), (5, IN), (20, OUT), DEPARTURE],
     (5, None, 15, 10, 30), False),
    ("marked after the departure: it is no part of the visit",
     [ARRIVAL, (5, IN), DEPARTURE, (40, OUT)], (5, None, 25, 0, 30), True),
    ("begun before the arrival was pressed: no negative waiting",
     [(-5, IN), ARRIVAL, (20, OUT), DEPARTURE], (None, None, None, 10, 30), False),
    ("no arrival: what is known is said", [(5, IN), (20, OUT), DEPARTURE],
     (None, None, 15, 10, None), False),
    ("a departure before the arrival: still there", [(-10, "departure"), ARRIVAL, (5, IN)],
     (5, None, None, None, None), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "stages", "minutes", "inferred"), SPLITS, ids=[case[0] for case in SPLITS]
)
def test_how_the_time_at_a_stop_was_spent(
    reason: str, stages: list[tuple[float, str]], minutes: Minutes, inferred: bool
) -> None:
    found = of(*stages)
    parts = (*(getattr(found.split, f"{name}_s") for name in (
        "waiting", "loading", "unloading", "paperwork")), found.dwell_s)  # fmt: skip
    assert parts == tuple(None if one is None else 60 * one for one in minutes)
    assert found.split.end_inferred is inferred


def test_who_came_back_is_judged_by_the_visit_in_which_work_was_done() -> None:
    sent_away = [(0.0, "arrival"), (5.0, "departure")]
    came_back = [(60.0, "arrival"), (70.0, IN), (80.0, OUT), (90.0, "departure")]
    found = of(*sent_away, *came_back, planned_arrival_at=at(0))
    assert (found.arrived_at, found.dwell_s, found.visit_count) == (at(60), 1800, 2)
    assert found.on_time is False
    passed_by = [(120.0, "arrival"), (125.0, "departure")]
    assert of(*sent_away, *came_back, *passed_by).arrived_at == at(60)
    assert of(*sent_away, *passed_by).arrived_at == at(120)


def test_deltas_are_positive_when_late() -> None:
    plan = {"planned_arrival_at": at(-2), "planned_departure_at": at(45)}
    found = of(ARRIVAL, DEPARTURE, **plan)
    assert (found.arrival_delta_s, found.departure_delta_s) == (120, -900)
    assert of(ARRIVAL).arrival_delta_s is None
    assert of(**plan) == Punctuality()


WINDOW = {"window_start_at": at(0), "window_end_at": at(60)}


@pytest.mark.parametrize(
    ("plan", "minute", "expected"),
    [
        ({}, 0, None),
        (WINDOW, -0.1, False),
        (WINDOW, 0, True),
        (WINDOW, 60, True),
        (WINDOW, 60.1, False),
        # With a window the planned time decides nothing.
        (WINDOW | {"planned_arrival_at": at(0), "late_s": 60}, 30, True),
        (WINDOW | {"planned_arrival_at": at(300)}, 300, False),
        ({"window_end_at": at(60)}, -600, True),
        ({"window_start_at": at(0)}, 600, True),
        ({"planned_arrival_at": at(0)}, -15, True),
        ({"planned_arrival_at": at(0)}, -15.1, False),
        ({"planned_arrival_at": at(0)}, 15, True),
        ({"planned_arrival_at": at(0)}, 15.1, False),
        ({"planned_arrival_at": at(0), "early_s": 0, "late_s": 0}, 0, True),
    ],
)
def test_on_time_is_within_the_window_else_near_the_planned_time(
    plan: dict[str, Any], minute: float, expected: bool | None
) -> None:
    assert is_on_time(Plan(**plan), at(minute)) is expected
    assert of((minute, "arrival"), **plan).on_time is expected
    assert (beside_plan_s(Plan(**plan), at(minute)) == 0) is (expected is not False)


def test_how_far_beside_the_plan_is_signed() -> None:
    plan = Plan(window_start_at=at(0), window_end_at=at(60))
    assert [beside_plan_s(plan, at(m)) for m in (-2, 30, 61)] == [-120, 0, 60]


@pytest.mark.parametrize(
    ("dwell_s", "free_time_s", "expected"),
    [(1800, 600, 1200), (600, 600, 0), (300, 600, 0), (None, 600, None), (1800, None, None)],
)
def test_detention_is_what_goes_beyond_the_free_time(
    dwell_s: int | None, free_time_s: int | None, expected: int | None
) -> None:
    assert detention_s(dwell_s, free_time_s) == expected


@pytest.mark.parametrize(
    ("on_time", "result", "expected"),
    [
        (True, "succeeded", True),
        (False, "succeeded", False),
        (True, "partially_succeeded", False),
        (True, "failed", False),
        (None, "failed", False),
        (False, "", False),
        (True, "", None),
        (None, "succeeded", None),
        (None, "", None),
    ],
)
def test_on_time_in_full(on_time: bool | None, result: str, expected: bool | None) -> None:
    assert is_otif(on_time, result) is expected


@pytest.mark.parametrize(
    ("plan", "minute", "distance_m", "expected"),
    [
        # 50 km in an hour.
        (WINDOW, 0, 49_999, False),
        (WINDOW, 0, 50_001, True),
        (WINDOW, 60, None, False),
        (WINDOW, 61, None, True),
        ({"planned_arrival_at": at(0)}, 10, 4_000, False),
        ({"planned_arrival_at": at(0)}, 10, 4_500, True),
        ({}, 1_000, 500_000, False),
        ({"window_start_at": at(0)}, 1_000, None, False),
    ],
)
def test_at_risk_is_who_cannot_be_there_in_time(
    plan: dict[str, Any], minute: float, distance_m: float | None, expected: bool
) -> None:
    assert is_at_risk(Plan(**plan), at(minute), distance_m) is expected


MOMENTS = st.integers(0, 86_400_000_000).map(lambda us: EIGHT + timedelta(microseconds=us))


@given(st.lists(MOMENTS, min_size=4, max_size=4), st.booleans(), st.booleans())
def test_with_one_action_the_parts_add_up_to_the_dwell(
    moments: list[datetime], is_loading: bool, is_end_marked: bool
) -> None:
    arrived_at, started_at, ended_at, departed_at = sorted(moments)
    action = "LOADING" if is_loading else "UNLOADING"
    stages = [
        Done(Stage.ARRIVAL, arrived_at),
        Done(Stage[f"{action}_STARTED"], started_at),
        *([Done(Stage[f"{action}_ENDED"], ended_at)] if is_end_marked else []),
        Done(Stage.DEPARTURE, departed_at),
    ]
    found = punctuality(Plan(), stages)
    split = found.split
    acted_s = split.loading_s if is_loading else split.unloading_s
    assert None not in (split.waiting_s, acted_s, split.paperwork_s)
    assert found.dwell_s == split.waiting_s + acted_s + split.paperwork_s  # type: ignore[operator]
    assert split.end_inferred is not is_end_marked


@given(st.lists(st.tuples(st.sampled_from(Stage), MOMENTS), max_size=12))
def test_nothing_is_ever_negative_or_longer_than_the_dwell(
    pressed: list[tuple[Stage, datetime]],
) -> None:
    stages = [Done(stage, at) for stage, at in sorted(pressed, key=lambda one: one[1])]
    found = punctuality(Plan(free_time_s=0), stages)
    split = found.split
    parts = [split.waiting_s, split.loading_s, split.unloading_s, split.paperwork_s]
    known = [part for part in parts if part is not None]
    assert all(part >= 0 for part in known)
    if found.dwell_s is not None:
        assert found.dwell_s == found.detention_s
        assert found.dwell_s >= max(known, default=0)
        assert found.arrived_at is not None
        assert found.departed_at is not None
        assert found.dwell_s == whole_seconds(found.arrived_at, found.departed_at)
