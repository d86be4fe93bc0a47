"""Every list: pages by a cursor, and as many queries for 30 rows as for one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.actors import Actor
from accounts.api_keys import create_api_key
from accounts.duties import mark_duty
from accounts.duty_marks import DutyMarkKind
from accounts.models import Device, Driver, Employer, Role, Truck
from accounts.pagination import encode_cursor
from missions.models import Mission
from tests.cast import ClientFor, Phone, assign, make_driver, make_phone, make_user

START = datetime(2026, 11, 1, tzinfo=UTC)


def make_drivers(acme: Employer, numbers: range) -> None:
    for number in numbers:
        make_driver(acme, f"Driver {number:02}", f"N-{number}")


def make_trucks(acme: Employer, numbers: range) -> None:
    Truck.objects.bulk_create(Truck(employer=acme, plate=f"1-A-{n}") for n in numbers)


def make_assignments(acme: Employer, numbers: range) -> None:
    for number in numbers:
        truck = Truck.objects.create(employer=acme, plate=f"1-B-{number}")
        begin = START + timedelta(hours=number)
        assign(truck, make_driver(acme, f"Driver {number}"), begin, begin + timedelta(hours=1))


def make_phones(acme: Employer, numbers: range) -> None:
    for number in numbers:
        make_phone(make_driver(acme, f"Driver {number}"))


def make_users(acme: Employer, numbers: range) -> None:
    for number in numbers:
        make_user(acme, f"user{number}@acme.example", Role.DISPATCHER, Role.DPO)


def make_keys(acme: Employer, numbers: range) -> None:
    for _ in numbers:
        create_api_key(Actor("command", acme), Role.DISPATCHER)


LISTS: list[tuple[str, Callable[[Employer, range], None], int]] = [
    ("drivers", make_drivers, 1),
    ("drivers?q=dri", make_drivers, 1),
    ("trucks", make_trucks, 1),
    ("truck-assignments", make_assignments, 1),
    ("truck-assignments?from=2026-01-01T00:00:00Z", make_assignments, 1),
    ("devices", make_phones, 1),
    ("users", make_users, 2),
    ("memberships", make_users, 1),
    ("api-keys", make_keys, 1),
    ("audit", make_keys, 1),
]
SESSION_QUERIES = 3  # the session, its user, the memberships


@pytest.mark.parametrize(("path", "make", "queries"), LISTS, ids=[row[0] for row in LISTS])
def test_thirty_rows_cost_as_many_queries_as_one(
    path: str,
    make: Callable[[Employer, range], None],
    queries: int,
    acme: Employer,
    client_for: ClientFor,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for("manager")
    seen = []
    for numbers in (range(1), range(1, 30)):
        make(acme, numbers)
        with django_assert_num_queries(SESSION_QUERIES + queries):
            seen.append(len(client.get(f"/api/v1/{path}").json()["results"]))
    assert seen[1] >= 30
    assert seen[1] - seen[0] >= 29


def test_a_phones_holdings_cost_one_query(
    acme: Employer,
    ada_phone: Phone,
    client_for: ClientFor,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for("dispatcher")
    path = f"/api/v1/devices/{ada_phone.device.uuid}"
    seen = []
    for numbers in (range(1), range(1, 30)):
        for number in numbers:
            driver = make_driver(acme, f"Driver {number}")
            hand_over(client, ada_phone.device, driver, START + timedelta(hours=number))
        with django_assert_num_queries(SESSION_QUERIES + 2):
            seen.append(len(client.get(path).json()["holdings"]))
    assert seen == [2, 31]


def hand_over(client: APIClient, device: Device, driver: Driver, at: datetime) -> None:
    body = {"driver": str(driver.uuid), "at": at.isoformat()}
    answer = client.post(f"/api/v1/devices/{device.uuid}/hand-over", body)
    assert answer.status_code == 200, answer.content


def test_duties_cost_as_many_queries_for_thirty_as_for_one(
    acme: Employer,
    ada: Driver,
    client_for: ClientFor,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for("dispatcher")
    path = f"/api/v1/duties?driver={ada.uuid}&from=2026-10-01T00:00:00Z"
    seen = []
    for numbers in (range(1), range(1, 30)):
        for number in numbers:
            begin = START + timedelta(hours=10 * number)
            mark_duty(Actor("command", acme), ada, DutyMarkKind.DUTY_STARTED, begin)
            end = begin + timedelta(hours=8)
            mark_duty(Actor("command", acme), ada, DutyMarkKind.DUTY_ENDED, end)
        with django_assert_num_queries(SESSION_QUERIES + 7):
            seen.append(len(client.get(path).json()["results"]))
    assert seen == [1, 30]


def test_pages_follow_one_another_without_loss_or_repeat(
    acme: Employer, client_for: ClientFor
) -> None:
    # Five of one name: the cursor must tell them apart.
    for number in range(25):
        make_driver(acme, f"Driver {min(number, 20):02}", f"N-{number}")
    client = client_for("dispatcher")
    url: str | None = "/api/v1/drivers?limit=7"
    pages = []
    while url:
        answer = client.get(url)
        pages.append([row["number"] for row in answer.json()["results"]])
        url = answer.json()["next"]
        assert answer.headers.get("Link") == (f'<{url}>; rel="next"' if url else None)
    assert [len(page) for page in pages] == [7, 7, 7, 4]
    numbers = [number for page in pages for number in page]
    assert sorted(numbers) == sorted(f"N-{number}" for number in range(25))


def test_a_row_added_meanwhile_does_not_shift_the_pages(
    acme: Employer, client_for: ClientFor
) -> None:
    make_drivers(acme, range(4))
    client = client_for("dispatcher")
    first = client.get("/api/v1/drivers?limit=2").json()
    make_driver(acme, "Aaron")
    second = client.get(first["next"]).json()
    names = [row["name"] for row in first["results"] + second["results"]]
    assert names == ["Driver 00", "Driver 01", "Driver 02", "Driver 03"]
    assert second["next"] is None


def test_the_audit_is_newest_first(acme: Employer, client_for: ClientFor) -> None:
    make_keys(acme, range(5))
    client = client_for("dpo")
    first = client.get("/api/v1/audit?limit=3").json()
    second = client.get(first["next"]).json()
    times = [row["at"] for row in first["results"] + second["results"]]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "x", "", "1e2", "٣", "00001", "0000000019999", "0" * 8 + "1" + "9" * 5000],
)
def test_a_limit_that_is_none_is_refused(client_for: ClientFor, limit: str) -> None:
    answer = client_for("dispatcher").get("/api/v1/drivers", {"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/limit"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "AAAA",
        encode_cursor([1]),
        encode_cursor(["a", "b"]),
        encode_cursor(["a\0", 1]),
        encode_cursor(["\ud800", 1]),
        encode_cursor([["a"], 1]),
        encode_cursor([None, None]),
        encode_cursor(["a", True]),
        encode_cursor(["a", 1, 2]),
    ],
)
def test_a_cursor_that_is_none_is_refused(client_for: ClientFor, cursor: str) -> None:
    answer = client_for("dispatcher").get("/api/v1/drivers", {"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


@pytest.mark.parametrize("key", [[5, 1], [True, 1], ["yesterday", 1], ["", 1]])
def test_a_cursor_without_a_time_where_one_belongs_is_refused(
    acme: Employer, client_for: ClientFor, key: list[object]
) -> None:
    mission = Mission.objects.create(employer=acme)
    path = f"/api/v1/missions/{mission.uuid}/stages"
    assert client_for("dispatcher").get(path).status_code == 200
    answer = client_for("dispatcher").get(path, {"cursor": encode_cursor(key)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


def test_a_cursor_beyond_every_number_ends_the_list(client_for: ClientFor) -> None:
    answer = client_for("dispatcher").get("/api/v1/trucks", {"cursor": encode_cursor([10**30])})
    assert (answer.status_code, answer.json()["results"]) == (200, [])
