"""Tables of moments: what each track is cut into, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.tracking.tracks import EIGHT, Entry, at, drive, entries, window
from tracking.days import whole_day
from tracking.segmentation import Moment, Window, segmentation, segments

ACCEPTANCE = [
    *(
        Moment(
            EIGHT + timedelta(minutes=n),
            "distance",
            latitude=48.85,
            longitude=2.35 + (2.3909544 - 2.35) * n / 6,
        )
        for n in range(7)
    ),
    *(
        Moment(EIGHT + timedelta(seconds=s), kind, latitude=48.85, longitude=2.3909544)
        for s, kind in ((390, "arrival"), (1290, "signature"), (1410, "departure"))
    ),
    *(
        Moment(
            EIGHT + timedelta(seconds=1410 + 60 * n),
            "distance",
            latitude=48.85,
            longitude=2.3909544 + (2.4182573 - 2.3909544) * n / 4,
        )
        for n in range(1, 5)
    ),
    *(
        Moment(EIGHT + timedelta(seconds=s), kind, latitude=48.85, longitude=2.4182573)
        for s, kind in ((1670, "arrival"), (2270, "distance"))
    ),
]


def test_two_moves_a_dwell_of_17_minutes_and_an_open_visit() -> None:
    cut = segmentation(ACCEPTANCE)
    assert entries(cut.segments, stages=True) == [
        ("move", 0, 390, 390, 2997),
        ("arrival", 390, 390, 0, 0),
        ("dwell", 390, 1410, 1020, 0),
        ("signature", 1290, 1290, 0, 0),
        ("departure", 1410, 1410, 0, 0),
        ("move", 1410, 1670, 260, 1998),
        ("arrival", 1670, 1670, 0, 0),
        ("dwell", 1670, 2270, 600, 0),
    ]
    moves = [s for s in cut.segments if s.type == "move"]
    assert moves[0].distance_m == pytest.approx(2996.6, abs=1)
    assert moves[1].distance_m == pytest.approx(1997.8, abs=1)
    assert [s.is_open for s in cut.segments if s.type == "dwell"] == [False, True]
    assert cut.distance_m == pytest.approx(2996.6 + 1997.8, abs=1)


LEGS: list[tuple[str, list[Moment], list[Entry]]] = [
    ("nothing happened", [], []),
    ("after the last fix nothing is claimed", [at(0, 0)], []),
    ("500 m in 36 s is driving", [at(0, 0), at(36, 500)], [("move", 0, 36, 36, 500)]),
    ("legs of driving become one move", drive(0, 0, 10), [("move", 0, 360, 360, 5000)]),
    ("300 s is not yet standing", [at(0, 0), at(300, 500)], [("move", 0, 300, 300, 500)]),
    (
        "301 s is, less the 60 s that 500 m take",
        [at(0, 0), at(301, 500)],
        [("standstill", 0, 301, 241, 500)],
    ),
    (
        "750 m is the farthest a standstill goes",
        [at(0, 0), at(400, 749.9)],
        [("standstill", 0, 400, 310, 750)],
    ),
    (
        "beyond 750 m fixes are missing",
        [at(0, 0), at(400, 750.1)],
        [("gap", 0, 400, 400, 750)],
    ),
    (
        "two gaps in a row are two, each with its own speed",
        [at(0, 0), at(400, 2000), at(1000, 9000)],
        [("gap", 0, 400, 400, 2000), ("gap", 400, 1000, 600, 7000)],
    ),
    (
        "a standstill between two moves",
        [*drive(0, 0, 2), *drive(672, 1500, 2)],
        [
            ("move", 0, 72, 72, 1000),
            ("standstill", 72, 672, 540, 500),
            ("move", 672, 744, 72, 1000),
        ],
    ),
    (
        "two long legs are two standstills: nobody knows where each was",
        [at(0, 0), at(600, 500), at(1200, 1000)],
        [("standstill", 0, 600, 540, 500), ("standstill", 600, 1200, 540, 500)],
    ),
    (
        "but one with a stage between them: both were there",
        [at(0, 0), at(600, 500, "signature"), at(1200, 1000)],
        [("standstill", 0, 1200, 1080, 1000)],
    ),
    (
        "several presses in one yard are one standstill",
        [
            at(0, 0),
            at(600, 10),
            at(630, 20, "loading_started"),
            at(660, 30, "loading_ended"),
            at(1260, 40),
        ],
        [("standstill", 0, 1260, 1255, 40)],
    ),
    (
        "a short leg before a standstill joins it too",
        [at(0, 0), at(30, 40), at(630, 50)],
        [("standstill", 0, 630, 624, 50)],
    ),
    (
        "51 m is driving, next to a standstill or not",
        [at(0, 0), at(600, 10), at(630, 61)],
        [("standstill", 0, 600, 599, 10), ("move", 600, 630, 30, 51)],
    ),
    (
        "a short leg alone is driving, not standing",
        [at(0, 0), at(36, 500), at(46, 510), at(82, 1010)],
        [("move", 0, 82, 82, 1010)],
    ),
    (
        "with a fix every second a drive does not dissolve into the standstill before it",
        [at(0, 0), *(at(600 + n, 14 * n) for n in range(101))],
        [("standstill", 0, 603, 598, 42), ("move", 603, 700, 97, 1358)],
    ),
    (
        "heartbeats say that it stood, however short the leg",
        [at(0, 0), at(60, 5, "heartbeat"), at(120, 0, "heartbeat")],
        [("standstill", 0, 120, 119, 10)],
    ),
    (
        "a heartbeat while driving does not stop the truck",
        [at(0, 0), at(30, 400, "heartbeat"), at(60, 800)],
        [("move", 0, 60, 60, 800)],
    ),
    (
        "a heartbeat does not make a long slow leg longer than the table does",
        [at(0, 0, "heartbeat"), at(600, 500)],
        [("standstill", 0, 600, 540, 500)],
    ),
    (
        "a jump nobody can drive is not counted, and stays in its move",
        [at(0, 0), at(36, 500), at(46, 5500), at(82, 6000)],
        [("move", 0, 82, 82, 1000)],
    ),
    (
        "151 km/h is not believed, 149 km/h is",
        [at(0, 0), at(36, 1510), at(72, 3000)],
        [("move", 0, 72, 72, 1490)],
    ),
    (
        "two places in one second and nothing else: no time has passed",
        [at(0, 0), at(0, 30)],
        [],
    ),
    (
        "what is pressed at a departure does not join the standstill before it",
        [at(0, 0), at(600, 10, "departure"), at(620, 30), at(656, 530)],
        [("standstill", 0, 600, 599, 10), ("move", 600, 656, 56, 520)],
    ),
    (
        "nor does what was before a departure join the standstill after it",
        [at(0, 0), at(36, 500), at(46, 510, "departure"), at(646, 520)],
        [("move", 0, 46, 46, 510), ("standstill", 46, 646, 599, 10)],
    ),
    (
        "a place that is 201 m uncertain counts on neither side",
        [at(0, 0), at(36, 500), at(72, 1000, accuracy_m=201), at(108, 1500), at(144, 2000)],
        [("move", 0, 144, 144, 1000)],
    ),
    (
        "200 m is still good enough",
        [at(0, 0), at(36, 500, accuracy_m=200)],
        [("move", 0, 36, 36, 500)],
    ),
    (
        "two places in one second: no speed is infinite on a page",
        [at(0, 0), at(36, 500), at(36, 530), at(72, 1030)],
        [("move", 0, 72, 72, 1000)],
    ),
    (
        "the same fix twice is one fix",
        [at(0, 0), at(36, 500), at(36, 500), at(72, 1000)],
        [("move", 0, 72, 72, 1000)],
    ),
    (
        "a stage without a place is an instant and no end of a leg",
        [at(0, 0), at(18, None, "break_started"), at(36, 500)],
        [("move", 0, 36, 36, 500)],
    ),
    (
        "a departure begins a new move",
        [at(0, 0), at(36, 500, "departure"), at(72, 1000)],
        [("move", 0, 36, 36, 500), ("move", 36, 72, 36, 500)],
    ),
    (
        "also one without a place: the leg is shared out by time",
        [at(0, 0), at(30, None, "departure"), at(40, 400)],
        [("move", 0, 30, 30, 300), ("move", 30, 40, 10, 100)],
    ),
    (
        "what a dispatcher entered later is no place where the phone has been",
        [at(0, 0), at(18, 9000, "exception", source="dispatcher"), at(36, 500)],
        [("move", 0, 36, 36, 500)],
    ),
]


@pytest.mark.parametrize(("reason", "moments", "expected"), LEGS, ids=[c[0] for c in LEGS])
def test_legs(reason: str, moments: list[Moment], expected: list[Entry]) -> None:
    assert entries(segments(moments)) == expected


NIGHT = [*drive(0, 0, 2), *drive(40_000, 1200, 2)]
WINDOWS: list[tuple[str, list[Moment], list[Window], list[Entry]]] = [
    (
        "the night between two duties is not shown",
        NIGHT,
        [window(0, 100), window(40_000, 50_000)],
        [("move", 0, 72, 72, 1000), ("move", 40_000, 40_072, 72, 1000)],
    ),
    (
        "within one duty the same hours are a standstill",
        NIGHT,
        [window(0, 50_000)],
        [
            ("move", 0, 72, 72, 1000),
            ("standstill", 72, 40_000, 39_904, 200),
            ("move", 40_000, 40_072, 72, 1000),
        ],
    ),
    ("outside of all windows nothing is shown", NIGHT, [], []),
    (
        "the last stage is the instant at which its window ends",
        drive(0, 0, 2),
        [window(0, 72)],
        [("move", 0, 72, 72, 1000)],
    ),
    (
        "a leg that ends after its window is not shown",
        drive(0, 0, 2),
        [window(0, 71)],
        [("move", 0, 36, 36, 500)],
    ),
    (
        "windows that only touch are two: the leg across is not shown",
        drive(0, 0, 3),
        [window(0, 50), window(50, 200)],
        [("move", 0, 36, 36, 500), ("move", 72, 108, 36, 500)],
    ),
    (
        "a mission that begins inside a duty cuts the move there",
        drive(0, 0, 3),
        [window(0, 200), window(54, 150)],
        [("move", 0, 54, 54, 750), ("move", 54, 108, 54, 750)],
    ),
    (
        "a bound on a fix loses nothing",
        drive(0, 0, 2),
        [window(0, 36), window(36, 100)],
        [("move", 0, 36, 36, 500), ("move", 36, 72, 36, 500)],
    ),
    (
        "a mission that ends while the truck stands shares the standstill out",
        [at(0, 0), at(1000, 0)],
        [window(0, 2000), window(0, 400)],
        [("standstill", 0, 400, 400, 0), ("standstill", 400, 1000, 600, 0)],
    ),
    (
        "an open visit claims nothing beyond its window",
        [at(0, 0, "arrival", stop=1), at(60, 0, "heartbeat"), at(50_000, 0, "heartbeat")],
        [window(0, 100), window(49_000, 51_000)],
        [("dwell", 0, 60, 60, 0)],
    ),
]


@pytest.mark.parametrize(
    ("reason", "moments", "windows", "expected"), WINDOWS, ids=[c[0] for c in WINDOWS]
)
def test_windows(
    reason: str, moments: list[Moment], windows: list[Window], expected: list[Entry]
) -> None:
    assert entries(segments(moments, windows=windows)) == expected


@pytest.mark.parametrize(
    ("spacing_m", "metres", "seconds", "expected"),
    [
        (2000, 2900, 600, "standstill"),  # 1.5 x 2,000 m
        (2000, 3100, 600, "gap"),
        (100, 700, 600, "standstill"),  # D is never below 500 m
        (3000, 4400, 400, "move"),  # 40 km/h all the way: it did not stand at all
    ],
)
def test_the_spacing_decides_what_is_far(
    spacing_m: float, metres: float, seconds: float, expected: str
) -> None:
    (entry,) = segments([at(0, 0), at(seconds, metres)], min_spacing_m=spacing_m)
    assert entry.type == expected


def test_a_slow_gap_may_hide_a_standstill_and_a_fast_one_not() -> None:
    slow, fast = segments([at(0, 0), at(1000, 2700), at(2000, 22_700)])
    assert (slow.standstill_possible, fast.standstill_possible) == (True, False)
    assert slow.mean_speed_mps == pytest.approx(2.7)


def test_a_standstill_is_placed_where_a_stage_says_or_somewhere_on_its_leg() -> None:
    (on_leg,) = segments([at(0, 0), at(600, 500)])
    assert (on_leg.longitude, on_leg.uncertainty_m, on_leg.is_crawling) == (0.0, 500, True)
    stage = at(600, 500, "signature", accuracy_m=8)
    at_stage = next(s for s in segments([at(0, 0), stage]) if s.type == "standstill")
    assert (at_stage.longitude, at_stage.uncertainty_m) == (stage.longitude, 8)
    assert not at_stage.is_crawling
    (in_yard,) = segments([at(0, 0), at(600, 20)])
    assert (in_yard.uncertainty_m, in_yard.is_crawling) == (50, False)


def test_a_stage_says_who_where_and_when_it_came_in() -> None:
    late = at(5, 0, "exception", stop=3, mission="M", received_at=EIGHT, source="automatic")
    (entry,) = segments([late])
    assert (entry.kind, entry.stop, entry.mission, entry.source) == (
        "exception",
        3,
        "M",
        "automatic",
    )
    assert (entry.received_at, entry.device, entry.latitude) == (EIGHT, "phone", 0.0)


def test_a_move_names_the_mission_it_was_driven_for() -> None:
    moments = [
        at(0, 0, "departure", mission="M"),
        at(36, 500, mission="M"),
        at(72, 1000, mission="M"),
        at(108, 1500, "arrival", stop=1, mission="N"),
    ]
    assert segments(moments)[1].mission == "M"
    assert segments([at(0, 0, mission="M"), at(36, 500), at(72, 1000)])[0].mission is None


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 24), 24)]
)
def test_a_standstill_through_a_whole_day_is_as_long_as_the_day(day: date, hours: int) -> None:
    start, end = whole_day(day, ZoneInfo("Europe/Brussels"))
    moments = [replace(at(0, 0), recorded_at=start), replace(at(0, 0), recorded_at=end)]
    (entry,) = segments(moments, windows=[(start, end)])
    assert (entry.type, entry.duration_s) == ("standstill", hours * 3600)


@pytest.mark.parametrize("hour_utc", [0, 1])
def test_local_times_make_no_difference(hour_utc: int) -> None:
    """At 01:00 UTC on 25 October the clock in Brussels goes from 03:00 back to 02:00."""
    zone = ZoneInfo("Europe/Brussels")
    start = datetime(2026, 10, 25, hour_utc, 45, tzinfo=UTC)
    drive_utc = [replace(m, recorded_at=m.recorded_at - EIGHT + start) for m in drive(0, 0, 60)]
    local = [replace(m, recorded_at=m.recorded_at.astimezone(zone)) for m in drive_utc]
    (expected,) = segments(drive_utc)
    (found,) = segments(local)
    assert (found.duration_s, found.distance_m) == (2160, expected.distance_m)
