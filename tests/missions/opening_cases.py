"""When a mission is open: cases as data, for every way a stage can reach the database.

A case holds whatever the order in which its stages arrive: `orders` gives them. Whoever
runs it makes a mission with `stops` stops, assigned from the beginning to one driver, puts
it into the state `before`, lets the stages in one by one (or all at once), and compares.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, permutations
from typing import Final

from missions.stages import Stage

DAY: Final = datetime(2026, 11, 20, tzinfo=UTC)


def at(clock: str) -> datetime:
    """A moment of the day of all cases, given as "08:15"."""
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


@dataclass(frozen=True)
class Sent:
    """A stage; `stop` is its place in the order, from 1."""

    stage: Stage
    recorded_at: datetime
    stop: int | None = None
    ends_mission: bool = False
    result: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Ended:
    """How a stop ended, by whose word; of a dispatcher's also when it was said, by our clock."""

    result: str
    at: datetime | None
    reason: str = ""
    source: str = "driver"
    said_at: datetime | None = None


@dataclass(frozen=True)
class State:
    """What a mission says of itself."""

    status: str
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    ended_source: str = ""


@dataclass(frozen=True)
class Case:
    """Stages in any order, and the state they lead to, the ended_source left out.

    `called_off`, `delivered`: the places of stops whose result is `cancelled` or `succeeded`
    from the beginning. `said`: what a dispatcher has said of stops; `results`: how those with
    a result have ended afterwards, by their places.
    """

    name: str
    stages: tuple[Sent, ...]
    after: State
    stops: int = 2
    called_off: frozenset[int] = frozenset()
    delivered: frozenset[int] = frozenset()
    before: State = State("assigned")
    said: Mapping[int, Ended] = field(default_factory=dict)
    results: Mapping[int, Ended] = field(default_factory=dict)

    @property
    def orders(self) -> Iterator[tuple[Sent, ...]]:
        """Up to 24 orders, the one as written first."""
        return islice(permutations(self.stages), 24)


LEAVES_DEPOT: Final = Sent(Stage.DEPARTURE, at("08:00"))
ARRIVES_FIRST: Final = Sent(Stage.ARRIVAL, at("09:00"), stop=1)
LEAVES_FIRST: Final = Sent(Stage.DEPARTURE, at("09:20"), stop=1)
ARRIVES_LAST: Final = Sent(Stage.ARRIVAL, at("11:00"), stop=2)
LEAVES_LAST: Final = Sent(Stage.DEPARTURE, at("11:30"), stop=2)
SAYS_DONE: Final = Sent(Stage.ARRIVAL, at("12:00"), ends_mission=True)

FAILS_FIRST: Final = Sent(
    Stage.EXCEPTION, at("09:10"), stop=1, result="failed", reason="receiver_absent"
)
DELIVERS_FIRST: Final = Sent(Stage.UNLOADING_ENDED, at("09:15"), stop=1, result="succeeded")
DELIVERS_LAST: Final = Sent(Stage.SIGNATURE, at("11:20"), stop=2, result="succeeded")

ENDED_BY_DISPATCHER: Final = State("completed", at("08:00"), at("12:00"), "dispatcher")
ENDED_BY_ITSELF: Final = State("completed", at("08:00"), at("12:00"), "automatic")

