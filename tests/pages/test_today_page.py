"""The board of the day: what each mission says, filters in the address, counts of the whole day."""

import json
import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission, MissionStatus, Site, Stop, StopResult
from missions.stages import Stage
from tests.cast import Phone, make_driver, make_phone, put_fixes
from tests.pages.test_missions_page import bakery, make, noon, put
from tests.pages.test_pages import client_of, text_of
from tracking import today_board
from tracking.models import Fix

__all__ = ["bakery", "noon"]


def names_on(page: str) -> list[str]:
    """The missions of the table, in its order."""
    return re.findall(r'<a class="driver" id="a-[^>]*>([^<]*)</a>', page)


def count_of(page: str, chip: str) -> int:
    found = re.search(rf'id="chip-{chip}".*?<b>(\d+)</b>', page, re.DOTALL)
    return int(found[1]) if found else 0


def url_of(page: str, element: str) -> str:
    found = re.search(rf'id="{element}"[^>]* href="([^"]*)"', page)
    assert found, element
    return unescape(found[1])


@pytest.fixture
def under_way(acme: Employer, ada_phone: Phone, truck12: Truck, bakery: Site) -> Mission:
    """Ada is on her way to a bakery 8 km off, which closes in half an hour; seen a minute ago."""
    now = timezone.now()
    mission = make(acme, now - timedelta(hours=1), "Gent", driver=ada_phone.driver, truck=truck12,
                   site=bakery)  # fmt: skip
    Mission.objects.update(status=MissionStatus.STARTED, opened_at=now - timedelta(hours=1))
    mission.stops.update(window_end_at=now + timedelta(minutes=30, seconds=20))
    put_fixes(ada_phone, [(now - timedelta(minutes=1), 51.05, 3.605)], truck=truck12)
    return mission


def test_it_shows_the_missions_of_today_with_their_state_in_words(
    acme: Employer, dee: User, ada: Driver, truck12: Truck, noon: datetime
) -> None:
    mission = make(acme, noon, "Gent", driver=ada, truck=truck12)
    make(acme, noon + timedelta(days=2), "Later")
    make(acme, noon - timedelta(days=2), "Before")
    page = text_of(client_of(dee).get("/"))
    for said in ("Gent", "assigned", "Ada Peeters", "1-TRK-012", "0 of 1 stops done"):
        assert said in page, said
    assert f'href="/missions/{mission.uuid}"' in page
    assert f'href="/drivers/{ada.uuid}/day"' in page
    assert "1 mission today" in page
    assert "Europe/Brussels" in page
    assert "Later" not in page
    assert "Before" not in page


def test_a_row_says_where_it_goes_next_and_how_that_stands(under_way: Mission, dee: User) -> None:
    page = text_of(client_of(dee).get("/"))
    for said in ("1. Bakkerij De Halm", "8.0 km to go", "30 min left", "1 min ago"):
        assert said in page, said
    assert 'href="/live"' in page
    assert "at risk" not in page


def test_whoever_cannot_be_there_in_time_is_at_risk(
    under_way: Mission, dee: User, ada_phone: Phone
) -> None:
    # 45 km away at 50 km/h is 54 minutes; 30 are left.
    put_fixes(ada_phone, [(timezone.now(), 51.05, 3.08)])
    client = client_of(dee)
    page = text_of(client.get("/"))
    assert "at risk: 44.7 km to go, last moment in 30 min" in page
    assert count_of(page, "at_risk") == 1
    assert names_on(text_of(client.get("/?at_risk=1"))) == ["Gent"]
    assert ">Gent</a>" in text_of(client.get("/missions?at_risk=1"))
    # Its time has passed: now it is late, and still not reached.
    Stop.objects.update(window_end_at=timezone.now() - timedelta(minutes=5))
    page = text_of(client.get("/?at_risk=1&late=1"))
    assert names_on(page) == ["Gent"]
    assert "5 min late" in page
    assert "at risk:" not in page


