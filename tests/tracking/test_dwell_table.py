"""The dwell table, and what the Traccar server makes of its own cases beside what we make."""

from collections.abc import Sequence

import pytest

from missions.punctuality import Done, Plan, punctuality
from missions.stages import STAGE_BY_LABEL
from tests.tracking.dwell_cases import CASES, DwellCase
from tests.tracking.stay_cases import STAYS
from tests.tracking.tracks import entries
from tracking.moments import in_order
from tracking.segmentation import Moment, segments

ALL = [*CASES, *STAYS]


def named(case: DwellCase) -> str:
    return case.name


def stages_at(stop: int, moments: Sequence[Moment]) -> list[Done]:
    """The stages of a stop, oldest first."""
    return [
        Done(STAGE_BY_LABEL[moment.kind], moment.recorded_at)
        for moment in in_order(moments)
        if moment.is_stage and moment.stop == stop
    ]


@pytest.mark.parametrize("case", ALL, ids=named)
def test_a_feed_is_cut_as_the_table_says(case: DwellCase) -> None:
    found = segments(case.moments, windows=case.windows, min_spacing_m=case.min_spacing_m)
    assert entries(found) == case.expected, case.why


@pytest.mark.parametrize("case", [case for case in ALL if case.times], ids=named)
def test_the_times_of_the_stop_are_as_the_table_says(case: DwellCase) -> None:
    found = punctuality(Plan(**case.plan), stages_at(1, case.moments))
    holder = {name: getattr(found if hasattr(found, name) else found.split, name)
              for name in case.times}  # fmt: skip
    assert holder == case.times, case.why


@pytest.mark.parametrize("case", [case for case in ALL if case.times], ids=named)
def test_the_timeline_and_the_row_of_a_stop_agree_on_the_dwell(case: DwellCase) -> None:
    found = punctuality(Plan(), stages_at(1, case.moments))
    dwells = [one for one in segments(case.moments) if one.type == "dwell" and not one.is_open]
    lengths = [dwell.duration_s for dwell in dwells if dwell.stop == 1]
    assert found.dwell_s == (lengths[-1] if lengths else None)


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(ALL) >= 30
    assert len({case.name for case in ALL}) == len({case.why for case in ALL}) == len(ALL)
