"""A day's missions leave the same record whenever, however often and in whatever order it comes.

One story, told by an online phone one by one, and then late, twice and shuffled: missions,
stops, stage events and fixes must be the same, but for when they were received.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, product
from random import Random
from typing import Any, Final

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Employer, TrackingWindow, Truck
from missions.models import Mission, MissionAssignment, Site, StageEvent, Stop
from missions.stages import STAGE_BY_LABEL
from tests.cast import Phone, assign, make_driver, make_employer, make_phone
from tests.missions.builders import wrong_open_periods
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix, mark
from tracking.models import Fix

pytestmark = pytest.mark.django_db(transaction=True)

HANDED_OVER_AT: Final = 65
Item = dict[str, Any]
_NUMBERS = count(1)


@dataclass(frozen=True)
class World:
    """An employer of its own, so that each telling starts from nothing: ada, then ben, drive."""

    employer: Employer
    ada: Phone
    ben: Phone


def make_world(now: datetime, window: TrackingWindow) -> World:
    """M-1 is handed over from ada to ben, M-2 is ada's; each driver and M-1 has a truck."""
    employer = make_employer(f"Story {next(_NUMBERS)}")
    employer.tracking_window = window
    employer.save()
    ada, ben = (make_phone(make_driver(employer, name, name)) for name in ("ada", "ben"))
    trucks = [Truck.objects.create(employer=employer, plate=plate) for plate in "ABC"]
    assign(trucks[0], ada.driver, None)
    assign(trucks[1], ben.driver, None)
    handed_over_at = now + timedelta(minutes=HANDED_OVER_AT)
    first, second = (
        Mission.objects.create(employer=employer, external_id=name, status="assigned")
        for name in ("M-1", "M-2")
    )
    for mission, driver, truck, period in (
        (first, ada.driver, trucks[2], (None, handed_over_at)),
        (first, ben.driver, None, (handed_over_at, None)),
        (second, ada.driver, None, (None, None)),
    ):
        MissionAssignment.objects.create(
            employer=employer, mission=mission, driver=driver, truck=truck,
            period=DateTimeTZRange(*period),
        )  # fmt: skip
    site = Site.objects.create(employer=employer, name="Ghent", latitude=50.9, longitude=4.35)
    for seq in (1, 2):
        Stop.objects.create(
            employer=employer, mission=first, seq=seq, external_id=f"S-{seq}", site=site
        )
    return World(employer, ada, ben)


def story(now: datetime) -> list[tuple[str, Item]]:
    """Who says what, in the order in which it happened."""
    ids = count(1)

    def moment(minute: float) -> datetime:
        return now + timedelta(minutes=minute)

    def drives(minute: float, **more: Any) -> Item:
        return fix(moment(minute), 50.5 + minute / 100, **more)

    def stage(minute: float, kind: str, mission: str = "M-1", **more: Any) -> Item:
        named = {"kind": kind, "mission": mission, "id": f"s-{next(ids)}"}
        return drives(minute, **named, **more)

    def at_stop(minute: float, kind: str, seq: int, **more: Any) -> Item:
        return stage(minute, kind, stop=f"S-{seq}", **more)

    earlier = {"position_source": "last_known", "position_recorded_at": moment(68).isoformat()}
    return [
        ("ada", mark(moment(0), "duty_started")),
        ("ada", drives(5)),
        ("ada", stage(10, "departure")),
        *(("ada", drives(minute)) for minute in (12, 15, 18, 21)),
        ("ada", at_stop(25, "arrival", 1, note="gate 4")),
        ("ada", at_stop(26, "waiting_started", 1)),
        ("ada", drives(28, kind="heartbeat")),
        ("ada", at_stop(30, "unloading_started", 1)),
        ("ada", at_stop(34, "exception", 1, reason="damage", result="failed")),
        ("ada", at_stop(35, "unloading_ended", 1, reason="damage", result="partially_succeeded")),
        ("ada", at_stop(36, "signature", 1)),
        ("ada", at_stop(40, "departure", 1)),
        ("ada", drives(45)),
        ("ada", stage(50, "departure", "M-2")),
        ("ada", drives(52)),  # two missions are open: of neither
        ("ada", drives(55, mission="M-2")),
        ("ada", stage(60, "arrival", "M-2", ends_mission=True)),
        ("ada", drives(62)),
        ("ada", drives(66)),  # handed over: no mission, the truck again her own
        ("ben", mark(moment(60), "duty_started")),
        ("ben", drives(64)),
        ("ben", drives(68)),
        ("ben", at_stop(70, "arrival", 2, **earlier)),
        ("ben", mark(moment(75), "unloading_started", mission="M-1", stop="S-2", id="s-75")),
        ("ben", at_stop(80, "unloading_ended", 2, result="succeeded")),
        ("ben", drives(82, kind="heartbeat")),  # after the result, before the signature
        ("ben", at_stop(85, "signature", 2)),
        ("ben", drives(88)),
        ("ben", at_stop(90, "departure", 2)),
        ("ben", drives(95)),
    ]


