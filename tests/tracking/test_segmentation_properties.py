"""What holds for every track, and how long a long one takes."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.stages import STAGE_BY_LABEL
from tests.tracking.tracks import DEGREES_PER_M, at, window
from tracking.legs import legs
from tracking.moments import in_order
from tracking.segmentation import Moment, Segment, Window, segmentation, segments
from tracking.stays import settled
from tracking.visits import visits

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "trips.json"
KINDS = ["distance", "distance", "distance", "heartbeat", *STAGE_BY_LABEL]


@st.composite
def tracks(draw: Callable[[st.SearchStrategy[Any]], Any], devices: int = 1) -> list[Moment]:
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0, 0.4, 1, 30, 36, 299, 300, 301, 900, 20_000]),
                st.sampled_from([0, 1, 30, 50, 51, 500, 700, 751, 3000, 90_000]),
                st.sampled_from(KINDS),
                st.sampled_from([None, None, 8, 201]),
                st.sampled_from([None, 1, 2]),
                st.booleans(),
                st.integers(0, devices - 1),
            ),
            max_size=30,
        )
    )
    seconds = metres = 0.0
    moments = []
    for step_s, step_m, kind, accuracy_m, stop, has_place, device in steps:
        seconds, metres = seconds + step_s, metres + step_m
        is_stage = kind in STAGE_BY_LABEL
        moments.append(
            at(
                seconds,
                metres if has_place or not is_stage else None,
                kind,
                accuracy_m=accuracy_m,
                stop=stop if is_stage else None,
                device=f"phone {device}",
            )
        )
    return moments


some_windows = st.none() | st.lists(
    st.tuples(st.integers(0, 5000), st.integers(1, 30_000)).map(
        lambda pair: window(pair[0], pair[0] + pair[1])
    ),
    max_size=4,
)


def assert_one_after_the_other(periods: list[Segment]) -> None:
    for before, after in pairwise(periods):
        assert before.ended_at <= after.started_at


@settings(deadline=None)  # the machine may be busy
@given(tracks(devices=3), some_windows)
def test_segments_never_overlap(moments: list[Moment], windows: list[Window] | None) -> None:
    found = segments(moments, windows=windows)
    assert [s.started_at for s in found] == sorted(s.started_at for s in found)
    detected = [s for s in found if s.type in ("move", "standstill", "gap")]
    assert_one_after_the_other(detected)
    for dwell in (s for s in found if s.type == "dwell"):
        for other in detected:
            assert other.ended_at <= dwell.started_at or other.started_at >= dwell.ended_at
    for stop in (None, 1, 2):
        assert_one_after_the_other([s for s in found if s.type == "dwell" and s.stop == stop])


@settings(deadline=None)  # the machine may be busy
@given(tracks(devices=2), some_windows, st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(
    moments: list[Moment], windows: list[Window] | None, chance: random.Random
) -> None:
    shuffled = [*moments, *moments[:5]]
    chance.shuffle(shuffled)
    assert segmentation(shuffled, windows=windows) == segmentation(moments, windows=windows)


@settings(deadline=None)  # the machine may be busy
@given(tracks(devices=2), some_windows)
def test_durations_and_distances_are_never_negative_nor_longer_than_their_entry(
    moments: list[Moment], windows: list[Window] | None
) -> None:
    for entry in segments(moments, windows=windows):
        assert entry.distance_m >= 0
        assert 0 <= entry.duration_s <= (entry.ended_at - entry.started_at).total_seconds() + 1
        if entry.type in ("standstill", "gap"):
            assert entry.started_at < entry.ended_at


@settings(deadline=None)  # the machine may be busy
@given(tracks())
def test_entries_cover_the_track_and_share_out_its_distance(moments: list[Moment]) -> None:
    cut = segmentation(moments)
    places = [m.recorded_at for m in moments if m.latitude is not None]
    periods = [s for s in cut.segments if s.type != "stage"]
    if len(places) > 1 and places[0] < places[-1]:
        covered_to = places[0]
        for period in (p for p in periods if p.started_at <= places[-1]):
            assert period.started_at <= covered_to
            covered_to = max(covered_to, period.ended_at)
        assert covered_to >= places[-1]
    assert sum(p.distance_m for p in periods) == pytest.approx(cut.distance_m, abs=1e-6)


@settings(deadline=None)  # the machine may be busy
@given(tracks(devices=2))
def test_each_stage_is_one_entry(moments: list[Moment]) -> None:
    stages = {(m.recorded_at, m.kind, m.stop, m.device) for m in moments if m.is_stage}
    found = [s for s in segments(moments) if s.type == "stage"]
    assert {(s.started_at, s.kind) for s in found} == {stage[:2] for stage in stages}
    assert len(found) <= sum(m.is_stage for m in moments)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.integers(0, 4000), min_size=4, max_size=4), st.integers(0, 999_999))
def test_one_action_at_a_stop_adds_up_to_its_dwell(gaps_s: list[int], microsecond: int) -> None:
    """Waiting, unloading and paperwork, each by the clock, are the dwell by the clock."""
    times = [sum(gaps_s[: n + 1]) + microsecond * n / 1e6 for n in range(4)]
    kinds = ["arrival", "unloading_started", "unloading_ended", "departure"]
    stages = [at(s, 0, kind, stop=1) for s, kind in zip(times, kinds, strict=True)]
    (visit,) = visits(stages)
    (dwell,) = (s for s in segments(stages) if s.type == "dwell")
    parts = [m.recorded_at.replace(microsecond=0) for m in stages]
    assert dwell.duration_s == sum((b - a).seconds for a, b in pairwise(parts))
    assert (dwell.started_at, dwell.ended_at) == (visit.started_at, visit.ended_at)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 30, 60, 299, 300]), st.floats(-25, 25), st.integers(0, 60)),
        min_size=2,
        max_size=60,
    )
)
def test_a_parked_phone_stands_and_goes_nowhere(steps: list[tuple[int, float, int]]) -> None:
    """Whatever the order and the spacing of its fixes, and however unsure it says it is."""
    seconds = 0
    moments = []
    for step_s, metres, accuracy_m in steps:
        seconds += step_s
        moments.append(at(seconds, metres, accuracy_m=accuracy_m))
    cut = segmentation(moments)
    (found,) = cut.segments
    lasted_s = seconds - steps[0][0]
    assert found.type == ("standstill" if lasted_s > 300 else "move")
    if found.type == "standstill":
        assert cut.distance_m == pytest.approx(abs(steps[-1][1] - steps[0][1]), abs=0.01)
        assert found.duration_s >= lasted_s - 50 / 8.33 - 1


@settings(deadline=None)  # the machine may be busy
@given(tracks())
def test_stays_only_ever_take_metres_away(moments: list[Moment]) -> None:
    line = legs(in_order(moments))
    found = settled(line, [])
    assert [leg[:5] for leg in found] == [leg[:5] for leg in line]
    assert sum(leg.counted_m for leg in found) <= sum(leg.chord_m for leg in line) + 1e-6


def busy_day(count: int) -> list[Moment]:
    """A stop of four stages every 50 km."""
    kinds = {50: "arrival", 51: "unloading_started", 52: "unloading_ended", 53: "departure"}
    return [
        at(
            8 * n,
            100 * n,
            kinds.get(n % 100, "distance"),
            stop=n // 100 if n % 100 in kinds else None,
        )
        for n in range(count)
    ]


def test_a_day_of_5000_moments_takes_milliseconds() -> None:
    moments = busy_day(5000)
    random.Random(1).shuffle(moments)  # noqa: S311

    def took_s() -> float:
        began = process_time()
        found = segments(moments, windows=[window(0, 90_000)], min_spacing_m=500)
        lasted_s = process_time() - began
        assert sum(s.type == "dwell" for s in found) == 50
        return lasted_s

    # About 25 ms where this was written; the bound is only there to catch a square.
    assert min(took_s() for _ in range(5)) < 0.25


def test_a_phone_that_wanders_on_its_yard_every_second_for_a_day_takes_no_square() -> None:
    chance = random.Random(1)  # noqa: S311
    moments = [at(n, chance.uniform(-40, 40), accuracy_m=4) for n in range(20_000)]
    began = process_time()
    assert segmentation(moments).distance_m < 20_000 * 80
    # 0.5 s where this was written.
    assert process_time() - began < 5


@pytest.mark.skipif(not VECTORS.exists(), reason="needs ../shared/vectors/trips.json")
def test_tracks_of_another_detector_keep_their_distance_and_their_long_stops() -> None:
    """No requirement, a cross-check: those cases have no stages and two fixes a kilometre."""
    cases = json.loads(VECTORS.read_text())["trips_and_stops"]
    assert cases
    for case in cases:
        moments = [
            replace(at(0, p["total_distance_m"]), recorded_at=datetime.fromisoformat(p["time"]))
            for p in case["positions"]
        ]
        cut = segmentation(moments)
        driven_m = moments[-1].longitude - moments[0].longitude  # type: ignore[operator]
        assert cut.distance_m == pytest.approx(driven_m / DEGREES_PER_M, abs=0.1)
        standing_s = sum(s.duration_s for s in cut.segments if s.type == "standstill")
        # A leg up to 300 s is driving for us, so a stop's first and last leg may be missing.
        longest_s = max((s["duration_s"] for s in case["expected"]["stops"]), default=0)
        if longest_s > 900:
            assert standing_s >= longest_s - 600, case["name"]
