"""How a refusal looks."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import OperationalError
from psycopg.errors import DeadlockDetected, QueryCanceled
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from accounts.models import Employer
from accounts.problems import problem_exception_handler, problem_response
from tests.cast import ClientFor

WORDS = {"type", "title", "status", "detail", "instance", "code", "errors", "request_id"}


def test_a_problem_has_every_word_of_the_contract(client_for: ClientFor) -> None:
    answer = client_for("manager").post("/api/v1/drivers", {"name": 5 * [1], "language": "xx"})
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(body) == WORDS
    assert (body["status"], body["title"]) == (400, "Bad Request")
    assert body["type"] == body["code"] == "invalid"
    assert body["instance"] == "/api/v1/drivers"
    assert {error["pointer"] for error in body["errors"]} == {"/name", "/language"}
    assert all(set(error) == {"pointer", "code", "detail"} for error in body["errors"])


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": NaN}', b"[" * 100_000, b""])
def test_a_body_that_is_no_json_object_is_refused(client_for: ClientFor, body: bytes) -> None:
    client = client_for("manager")
    answer = client.post("/api/v1/trucks", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == WORDS


def test_a_body_that_is_too_large_is_413(client_for: ClientFor, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    client = client_for("manager")
    assert client.post("/api/v1/trucks", {"plate": "1-A-1"}).status_code == 201
    answer = client.post("/api/v1/trucks", {"plate": "1-AAA-111"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_another_media_type_is_415(client_for: ClientFor) -> None:
    answer = client_for("manager").post("/api/v1/trucks", b"x", content_type="text/csv")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_method_that_is_none_is_405(client_for: ClientFor) -> None:
    answer = client_for("manager").put("/api/v1/employer", {})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "PATCH" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["employer", "pairing", "drivers", "missions", "sites"])
def test_what_may_be_asked_is_in_the_schema_and_not_in_options(
    client_for: ClientFor, path: str
) -> None:
    answer = client_for("manager").options(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"]


def test_a_problem_may_hold_what_a_row_holds() -> None:
    request = APIClient().get("/api/v1/nothing").wsgi_request
    row = {"id": UUID(int=1), "at": datetime(2026, 11, 16, 6, tzinfo=UTC)}
    answer = problem_response(request, 412, "stale", "Stale.", extra={"current": row})
    assert json.loads(answer.content)["current"] == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-11-16T06:00:00Z",
    }


def test_an_address_with_nothing_behind_it_is_a_problem_too(
    acme: Employer, client_for: ClientFor
) -> None:
    for path in ("drivers/x", "drivers/00000000-0000-4000-8000-000000000000", "nothing"):
        answer = client_for("manager").get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_answers_are_kept_in_no_cache(client_for: ClientFor) -> None:
    assert client_for("manager").get("/api/v1/drivers").headers["Cache-Control"] == "no-store"


def test_a_defect_of_ours_is_left_to_django() -> None:
    request = APIClient().get("/api/v1/nothing").wsgi_request
    assert problem_exception_handler(KeyError("x"), {"request": request}) is None


def test_a_change_that_a_deadlock_ended_may_be_sent_again() -> None:
    error = OperationalError("deadlock detected")
    error.__cause__ = DeadlockDetected()
    request = Request(APIRequestFactory().post("/api/v1/sites"))
    answer = problem_exception_handler(error, {"request": request})
    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert json.loads(answer.content)["code"] == "in_the_way"
    error.__cause__ = QueryCanceled()
    assert problem_exception_handler(error, {"request": request}) is None