def is_mark(item: Item) -> bool:
    kind = item.get("kind", "distance")
    return kind in STAGE_BY_LABEL or kind.startswith("duty")


@dataclass
class App:
    """A phone's queue by the README: what lies outside the window is offered once more."""

    ingest: AsgiPhone
    world: World

    def __post_init__(self) -> None:
        self.outside: list[tuple[str, Item]] = []

    def tell(self, told: Sequence[tuple[str, Item]]) -> None:
        """Post a batch, and after a stage or duty mark what was kept."""
        stored = [self._post(who, told, keep=True) for who in ("ada", "ben")]
        if any(stored):
            self.offer()

    def offer(self) -> None:
        kept, self.outside = self.outside, []
        for who in ("ada", "ben"):
            self._post(who, kept, keep=False)

    def _post(self, who: str, told: Sequence[tuple[str, Item]], *, keep: bool) -> bool:
        """Whether a stage or duty mark was stored."""
        items = [item for teller, item in told if teller == who]
        if not items:
            return False
        statuses = self.ingest.post(getattr(self.world, who).token, items).statuses
        answered = list(zip(items, statuses, strict=True))
        assert "refused" not in statuses
        if keep:
            self.outside += [(who, item) for item, status in answered if status == "outside_window"]
        return any(is_mark(item) for item, status in answered if status == "stored")


def record_of(world: World) -> dict[str, list[Any]]:
    """All that was recorded, in words: no ids of rows and no moments of receiving."""
    missions = Mission.objects.filter(employer=world.employer)
    names: dict[int | None, str] = {mission.pk: str(mission.external_id) for mission in missions}
    plates: dict[int | None, str] = dict(
        Truck.objects.filter(employer=world.employer).values_list("pk", "plate")
    )
    drivers = {world.ada.driver.pk: "ada", world.ben.driver.pk: "ben"}
    left_out = {"id", "uuid", "employer_id", "received_at", "device_id", "created_at"}

    def told(row: Fix | StageEvent) -> dict[str, object]:
        return {
            **{name: value for name, value in vars(row).items()
               if not name.startswith("_") and name not in left_out},
            "driver_id": drivers[row.driver_id or 0],
            "mission_id": names.get(row.mission_id),
            "truck_id": plates.get(row.truck_id),
            "stop_id": row.stop and row.stop.seq if isinstance(row, StageEvent) else None,
        }  # fmt: skip

    return {
        "missions": list(
            missions.order_by("external_id").values(
                "external_id", "status", "opened_at", "ended_at", "ended_source", "last_stage_at"
            )
        ),
        "stops": list(
            Stop.objects.filter(mission__in=missions).order_by("seq").values(
                "seq", "result", "result_reason", "result_at", "result_said_at", "result_source"
            )
        ),
        "stages": [
            told(event)
            for event in StageEvent.objects.filter(employer=world.employer)
            .select_related("stop")
            .order_by("recorded_at", "client_id")
        ],
        "fixes": [
            told(row)
            for row in Fix.objects.filter(driver_id__in=drivers).order_by(
                "recorded_at", "driver_id"
            )
        ],
    }  # fmt: skip


Telling = Callable[[App, list[tuple[str, Item]], Random], None]


def one_by_one(app: App, told: list[tuple[str, Item]], _: Random) -> None:
    for item in told:
        app.tell([item])


def all_late(app: App, told: list[tuple[str, Item]], _: Random) -> None:
    app.tell(told)


def all_late_twice(app: App, told: list[tuple[str, Item]], random: Random) -> None:
    app.tell(told)
    app.tell(random.sample(told, len(told)))


def each_twice(app: App, told: list[tuple[str, Item]], _: Random) -> None:
    for item in told:
        app.tell([item])
        app.tell([item])


