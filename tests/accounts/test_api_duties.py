"""Duties over the API."""

import pytest

from accounts.duty_marks import DutyMarkKind
from accounts.models import AuditEntry, Driver, DutyMark
from tests.cast import ClientFor

DAY = {"from": "2026-11-16T00:00:00Z", "to": "2026-11-17T00:00:00Z"}


def mark(driver: Driver, kind: DutyMarkKind, recorded_at: str) -> None:
    DutyMark.objects.create(
        employer=driver.employer, driver=driver, kind=kind, recorded_at=recorded_at
    )


def test_marks_are_read_as_periods(ada: Driver, client_for: ClientFor) -> None:
    # As they came in: the end of the day first.
    mark(ada, DutyMarkKind.DUTY_ENDED, "2026-11-16T17:00:00Z")
    mark(ada, DutyMarkKind.PRIVATE_ENDED, "2026-11-16T13:00:00Z")
    mark(ada, DutyMarkKind.PRIVATE_STARTED, "2026-11-16T12:00:00Z")
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-16T06:00:00Z")
    answer = client_for("dispatcher").get("/api/v1/duties", {"driver": str(ada.uuid), **DAY})
    assert answer.json() == {
        "results": [
            {
                "kind": "duty",
                "started_at": "2026-11-16T06:00:00Z",
                "started_source": "driver",
                "ended_at": "2026-11-16T17:00:00Z",
                "ended_source": "driver",
            },
            {
                "kind": "private",
                "started_at": "2026-11-16T12:00:00Z",
                "started_source": "driver",
                "ended_at": "2026-11-16T13:00:00Z",
                "ended_source": "driver",
            },
        ],
        "next": None,
    }


def test_a_duty_over_midnight_is_whole_on_both_days(ada: Driver, client_for: ClientFor) -> None:
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-13T06:00:00Z")
    mark(ada, DutyMarkKind.DUTY_ENDED, "2026-11-13T14:00:00Z")
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-15T22:00:00Z")
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-16T01:00:00Z")
    mark(ada, DutyMarkKind.DUTY_ENDED, "2026-11-17T06:00:00Z")
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-18T06:00:00Z")
    client = client_for("dispatcher")
    for day in (15, 16, 17):
        wanted = {"from": f"2026-11-{day}T00:00:00Z", "to": f"2026-11-{day + 1}T00:00:00Z"}
        (period,) = client.get("/api/v1/duties", {"driver": str(ada.uuid), **wanted}).json()[
            "results"
        ]
        assert (period["started_at"], period["ended_at"]) == (
            "2026-11-15T22:00:00Z",
            "2026-11-17T06:00:00Z",
        )
    (open_one,) = client.get(
        "/api/v1/duties", {"driver": str(ada.uuid), "from": "2026-11-19T00:00:00Z"}
    ).json()["results"]
    assert (open_one["ended_at"], open_one["ended_source"]) == (None, None)


def test_a_dispatcher_sets_what_the_driver_forgot(ada: Driver, client_for: ClientFor) -> None:
    client = client_for("dispatcher")
    mark(ada, DutyMarkKind.DUTY_STARTED, "2026-11-16T06:00:00Z")
    sent = {
        "driver": str(ada.uuid),
        "kind": "duty_ended",
        "recorded_at": "2026-11-16T17:00:00Z",
    }
    made = client.post("/api/v1/duties", sent)
    assert made.status_code == 201
    assert made.json() == {**sent, "source": "dispatcher"}
    (period,) = client.get("/api/v1/duties", {"driver": str(ada.uuid), **DAY}).json()["results"]
    assert (period["ended_at"], period["ended_source"]) == ("2026-11-16T17:00:00Z", "dispatcher")
    again = client.post("/api/v1/duties", sent)
    assert (again.status_code, again.json()["code"]) == (409, "already_taken")
    entry = AuditEntry.objects.get(action="duty.marked")
    assert entry.object_id == ada.uuid


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "arrival"}, "/kind"),
        ({"recorded_at": "2026-11-16T17:00:00"}, "/recorded_at"),
        ({"recorded_at": "2999-11-16T17:00:00Z"}, "/recorded_at"),
    ],
)
def test_a_bad_mark_is_refused(
    ada: Driver, client_for: ClientFor, change: dict[str, str], pointer: str
) -> None:
    sent = {
        "driver": str(ada.uuid),
        "kind": "duty_ended",
        "recorded_at": "2026-11-16T17:00:00Z",
        **change,
    }
    answer = client_for("dispatcher").post("/api/v1/duties", sent)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not DutyMark.objects.exists()


@pytest.mark.parametrize(
    "wanted",
    [
        {"from": "2026-11-17T00:00:00Z", "to": "2026-11-16T00:00:00Z"},
        {"from": "2024-11-17T00:00:00Z"},
        {"from": "1970-01-01T00:00:00Z", "to": "2199-12-31T00:00:00Z"},
    ],
)
def test_a_range_that_is_none_or_too_long_is_refused(
    ada: Driver, client_for: ClientFor, wanted: dict[str, str]
) -> None:
    answer = client_for("dispatcher").get("/api/v1/duties", {"driver": str(ada.uuid), **wanted})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/to")


def test_duties_are_one_drivers(client_for: ClientFor) -> None:
    answer = client_for("dispatcher").get("/api/v1/duties")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/driver")
