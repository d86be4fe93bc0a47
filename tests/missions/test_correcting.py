from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.assignments import DriverNotAvailable, Span
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Truck
from accounts.refusals import Invalid, Overlaps
from missions.correcting import correct_assignment
from missions.lifecycle import end_mission, hand_over_mission
from missions.models import Mission, MissionAssignment
from tests.cast import ClientFor
from tests.missions.builders import make_mission, start, wrong_open_periods
from tests.missions.opening_cases import at


@pytest.fixture
def mission(acme: Employer, ada: Driver, ben: Driver) -> Mission:
    """Ada's until 10:00, then Ben's, and over since 12:00."""
    mission = make_mission(acme, ada)
    start(mission, ada, at("08:00"))
    hand_over_mission(mission, ben, truck=None, at=at("10:00"))
    end_mission(mission, at=at("12:00"))
    return mission


@pytest.fixture
def parts(mission: Mission) -> list[MissionAssignment]:
    return list(mission.assignments.order_by("id"))


def bounds(mission: Mission) -> list[tuple[Any, Any]]:
    rows = mission.assignments.order_by("id")
    return [(row.period.lower, row.period.upper) for row in rows]


@pytest.mark.parametrize("clock", ["09:00", "11:00"])
def test_a_hand_over_is_moved_both_ways(
    mission: Mission, parts: list[MissionAssignment], ada: Driver, ben: Driver, clock: str
) -> None:
    corrected = correct_assignment(parts[1], truck=None, begin=at(clock))
    assert bounds(mission) == [(None, at(clock)), (at(clock), None)]
    assert corrected.spans == (
        Span(ben, at("10:00"), None),
        Span(ada, min(at(clock), at("10:00")), max(at(clock), at("10:00"))),
        Span(ben, at(clock), None),
    )
    assert wrong_open_periods() == []


def test_another_driver_and_truck_had_it_all_along(
    mission: Mission, parts: list[MissionAssignment], ada: Driver, ben: Driver, truck12: Truck
) -> None:
    before = Mission.objects.get().version
    corrected = correct_assignment(parts[0], driver=ben, truck=truck12, begin=None)
    assert (corrected.assignment.driver, corrected.assignment.truck) == (ben, truck12)
    assert corrected.spans == (Span(ada, None, at("10:00")), Span(ben, None, at("10:00")))
    assert Mission.objects.get().version == before + 1
    detail = AuditEntry.objects.get(action="mission_assignment.corrected").detail
    assert (detail["before"]["driver"], detail["after"]["driver"]) == (
        str(ada.uuid),
        str(ben.uuid),
    )


@pytest.mark.parametrize(
    ("part", "begin"), [(0, at("07:00")), (1, None), (1, timezone.now() + timedelta(hours=1))]
)
def test_it_refuses_a_beginning_that_cannot_be(
    mission: Mission, parts: list[MissionAssignment], part: int, begin: Any
) -> None:
    with pytest.raises(Invalid):
        correct_assignment(parts[part], truck=None, begin=begin)
    assert bounds(mission) == [(None, at("10:00")), (at("10:00"), None)]


def test_it_leaves_no_assignment_empty(mission: Mission, ada: Driver) -> None:
    Mission.objects.update(status="started", ended_at=None)
    hand_over_mission(mission, ada, truck=None, at=at("11:00"))
    first, second, third = mission.assignments.order_by("id")
    with pytest.raises(Overlaps):
        correct_assignment(third, truck=None, begin=at("10:00"))
    with pytest.raises(Overlaps):
        correct_assignment(second, truck=None, begin=at("11:00"))
    assert [row.period.lower for row in (first, second, third)] == [
        None,
        at("10:00"),
        at("11:00"),
    ]


def test_the_assignments_of_a_frozen_driver_stay_as_they_are(
    mission: Mission, parts: list[MissionAssignment], ada: Driver, ben: Driver
) -> None:
    freeze_driver(ada)
    with pytest.raises(DriverNotAvailable):
        correct_assignment(parts[0], driver=ben, truck=None, begin=None)
    with pytest.raises(DriverNotAvailable):
        correct_assignment(parts[1], driver=ada, truck=None, begin=at("10:00"))
    with pytest.raises(DriverNotAvailable):
        correct_assignment(parts[1], truck=None, begin=at("09:00"))
    assert bounds(mission) == [(None, at("10:00")), (at("10:00"), None)]


def test_the_api_says_whose_fixes_to_link_again(
    client_for: ClientFor, mission: Mission, parts: list[MissionAssignment], ada: Driver
) -> None:
    client: APIClient = client_for("dispatcher")
    url = f"/api/v1/missions/{mission.uuid}/assignments/{parts[1].uuid}"
    answer = client.patch(url, {"from": "2026-11-20T11:00:00+01:00"})
    assert answer.status_code == 200
    assert answer.json() == {
        "assignment": client.get(f"/api/v1/missions/{mission.uuid}").json()["assignments"][1],
        "relink": [],
    }
    answer = client.patch(url, {"from": "2026-11-20T11:00:00Z"})
    assert answer.json()["relink"][1] == {
        "driver": str(ada.uuid),
        "from": "2026-11-20T10:00:00Z",
        "to": "2026-11-20T11:00:00Z",
    }
