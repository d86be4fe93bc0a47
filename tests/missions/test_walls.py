"""What the database itself refuses or keeps, whoever writes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Driver, Employer, Truck
from missions.lifecycle import (
    hand_over_mission,
)
from missions.models import Mission, MissionAssignment, Site, StageEvent, Stop
from missions.stages import Stage
from tests.missions.builders import make_mission, put_stage, start, wrong_open_periods
from tests.missions.opening_cases import Sent, at


@pytest.fixture
def theirs(elsewhere: Employer, cy_driver: Driver) -> Mission:
    return make_mission(elsewhere, cy_driver, stops=1)


def run(sql: str, values: Sequence[Any]) -> None:
    """Run one statement as anybody with a connection could, and check as at commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def complaint_about(sql: str, values: Sequence[Any]) -> str:
    with pytest.raises(IntegrityError) as refused:
        run(sql, values)
    return str(refused.value)


ASSIGN = """
    INSERT INTO missions_missionassignment
        (uuid, employer_id, mission_id, driver_id, truck_id, period)
    VALUES (%s, %s, %s, %s, %s, '[,)')
"""


def test_an_assignment_within_one_employer_is_stored(
    acme: Employer, ada: Driver, truck12: Truck
) -> None:
    mission = make_mission(acme)
    run(ASSIGN, [uuid4(), acme.pk, mission.pk, ada.pk, truck12.pk])
    assert MissionAssignment.objects.get().driver == ada


def test_the_database_refuses_another_employers_driver_truck_or_mission(
    acme: Employer,
    ada: Driver,
    truck12: Truck,
    cy_driver: Driver,
    cy_truck: Truck,
    theirs: Mission,
) -> None:
    own = make_mission(acme)
    before = MissionAssignment.objects.count()
    for mission, driver, truck, wall in [
        (own, cy_driver, truck12, "driver_id_of_same_employer"),
        (own, ada, cy_truck, "truck_id_of_same_employer"),
        (theirs, ada, truck12, "one_assignment_per_mission_at_a_time"),
    ]:
        values = [uuid4(), acme.pk, mission.pk, driver.pk, truck.pk]
        assert wall in complaint_about(ASSIGN, values)
    MissionAssignment.objects.all().delete()
    values = [uuid4(), acme.pk, theirs.pk, ada.pk, truck12.pk]
    assert "mission_id_of_same_employer" in complaint_about(ASSIGN, values)
    assert before == 1


def test_the_database_refuses_another_employers_site_stop_or_planned_truck(
    acme: Employer, ada: Driver, elsewhere: Employer, cy_truck: Truck, theirs: Mission
) -> None:
    mission = make_mission(acme, ada, stops=1)
    site = Site.objects.create(employer=elsewhere, name="Theirs")
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00"), stop=1))
    for table, column, value in [
        ("missions_stop", "site_id", site.pk),
        ("missions_stop", "mission_id", theirs.pk),
        ("missions_mission", "planned_truck_id", cy_truck.pk),
        ("missions_stageevent", "stop_id", theirs.stops.get().pk),
        ("missions_stageevent", "mission_id", theirs.pk),
        ("missions_stageevent", "truck_id", cy_truck.pk),
    ]:
        sql = f"UPDATE {table} SET {column} = %s WHERE employer_id = %s"  # noqa: S608
        complaint = complaint_about(sql, [value, acme.pk])
        assert f"{table}_{column}_of_same_employer"[:63] in complaint


def test_two_assignments_of_a_mission_do_not_overlap(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission = make_mission(acme, ada)
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    with pytest.raises(IntegrityError), transaction.atomic():
        MissionAssignment.objects.create(
            employer=acme,
            mission=mission,
            driver=ada,
            period=DateTimeTZRange(at("09:00"), at("09:30")),
        )
    assert mission.assignments.count() == 2


def test_an_assignment_and_a_stage_have_a_driver_or_an_erased_one(
    acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada)
    event = put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00")))
    for rows in (
        MissionAssignment.objects.filter(mission=mission),
        StageEvent.objects.filter(pk=event.pk),
    ):
        for change in ({"driver": None}, {"erased_driver": uuid4()}):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**change)
        assert rows.update(driver=None, erased_driver=uuid4()) == 1


def test_stops_trade_places_in_one_transaction_and_never_share_one(
    acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada, stops=2)
    first, second = mission.stops.order_by("seq")
    Stop.objects.filter(pk=first.pk).update(seq=2)
    Stop.objects.filter(pk=second.pk).update(seq=1)
    assert list(mission.stops.order_by("seq")) == [second, first]
    complaint = complaint_about("UPDATE missions_stop SET seq = 1 WHERE id = %s", [first.pk])
    assert "one_stop_per_place_in_the_order" in complaint


# --- the open period ---------------------------------------------------------------------------


def moments() -> Iterator[datetime | None]:
    yield None
    yield from (at(clock) for clock in ("07:00", "08:00", "09:00", "10:00", "11:00", "12:00"))


def test_the_open_period_is_the_period_while_the_mission_was_open(
    acme: Employer, ada: Driver
) -> None:
    """Every order of two bounds of the mission and two of the assignment, by both ways in."""
    mission = make_mission(acme, ada)
    assignment = mission.assignments.get()
    seen = set()
    for opened_at, ended_at in [(a, b) for a in moments() for b in moments()]:
        if ended_at and (opened_at is None or ended_at < opened_at):
            continue
        Mission.objects.filter(pk=mission.pk).update(opened_at=opened_at, ended_at=ended_at)
        assert wrong_open_periods() == []
        for lower, upper in [(a, b) for a in moments() for b in moments()]:
            if lower and upper and upper <= lower:
                continue
            assignment.period = DateTimeTZRange(lower, upper)
            assignment.save(update_fields=["period"])
            assignment.refresh_from_db()
            seen.add(assignment.open_period)
            assert wrong_open_periods() == []
    assert None in seen
    assert DateTimeTZRange(empty=True) in seen
    assert DateTimeTZRange(at("08:00"), at("09:00"), "[]") in seen


def test_an_assignment_of_a_mission_that_is_open_already_is_open_at_once(
    acme: Employer, ada: Driver, ben: Driver
) -> None:
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    hand_over_mission(mission, ben, truck=None, at=at("09:00"))
    newest = mission.assignments.order_by("id").last()
    assert newest is not None
    assert newest.open_period == DateTimeTZRange(at("09:00"), None, "[)")
