"""The page of missions: filters in the address, states in words, a fixed number of queries."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, User
from missions.lifecycle import create_mission
from missions.models import Mission, Site, StageEvent, Stop, StopResult
from missions.planning import MissionPlan, StopPlan
from missions.stages import Stage
from tests.pages.test_pages import client_of, text_of


@pytest.fixture
def noon(acme: Employer) -> datetime:
    """Noon of today, in the employer's zone."""
    local = timezone.localtime(timezone.now(), ZoneInfo(acme.timezone))
    return local.replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def bakery(acme: Employer) -> Site:
    return Site.objects.create(
        employer=acme, name="Bakkerij De Halm", address="Veldstraat, Gent",
        latitude=51.05, longitude=3.72,
    )  # fmt: skip


def make(employer: Employer, at: datetime, name: str, **more: object) -> Mission:
    stop = {key: more.pop(key) for key in list(more) if key.startswith(("requires", "site"))}
    plan = MissionPlan(
        reference=name,
        planned_start_at=at,
        planned_end_at=at + timedelta(hours=2),
        stops=(StopPlan(planned_arrival_at=at + timedelta(hours=1), **stop),),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )
    return create_mission(employer, plan).mission


def put(mission: Mission, driver: Driver, stage: Stage, at: datetime, **more: object) -> StageEvent:
    return StageEvent.objects.create(
        employer_id=mission.employer_id, driver=driver, mission=mission, stop=mission.stops.get(),
        stage=stage, recorded_at=at, **more,
    )  # fmt: skip


def test_it_shows_the_missions_of_today_with_their_state_in_words(
    acme: Employer, dee: User, ada: Driver, truck12: Truck, noon: datetime
) -> None:
    mission = make(acme, noon, "Gent", driver=ada, truck=truck12, external_id="TMS-1")
    make(acme, noon + timedelta(days=2), "Later")
    make(acme, noon - timedelta(days=2), "Before")
    page = text_of(client_of(dee).get("/missions"))
    for said in (
        "Gent",
        "TMS-1",
        "assigned",
        "Ada Peeters",
        "1-TRK-012",
        "0 of 1",
        "12:00\N{EN DASH}14:00",
    ):
        assert said in page, said
    assert f'href="/missions/{mission.uuid}"' in page
    assert "Later" not in page
    assert "Before" not in page
    assert "Brussels" in page


def test_filters_live_in_the_address(
    acme: Employer, dee: User, ada: Driver, ben: Driver, bakery: Site, noon: datetime
) -> None:
    make(acme, noon, "Alpha", driver=ada, site=bakery)
    make(acme, noon, "Bravo", driver=ben)
    make(acme, noon + timedelta(days=1), "Charlie")
    client = client_of(dee)

    def shown(query: str) -> set[str]:
        page = text_of(client.get(f"/missions?{query}"))
        return {name for name in ("Alpha", "Bravo", "Charlie") if f">{name}</a>" in page}

    tomorrow = (noon + timedelta(days=1)).date()
    assert shown("") == {"Alpha", "Bravo"}
    assert shown(f"driver={ada.uuid}") == {"Alpha"}
    assert shown("q=veldstraat") == {"Alpha"}
    assert shown("status=planned") == set()
    assert shown(f"from={tomorrow}&to={tomorrow}") == {"Charlie"}
    assert shown("from=&to=&status=planned&status=draft") == {"Charlie"}
    assert shown("from=&to=") == {"Alpha", "Bravo", "Charlie"}


def test_filters_are_said_in_words_and_an_empty_list_helps(dee: User, ada: Driver) -> None:
    client = client_of(dee)
    page = text_of(client.get("/missions"))
    assert "No mission here" in page
    assert "an import" in page
    page = text_of(client.get(f"/missions?driver={ada.uuid}&late=1&status=started"))
    assert "No mission matches" in page
    assert "under way · Ada Peeters · late" in page
    assert 'href="?driver=' in page  # all days, with the same filters
    assert "Clear the filters" in page


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-99-01",
        "driver=me",
        "status=lost",
        "cursor=xx",
        "to=9999-12-31",
        "q=%00",
        "truck=%00",
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_shown(
    acme: Employer, dee: User, noon: datetime, query: str
) -> None:
    make(acme, noon, "Alpha")
    answer = client_of(dee).get(f"/missions?{query}")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "A filter cannot be read" in page
    assert "Alpha" not in page


