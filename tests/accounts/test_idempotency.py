"""A POST that is sent again with its Idempotency-Key is done once and answered alike."""

import threading
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, KeptAnswer, Role, User
from accounts.tasks import forget_answers
from missions.models import Mission, Site, Stop
from missions.sites import create_site
from tests.cast import ClientFor, make_api_key, make_employer, make_user
from tests.missions.builders import make_mission

SITES = "/api/v1/sites"
MISSIONS = "/api/v1/missions"
GHENT = {"name": "Ghent"}


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


def post(client: APIClient, path: str, body: Any, key: str = "k-1", **headers: str) -> Any:
    return client.post(path, body, headers={"Idempotency-Key": key, **headers})


def test_the_same_key_makes_one_site_and_answers_alike(client: APIClient) -> None:
    first, again = (post(client, SITES, GHENT) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Site.objects.count() == 1
    assert post(client, SITES, GHENT, key="k-2").json() != first.json()
    assert client.post(SITES, GHENT).status_code == 201
    assert Site.objects.count() == 3


def test_a_stop_is_added_once_although_its_version_was_raised(
    client: APIClient, acme: Employer
) -> None:
    mission = make_mission(acme)
    url = f"{MISSIONS}/{mission.uuid}"
    known = {"If-Match": client.get(url)["ETag"]}
    first, again = (post(client, f"{url}/stops", {"remark": "bell"}, **known) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert (again["ETag"], Stop.objects.count()) == ('"2"', 1)


def test_a_mission_without_an_external_id_is_made_once(client: APIClient) -> None:
    first, again = (post(client, MISSIONS, {"reference": "flour"}) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Location"] == first["Location"]
    assert Mission.objects.count() == 1


def test_one_key_is_not_two_requests(client: APIClient) -> None:
    first = post(client, SITES, GHENT)
    for path, body in ((SITES, {"name": "Bruges"}), (MISSIONS, GHENT), (f"{SITES}?a=b", GHENT)):
        answer = post(client, path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (Site.objects.count(), Mission.objects.count()) == (1, 0)
    assert post(client, SITES, GHENT).json() == first.json()


def test_the_order_of_names_in_the_body_does_not_matter(client: APIClient) -> None:
    post(client, SITES, {"name": "Ghent", "address": "Kouter 1"})
    assert post(client, SITES, {"address": "Kouter 1", "name": "Ghent"}).status_code == 201
    assert Site.objects.count() == 1


def test_what_was_refused_is_judged_anew(client: APIClient) -> None:
    assert post(client, SITES, {"name": ""}).status_code == 400
    assert KeptAnswer.objects.count() == 0
    assert post(client, SITES, GHENT).status_code == 201


def test_a_change_that_fails_after_all_leaves_no_answer(client: APIClient) -> None:
    def breaks(*args: Any) -> None:
        create_site(*args)
        raise RuntimeError("the machine")

    client.raise_request_exception = False
    with patch("missions.api.sites.create_site", breaks):
        assert post(client, SITES, GHENT).status_code == 500
    assert (Site.objects.count(), KeptAnswer.objects.count()) == (0, 0)
    assert post(client, SITES, GHENT).status_code == 201


def test_keys_belong_to_whoever_sends_them(
    client: APIClient, client_for: ClientFor, acme: Employer
) -> None:
    key = APIClient(HTTP_AUTHORIZATION=f"Bearer {make_api_key(acme, Role.DISPATCHER)}")
    made = [post(one, SITES, GHENT).json() for one in (client, key, client_for("stranger"))]
    assert len({site["id"] for site in made}) == 3


def test_one_person_at_two_employers_has_two_keys(dee: User, acme: Employer) -> None:
    other = make_employer("Second")
    make_user(other, "x@second.example")
    dee.memberships.create(employer=other, role=Role.DISPATCHER)
    client = APIClient()
    client.force_login(dee)
    for employer in (acme, other):
        answer = post(client, SITES, GHENT, **{"Milepost-Employer": str(employer.uuid)})
        assert answer.status_code == 201
        assert Site.objects.filter(employer=employer).count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_is_no_word_is_refused(client: APIClient, key: str) -> None:
    answer = post(client, SITES, GHENT, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert Site.objects.count() == 0


def test_nobody_is_refused_before_the_key_is_looked_at(
    client: APIClient, client_for: ClientFor
) -> None:
    post(client, SITES, GHENT)
    assert post(client_for("nobody"), SITES, GHENT).status_code == 401
    assert post(client_for("dpo"), SITES, GHENT).status_code == 403


def test_an_answer_is_kept_for_a_day(client: APIClient) -> None:
    post(client, SITES, GHENT)
    KeptAnswer.objects.update(answered_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert post(client, SITES, GHENT)["Idempotency-Replayed"] == "true"
    forget_answers.delay()
    assert KeptAnswer.objects.count() == 1
    KeptAnswer.objects.update(answered_at=timezone.now() - timedelta(hours=24, minutes=1))
    assert post(client, SITES, {"name": "Bruges"}).status_code == 201
    KeptAnswer.objects.update(answered_at=timezone.now() - timedelta(hours=24, minutes=1))
    forget_answers.delay()
    assert KeptAnswer.objects.count() == 0


def test_a_driver_who_was_frozen_since_then_is_not_shown_again(
    client: APIClient, acme: Employer, ada: Driver
) -> None:
    url = f"{MISSIONS}/{make_mission(acme).uuid}/assign"
    first = post(client, url, {"driver": str(ada.uuid)})
    assert first.json()["driver"] == str(ada.uuid)
    assert first.json()["assignments"][0]["driver"] == str(ada.uuid)
    freeze_driver(ada)
    again = post(client, url, {"driver": str(ada.uuid)})
    assert (again.status_code, again["Idempotency-Replayed"]) == (200, "true")
    assert str(ada.uuid) not in again.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_key_whose_request_is_at_work_is_409(client: APIClient, dee: User) -> None:
    is_begun, may_go_on = threading.Event(), threading.Event()
    answers: list[Any] = []

    def slow(*args: Any) -> Any:
        is_begun.set()
        assert may_go_on.wait(10)
        return create_site(*args)

    def first() -> None:
        try:
            with patch("missions.api.sites.create_site", slow):
                answers.append(post(client, SITES, GHENT))
        finally:
            connection.close()

    worker = threading.Thread(target=first)
    worker.start()
    try:
        assert is_begun.wait(10)
        other = APIClient()
        other.force_login(dee)
        busy = post(other, SITES, GHENT)
        assert (busy.status_code, busy.json()["code"]) == (409, "in_flight")
    finally:
        may_go_on.set()
        worker.join(10)
    assert answers[0].status_code == 201
    assert post(other, SITES, GHENT).json() == answers[0].json()
    assert Site.objects.count() == 1
