"""The replay pages without a browser: who sees them, and what they say without scripts."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission, MissionAssignment, StageEvent
from tests.cast import Phone, assign, put_fixes
from tests.pages.test_mission_page import begin, driven
from tests.pages.test_pages import client_of, text_of
from tests.tracking.test_proofs import files

__all__ = ["begin", "driven", "files"]


def day_of(begin: datetime, employer: Employer) -> str:
    return begin.astimezone(ZoneInfo(employer.timezone)).date().isoformat()


@pytest.fixture
def urls(driven: Mission, ada: Driver, truck12: Truck, begin: datetime) -> dict[str, str]:
    """The address of each replay of what ada drove."""
    day = day_of(begin, driven.employer)
    return {
        "mission": f"/missions/{driven.uuid}/replay",
        "driver": f"/drivers/{ada.uuid}/replay?date={day}",
        "truck": f"/trucks/{truck12.uuid}/replay?date={day}",
    }


def data_url(url: str) -> str:
    path, _, query = url.partition("?")
    return f"{path}/data?{query}"


KINDS = ("mission", "driver", "truck")


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_says_its_sums_its_parts_and_its_zone(
    urls: dict[str, str], dee: User, kind: str
) -> None:
    page = text_of(client_of(dee).get(urls[kind]))
    assert "Replay of" in page
    assert "times in Europe/Brussels" in page
    for said in ("Driving", "At a stop", "Bakkerij De Halm", "30 min", '<svg class="floor"'):
        assert said in page, said
    assert f'data-url="{data_url(urls[kind]).rstrip("?")}"' in page


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_is_that_of_the_page(urls: dict[str, str], dee: User, kind: str) -> None:
    data = client_of(dee).get(data_url(urls[kind])).json()
    assert len(data["fixes"]["t"]) == 61
    assert data["drivers"] == ["Ada Peeters"]
    assert data["trucks"] == ["1-TRK-012"]
    assert data["missions"] == ["Antwerpen - Gent"]
    assert [stage["what"] for stage in data["stages"]][:2] == ["Departure", "Arrival"]
    stops = [mark for mark in data["marks"] if mark["kind"] == "stop"]
    assert [(mark["name"], mark["duration"]) for mark in stops] == [("Bakkerij De Halm", "30 min")]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_sent_to_sign_in(urls: dict[str, str], kind: str) -> None:
    for url in (urls[kind], data_url(urls[kind])):
        response = Client().get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("kind", KINDS)
def test_a_dpo_reads_why_it_is_not_theirs(
    urls: dict[str, str], dee: User, pat: User, kind: str
) -> None:
    assert "Antwerpen" in text_of(client_of(dee).get(data_url(urls[kind])))
    for url in (urls[kind], data_url(urls[kind])):
        response = client_of(pat).get(url)
        assert response.status_code == 403
        assert "not yours to see" in text_of(response)
        assert "Antwerpen" not in text_of(response)


@pytest.mark.parametrize("kind", KINDS)
def test_another_employers_replay_does_not_exist(urls: dict[str, str], cy: User, kind: str) -> None:
    for url in (urls[kind], data_url(urls[kind])):
        assert client_of(cy).get(url).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_has_does_not_exist(urls: dict[str, str], dee: User, kind: str) -> None:
    url = f"/{kind}s/{uuid4()}/replay"
    for one in (url, f"{url}/data"):
        assert client_of(dee).get(one).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_replay_is_kept_anywhere(urls: dict[str, str], dee: User, kind: str) -> None:
    for url in (urls[kind], data_url(urls[kind])):
        assert "no-store" in client_of(dee).get(url)["Cache-Control"]


def test_of_a_frozen_driver_nothing_is_played(urls: dict[str, str], dee: User, ada: Driver) -> None:
    client = client_of(dee)
    assert client.get(urls["driver"]).status_code == 200
    freeze_driver(ada)
    assert client.get(urls["driver"]).status_code == 404
    assert client.get(data_url(urls["driver"])).status_code == 404
    for kind in ("mission", "truck"):
        page = text_of(client.get(urls[kind]))
        assert "not available" in page
        assert "Ada" not in page
        assert "nothing to replay" in page
        assert client.get(data_url(urls[kind])).json()["fixes"] == {"t": []}


def test_a_truck_says_of_which_hours_nothing_is_shown(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck, dee: User
) -> None:
    noon = datetime(2026, 11, 24, 11, tzinfo=UTC)
    assign(truck12, ada_phone.driver, noon - timedelta(hours=3), noon)
    assign(truck12, ben_phone.driver, noon, noon + timedelta(hours=3))
    for phone, begin_at in ((ada_phone, noon - timedelta(hours=2)), (ben_phone, noon)):
        put_fixes(
            phone,
            [(begin_at + timedelta(minutes=n), 50.85, 4.35 + n * 0.007) for n in range(20)],
            truck=truck12,
        )
    url = f"/trucks/{truck12.uuid}/replay?date=2026-11-24"
    assert "not available" not in text_of(client_of(dee).get(url))
    freeze_driver(ada_phone.driver)
    page = text_of(client_of(dee).get(url))
    assert "09:00\N{EN DASH}12:00: not available" in page
    assert "Driving" in page


def test_of_an_erased_driver_it_says_so(urls: dict[str, str], driven: Mission, dee: User) -> None:
    assert "erased" not in text_of(client_of(dee).get(urls["mission"]))
    person = uuid4()
    MissionAssignment.objects.update(driver=None, erased_driver=person)
    StageEvent.objects.update(driver=None, erased_driver=person)
    page = text_of(client_of(dee).get(urls["mission"]))
    assert "driver and positions erased" in page
    assert "Ada" not in page


def test_positions_that_are_no_longer_kept_are_said_to_be(ada: Driver, dee: User) -> None:
    long_ago = timezone.now().date() - timedelta(days=200)
    page = text_of(client_of(dee).get(f"/drivers/{ada.uuid}/replay?date={long_ago}"))
    assert "no longer kept" in page
    assert f'href="/drivers/{ada.uuid}/day?date={long_ago}"' in page
    today = text_of(client_of(dee).get(f"/drivers/{ada.uuid}/replay"))
    assert "No positions are stored" in today
    assert "no longer kept" not in today


@pytest.mark.parametrize("kind", ["driver", "truck"])
def test_what_is_no_date_is_said_to_be_none(urls: dict[str, str], dee: User, kind: str) -> None:
    path = urls[kind].partition("?")[0]
    for url in (f"{path}?date=tomorrow", f"{path}/data?date=2026-02-30"):
        response = client_of(dee).get(url)
        assert response.status_code == 400
        assert "no date" in text_of(response)


def test_it_is_only_read(urls: dict[str, str], dee: User) -> None:
    assert client_of(dee).post(urls["mission"]).status_code == 405