def test_what_is_amiss_is_marked_and_can_be_filtered(
    acme: Employer, dee: User, ada: Driver, noon: datetime
) -> None:
    late = make(acme, noon, "Late", driver=ada)
    put(late, ada, Stage.ARRIVAL, noon + timedelta(hours=2))
    failed = make(acme, noon, "Failed", driver=ada)
    put(failed, ada, Stage.ARRIVAL, noon + timedelta(hours=1))
    Stop.objects.filter(mission=failed).update(result=StopResult.FAILED)
    proof = make(acme, noon, "Proofless", driver=ada, requires_photo=True, requires_signature=True)
    put(proof, ada, Stage.ARRIVAL, noon + timedelta(hours=1))
    put(proof, ada, Stage.DEPARTURE, noon + timedelta(hours=1, minutes=20))
    raised = make(acme, noon, "Raised", driver=ada)
    put(raised, ada, Stage.EXCEPTION, noon + timedelta(hours=1), reason="damage")
    client = client_of(dee)
    page = text_of(client.get("/missions"))
    for said in ("late: 45 min after the last moment", "a stop failed", "signature missing",
                 "photo missing", "the driver reported an exception"):  # fmt: skip
        assert said in page, said

    def shown(flag: str) -> list[str]:
        page = text_of(client.get(f"/missions?{flag}=1"))
        return [
            m.reference for m in Mission.objects.order_by("id") if f">{m.reference}</a>" in page
        ]

    assert shown("late")[0] == "Late"
    assert "Failed" not in shown("late")
    assert shown("failed") == ["Failed"]
    assert shown("missing_signature") == shown("missing_photo") == ["Proofless"]
    assert "Raised" in shown("has_exception")
    assert "Late" not in shown("has_exception")


def test_of_a_driver_who_is_not_available_nothing_is_said(
    acme: Employer, dee: User, ada: Driver, noon: datetime
) -> None:
    mission = make(acme, noon - timedelta(hours=11), "Frozen", driver=ada, requires_photo=True)
    put(mission, ada, Stage.DEPARTURE, noon - timedelta(hours=9))
    assert "photo missing" in text_of(client_of(dee).get("/missions"))
    freeze_driver(ada)
    page = text_of(client_of(dee).get("/missions"))
    assert "Frozen" in page
    assert "not available" in page
    assert "photo missing</span>" not in page
    assert "Ada" not in page


@pytest.mark.parametrize("query", ["", "?late=1&has_exception=1"])
def test_the_list_takes_as_many_queries_for_thirty_missions_as_for_one(
    acme: Employer, dee: User, ada: Driver, truck12: Truck, noon: datetime,
    django_assert_num_queries: DjangoAssertNumQueries, query: str,
) -> None:  # fmt: skip
    client = client_of(dee)
    for total in (1, 30):
        for n in range(Mission.objects.count(), total):
            mission = make(acme, noon, f"Mission {n}", driver=ada, truck=truck12)
            put(mission, ada, Stage.ARRIVAL, noon + timedelta(hours=3, seconds=n))
            put(mission, ada, Stage.EXCEPTION, noon + timedelta(hours=4, seconds=n))
            mission.stops.update(requires_photo=True)
        page = text_of(client.get(f"/missions{query}"))
        assert page.count("the driver reported an exception") == total
        # Session, user, memberships; missions, assignments, stops; stages, photos, signatures;
        # the newest fixes, duty marks and open missions; the drivers and trucks of the form,
        # and the saved filters.
        with django_assert_num_queries(15):
            client.get(f"/missions{query}")


def test_pages_follow_each_other_without_a_gap(
    acme: Employer, dee: User, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.missions_list.PAGE", 4)
    for n in range(9):
        make(acme, noon + timedelta(minutes=n // 3), f"Mission {n}")
    client, url, seen, page = client_of(dee), "/missions", [], ""
    for _ in range(3):
        page = text_of(client.get(url))
        seen += [n for n in range(9) if f">Mission {n}</a>" in page]
        if 'rel="next" href="?cursor' in page:
            url = "/missions" + page.split('rel="next" href="')[-1].split('"')[0]
    assert seen == list(range(9))
    assert "To the beginning" in page


def test_a_flag_looks_through_a_bounded_number_and_says_so(
    acme: Employer, dee: User, ada: Driver, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.missions_list.LOOKS_AT", 5)
    for n in range(8):
        make(acme, noon + timedelta(minutes=n), f"Mission {n}", driver=ada)
    last = Mission.objects.get(reference="Mission 7")
    put(last, ada, Stage.EXCEPTION, noon)
    page = text_of(client_of(dee).get("/missions?has_exception=1"))
    assert "Mission 7" not in page
    assert "5 missions were looked through" in page
    url = page.split('rel="next" href="')[-1].split('"')[0].replace("&amp;", "&")
    assert ">Mission 7</a>" in text_of(client_of(dee).get(f"/missions{url}"))


def test_others_see_nothing_of_it(
    acme: Employer, dee: User, pat: User, cy: User, max: User, noon: datetime
) -> None:
    make(acme, noon, "Acme only")
    for user in (dee, max):
        assert "Acme only" in text_of(client_of(user).get("/missions"))
    assert "Acme only" not in text_of(client_of(cy).get("/missions"))
    assert client_of(pat).get("/missions").status_code == 403
    assert Client().get("/missions").status_code == 302
    assert client_of(dee).post("/missions").status_code == 405
