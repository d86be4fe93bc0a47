"""Who had which truck, and who carried which phone."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actors import Actor
from accounts.assignments import (
    AlreadyEnded,
    AlreadyHeld,
    DriverNotAvailable,
    assign_truck,
    correct_assignment,
    end_assignment,
    hand_over_device,
    truck_of,
)
from accounts.freezing import freeze_driver
from accounts.models import (
    AuditEntry,
    Device,
    DeviceHolding,
    Driver,
    Employer,
    Truck,
    TruckAssignment,
)
from accounts.phones import enrol_device
from accounts.refusals import DriverFrozen, Invalid, Overlaps
from accounts.trucks import TruckRetired, retire_truck
from tests.accounts.racing import raced
from tests.cast import Phone, assign, make_driver

MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def actor(acme: Employer) -> Actor:
    return Actor("command", acme)


def test_a_truck_is_a_drivers_from_then_on(actor: Actor, truck12: Truck, ada: Driver) -> None:
    assignment = assign_truck(actor, truck12, ada, begin=MONDAY)
    assert truck_of(ada, MONDAY) == truck12
    assert truck_of(ada, MONDAY - HOUR) is None
    entry = AuditEntry.objects.get(action="truck.assigned")
    assert entry.object_id == assignment.uuid
    assert entry.detail["driver"] == str(ada.uuid)
    assert "Ada" not in str(entry.detail)


def test_periods_may_touch(actor: Actor, truck12: Truck, ada: Driver, ben: Driver) -> None:
    assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY + HOUR)
    assign_truck(actor, truck12, ben, begin=MONDAY + HOUR)
    assert truck_of(ada, MONDAY + HOUR) is None
    assert truck_of(ben, MONDAY + HOUR) == truck12


def test_a_second_driver_of_a_truck_is_told_who_is_in_the_way(
    actor: Actor, truck12: Truck, ada: Driver, ben: Driver
) -> None:
    first = assign_truck(actor, truck12, ada, begin=MONDAY)
    with pytest.raises(Overlaps) as refusal:
        assign_truck(actor, truck12, ben, begin=MONDAY + HOUR)
    assert refusal.value.status == 409
    assert str(first.uuid) in refusal.value.detail
    assert refusal.value.extra["in_the_way"] == {
        "id": str(first.uuid),
        "driver": str(ada.uuid),
        "truck": str(truck12.uuid),
        "from": MONDAY.isoformat(),
        "to": None,
    }
    assert TruckAssignment.objects.count() == 1
    assert AuditEntry.objects.filter(action="truck.assigned").count() == 1


def test_a_driver_has_one_truck_at_a_time(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver
) -> None:
    assign_truck(actor, truck12, ada, begin=MONDAY)
    with pytest.raises(Overlaps):
        assign_truck(actor, truck34, ada, begin=MONDAY - HOUR)


def test_an_assignment_ends_after_it_begins(actor: Actor, truck12: Truck, ada: Driver) -> None:
    with pytest.raises(Invalid):
        assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY)


def test_a_retired_truck_is_not_given_away(actor: Actor, truck12: Truck, ada: Driver) -> None:
    retire_truck(actor, truck12, MONDAY)
    with pytest.raises(TruckRetired):
        assign_truck(actor, truck12, ada, begin=MONDAY - HOUR)
    assign_truck(actor, truck12, ada, begin=MONDAY - HOUR, end=MONDAY)


def test_the_database_itself_refuses_another_employers_truck(ada: Driver, cy_truck: Truck) -> None:
    assign(cy_truck, ada, MONDAY)
    with pytest.raises(IntegrityError, match="of_same_employer"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_end_says_which_fixes_were_linked_after_it(
    actor: Actor, truck12: Truck, ada: Driver
) -> None:
    assignment = assign_truck(actor, truck12, ada, begin=MONDAY)
    ended = end_assignment(actor, assignment, MONDAY + HOUR)
    assert [(span.driver, span.begin, span.end) for span in ended.spans] == [
        (ada, MONDAY + HOUR, None)
    ]
    assert truck_of(ada, MONDAY + HOUR) is None
    with pytest.raises(AlreadyEnded):
        end_assignment(actor, assignment, MONDAY + 2 * HOUR)


def test_a_correction_says_which_spans_the_old_one_linked(
    actor: Actor, truck12: Truck, ada: Driver, ben: Driver
) -> None:
    assignment = assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY + HOUR)
    corrected = correct_assignment(
        actor, assignment, driver=ben, begin=MONDAY, end=MONDAY + 2 * HOUR
    )
    assert [(span.driver, span.begin, span.end) for span in corrected.spans] == [
        (ada, MONDAY, MONDAY + HOUR),
        (ben, MONDAY, MONDAY + 2 * HOUR),
    ]
    assert truck_of(ada, MONDAY) is None
    assert truck_of(ben, MONDAY + HOUR) == truck12
    entry = AuditEntry.objects.get(action="truck_assignment.corrected")
    assert entry.detail["before"]["driver"] == str(ada.uuid)
    assert entry.detail["after"]["driver"] == str(ben.uuid)


def test_a_correction_of_the_truck_alone_has_one_span(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver
) -> None:
    assignment = assign_truck(actor, truck12, ada, begin=MONDAY)
    corrected = correct_assignment(actor, assignment, truck=truck34, begin=MONDAY, end=None)
    assert len(corrected.spans) == 1
    assert truck_of(ada, MONDAY) == truck34


def test_a_correction_does_not_run_into_another_assignment(
    actor: Actor, truck12: Truck, ada: Driver, ben: Driver
) -> None:
    first = assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY + HOUR)
    second = assign_truck(actor, truck12, ben, begin=MONDAY + HOUR)
    with pytest.raises(Overlaps) as refusal:
        correct_assignment(actor, first, begin=MONDAY, end=None)
    assert str(second.uuid) in refusal.value.detail
    first.refresh_from_db()
    assert first.period.upper == MONDAY + HOUR


def test_a_frozen_drivers_assignment_stays_as_it_is(
    actor: Actor, truck12: Truck, ada: Driver
) -> None:
    assignment = assign_truck(actor, truck12, ada, begin=MONDAY)
    freeze_driver(ada)
    with pytest.raises(DriverNotAvailable):
        end_assignment(actor, assignment, MONDAY + HOUR)


def test_a_driver_frozen_meanwhile_is_given_nothing(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver, ben: Driver, ben_phone: Phone
) -> None:
    """What the caller read before the freeze does not count, what is in the row does."""
    assignment = assign_truck(actor, truck34, ben, begin=MONDAY)
    freeze_driver(Driver.objects.get(pk=ada.pk))
    assert ada.frozen_at is None
    with pytest.raises(DriverNotAvailable):
        assign_truck(actor, truck12, ada, begin=MONDAY)
    with pytest.raises(DriverNotAvailable):
        correct_assignment(actor, assignment, driver=ada)
    with pytest.raises(DriverNotAvailable):
        hand_over_device(actor, ben_phone.device, ada, MONDAY)
    with pytest.raises(DriverFrozen):
        enrol_device(actor, ada)
    assert not ada.truck_assignments.exists()
    assert not DeviceHolding.objects.filter(driver=ada).exists()


def test_a_truck_retired_meanwhile_is_given_to_nobody(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver
) -> None:
    assignment = assign_truck(actor, truck34, ada, begin=MONDAY)
    retire_truck(actor, Truck.objects.get(pk=truck12.pk), MONDAY)
    assert truck12.retired_at is None
    with pytest.raises(TruckRetired):
        correct_assignment(actor, assignment, truck=truck12)


def test_a_frozen_driver_in_the_way_is_not_named(
    actor: Actor, truck12: Truck, ada: Driver, ben: Driver
) -> None:
    first = assign_truck(actor, truck12, ada, begin=MONDAY)
    freeze_driver(ada)
    with pytest.raises(Overlaps) as refusal:
        assign_truck(actor, truck12, ben, begin=MONDAY)
    in_the_way = refusal.value.extra["in_the_way"]
    assert isinstance(in_the_way, dict)
    assert (in_the_way["id"], in_the_way["driver"]) == (str(first.uuid), None)


def test_a_correction_keeps_what_another_has_just_corrected(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver
) -> None:
    made = assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY + 9 * HOUR)
    mine, theirs = (TruckAssignment.objects.get(pk=made.pk) for _ in range(2))
    correct_assignment(actor, theirs, begin=MONDAY + HOUR)
    correct_assignment(actor, theirs, truck=truck34)
    corrected = correct_assignment(actor, mine, end=MONDAY + 8 * HOUR)
    made.refresh_from_db()
    assert (made.truck, made.driver) == (truck34, ada)
    assert (made.period.lower, made.period.upper) == (MONDAY + HOUR, MONDAY + 8 * HOUR)
    assert corrected.assignment == made


def test_a_phone_changes_hands_at_a_moment(actor: Actor, ada_phone: Phone, ben: Driver) -> None:
    hand_over_device(actor, ada_phone.device, ben, MONDAY)
    ada_holding, ben_holding = DeviceHolding.objects.order_by("period")
    assert (ada_holding.driver, ada_holding.period.lower) == (ada_phone.driver, None)
    assert ada_holding.period.upper == ben_holding.period.lower == MONDAY
    assert (ben_holding.driver, ben_holding.period.upper) == (ben, None)


def test_what_a_phone_said_stays_behind_when_it_changes_hands(
    actor: Actor, ada_phone: Phone, ben: Driver
) -> None:
    Device.objects.update(health={"battery": 0.4, "permission": "denied"})
    hand_over_device(actor, ada_phone.device, ben, datetime.now(UTC))
    assert Device.objects.get(pk=ada_phone.device.pk).health == {}


def test_a_phone_may_come_back(actor: Actor, ada_phone: Phone, ada: Driver, ben: Driver) -> None:
    hand_over_device(actor, ada_phone.device, ben, MONDAY)
    hand_over_device(actor, ada_phone.device, ada, MONDAY + HOUR)
    assert DeviceHolding.objects.filter(driver=ada).count() == 2


def test_a_driver_who_carries_a_phone_does_not_get_it_again(
    actor: Actor, ada_phone: Phone, ada: Driver
) -> None:
    with pytest.raises(AlreadyHeld):
        hand_over_device(actor, ada_phone.device, ada, MONDAY)


def test_a_hand_over_before_the_last_one_is_refused(
    actor: Actor, ada_phone: Phone, ada: Driver, ben: Driver
) -> None:
    holding = hand_over_device(actor, ada_phone.device, ben, MONDAY)
    for at in (MONDAY, MONDAY - HOUR):
        with pytest.raises(Overlaps) as refusal:
            hand_over_device(actor, ada_phone.device, ada, at)
        assert str(holding.uuid) in refusal.value.detail
    assert DeviceHolding.objects.count() == 2


def test_a_phone_that_lay_in_a_drawer_begins_anew(
    actor: Actor, acme: Employer, ada: Driver
) -> None:
    device = Device.objects.create(employer=acme)
    holding = hand_over_device(actor, device, ada, MONDAY)
    assert (holding.period.lower, holding.period.upper) == (MONDAY, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_assign_a_truck_at_once_one_wins(
    actor: Actor, acme: Employer, truck12: Truck
) -> None:
    for round_number in range(20):
        begin = MONDAY + round_number * HOUR
        pair = [make_driver(acme, f"Driver {round_number} {name}") for name in "ab"]
        outcomes = raced(
            *(
                partial(assign_truck, actor, truck12, driver, begin=begin, end=begin + HOUR)
                for driver in pair
            )
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "Overlaps",
            "TruckAssignment",
        ]
    assert TruckAssignment.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_of_two_who_hand_over_a_phone_at_once_none_leaves_two_holders(
    actor: Actor, acme: Employer, ada_phone: Phone
) -> None:
    for round_number in range(20):
        at = MONDAY + round_number * HOUR
        pair = [make_driver(acme, f"Driver {round_number} {name}") for name in "ab"]
        outcomes = raced(
            *(partial(hand_over_device, actor, ada_phone.device, driver, at) for driver in pair)
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "DeviceHolding",
            "Overlaps",
        ]
    assert DeviceHolding.objects.filter(period__endswith__isnull=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_corrections_that_swap_trucks_do_not_wait_for_each_other_for_ever(
    actor: Actor, truck12: Truck, truck34: Truck, ada: Driver, ben: Driver
) -> None:
    first = assign_truck(actor, truck12, ada, begin=MONDAY, end=MONDAY + HOUR)
    second = assign_truck(actor, truck34, ben, begin=MONDAY, end=MONDAY + HOUR)
    outcomes = raced(
        lambda: correct_assignment(actor, first, truck=truck34, begin=MONDAY, end=MONDAY + HOUR),
        lambda: correct_assignment(actor, second, truck=truck12, begin=MONDAY, end=MONDAY + HOUR),
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Overlaps", "Overlaps"]


def test_erased_drivers_stand_in_nobodys_way(
    acme: Employer, truck12: Truck, truck34: Truck, ada: Driver
) -> None:
    period = DateTimeTZRange(MONDAY, MONDAY + 8 * HOUR)
    for truck in (truck12, truck34):
        TruckAssignment.objects.create(
            employer=acme, truck=truck, erased_driver=uuid4(), period=period
        )
    free = Truck.objects.create(employer=acme, plate="1-TRK-056")
    assert assign(free, ada, MONDAY, MONDAY + HOUR).pk
    other = Truck.objects.create(employer=acme, plate="1-TRK-078")
    with pytest.raises(IntegrityError, match="one_truck_per_driver"), transaction.atomic():
        assign(other, ada, MONDAY, MONDAY + HOUR)
