"""The dwell table for phones that send plain fixes while parked: stays, each with its reason."""

from tests.tracking.dwell_cases import DwellCase, clock, visit
from tests.tracking.tracks import at, drive

# Metres from where a parked phone is, as GPS wanders.
WANDERING = [0, 38, -45, 60, 12, -70, 33, 85, -20, 0, 41, 5]

STAYS = [
    DwellCase(
        "parked, a plain fix every minute",
        "Many apps never say that they stand. Ten minutes in one place are standing, whatever "
        "the kind of fix.",
        [at(60 * n, 0) for n in range(11)],
        [("standstill", 0, 600, 600, 0)],
    ),
    DwellCase(
        "parked, a plain fix every 300 s",
        "No leg is longer than 300 s, two of them together are.",
        [at(300 * n, 0) for n in range(3)],
        [("standstill", 0, 600, 600, 0)],
    ),
    DwellCase(
        "five minutes to the second",
        "Not more than 300 s: a move, as for a single leg.",
        [at(60 * n, 0) for n in range(6)],
        [("move", 0, 300, 300, 0)],
    ),
    DwellCase(
        "four minutes at a level crossing",
        "Five fixes in one place, but not for more than 300 s: traffic, no standstill.",
        [*drive(0, 0, 2), *(at(132 + 60 * n, 1000) for n in range(4)), at(348, 1500)],
        [("move", 0, 348, 348, 1500)],
    ),
    DwellCase(
        "a fix a minute, driving before and after",
        "Both moves keep their metres; the standstill begins with the first fix there.",
        [*drive(0, 0, 2), *(at(72 + 60 * n, 1000) for n in range(1, 11)), *drive(708, 1500, 1)],
        [
            ("move", 0, 72, 72, 1000),
            ("standstill", 72, 672, 600, 0),
            ("move", 672, 744, 72, 1000),
        ],
    ),
    DwellCase(
        "the GPS of a parked phone wanders",
        "Up to 85 m off, and the phone says that it is 40 m unsure. It is one standstill, and "
        "only as far as the last fix is from the first: 5 m, not the 713 m of all legs.",
        [at(60 * n, metres, accuracy_m=40) for n, metres in enumerate(WANDERING)],
        [("standstill", 0, 660, 659, 5)],
    ),
    DwellCase(
        "the same places of a phone that says it is 5 m sure",
        "Then it was moved: within 60 m of one place it never was for more than 300 s.",
        [at(60 * n, metres, accuracy_m=5) for n, metres in enumerate(WANDERING)],
        [("move", 0, 660, 660, 713)],
    ),
    DwellCase(
        "a place nobody knows while it is parked",
        "400 m off and 300 m unsure says nothing, so it does not end the stay either.",
        [at(60 * n, 400 if n == 4 else 0, accuracy_m=300 if n == 4 else 8) for n in range(9)],
        [("standstill", 0, 480, 480, 0)],
    ),
    DwellCase(
        "shunted 400 m on the yard",
        "Two places, ten minutes at each: two standstills, and the metres between are driven.",
        [*(at(60 * n, 0) for n in range(11)), *(at(660 + 60 * n, 400) for n in range(11))],
        [
            ("standstill", 0, 600, 600, 0),
            ("move", 600, 660, 60, 400),
            ("standstill", 660, 1260, 600, 0),
        ],
    ),
    DwellCase(
        "a queue that creeps",
        "20 m a minute is faster than 50 m in five: on the road, and it moves.",
        [at(60 * n, 20 * n) for n in range(11)],
        [("move", 0, 600, 600, 200)],
    ),
    DwellCase(
        "parked four minutes, then pressed the arrival",
        "An arrival cuts: before it were four minutes, after it the stages say what it is.",
        [*(at(60 * n, 0) for n in range(4)), *visit((240, "arrival"), place=0), at(300, 3),
         *visit((900, "departure"), place=0)],
        [("move", 0, 240, 240, 0), ("dwell", 240, 900, 660, 0)],
        times={"dwell_s": 660},
    ),
    DwellCase(
        "a fix every five seconds around a visit",
        "The last 50 m before the gate and the first after it are driven, though they lie near.",
        [*(at(5 * n, 25 * n) for n in range(4)), *visit((20, "arrival"), place=100),
         *(at(20 + 60 * n, 100 + n % 2) for n in range(1, 10)),
         *visit((620, "departure"), place=100),
         *(at(620 + 5 * n, 100 + 25 * n) for n in (1, 2, 3))],
        [("move", 0, 20, 20, 100), ("dwell", 20, 620, 600, 0), ("move", 620, 635, 15, 75)],
    ),
    DwellCase(
        "the mission ends while the truck is parked",
        "A bound of a window cuts the entry, not the stay: the truck stood on both sides of it.",
        [at(60 * n, 0) for n in range(11)],
        [("standstill", 0, 90, 90, 0), ("standstill", 90, 600, 510, 0)],
        windows=[(clock(0), clock(1000)), (clock(0), clock(90))],
    ),
    DwellCase(
        "off duty in between",
        "Four minutes before the end of a duty and four after the next begins are two tracks.",
        [at(60 * n, 0) for n in range(11)],
        [("move", 0, 240, 240, 0), ("move", 360, 600, 240, 0)],
        windows=[(clock(0), clock(290)), (clock(310), clock(700))],
    ),
]  # fmt: skip