def test_a_driver_who_is_there_is_said_to_be_there(
    under_way: Mission, dee: User, ada: Driver
) -> None:
    put(under_way, ada, Stage.ARRIVAL, timezone.now() - timedelta(minutes=12, seconds=5))
    page = text_of(client_of(dee).get("/"))
    assert "there since" in page
    assert "(12 min)" in page


def test_a_phone_that_says_nothing_is_silent(
    under_way: Mission, dee: User, acme: Employer, ada_phone: Phone
) -> None:
    client = client_of(dee)
    assert count_of(text_of(client.get("/")), "silent") == 0
    ada_phone_fixes_go(minutes=31, phone=ada_phone)
    page = text_of(client.get("/"))
    assert count_of(page, "silent") == 1
    assert "silent 31 min" in page
    assert names_on(text_of(client.get("/?silent=1"))) == ["Gent"]
    assert ">Gent</a>" in text_of(client.get("/missions?silent=1"))


def ada_phone_fixes_go(*, minutes: int, phone: Phone) -> None:
    """The newest fix is so old."""
    Fix.objects.filter(driver_id=phone.driver.pk).delete()
    put_fixes(phone, [(timezone.now() - timedelta(minutes=minutes, seconds=5), 51.05, 3.6)])


def test_far_from_the_site_and_notes_are_flags_of_both_pages(
    acme: Employer, dee: User, ada: Driver, noon: datetime
) -> None:
    far = make(acme, noon, "Far", driver=ada)
    put(far, ada, Stage.ARRIVAL, noon + timedelta(hours=1), site_check="outside",
        site_distance_m=900.0)  # fmt: skip
    noted = make(acme, noon, "Noted", driver=ada)
    put(noted, ada, Stage.ARRIVAL, noon + timedelta(hours=1), note="gate B")
    remarked = make(acme, noon, "Remarked", driver=ada)
    remarked.stops.update(remark="ring twice")
    client = client_of(dee)
    for path in ("/", "/missions"):

        def shown(flag: str, path: str = path) -> set[str]:
            page = text_of(client.get(f"{path}?{flag}=1"))
            return {name for name in ("Far", "Noted", "Remarked") if f">{name}</a>" in page}

        assert shown("far_from_site") == {"Far"}
        assert shown("has_note") == {"Noted", "Remarked"}
    page = text_of(client.get("/"))
    assert "900 m from the site" in page
    assert (count_of(page, "far_from_site"), count_of(page, "has_note")) == (1, 2)


@pytest.fixture
def mixed(acme: Employer, ada_phone: Phone, ben: Driver, bakery: Site) -> None:
    """Alpha goes well, Bravo lacks a photo, Charlie has no driver, Delta failed and is over."""
    noon = timezone.now() - timedelta(minutes=70)
    ada = ada_phone.driver
    put_fixes(ada_phone, [(timezone.now(), 51.0, 3.7)])
    make(acme, noon, "Alpha", driver=ada, site=bakery)
    Mission.objects.filter(reference="Alpha").update(planned_end_at=noon + timedelta(hours=9))
    Stop.objects.update(planned_arrival_at=timezone.now() + timedelta(hours=3))
    bravo = make(acme, noon - timedelta(minutes=10), "Bravo", driver=ben, requires_photo=True)
    for stage, minute in ((Stage.ARRIVAL, 50), (Stage.DEPARTURE, 60)):
        put(bravo, ben, stage, noon + timedelta(minutes=minute))
    make(acme, noon + timedelta(minutes=5), "Charlie")
    delta = make(acme, noon - timedelta(minutes=20), "Delta", driver=ben)
    put(delta, ben, Stage.ARRIVAL, noon + timedelta(minutes=40))
    Stop.objects.filter(mission=delta).update(result=StopResult.FAILED)
    Mission.objects.filter(pk=delta.pk).update(
        status=MissionStatus.COMPLETED,
        opened_at=noon - timedelta(minutes=20),
        ended_at=timezone.now() - timedelta(minutes=1),
    )