def shuffled(app: App, told: list[tuple[str, Item]], random: Random) -> None:
    one_by_one(app, random.sample(told, len(told)), random)


def shuffled_in_batches_twice(app: App, told: list[tuple[str, Item]], random: Random) -> None:
    both = random.sample(told * 2, 2 * len(told))
    while both:
        size = random.randint(1, 12)
        app.tell(both[:size])
        both = both[size:]


def backwards(app: App, told: list[tuple[str, Item]], random: Random) -> None:
    one_by_one(app, told[::-1], random)


def fixes_before_their_stages(app: App, told: list[tuple[str, Item]], random: Random) -> None:
    """Nothing is open yet; once the stages are stored, what was kept is offered once more."""
    for items in (
        [item for item in told if not is_mark(item[1])],
        [item for item in told if is_mark(item[1])],
    ):
        app.tell(random.sample(items, len(items)))


@pytest.fixture
def online(ingest: AsgiPhone, now: datetime) -> Callable[[TrackingWindow], dict[str, list[Any]]]:
    """What an online phone leaves behind, by window."""

    def told(window: TrackingWindow) -> dict[str, list[Any]]:
        world = make_world(now, window)
        one_by_one(App(ingest, world), story(now), Random(0))  # noqa: S311
        return record_of(world)

    return told


def differences(expected: dict[str, list[Any]], found: dict[str, list[Any]]) -> list[str]:
    return [
        f"{what}: {one} != {other}"
        for what in expected
        for one, other in _pairs(expected[what], found[what])
        if one != other
    ]


def _pairs(expected: list[Any], found: list[Any]) -> Iterable[tuple[Any, Any]]:
    longest = max(len(expected), len(found))
    fill = [None] * longest
    return zip([*expected, *fill][:longest], [*found, *fill][:longest], strict=True)


Online = Callable[[TrackingWindow], dict[str, list[Any]]]


def test_the_story_is_told(online: Online, now: datetime) -> None:
    """What the others are compared with says what it should."""
    told = online(TrackingWindow.ALWAYS)
    first, second = told["missions"]
    assert (first["status"], first["opened_at"]) == ("completed", now + timedelta(minutes=10))
    assert (first["ended_at"], first["ended_source"]) == (now + timedelta(minutes=90), "driver")
    assert (second["status"], second["ended_at"]) == ("completed", now + timedelta(minutes=60))
    assert [stop["result"] for stop in told["stops"]] == ["partially_succeeded", "succeeded"]
    linked = {
        (row["recorded_at"] - now).seconds // 60: (row["mission_id"], row["truck_id"])
        for row in told["fixes"]
        if row["kind"] < 10
    }
    assert linked == {
        5: (None, "A"), 12: ("M-1", "C"), 15: ("M-1", "C"), 18: ("M-1", "C"), 21: ("M-1", "C"),
        28: ("M-1", "C"), 45: ("M-1", "C"), 52: (None, "A"), 55: ("M-2", "A"),
        62: ("M-1", "C"), 64: (None, "B"), 66: (None, "A"), 68: ("M-1", "B"),
        82: ("M-1", "B"), 88: ("M-1", "B"), 95: (None, "B"),
    }  # fmt: skip


# Where a window must be open first, a fix told backwards may come too early both times.
@pytest.mark.parametrize(
    ("window", "telling"),
    [
        *product(TrackingWindow, (all_late, all_late_twice, each_twice, fixes_before_their_stages)),
        (TrackingWindow.ALWAYS, backwards),
    ],
)
def test_late_twice_and_backwards_it_is_the_same(
    ingest: AsgiPhone, online: Online, now: datetime, window: TrackingWindow, telling: Telling
) -> None:
    expected = online(window)
    world = make_world(now, window)
    telling(App(ingest, world), story(now), Random(1))  # noqa: S311
    assert differences(expected, record_of(world)) == []
    assert wrong_open_periods() == []


@pytest.mark.parametrize("telling", [shuffled, shuffled_in_batches_twice])
def test_in_any_order_it_is_the_same(
    ingest: AsgiPhone, online: Online, now: datetime, telling: Telling
) -> None:
    expected = online(TrackingWindow.ALWAYS)
    for seed in range(15):
        world = make_world(now, TrackingWindow.ALWAYS)
        telling(App(ingest, world), story(now), Random(seed))  # noqa: S311
        assert differences(expected, record_of(world)) == [], f"seed {seed}"
    assert wrong_open_periods() == []
