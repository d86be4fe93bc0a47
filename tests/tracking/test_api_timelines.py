"""Timelines over the API: who may read them, and what they say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Truck
from missions.models import Stop
from tests.cast import ClientFor, Phone, assign, put_fixes
from tests.tracking.reading import at, drive, opened, press
from tracking.timeline_serializers import EntrySerializer, ShiftSerializer, TimelineSerializer

pytestmark = pytest.mark.django_db
DAY = {"date": "2026-11-24"}
SUBJECTS = ["drivers", "trucks", "missions"]
# What every entry has, whatever its type.
ALWAYS = [name for name, field in EntrySerializer().fields.items() if field.required]


@pytest.fixture
def driven(ada_phone: Phone, truck12: Truck) -> dict[str, Any]:
    """ada drove truck 12 on a mission, to a stop and away from it."""
    mission = opened(ada_phone.driver, 0, 60, truck=truck12)
    assign(truck12, ada_phone.driver, at(0))
    stop = Stop.objects.create(employer=mission.employer, mission=mission, seq=1)
    put_fixes(ada_phone, drive(0, 10), truck=truck12, mission=mission)
    for minute, stage in ((10, "arrival"), (25, "departure")):
        press(
            ada_phone, at(minute), stage, (50.85, 4.421),
            mission=mission, stop=stop, truck=truck12, received_at=at(minute + 16),
        )  # fmt: skip
    return {"drivers": ada_phone.driver, "trucks": truck12, "missions": mission, "stop": stop}


def path(subject: str, driven: dict[str, Any]) -> str:
    return f"/api/v1/{subject}/{driven[subject].uuid}/timeline"


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("dispatcher", 200),
        ("manager", 200),
        ("nobody", 401),
        ("dpo", 403),
        ("driver", 403),
        ("stranger", 404),
    ],
)
def test_who_may_read_a_timeline(
    client_for: ClientFor, driven: dict[str, Any], subject: str, role: str, status: int
) -> None:
    assert client_for(role).get(path(subject, driven), DAY).status_code == status


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_timeline_says_what_happened_in_order(
    client_for: ClientFor, driven: dict[str, Any], subject: str
) -> None:
    body = client_for("dispatcher").get(path(subject, driven), DAY).json()
    assert list(body) == list(TimelineSerializer().fields)
    assert (body["timezone"], body["distance_method"]) == ("Europe/Brussels", "fixes")
    assert [entry["type"] for entry in body["entries"]] == ["move", "stage", "dwell", "stage"]
    assert [entry["started_at"] for entry in body["entries"]] == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T08:10:00Z",
        "2026-11-24T08:10:00Z",
        "2026-11-24T08:25:00Z",
    ]
    assert body["distance_m"] == pytest.approx(4984, abs=30)
    for entry in body["entries"]:
        assert list(entry)[: len(ALWAYS)] == ALWAYS
        assert set(entry) <= set(EntrySerializer().fields)
        assert entry["driver"] == str(driven["drivers"].uuid)
        assert entry["truck"] == str(driven["trucks"].uuid)
        assert entry["mission"] == str(driven["missions"].uuid)
    for shift in body["shifts"]:
        assert list(shift) == list(ShiftSerializer().fields)
        assert shift["driver"] == str(driven["drivers"].uuid)


def test_entries_say_what_is_theirs(client_for: ClientFor, driven: dict[str, Any]) -> None:
    body = client_for("dispatcher").get(path("drivers", driven), DAY).json()
    move, arrival, dwell, _ = body["entries"]
    assert (move["source"], move["stop"], move["duration_s"]) == ("fixes", None, 600)
    assert (dwell["stop"], dwell["duration_s"], dwell["is_open"]) == (
        str(driven["stop"].uuid),
        900,
        False,
    )
    assert (arrival["stage"], arrival["source"], arrival["position_source"]) == (
        "arrival",
        "driver",
        "at_event",
    )
    # Sixteen minutes late; a minute less and nothing is said.
    assert arrival["received_at"] == "2026-11-24T08:26:00Z"
    assert arrival["site_check"] == "unknown"


def test_a_day_of_23_hours_is_one(client_for: ClientFor, driven: dict[str, Any]) -> None:
    for day, begin, end in (
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    ):
        for subject in ("drivers", "trucks"):
            body = client_for("dispatcher").get(path(subject, driven), {"date": day}).json()
            assert (body["started_at"], body["ended_at"]) == (begin, end)


@pytest.mark.parametrize(
    "day", ["", "24-11-2026", "2026-02-30", "20261124", "2026-W48-2", "0001-01-01", "9999-12-31"]
)
@pytest.mark.parametrize("subject", ["drivers", "trucks"])
def test_a_wrong_date_is_named(
    client_for: ClientFor, driven: dict[str, Any], subject: str, day: str
) -> None:
    response = client_for("dispatcher").get(path(subject, driven), {"date": day})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/date"


def test_without_a_date_it_is_today(client_for: ClientFor, ada_phone: Phone) -> None:
    now = timezone.now()
    put_fixes(ada_phone, [(now - timedelta(seconds=n), 50.85, 4.35 + n / 1e4) for n in range(3)])
    body = client_for("dispatcher").get(f"/api/v1/drivers/{ada_phone.driver.uuid}/timeline").json()
    assert body["last_fix_at"] is not None
    assert body["started_at"] <= now.isoformat() < body["ended_at"]


def test_a_frozen_driver_has_no_day_and_is_not_named_elsewhere(
    client_for: ClientFor, driven: dict[str, Any]
) -> None:
    client = client_for("dispatcher")
    freeze_driver(driven["drivers"])
    assert client.get(path("drivers", driven), DAY).status_code == 404
    for subject in ("trucks", "missions"):
        body = client.get(path(subject, driven), DAY).json()
        assert body["entries"] == []
        (shift,) = body["shifts"]
        assert (shift["driver"], shift["availability"]) == (None, "not_available")


def test_a_driver_reads_the_own_day(
    client_for: ClientFor, driven: dict[str, Any], ben_phone: Phone
) -> None:
    mine = client_for("driver").get("/api/v1/me/timeline", DAY).json()
    theirs = client_for("other_driver").get("/api/v1/me/timeline", DAY).json()
    assert len(mine["entries"]) == 4
    assert theirs["entries"] == []
