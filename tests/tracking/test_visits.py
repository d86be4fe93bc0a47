"""Tables of stages: which departure belongs to which arrival, and why."""

import pytest

from tests.tracking.tracks import Entry, at, drive, entries
from tracking.segmentation import Moment, segments

VISITS: list[tuple[str, list[Moment], list[Entry]]] = [
    (
        "from arrival to departure, whatever the legs inside look like",
        [
            at(0, 0),
            at(36, 500, "arrival", stop=1),
            at(636, 520, "signature", stop=1),
            at(700, 500, "departure", stop=1),
            at(736, 1000),
        ],
        [("move", 0, 36, 36, 500), ("dwell", 36, 700, 664, 0), ("move", 700, 736, 36, 500)],
    ),
    (
        "without places the stages still bound it, and the leg is driven outside",
        [
            at(0, 0),
            at(30, None, "arrival", stop=1),
            at(1030, None, "departure", stop=1),
            at(1060, 600),
        ],
        [("move", 0, 30, 30, 300), ("dwell", 30, 1030, 1000, 0), ("move", 1030, 1060, 30, 300)],
    ),
    (
        "an open visit ends where the driver was last seen there",
        [at(0, 0, "arrival", stop=1), at(600, 10, "heartbeat"), at(1200, 20, "signature")],
        [("dwell", 0, 1200, 1200, 20)],
    ),
    (
        "the departure was forgotten: open, and the drive is a drive",
        [at(0, 0, "arrival", stop=1), at(600, 0, "signature", stop=1), *drive(636, 500, 2)],
        [("dwell", 0, 600, 600, 0), ("move", 600, 708, 108, 1500)],
    ),
    (
        "it was forgotten, and the driver came back",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "signature", stop=1),
            at(96, 500),
            at(132, 0, "arrival", stop=1),
            at(732, 0, "departure", stop=1),
        ],
        [("dwell", 0, 60, 60, 0), ("move", 60, 132, 72, 1000), ("dwell", 132, 732, 600, 0)],
    ),
    (
        "it was forgotten, and one at another site cannot make up for it",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "signature", stop=1),
            *drive(96, 500, 2),
            at(204, 2000, "arrival", stop=2),
            at(804, 2000, "departure", stop=2),
            at(840, 2500, "departure", stop=1),
        ],
        [
            ("dwell", 0, 60, 60, 0),
            ("move", 60, 204, 144, 2000),
            ("dwell", 204, 804, 600, 0),
            ("move", 804, 840, 36, 500),
        ],
    ),
    (
        "pressed late, on the road: stages decide",
        [
            at(0, 0, "arrival", stop=1),
            at(600, 500),
            at(636, 1000, "departure", stop=1),
            at(672, 1500),
        ],
        [("dwell", 0, 636, 636, 1000), ("move", 636, 672, 36, 500)],
    ),
    (
        "a second press of arrival is the same visit",
        [
            at(0, 0, "arrival", stop=1),
            at(20, 5, "arrival", stop=1),
            at(600, 0, "departure", stop=1),
        ],
        [("dwell", 0, 600, 600, 10)],
    ),
    (
        "two stops behind one gate, each as long as its own stages say",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "arrival", stop=2),
            at(600, 0, "departure", stop=1),
            at(700, 0, "departure", stop=2),
        ],
        [("dwell", 0, 600, 600, 0), ("dwell", 60, 700, 640, 0)],
    ),
    (
        "one visit inside the other: what is left of the longer one is no standstill",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "arrival", stop=2),
            at(600, 0, "departure", stop=2),
            at(1000, 0),
            at(1400, 0, "departure", stop=1),
        ],
        [("dwell", 0, 1400, 1400, 0), ("dwell", 60, 600, 540, 0)],
    ),
    (
        "two stops behind one gate and a departure that names none: from the later one",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "arrival", stop=2),
            at(600, 0, "departure"),
            at(700, 0, "departure", stop=1),
        ],
        [("dwell", 0, 700, 700, 0), ("dwell", 60, 600, 540, 0)],
    ),
    (
        "after another stage and on the road, a departure without a stop ends nothing",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 0, "signature", stop=1),
            at(96, 500),
            at(132, 1000, "departure"),
        ],
        [("dwell", 0, 60, 60, 0), ("move", 60, 132, 72, 1000)],
    ),
    (
        "another phone's departure without a stop ends nothing",
        [
            at(0, 0, "arrival", stop=1, device="a"),
            at(60, 0, "heartbeat", device="a"),
            at(600, 0, "departure", device="b"),
        ],
        [("dwell", 0, 60, 60, 0)],
    ),
    (
        "nobody knows where it arrived, but a distance fix says that it drove on",
        [at(0, None, "arrival", stop=1), at(60, 0), at(96, 500)],
        [("dwell", 0, 0, 0, 0), ("move", 60, 96, 36, 500)],
    ),
    (
        "nobody knows where it arrived, and a heartbeat says where it is",
        [at(0, None, "arrival", stop=1), at(60, 0, "heartbeat"), at(120, 10, "heartbeat")],
        [("dwell", 0, 120, 120, 10)],
    ),
    (
        "a signature is there even without a place, a break can be anywhere",
        [
            at(0, None, "arrival"),
            at(60, None, "signature"),
            at(900, None, "break_started"),
        ],
        [("dwell", 0, 60, 60, 0)],
    ),
    (
        "only the next departure can end an arrival without a stop",
        [
            at(0, 0, "arrival", mission="M"),
            at(36, 500),
            at(72, 1000, "departure", mission="N"),
            at(108, 1500, "departure", mission="M"),
        ],
        [("dwell", 0, 0, 0, 0), ("move", 0, 72, 72, 1000), ("move", 72, 108, 36, 500)],
    ),
    (
        "the dock is 400 m behind the gate, and unloading names the stop",
        [
            at(0, 0, "arrival", stop=1),
            at(60, 200),
            at(120, 400, "unloading_started", stop=1),
            at(1200, 410, "heartbeat"),
        ],
        [("dwell", 0, 1200, 1200, 410)],
    ),
    (
        "an arrival without a stop pairs with the next departure",
        [at(0, 0, "arrival"), at(600, 0, "signature"), at(700, 10, "departure", stop=7)],
        [("dwell", 0, 700, 700, 10)],
    ),
    (
        "a departure without a stop, from where the driver arrived, ends that visit",
        [at(0, 0, "arrival", stop=1), at(500, 0, "signature", stop=1), at(600, 0, "departure")],
        [("dwell", 0, 600, 600, 0)],
    ),
    (
        "it also does as the very next stage of the mission, though pressed on the road",
        [at(0, 0, "arrival", stop=1, mission="M"), at(600, 500), at(636, 1000, "departure")],
        [("dwell", 0, 636, 636, 1000)],
    ),
    (
        "a departure from the depot ends no visit of a customer",
        [
            at(0, 0, "arrival", stop=1, mission="M"),
            at(60, 0, "signature", stop=1, mission="M"),
            *drive(96, 500, 9),
            at(1000, 5000, "departure", mission="N"),
            at(1036, 5500),
        ],
        [
            ("dwell", 0, 60, 60, 0),
            ("move", 60, 420, 360, 5000),
            ("standstill", 420, 1000, 580, 0),
            ("move", 1000, 1036, 36, 500),
        ],
    ),
    (
        "nor the last arrival of yesterday's mission, when neither names a stop",
        [at(0, 0, "arrival", mission="M"), at(36, 500), at(72, 1000, "departure", mission="N")],
        [("dwell", 0, 0, 0, 0), ("move", 0, 72, 72, 1000)],
    ),
    (
        "a departure without an arrival has no visit",
        [at(0, 0, "departure", stop=1), at(36, 500)],
        [("move", 0, 36, 36, 500)],
    ),
    (
        "handed over at the stop: one driver arrives, the other departs",
        [at(0, 0, "arrival", stop=1, device="a"), at(600, 0, "departure", stop=1, device="b")],
        [("dwell", 0, 600, 600, 0)],
    ),
    (
        "a place 500 m uncertain does not end a visit",
        [
            at(0, 0, "arrival", stop=1),
            at(300, 450, "heartbeat", accuracy_m=500),
            at(600, 0, "heartbeat"),
        ],
        [("dwell", 0, 600, 600, 0)],
    ),
    (
        "waiting before the gate is not the visit",
        [at(0, 0), at(900, 300, "arrival", stop=1), at(1000, 300, "departure", stop=1)],
        [("standstill", 0, 900, 864, 300), ("dwell", 900, 1000, 100, 0)],
    ),
    (
        "arrived and left in one second",
        [at(0, 0), at(36, 500, "departure", stop=1), at(36, 500, "arrival", stop=1), at(72, 1000)],
        [("move", 0, 36, 36, 500), ("dwell", 36, 36, 0, 0), ("move", 36, 72, 36, 500)],
    ),
]


