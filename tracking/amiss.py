"""Exceptions that nobody pressed: what the system notices when it reads. Nothing is stored.

Their source is `automatic`. They accuse nobody: an address may be wrong, a clock too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from accounts.models import Employer
from missions.models import SiteCheck, StageEvent, Stop, StopResult
from missions.punctuality import beside_plan_s, plan_of, whole_seconds
from missions.stages import Stage
from tracking.histories import StoredFix
from tracking.ingest.sent import FLAG_MOCK
from tracking.segmentation import Segment
from tracking.stop_times import StopTimes

AmissType = Literal[
    "late", "early", "skipped", "out_of_sequence", "far_from_site", "missing_evidence",
    "clock_anomaly", "mock_position", "gap",
]  # fmt: skip

# A phone's clock this far ahead of ours is wrong; ingest refuses what is ten minutes ahead.
PHONE_AHEAD: Final = timedelta(minutes=1)
# An odometer that falls by more than the distance between two fixes: the clock was turned
# back in between, or the counter was.
ODOMETER_SLACK_M: Final = 500
# What was decided about a stop without the driver having to go there.
NOT_TO_VISIT: Final = frozenset({StopResult.CANCELLED, StopResult.FAILED})


@dataclass(frozen=True, slots=True)
class Amiss:
    """One exception. `started_at` is when it showed, None while it has not happened.

    late, early       `delta_s` beside the last or first moment that is on time, signed
    far_from_site     `distance_m` between the stage and the site's point
    missing_evidence  `missing`: what the stop requires and has not
    clock_anomaly, mock_position   `count` of fixes or stages between the two times
    gap               between the two times; `distance_m` apart
    """

    type: AmissType
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stop: Stop | None = None
    event: StageEvent | None = None
    delta_s: int | None = None
    distance_m: float | None = None
    missing: tuple[str, ...] = ()
    count: int | None = None


def amiss_at_stops(
    rows: Sequence[StopTimes], employer: Employer, *, now: datetime, is_over: bool
) -> list[Amiss]:
    """What is amiss at the stops of one mission, `rows` in their order.

    `is_over`: nobody will come any more, so a stop without anything was skipped; before that
    it is late once its time has passed.
    """
    found = [*_out_of_sequence(rows, is_over)]
    for row in rows:
        found += _of_time(row, employer, now, is_over)
        found += _of_place(row)
        if row.missing and (row.departed_at or row.result) and row.result != StopResult.CANCELLED:
            found.append(
                Amiss("missing_evidence", row.departed_at, stop=row.stop, missing=row.missing)
            )
    return found


def _of_time(row: StopTimes, employer: Employer, now: datetime, is_over: bool) -> Iterator[Amiss]:
    plan = plan_of(row.stop, employer)
    if row.arrived_at is not None:
        delta_s = beside_plan_s(plan, row.arrived_at)
        if delta_s:
            kind: AmissType = "late" if delta_s > 0 else "early"
            yield Amiss(kind, row.arrived_at, stop=row.stop, delta_s=delta_s)
    elif row.result or row.stages:
        return
    elif is_over:
        yield Amiss("skipped", stop=row.stop)
    elif plan.latest_at is not None and now > plan.latest_at:
        yield Amiss("late", stop=row.stop, delta_s=whole_seconds(plan.latest_at, now))


def _of_place(row: StopTimes) -> Iterator[Amiss]:
    for event in row.stages:
        if event.site_check == SiteCheck.OUTSIDE:
            yield Amiss(
                "far_from_site",
                event.recorded_at,
                stop=row.stop,
                event=event,
                distance_m=event.site_distance_m,
            )


def _out_of_sequence(rows: Iterable[StopTimes], is_over: bool) -> Iterator[Amiss]:
    """Arrivals before an earlier stop was visited. Of a skipped stop only that is said."""
    latest_before: datetime | None = None
    one_is_to_come = False
    for row in rows:
        arrival = next((one for one in row.stages if one.stage == Stage.ARRIVAL), None)
        if arrival is None:
            one_is_to_come |= not (is_over or row.result or row.stages)
            continue
        at = arrival.recorded_at
        if one_is_to_come or (latest_before is not None and at < latest_before):
            yield Amiss("out_of_sequence", at, stop=row.stop, event=arrival)
        if row.result not in NOT_TO_VISIT:
            latest_before = at if latest_before is None else max(latest_before, at)


def amiss_on_the_way(
    fixes: Iterable[StoredFix], events: Iterable[StageEvent], segments: Iterable[Segment]
) -> list[Amiss]:
    """What positions and clocks show: gaps, mock positions, clocks that cannot be right."""
    by_phone: defaultdict[tuple[int, int], list[StoredFix]] = defaultdict(list)
    for fix in fixes:
        by_phone[fix.driver_id, fix.device_id].append(fix)
    found = [
        Amiss("gap", one.started_at, one.ended_at, distance_m=one.distance_m)
        for one in segments
        if one.type == "gap"
    ]
    for track in by_phone.values():
        found += _mock(track)
        found += _clocks(track)
    found += [
        Amiss("clock_anomaly", event.recorded_at, event.recorded_at, event=event, count=1)
        for event in events
        if event.fix_id is None and event.recorded_at - event.received_at > PHONE_AHEAD
    ]
    return found


def _mock(track: Sequence[StoredFix]) -> Iterator[Amiss]:
    mock = [fix.recorded_at for fix in track if (fix.flags or 0) & FLAG_MOCK]
    if mock:
        yield Amiss("mock_position", mock[0], mock[-1], count=len(mock))


def _clocks(track: Sequence[StoredFix]) -> Iterator[Amiss]:
    ahead = [f.recorded_at for f in track if f.recorded_at - f.received_at > PHONE_AHEAD]
    if ahead:
        yield Amiss("clock_anomaly", ahead[0], ahead[-1], count=len(ahead))
    counted = [fix for fix in track if fix.odometer_m is not None]
    fallen = [
        (before.recorded_at, after.recorded_at)
        for before, after in pairwise(counted)
        if before.truck_id == after.truck_id and _fallen_m(before, after) > ODOMETER_SLACK_M
    ]
    if fallen:
        yield Amiss("clock_anomaly", fallen[0][0], fallen[-1][1], count=len(fallen))


def _fallen_m(before: StoredFix, after: StoredFix) -> int:
    return (before.odometer_m or 0) - (after.odometer_m or 0)
