"""The dwell table: what a feed with one fix every 500 m is cut into, each case with its reason.

Written by hand. `expected` are the entries without the stages: type, from second, to second,
duration in seconds, metres. `times` are figures of stop 1 from the same stages, against
`plan`. Seconds are after eight o'clock, places are metres along the equator.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.tracking.tracks import EIGHT, Entry, at, drive
from tracking.segmentation import Moment, Window


def clock(seconds: float) -> datetime:
    return EIGHT + timedelta(seconds=seconds)


@dataclass(frozen=True)
class DwellCase:
    """A name, why the answer is right, what came in and what it is."""

    name: str
    why: str
    moments: list[Moment]
    expected: list[Entry]
    windows: list[Window] | None = None
    min_spacing_m: float = 0.0
    plan: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)


def visit(*stages: tuple[float, str], place: float = 500) -> list[Moment]:
    """Stages at stop 1, all at one place."""
    return [at(seconds, place, kind, stop=1) for seconds, kind in stages]


ARRIVED, LEFT = (36.0, "arrival"), (1836.0, "departure")
BEGAN, ENDED, SIGNED = "unloading_started", "unloading_ended", "signature"
AROUND = [at(0, 0), at(1872, 1000)]
# A visit of half an hour between two legs of 500 m.
HALF_AN_HOUR: list[Entry] = [
    ("move", 0, 36, 36, 500),
    ("dwell", 36, 1836, 1800, 0),
    ("move", 1836, 1872, 36, 500),
]
# The same when only the way there is known.
THERE: list[Entry] = [("move", 0, 36, 36, 500)]
WINDOW = {"window_start_at": clock(0), "window_end_at": clock(600)}

MOVES = [
    DwellCase(
        "a drive",
        "Every leg is short in time, so all of it is one move; its metres are the chords.",
        drive(0, 0, 10),
        [("move", 0, 360, 360, 5000)],
    ),
    DwellCase(
        "a traffic jam",
        "500 m in 290 s is walking pace, but the truck is on the road and moves: a move.",
        [at(290 * n, 500 * n) for n in range(5)],
        [("move", 0, 1160, 1160, 2000)],
    ),
    DwellCase(
        "a red light",
        "Two minutes on one leg are less than 300 s: a light ends no move.",
        [at(0, 0), at(36, 500), at(156, 1000), at(192, 1500)],
        [("move", 0, 192, 192, 1500)],
    ),
    DwellCase(
        "the last metres before the gate",
        "No fix is due after 300 m, but the arrival has a place of its own and closes the leg.",
        [*drive(0, 0, 2), at(100, 1300, "arrival", stop=1)],
        [("move", 0, 100, 100, 1300), ("dwell", 100, 100, 0, 0)],
    ),
    DwellCase(
        "the first metres after the gate",
        "The departure begins the move where the truck stood. A detector that waits for the "
        "first 500 m loses them.",
        [at(0, 0, "departure", stop=1), *drive(36, 500, 2)],
        [("move", 0, 108, 108, 1500)],
    ),
    DwellCase(
        "a position that jumps",
        "5 km in 10 s is no truck: both legs stay in the move, neither counts its metres.",
        [at(0, 0), at(36, 500), at(46, 5500), at(56, 1000), at(92, 1500)],
        [("move", 0, 92, 92, 1000)],
    ),
    DwellCase(
        "a place 500 m uncertain",
        "The move goes on through it; distances to a place nobody knows are not counted.",
        [at(0, 0), at(36, 500), at(72, 1400, accuracy_m=500), at(108, 1500)],
        [("move", 0, 108, 108, 500)],
    ),
]  # fmt: skip

STANDSTILLS = [
    DwellCase(
        "a lunch at the roadside, nobody pressed anything",
        "One leg of 500 m in 21 minutes. A minute of it was driving at 30 km/h, 20 were not; "
        "nobody knows where on the leg.",
        [at(0, 0), at(36, 500), at(1296, 1000), at(1332, 1500)],
        [
            ("move", 0, 36, 36, 500),
            ("standstill", 36, 1296, 1200, 500),
            ("move", 1296, 1332, 36, 500),
        ],
    ),
    DwellCase(
        "exactly 300 s",
        "The bound belongs to driving: 6 km/h is a jam.",
        [at(0, 0), at(300, 500)],
        [("move", 0, 300, 300, 500)],
    ),
    DwellCase(
        "301 s",
        "One second more is standing, less the minute that 500 m take.",
        [at(0, 0), at(301, 500)],
        [("standstill", 0, 301, 241, 500)],
    ),
    DwellCase(
        "750 m apart after ten minutes",
        "One and a half times the spacing can be one leg with a late fix: it stood.",
        [at(0, 0), at(600, 750)],
        [("standstill", 0, 600, 510, 750)],
    ),
    DwellCase(
        "751 m apart after ten minutes",
        "A fix was due at 500 m and is missing, so nobody may say that it stood.",
        [at(0, 0), at(600, 751)],
        [("gap", 0, 600, 600, 751)],
    ),
    DwellCase(
        "heartbeats a minute apart",
        "A phone that says every minute that it is here stands, however short the legs.",
        [at(60 * n, 0, "heartbeat") for n in range(4)],
        [("standstill", 0, 180, 180, 0)],
    ),
    DwellCase(
        "taps in one yard",
        "Three stages within 20 m, two minutes apart, next to a long stand: one standstill, "
        "not a standstill and two moves.",
        [at(0, 0, "waiting_started"), at(120, 10, "loading_started"), at(1320, 20, SIGNED)],
        [("standstill", 0, 1320, 1318, 20)],
    ),
    DwellCase(
        "a spacing of two kilometres",
        "The employer asked for a fix every 2 km. 400 s for one of them are 240 s of driving "
        "and 160 s of standing.",
        [at(0, 0), at(400, 2000)],
        [("standstill", 0, 400, 160, 2000)],
        min_spacing_m=2000,
    ),
    DwellCase(
        "the night between two duties",
        "Nobody was tracked: neither standstill nor gap, and not shown.",
        [*drive(0, 0, 1), *drive(40_000, 500, 1)],
        [("move", 0, 36, 36, 500), ("move", 40_000, 40_036, 36, 500)],
        windows=[(clock(0), clock(100)), (clock(39_000), clock(41_000))],
    ),
    DwellCase(
        "parked with the last fix",
        "Nothing after the last fix: it may stand, or be a phone without a battery. Nothing is "
        "claimed.",
        drive(0, 0, 2),
        [("move", 0, 72, 72, 1000)],
    ),
    DwellCase(
        "waiting in the road before the gate",
        "The driver pressed the arrival at the gate, after 14 minutes in the queue. They are a "
        "standstill on the way, not dwell: stages decide.",
        [at(0, 0), at(900, 300, "arrival", stop=1), at(1500, 300, "departure", stop=1)],
        [("standstill", 0, 900, 864, 300), ("dwell", 900, 1500, 600, 0)],
        times={"dwell_s": 600, "waiting_s": None},
    ),
]  # fmt: skip

GAPS = [
    DwellCase(
        "a tunnel",
        "5 km in 400 s without a fix is 45 km/h: driven, positions missing.",
        [*drive(0, 0, 1), at(436, 5500), at(472, 6000)],
        [("move", 0, 36, 36, 500), ("gap", 36, 436, 400, 5000), ("move", 436, 472, 36, 500)],
    ),
    DwellCase(
        "a phone switched off for two hours",
        "13 km in two hours: driving and standing cannot be told apart. A gap that says so.",
        [at(0, 0), at(7200, 13_000)],
        [("gap", 0, 7200, 7200, 13_000)],
    ),
    DwellCase(
        "a phone off where the truck stands",
        "Two hours later at the same place. A phone that sends nothing while it stands looks "
        "just so: a standstill.",
        [at(0, 0), at(7200, 20)],
        [("standstill", 0, 7200, 7198, 20)],
    ),
    DwellCase(
        "the backlog came in",
        "The same tunnel when the phone has sent what it kept: nothing remembers the gap.",
        drive(0, 0, 12),
        [("move", 0, 432, 432, 6000)],
    ),
    DwellCase(
        "a gap that ends in a visit",
        "No fixes for an hour, then the driver arrives: the gap ends where the stage says.",
        [at(0, 0), at(3600, 40_000, "arrival", stop=1), at(4200, 40_000, "departure", stop=1)],
        [("gap", 0, 3600, 3600, 40_000), ("dwell", 3600, 4200, 600, 0)],
    ),
]  # fmt: skip

VISITS = [
    DwellCase(
        "waited, unloaded, signed, left",
        "Four parts, and they add up: 5 minutes waiting, 15 unloading, 10 paperwork are 30.",
        [*AROUND, *visit(ARRIVED, (336, BEGAN), (1236, ENDED), (1500, SIGNED), LEFT)],
        HALF_AN_HOUR,
        times={"dwell_s": 1800, "waiting_s": 300, "unloading_s": 900, "paperwork_s": 600,
               "end_inferred": False},
    ),
    DwellCase(
        "the end of unloading was not pressed",
        "Nobody signs before it is unloaded: the signature is the end, and it is said that it "
        "was inferred.",
        [*AROUND, *visit(ARRIVED, (336, BEGAN), (1536, SIGNED), LEFT)],
        HALF_AN_HOUR,
        times={"waiting_s": 300, "unloading_s": 1200, "paperwork_s": 300, "end_inferred": True},
    ),
    DwellCase(
        "neither end nor signature",
        "Then until the departure, and no paperwork.",
        [*AROUND, *visit(ARRIVED, (336, BEGAN), LEFT)],
        HALF_AN_HOUR,
        times={"waiting_s": 300, "unloading_s": 1500, "paperwork_s": 0, "end_inferred": True},
    ),
    DwellCase(
        "loaded and unloaded in one visit",
        "Each action has its own time. The break between them is in neither.",
        [*AROUND, *visit(ARRIVED, (156, BEGAN), (756, ENDED), (936, "loading_started"),
                         (1536, "loading_ended"), LEFT)],
        HALF_AN_HOUR,
        times={"waiting_s": 120, "unloading_s": 600, "loading_s": 600, "paperwork_s": 300,
               "dwell_s": 1800},
    ),
    DwellCase(
        "forty minutes in the queue on the yard",
        "`waiting_started` marks the queue; waiting is counted from the arrival all the same.",
        [at(0, 0), *visit(ARRIVED, (60, "waiting_started"), (2436, BEGAN), (3036, ENDED),
                          (3636, "departure"))],
        [*THERE, ("dwell", 36, 3636, 3600, 0)],
        plan={"free_time_s": 1800},
        times={"waiting_s": 2400, "unloading_s": 600, "detention_s": 1800},
    ),
    DwellCase(
        "quicker than the free time",
        "Detention is never negative.",
        [*AROUND, *visit(ARRIVED, (336, BEGAN), (1236, ENDED), LEFT)],
        HALF_AN_HOUR,
        plan={"free_time_s": 3600},
        times={"dwell_s": 1800, "detention_s": 0},
    ),
    DwellCase(
        "still there",
        "The visit is open: it lasted at least until the last thing seen there. A dwell and an "
        "unloading that have not ended have no length yet.",
        [at(0, 0), *visit(ARRIVED, (336, BEGAN)), at(936, 510, "heartbeat")],
        [*THERE, ("dwell", 36, 936, 900, 10)],
        times={"dwell_s": None, "waiting_s": 300, "unloading_s": None, "end_inferred": False},
    ),
    DwellCase(
        "the departure was forgotten",
        "The visit ended, openly, where the driver was last seen there; what follows is driven. "
        "The dwell is not known, and nobody makes one up.",
        [at(0, 0), *visit(ARRIVED, (336, BEGAN), (936, SIGNED)), *drive(972, 1000, 2)],
        [*THERE, ("dwell", 36, 936, 900, 0), ("move", 936, 1044, 108, 1500)],
        times={"dwell_s": None, "unloading_s": 600, "end_inferred": True},
    ),
    DwellCase(
        "pressed departure on the road, two minutes late",
        "The stage decides: the first kilometre is inside the visit. Whoever minds corrects it.",
        [at(0, 0), *visit(ARRIVED), at(672, 1000), at(708, 1500, "departure", stop=1),
         at(744, 2000)],
        [*THERE, ("dwell", 36, 708, 672, 1000), ("move", 708, 744, 36, 500)],
        times={"dwell_s": 672},
    ),
    DwellCase(
        "moved from the gate to a dock 400 m away",
        "Inside a visit nothing is a move, and its metres belong to the dwell.",
        [at(0, 0), *visit(ARRIVED), at(120, 900, BEGAN, stop=1), at(900, 900, ENDED, stop=1),
         at(1836, 900, "departure", stop=1)],
        [*THERE, ("dwell", 36, 1836, 1800, 400)],
        times={"waiting_s": 84, "unloading_s": 780, "paperwork_s": 936},
    ),
    DwellCase(
        "stages without a position",
        "In a steel hall no phone knows where it is. Bounds in time are enough; the leg around "
        "the visit is driven outside of it.",
        [at(0, 0), at(30, None, "arrival", stop=1), at(1030, None, "departure", stop=1),
         at(1060, 600)],
        [("move", 0, 30, 30, 300), ("dwell", 30, 1030, 1000, 0), ("move", 1030, 1060, 30, 300)],
        times={"dwell_s": 1000},
    ),
    DwellCase(
        "sent away and came back in the afternoon",
        "Two dwells on the timeline. The row of the stop is the visit in which goods moved.",
        [*visit((0, "arrival"), (300, "departure"), place=0), at(336, 500), at(7200, 500),
         *visit((7236, "arrival"), (7296, BEGAN), (7896, ENDED), (8136, "departure"), place=0)],
        [("dwell", 0, 300, 300, 0), ("move", 300, 336, 36, 500),
         ("standstill", 336, 7200, 6864, 0), ("move", 7200, 7236, 36, 500),
         ("dwell", 7236, 8136, 900, 0)],
        times={"dwell_s": 900, "waiting_s": 60, "unloading_s": 600, "visit_count": 2},
    ),
    DwellCase(
        "the stages came in the wrong order",
        "Order is by the phone's clock. What came first into the server makes no difference.",
        [*reversed(visit(ARRIVED, (336, BEGAN), (1236, ENDED), LEFT)), *reversed(AROUND)],
        HALF_AN_HOUR,
        times={"waiting_s": 300, "unloading_s": 900, "paperwork_s": 600},
    ),
    DwellCase(
        "unloading pressed before the arrival",
        "A start before the arrival is in no visit: no negative waiting, and no unloading. The "
        "end is known, so the paperwork is.",
        [at(0, 0), at(20, 300, BEGAN, stop=1), *visit(ARRIVED, (1236, ENDED), LEFT)],
        [*THERE, ("dwell", 36, 1836, 1800, 0)],
        times={"waiting_s": None, "unloading_s": None, "paperwork_s": 600, "dwell_s": 1800},
    ),
]  # fmt: skip

PUNCTUALITY = [
    DwellCase(
        "the last second of the window",
        "A window is closed at both ends.",
        [at(0, 0), *visit((600, "arrival"), (900, "departure"))],
        [("standstill", 0, 600, 540, 500), ("dwell", 600, 900, 300, 0)],
        plan=WINDOW,
        times={"on_time": True, "arrival_delta_s": None},
    ),
    DwellCase(
        "one second later",
        "Late, by however little. How late stands beside it.",
        [at(0, 0), *visit((601, "arrival"), (901, "departure"))],
        [("standstill", 0, 601, 541, 500), ("dwell", 601, 901, 300, 0)],
        plan=WINDOW,
        times={"on_time": False},
    ),
    DwellCase(
        "the window counts, not the planned minute",
        "Planned for 08:00, here at 08:09, window until 08:10: nine minutes after the plan and "
        "on time.",
        [at(0, 0), *visit((540, "arrival"), (900, "departure"))],
        [("standstill", 0, 540, 480, 500), ("dwell", 540, 900, 360, 0)],
        plan=WINDOW | {"planned_arrival_at": clock(0), "late_s": 60},
        times={"on_time": True, "arrival_delta_s": 540},
    ),
    DwellCase(
        "without a window the employer's tolerance",
        "A quarter of an hour either way unless the employer says otherwise.",
        [at(0, 0), *visit(ARRIVED, LEFT)],
        [*THERE, ("dwell", 36, 1836, 1800, 0)],
        plan={"planned_arrival_at": clock(940), "planned_departure_at": clock(1800)},
        times={"on_time": False, "arrival_delta_s": -904, "departure_delta_s": 36},
    ),
    DwellCase(
        "heard of an hour later",
        "No coverage: the server got the arrival at nine. It happened at 08:00:36, and that "
        "alone is on time or not.",
        [at(0, 0), at(36, 500, "arrival", stop=1, received_at=clock(3600)), *visit(LEFT)],
        [*THERE, ("dwell", 36, 1836, 1800, 0)],
        plan=WINDOW,
        times={"on_time": True, "dwell_s": 1800},
    ),
    DwellCase(
        "the fix 500 m before is no arrival",
        "The window ends at 08:00:30. A truck 500 m away at 08:00:00 may have been there in "
        "time; the driver says 08:00:36, and is believed.",
        [at(0, 0), *visit(ARRIVED, LEFT)],
        [*THERE, ("dwell", 36, 1836, 1800, 0)],
        plan={"window_end_at": clock(30)},
        times={"on_time": False},
    ),
    DwellCase(
        "nothing was planned",
        "Then nobody is late.",
        [at(0, 0), *visit(ARRIVED, LEFT)],
        [*THERE, ("dwell", 36, 1836, 1800, 0)],
        times={"on_time": None, "arrival_delta_s": None, "detention_s": None},
    ),
]  # fmt: skip

CASES = [*MOVES, *STANDSTILLS, *GAPS, *VISITS, *PUNCTUALITY]
