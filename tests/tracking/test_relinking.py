"""Linking fixes again after a correction: the rules of recording, explicitly and logged."""

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Truck, User
from accounts.refusals import Invalid
from missions.models import MissionAssignment
from tests.cast import Phone, assign, put_fixes
from tests.tracking.linking_cases import CASES, FIX_AT, Case, set_scene
from tests.tracking.reading import EIGHT, at, drive, minutes, opened
from tracking.histories import history_of_mission, history_of_truck
from tracking.ingest.sent import FLAG_MOCK, FLAG_TRUCK_DISAGREES
from tracking.models import Fix, LinkSource
from tracking.relinking import Relinked, relink

pytestmark = pytest.mark.django_db


def fixes_of(driver: Driver) -> list[Fix]:
    return list(Fix.objects.filter(driver_id=driver.pk, recorded_at__gte=at(-99999)).order_by("pk"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fix_is_linked_again_by_the_rules_of_recording(
    ada_phone: Phone, ben: Driver, truck34: Truck, case: Case
) -> None:
    """What the phone named is stored as its word; everything else was wrong and is corrected."""
    scene = set_scene(case, ada_phone.driver, ben, EIGHT)
    put_fixes(
        ada_phone,
        [(at(FIX_AT), 50.85, 4.35)],
        truck=truck34,
        mission=scene.missions.get(case.named),
    )

    assert relink(ada_phone.driver, at(0), at(60), actor=None) == Relinked(1, 1)

    (fix,) = fixes_of(ada_phone.driver)
    assert fix.mission_id == scene.mission_id(case.mission)
    assert fix.truck_id == scene.truck_id(case.truck)
    assert fix.get_link_source_display() == (
        "client" if case.link_source == "client" else "corrected"
    )
    assert bool((fix.flags or 0) & FLAG_TRUCK_DISAGREES) == case.truck_disagrees
    # Doing it again changes nothing more.
    assert relink(ada_phone.driver, at(0), at(60), actor=None) == Relinked(1, 0)
    (again,) = fixes_of(ada_phone.driver)
    assert again.link_source == fix.link_source


def test_a_corrected_truck_moves_its_fixes(
    ada_phone: Phone, truck12: Truck, truck34: Truck
) -> None:
    assignment = assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 6), truck=truck12)
    assignment.truck = truck34
    assignment.save()
    everything = at(-60), at(60)
    # An edited assignment alone changes no evidence.
    assert history_of_truck(truck34, *everything).page(100).fixes == []

    assert relink(ada_phone.driver, at(2), at(4), actor=None) == Relinked(2, 2)

    assert minutes(history_of_truck(truck34, *everything).page(100).fixes) == [2, 3]
    assert {fix.link_source for fix in fixes_of(ada_phone.driver)} == {
        LinkSource.NONE,
        LinkSource.CORRECTED,
    }


def test_what_stays_as_it_is_keeps_its_word(ada_phone: Phone, truck12: Truck) -> None:
    mission = opened(ada_phone.driver, 0, truck=truck12)
    put_fixes(ada_phone, drive(0, 3), truck=truck12, mission=mission)
    Fix.objects.filter(driver_id=ada_phone.driver.pk).update(link_source=LinkSource.RESOLVED)
    assert relink(ada_phone.driver, at(0), at(60), actor=None) == Relinked(3, 0)
    assert {fix.link_source for fix in fixes_of(ada_phone.driver)} == {LinkSource.RESOLVED}


def test_a_phones_other_doubts_stay(ada_phone: Phone, truck12: Truck) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 1))
    Fix.objects.filter(driver_id=ada_phone.driver.pk).update(flags=FLAG_MOCK | FLAG_TRUCK_DISAGREES)
    relink(ada_phone.driver, at(0), at(60), actor=None)
    assert [fix.flags for fix in fixes_of(ada_phone.driver)] == [FLAG_MOCK]


def test_fixes_that_name_a_mission_while_it_is_closed_stay_in_its_history(
    ada_phone: Phone,
) -> None:
    mission = opened(ada_phone.driver, None)
    put_fixes(ada_phone, drive(0, 5), mission=mission)
    assert history_of_mission(mission, at(-60), at(60)).page(100).fixes == []
    relink(ada_phone.driver, at(0), at(60), actor=None)
    assert minutes(history_of_mission(mission, at(-60), at(60)).page(100).fixes) == [0, 1, 2, 3, 4]


def test_another_drivers_fixes_are_left_alone(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 2))
    put_fixes(ben_phone, drive(0, 2))
    assert relink(ada_phone.driver, at(0), at(60), actor=None) == Relinked(2, 2)
    assert [fix.truck_id for fix in fixes_of(ben_phone.driver)] == [None, None]


def test_the_audit_trail_says_who_and_how_many_and_nothing_else(
    acme: Employer, dee: User, ada_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 3))
    relink(ada_phone.driver, at(0), at(60), actor=Actor("user", acme, user=dee))
    entry = AuditEntry.objects.get(action="fixes.relinked")
    assert (entry.actor, entry.object_id) == (dee.uuid, ada_phone.driver.uuid)
    assert entry.detail == {
        "from": at(0).isoformat(),
        "to": at(60).isoformat(),
        "checked": 3,
        "changed": 3,
    }


def test_a_long_range_is_done_week_by_week_and_skips_what_is_empty(
    ada_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, None)
    day = 24 * 60
    for first in (-40 * day, -38 * day, -2 * day):
        put_fixes(ada_phone, drive(first, first + 3))
    total = relink(ada_phone.driver, at(-99 * day), at(0), actor=None)
    assert total == Relinked(9, 9)
    begun = AuditEntry.objects.filter(action="fixes.relinked").order_by("id")
    assert [entry.detail["from"] for entry in begun] == [
        at(-40 * day).isoformat(),
        at(-2 * day).isoformat(),
    ]


def test_a_frozen_drivers_fixes_are_not_touched(ada_phone: Phone, truck12: Truck) -> None:
    assign(truck12, ada_phone.driver, at(0))
    put_fixes(ada_phone, drive(0, 2))
    freeze_driver(ada_phone.driver)
    with pytest.raises(Invalid):
        relink(ada_phone.driver, at(0), at(60), actor=None)
    assert [fix.truck_id for fix in fixes_of(ada_phone.driver)] == [None, None]


def test_a_hand_over_that_was_entered_late_moves_the_second_half(
    ada_phone: Phone, ben_phone: Phone
) -> None:
    mission = opened(ada_phone.driver, 0, 60)
    put_fixes(ada_phone, drive(0, 8), mission=mission)
    Fix.objects.filter(driver_id=ada_phone.driver.pk).update(link_source=LinkSource.RESOLVED)
    MissionAssignment.objects.update(period=DateTimeTZRange(None, at(4)))
    assert relink(ada_phone.driver, at(0), at(60), actor=None) == Relinked(8, 4)
    assert [fix.mission_id for fix in fixes_of(ada_phone.driver)] == [mission.pk] * 4 + [None] * 4
    assert minutes(history_of_mission(mission, at(-60), at(60)).fixes()) == [0, 1, 2, 3]
