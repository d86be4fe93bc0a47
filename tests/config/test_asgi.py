"""Which path goes where, and what every page tells the browser."""

import anyio
import pytest
from django.test import Client
from httpx import ASGITransport, AsyncClient, Response

from accounts.models import User
from config.asgi import application


def ask(method: str, path: str) -> Response:
    async def send() -> Response:
        transport = ASGITransport(application)
        async with AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.request(method, path)

    return anyio.run(send)


def test_ingest_answers_for_its_paths() -> None:
    answer = ask("GET", "/ingest/nothing-of-ours")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_health_answers_without_a_middleware() -> None:
    assert ask("GET", "/healthz").text == "ok\n"
    assert "Content-Security-Policy" not in ask("GET", "/healthz").headers


@pytest.mark.django_db
def test_a_page_may_load_nothing_from_elsewhere(client: Client) -> None:
    answer = client.get("/accounts/login/")
    assert answer.status_code == 200
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_nobody_can_sign_up(client: Client) -> None:
    form = {"email": "new@example.org", "password1": "long-enough-4-us"}
    answer = client.post("/accounts/signup/", form)
    assert "account/signup_closed.html" in [template.name for template in answer.templates]
    assert User.objects.filter(email=form["email"]).count() == 0


@pytest.mark.django_db
def test_an_unknown_path_is_a_problem_below_api_and_a_page_elsewhere(client: Client) -> None:
    below = client.get("/api/v1/nothing-of-ours")
    assert (below.status_code, below["Content-Type"]) == (404, "application/problem+json")
    elsewhere = client.get("/nothing-of-ours")
    assert (elsewhere.status_code, elsewhere["Content-Type"]) == (404, "text/html; charset=utf-8")