def test_trouble_comes_first_and_the_order_can_be_chosen(mixed: None, dee: User) -> None:
    client = client_of(dee)
    assert names_on(text_of(client.get("/"))) == ["Bravo", "Delta", "Alpha", "Charlie"]
    page = text_of(client.get("/?order=time"))
    assert names_on(page) == ["Delta", "Bravo", "Alpha", "Charlie"]
    assert 'id="order-time" href="?order=time" aria-current="true"' in page
    names = names_on(text_of(client.get("/?order=name")))
    assert names == ["Alpha", "Bravo", "Charlie", "Delta"]


def test_counts_are_of_the_whole_day_and_set_the_filter(mixed: None, dee: User) -> None:
    client = client_of(dee)
    for path in ("/", "/?failed=1", "/?q=nowhere"):
        page = text_of(client.get(path))
        counts = {name: count_of(page, name) for name in ("planned", "assigned", "completed")}
        assert counts == {"planned": 1, "assigned": 2, "completed": 1}, path
        assert (count_of(page, "failed"), count_of(page, "missing_photo")) == (1, 1)
    page = text_of(client.get("/"))
    chosen = text_of(client.get(url_of(page, "chip-missing_photo")))
    assert names_on(chosen) == ["Bravo"]
    assert "1 of 4 missions of today" in chosen
    assert "Clear the filters" in chosen
    # The same link takes the filter back.
    assert len(names_on(text_of(client.get("/" + url_of(chosen, "chip-missing_photo"))))) == 4
    both = text_of(
        client.get("/" + url_of(text_of(client.get("/?status=planned")), "chip-completed"))
    )
    assert set(names_on(both)) == {"Charlie", "Delta"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("alph", {"Alpha"}),
        ("veldstraat", {"Alpha"}),
        ("De Halm", {"Alpha"}),
        ("ozdemir", {"Bravo", "Delta"}),
        ("Özdemir", {"Bravo", "Delta"}),
        ("nobody", set()),
    ],
)
def test_words_are_sought_in_references_sites_addresses_and_drivers(
    mixed: None, dee: User, words: str, found: set[str]
) -> None:
    page = text_of(client_of(dee).get("/", {"q": words}))
    assert set(names_on(page)) == found
    if not found:
        assert "No mission matches" in page


def test_a_plate_is_found_too_and_a_frozen_drivers_name_is_not(
    acme: Employer, dee: User, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck,
    noon: datetime,
) -> None:  # fmt: skip
    make(acme, noon, "Alpha", driver=ada, truck=truck12)
    make(acme, noon, "Bravo", truck=truck34)
    client = client_of(dee)
    assert names_on(text_of(client.get("/?q=TRK-012"))) == ["Alpha"]
    assert names_on(text_of(client.get("/?q=trk-034"))) == ["Bravo"]
    assert names_on(text_of(client.get("/?q=peeters"))) == ["Alpha"]
    freeze_driver(ada)
    assert names_on(text_of(client.get("/?q=peeters"))) == []


@pytest.mark.parametrize("query", ["status=lost", "order=best", "driver=me", "q=%00"])
def test_what_cannot_be_read_is_named_and_no_mission_shown(
    mixed: None, dee: User, query: str
) -> None:
    answer = client_of(dee).get(f"/?{query}")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "A filter cannot be read" in page
    assert names_on(page) == []


@pytest.mark.parametrize("page", ["0", "-1", "x", "99", "9" * 400, "é", ""])
def test_any_page_asked_for_is_one_that_exists(mixed: None, dee: User, page: str) -> None:
    assert len(names_on(text_of(client_of(dee).get("/", {"page": page})))) == 4