CASES: Final = (
    Case("no stage leaves it shut", (), State("assigned")),
    Case("the first stage opens it", (LEAVES_DEPOT,), State("started", at("08:00"))),
    Case(
        "any stage opens it, not only a departure",
        (Sent(Stage.BREAK_STARTED, at("07:50")),),
        State("started", at("07:50")),
    ),
    Case(
        "an earlier stage moves the opening back",
        (ARRIVES_FIRST, LEAVES_DEPOT),
        State("started", at("08:00")),
    ),
    Case(
        "a departure without a stop or from an earlier stop does not end it",
        (LEAVES_DEPOT, ARRIVES_FIRST, LEAVES_FIRST),
        State("started", at("08:00")),
    ),
    Case(
        "an arrival at the last stop does not end it",
        (LEAVES_DEPOT, ARRIVES_LAST),
        State("started", at("08:00")),
    ),
    Case(
        "the departure from the last stop ends it",
        (LEAVES_DEPOT, ARRIVES_FIRST, LEAVES_FIRST, ARRIVES_LAST, LEAVES_LAST),
        State("completed", at("08:00"), at("11:30")),
    ),
    Case(
        "a stage that says so ends it, wherever it is",
        (LEAVES_DEPOT, SAYS_DONE),
        State("completed", at("08:00"), at("12:00")),
    ),
    Case(
        "a stage that says so ends it without any stop",
        (LEAVES_DEPOT, SAYS_DONE),
        State("completed", at("08:00"), at("12:00")),
        stops=0,
    ),
    Case(
        "one stage can open and end it",
        (SAYS_DONE,),
        State("completed", at("12:00"), at("12:00")),
    ),
    Case(
        "a stage recorded after the end moves the end",
        (LEAVES_DEPOT, LEAVES_LAST, Sent(Stage.ARRIVAL, at("13:00"))),
        State("completed", at("08:00"), at("13:00")),
    ),
    Case(
        "of two ends the later one counts",
        (LEAVES_DEPOT, LEAVES_LAST, SAYS_DONE),
        State("completed", at("08:00"), at("12:00")),
    ),
    Case(
        "the stops may be visited out of order: the last in the plan ends it, the rest widens",
        (LEAVES_LAST, Sent(Stage.DEPARTURE, at("13:00"), stop=1)),
        State("completed", at("11:30"), at("13:00")),
    ),
    Case(
        "the same moment twice changes nothing",
        (LEAVES_DEPOT, Sent(Stage.LOADING_STARTED, at("08:00"))),
        State("started", at("08:00")),
    ),
    Case(
        "a last stop that was called off is not waited for",
        (LEAVES_DEPOT, LEAVES_FIRST),
        State("completed", at("08:00"), at("09:20")),
        called_off=frozenset({2}),
    ),
    Case(
        "a first stop that was called off does not matter",
        (LEAVES_DEPOT, LEAVES_FIRST),
        State("started", at("08:00")),
        called_off=frozenset({1}),
    ),
    Case(
        "a late stage does not reopen what a dispatcher ended",
        (Sent(Stage.UNLOADING_ENDED, at("11:00")),),
        ENDED_BY_DISPATCHER,
        before=ENDED_BY_DISPATCHER,
    ),
    Case(
        "a stage before the opening widens what a dispatcher ended",
        (Sent(Stage.LOADING_STARTED, at("07:30")),),
        State("completed", at("07:30"), at("12:00")),
        before=ENDED_BY_DISPATCHER,
    ),
    Case(
        "a stage after the end widens what a dispatcher ended",
        (Sent(Stage.SIGNATURE, at("12:45")),),
        State("completed", at("08:00"), at("12:45")),
        before=ENDED_BY_DISPATCHER,
    ),
    Case(
        "a stage from before an automatic end leaves it",
        (Sent(Stage.UNLOADING_ENDED, at("11:00")),),
        ENDED_BY_ITSELF,
        before=ENDED_BY_ITSELF,
    ),
    Case(
        "a stage recorded after an automatic end opens it again: it was a guess",
        (Sent(Stage.SIGNATURE, at("12:45")),),
        State("started", at("08:00")),
        before=ENDED_BY_ITSELF,
    ),
    Case(
        "a stage after an automatic end widens it when the last stop has a result",
        (Sent(Stage.SIGNATURE, at("12:45")),),
        State("completed", at("08:00"), at("12:45")),
        delivered=frozenset({2}),
        before=ENDED_BY_ITSELF,
    ),
    Case(
        "an end that comes late replaces an automatic one",
        (Sent(Stage.DEPARTURE, at("12:45"), stop=2),),
        State("completed", at("08:00"), at("12:45")),
        before=ENDED_BY_ITSELF,
    ),
    Case(
        "a cancelled mission stays shut",
        (LEAVES_DEPOT, LEAVES_LAST),
        State("cancelled"),
        before=State("cancelled"),
    ),
    Case(
        "a mission cancelled on its way stays as it was",
        (Sent(Stage.ARRIVAL, at("13:00")),),
        State("cancelled", at("08:00"), at("12:00")),
        before=State("cancelled", at("08:00"), at("12:00"), "dispatcher"),
    ),
    Case(
        "a result that comes with a stage is the stop's, and of an earlier stop ends nothing",
        (LEAVES_DEPOT, ARRIVES_FIRST, FAILS_FIRST),
        State("started", at("08:00")),
        results={1: Ended("failed", at("09:10"), "receiver_absent")},
    ),
    Case(
        "the later of two results holds",
        (LEAVES_DEPOT, FAILS_FIRST, DELIVERS_FIRST),
        State("started", at("08:00")),
        results={1: Ended("succeeded", at("09:15"))},
    ),
    Case(
        "of two results at one moment it is always the same",
        (
            replace(FAILS_FIRST, stage=Stage.ARRIVAL),
            replace(FAILS_FIRST, stage=Stage.SIGNATURE, result="partially_succeeded"),
            replace(FAILS_FIRST, reason="damage"),
        ),
        State("started", at("09:10")),
        results={1: Ended("partially_succeeded", at("09:10"), "receiver_absent")},
    ),
    Case(
        "a result may be all that is heard of a mission",
        (FAILS_FIRST,),
        State("started", at("09:10")),
        results={1: Ended("failed", at("09:10"), "receiver_absent")},
    ),
    Case(
        "the last stop's result ends it",
        (LEAVES_DEPOT, FAILS_FIRST, DELIVERS_LAST),
        State("completed", at("08:00"), at("11:20")),
        results={
            1: Ended("failed", at("09:10"), "receiver_absent"),
            2: Ended("succeeded", at("11:20")),
        },
    ),
    Case(
        "the departure after the last stop's result moves the end",
        (LEAVES_DEPOT, ARRIVES_LAST, DELIVERS_LAST, LEAVES_LAST),
        State("completed", at("08:00"), at("11:30")),
        results={2: Ended("succeeded", at("11:20"))},
    ),
    Case(
        "a result of a stop before one that was called off ends it",
        (LEAVES_DEPOT, DELIVERS_FIRST),
        State("completed", at("08:00"), at("09:15")),
        called_off=frozenset({2}),
        results={1: Ended("succeeded", at("09:15"))},
    ),
    Case(
        "what a dispatcher said after it holds, also when the phone is late",
        (LEAVES_DEPOT, FAILS_FIRST),
        State("started", at("08:00")),
        said={1: Ended("succeeded", at("09:05"), source="dispatcher", said_at=at("10:00"))},
        results={1: Ended("succeeded", at("09:05"), source="dispatcher")},
    ),
    Case(
        "what a driver says after a dispatcher is newer",
        (LEAVES_DEPOT, FAILS_FIRST),
        State("started", at("08:00")),
        said={1: Ended("succeeded", at("09:05"), source="dispatcher", said_at=at("09:09"))},
        results={1: Ended("failed", at("09:10"), "receiver_absent")},
    ),
    Case(
        "of a driver and a dispatcher at one moment the dispatcher's word holds",
        (LEAVES_DEPOT, FAILS_FIRST),
        State("started", at("08:00")),
        said={1: Ended("succeeded", at("09:05"), source="dispatcher", said_at=at("09:10"))},
        results={1: Ended("succeeded", at("09:05"), source="dispatcher")},
    ),
    Case(
        "a result after an automatic end replaces the guess",
        (replace(DELIVERS_LAST, recorded_at=at("12:45")),),
        State("completed", at("08:00"), at("12:45")),
        before=ENDED_BY_ITSELF,
        results={2: Ended("succeeded", at("12:45"))},
    ),
    Case(
        "a cancelled mission still hears how its stops ended",
        (FAILS_FIRST, DELIVERS_FIRST),
        State("cancelled", at("08:00"), at("12:00")),
        before=State("cancelled", at("08:00"), at("12:00"), "dispatcher"),
        results={1: Ended("succeeded", at("09:15"))},
    ),
)