@pytest.mark.parametrize(("reason", "moments", "expected"), VISITS, ids=[c[0] for c in VISITS])
def test_visits(reason: str, moments: list[Moment], expected: list[Entry]) -> None:
    assert entries(segments(moments)) == expected


@pytest.mark.parametrize(
    ("departure", "is_open"),
    [
        (at(600, 0, "departure", stop=1), False),
        (at(600, 0, "departure"), False),
        (at(600, 0, "departure", stop=2), True),
        (at(600, 0, "departure", device="another"), True),
        (at(600, 0, "departure", stop=1, device="another"), False),
    ],
)
def test_a_visit_is_open_until_its_own_departure(departure: Moment, is_open: bool) -> None:
    found = segments([at(0, 0, "arrival", stop=1), at(60, 0, "signature", stop=1), departure])
    assert [s.is_open for s in found if s.type == "dwell"] == [is_open]


def test_a_visit_is_known_by_whichever_of_its_stages_names_the_stop() -> None:
    def stop(*moments: Moment) -> object:
        (dwell,) = (s for s in segments(moments) if s.type == "dwell")
        return dwell.stop

    assert stop(at(0, 0, "arrival"), at(60, 0, "departure", stop=7)) == 7
    assert stop(at(0, 0, "arrival"), at(20, 0, "arrival", stop=7)) == 7
    assert stop(at(0, 0, "arrival", stop=7), at(60, 0, "departure")) == 7


def test_stages_of_one_second_come_in_the_order_of_a_visit() -> None:
    kinds = ("departure", "signature", "arrival")
    found = segments([at(5, 0, kind, stop=1) for kind in kinds])
    assert [s.kind for s in found if s.type == "stage"] == ["arrival", "signature", "departure"]


def test_a_stage_that_comes_with_and_without_its_stop_is_one() -> None:
    both = [at(5, 0, "signature"), at(5, 0, "signature", stop=7)]
    assert [s.stop for s in segments(both)] == [7]
    assert [s.stop for s in segments(reversed(both))] == [7]


def test_a_dwell_is_worth_what_its_weaker_end_is() -> None:
    def source(arrival: str, departure: str) -> str:
        found = segments(
            [
                at(0, 0, "arrival", stop=1, source=arrival),
                at(60, 0, "departure", stop=1, source=departure),
            ]
        )
        return next(s.source for s in found if s.type == "dwell")

    assert source("driver", "driver") == "driver"
    assert source("automatic", "driver") == "automatic"
    assert source("driver", "dispatcher") == "dispatcher"