def test_pages_follow_each_other(mixed: None, dee: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(today_board, "PAGE", 3)
    client = client_of(dee)
    first = text_of(client.get("/?order=name"))
    assert names_on(first) == ["Alpha", "Bravo", "Charlie"]
    assert "page 1 of 2" in first
    second = text_of(client.get("/" + url_of(first, "page-next")))
    assert names_on(second) == ["Delta"]
    assert "4 missions today" in second
    assert names_on(text_of(client.get("/" + url_of(second, "page-previous"))))[0] == "Alpha"


def test_an_empty_day_says_where_missions_come_from(dee: User) -> None:
    page = text_of(client_of(dee).get("/"))
    assert "No mission today" in page
    assert "an import" in page


def test_of_a_driver_who_is_not_available_nothing_is_said(
    under_way: Mission, dee: User, ada: Driver
) -> None:
    put(under_way, ada, Stage.EXCEPTION, timezone.now(), reason="damage", note="scratched")
    client = client_of(dee)
    page = text_of(client.get("/"))
    assert "Ada Peeters" in page
    assert (count_of(page, "has_exception"), count_of(page, "has_note")) == (1, 1)
    freeze_driver(ada)
    page = text_of(client.get("/"))
    assert names_on(page) == ["Gent"]
    assert "not available" in page
    assert "Ada" not in page
    assert "km to go" not in page
    assert (count_of(page, "has_exception"), count_of(page, "has_note")) == (0, 0)
    assert trucks_on(page) == []


def trucks_on(page: str) -> list[dict[str, object]]:
    found = re.search(r'<script id="trucks" type="application/json">(.*?)</script>', page)
    assert found
    trucks: list[dict[str, object]] = json.loads(found[1])
    return trucks


def test_each_truck_is_on_the_map_with_its_direction_and_state(
    under_way: Mission, dee: User, ada: Driver, ben_phone: Phone
) -> None:
    put_fixes(ben_phone, [(timezone.now() - timedelta(hours=2), 50.85, 4.35)])
    page = text_of(client_of(dee).get("/"))
    ada_truck, bens = trucks_on(page)
    assert ada_truck["id"] == str(ada.uuid)
    assert ada_truck["label"] == "1-TRK-012"
    assert (ada_truck["latitude"], ada_truck["state"]) == (51.05, "moving")
    assert ada_truck["url"] == f"/drivers/{ada.uuid}/day"
    assert (bens["label"], bens["state"]) == ("Ben Özdemir", "silent")
    assert f'data-truck="{ada.uuid}"' in page


def test_the_board_is_not_sent_again_while_it_is_the_same(
    under_way: Mission, dee: User, ada_phone: Phone
) -> None:
    client = client_of(dee)
    first = client.get("/today/board")
    again = client.get("/today/board", headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    put_fixes(ada_phone, [(timezone.now(), 51.05, 3.61)])
    changed = client.get("/today/board", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "no-store" in changed["Cache-Control"]


def test_the_board_is_for_dispatchers_and_of_their_employer_alone(
    mixed: None, dee: User, max: User, pat: User, cy: User
) -> None:
    for path in ("/", "/today/board"):
        assert Client().get(path).status_code == 302
        for user in (dee, max):
            assert "Alpha" in text_of(client_of(user).get(path))
        assert "Alpha" not in text_of(client_of(cy).get(path))
        assert "Alpha" not in client_of(pat).get(path).content.decode()
    assert client_of(pat).get("/today/board").status_code == 403


@pytest.mark.parametrize("query", ["", "?late=1&has_note=1", "?q=Mission"])
def test_the_board_takes_as_many_queries_for_thirty_missions_as_for_one(
    acme: Employer, dee: User, noon: datetime, bakery: Site, truck12: Truck,
    django_assert_num_queries: DjangoAssertNumQueries, query: str,
) -> None:  # fmt: skip
    client = client_of(dee)
    for total in (1, 30):
        for n in range(Mission.objects.count(), total):
            phone = make_phone(make_driver(acme, f"Driver {n}", f"N-{n}"))
            mission = make(acme, noon, f"Mission {n}", driver=phone.driver, site=bakery)
            put(mission, phone.driver, Stage.ARRIVAL, noon + timedelta(hours=3), note="gate B")
            mission.stops.update(requires_photo=True, requires_signature=True)
            put_fixes(phone, [(timezone.now(), 51, 4)])
        assert len(names_on(text_of(client.get(f"/{query}")))) == total
        # Session, user, memberships twice; nine of the whole day; six of the page; saved
        # filters. One more finds words.
        with django_assert_num_queries(20 + (query == "?q=Mission")):
            client.get(f"/{query}")
