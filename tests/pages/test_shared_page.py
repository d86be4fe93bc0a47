"""What a consignee sees behind a link: one stop, never more, and where the truck is only then."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from math import isclose
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Look, Truck, User
from missions.lifecycle import create_mission
from missions.models import (
    Attachment,
    Mission,
    MissionAssignment,
    MissionStatus,
    ShareLink,
    Site,
    Stop,
    StopResult,
)
from missions.planning import MissionPlan, StopPlan
from missions.sharing import Shows, make_share_link, revoke_share_link
from missions.stages import Stage
from tests.cast import Phone, put_fixes
from tests.pages.test_mission_page import put
from tests.pages.test_pages import client_of, text_of
from tests.tracking.delivered import put_photo
from tests.tracking.test_proofs import files
from tracking.coarse import CELL_M, coarse
from tracking.geometry import distance_m
from tracking.shared_page import MAX_TRIES

__all__ = ["files"]

MECHELEN = (51.03, 4.48)


@pytest.fixture
def begin() -> datetime:
    return timezone.now().replace(microsecond=0) - timedelta(hours=2)


@pytest.fixture
def sharing(acme: Employer) -> Employer:
    acme.is_share_enabled = True
    acme.save()
    return acme


@pytest.fixture
def mission(
    sharing: Employer, ada: Driver, ada_phone: Phone, truck12: Truck, begin: datetime
) -> Mission:
    """Ada left the depot, is on the way to the bakery, and then to the brewery."""
    sites = [
        Site.objects.create(
            employer=sharing, name=name, address=f"{name} street 1", language=language,
            latitude=latitude, longitude=longitude,
        )
        for name, language, latitude, longitude in (
            ("Depot", "", 51.22, 4.40), ("Bakkerij", "nl", 50.88, 4.70),
            ("Brasserie", "fr", 50.6, 4.6),
        )
    ]  # fmt: skip
    stops = tuple(
        StopPlan(site=site, reference=f"ORDER-{site.name}",
                 window_start_at=begin + timedelta(hours=n),
                 window_end_at=begin + timedelta(hours=n + 1))
        for n, site in enumerate(sites)
    )  # fmt: skip
    plan = MissionPlan(reference="Round of Ada", driver=ada, truck=truck12, stops=stops)
    mission = create_mission(sharing, plan).mission
    depot = mission.stops.get(seq=1)
    Mission.objects.filter(pk=mission.pk).update(status=MissionStatus.STARTED, opened_at=begin)
    MissionAssignment.objects.filter(mission=mission).update(open_period=(begin, None))
    put(mission, ada, depot, Stage.DEPARTURE, begin + timedelta(minutes=10))
    put_fixes(
        ada_phone,
        [(begin + timedelta(minutes=10), 51.2201, 4.4001, "departure"),
         (begin + timedelta(minutes=100), *MECHELEN)],
        truck=truck12, mission=mission,
    )  # fmt: skip
    mission.refresh_from_db()
    return mission


def share(mission: Mission, dee: User, seq: int = 2, *, shows: Shows | None = None) -> str:
    actor = Actor("user", mission.employer, user=dee)
    stop = mission.stops.select_related("mission").get(seq=seq)
    _, token = make_share_link(actor, stop, shows or Shows(position=True, proof=True))
    return f"/s/{token}"


def seen(url: str, **headers: str) -> HttpResponse:
    response = Client().get(url, headers=headers or {"accept-language": "en"})
    assert isinstance(response, HttpResponse)
    return response


def finish(mission: Mission, ada: Driver, seq: int, at: datetime) -> None:
    stop = mission.stops.get(seq=seq)
    put(mission, ada, stop, Stage.ARRIVAL, at)
    put(mission, ada, stop, Stage.DEPARTURE, at + timedelta(minutes=5))


def test_a_consignee_sees_their_stop_and_about_where_the_truck_is(
    mission: Mission, dee: User
) -> None:
    page = text_of(seen(share(mission, dee)))
    for said in (
        "Acme Transport", "Bakkerij", "Bakkerij street 1", "ORDER-Bakkerij",
        "on the way to this stop",
        "There is no estimated time of arrival", "near Mechelen", "20 min ago", "7 km across",
        'class="area"', "Europe/Brussels", 'name="robots" content="noindex',
    ):  # fmt: skip
        assert said in page, said


def test_it_shows_no_driver_no_plate_no_other_stop_and_no_exact_place(
    mission: Mission, dee: User, ada: Driver
) -> None:
    internal = text_of(client_of(dee).get(f"/missions/{mission.uuid}"))
    page = text_of(seen(share(mission, dee)))
    for hidden in (
        "Ada", "1-TRK-012", "Depot", "Brasserie", "ORDER-Depot", "Round of Ada",
        str(mission.uuid), "51.03", "4.48",
    ):  # fmt: skip
        if hidden not in ("ORDER-Depot", str(mission.uuid)):
            assert hidden in internal, hidden
        assert hidden not in page, hidden


def test_the_answer_is_kept_nowhere_and_sets_no_cookie(mission: Mission, dee: User) -> None:
    url = share(mission, dee)
    for client in (Client(), client_of(dee)):
        answer = client.get(url, headers={"accept-language": "en"})
        assert answer["Cache-Control"] == "no-store, private"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
        assert not answer.cookies
        assert "Cookie" not in answer.get("Vary", "")
        assert "dee@acme.example" not in text_of(answer)
    assert Client().post(url).status_code == 405


def test_a_link_that_works_no_more_says_the_same_as_one_that_never_was(
    mission: Mission, dee: User
) -> None:
    url = share(mission, dee)
    assert seen(url).status_code == 200
    unknown = seen("/s/mps_" + "x" * 43)
    assert unknown.status_code == 404
    assert "This link does not work any more" in text_of(unknown)
    assert seen("/s/nonsense").content == unknown.content
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (seen(url).status_code, seen(url).content) == (404, unknown.content)
    ShareLink.objects.update(expires_at=None)
    assert seen(url).status_code == 200
    Employer.objects.update(is_share_enabled=False)
    assert (seen(url).status_code, seen(url).content) == (404, unknown.content)
    Employer.objects.update(is_share_enabled=True)
    link = ShareLink.objects.get()
    revoke_share_link(Actor("user", link.employer, user=dee), link)
    assert (seen(url).status_code, seen(url).content) == (404, unknown.content)


def test_the_position_is_shown_only_while_this_stop_is_the_next_one(
    mission: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    second, third = share(mission, dee), share(mission, dee, 3)
    assert "near Mechelen" in text_of(seen(second))
    page = text_of(seen(third))
    assert "near Mechelen" not in page
    assert "Planned" in page
    assert "is shown here while the driver is on the way" in page
    put(mission, ada, mission.stops.get(seq=2), Stage.ARRIVAL, begin + timedelta(minutes=101))
    page = text_of(seen(second))
    assert "The driver has arrived" in page
    assert "near Mechelen" not in page
    assert "near Mechelen" not in text_of(seen(third))
    put(mission, ada, mission.stops.get(seq=2), Stage.DEPARTURE, begin + timedelta(minutes=110))
    assert "Done" in text_of(seen(second))
    page = text_of(seen(third))
    # Where it stood at the stop before is that stop's business.
    assert "on the way to this stop" in page
    assert "has not sent a position" in page
    assert "Mechelen" not in page


def test_nothing_is_shown_before_the_mission_begins_nor_after_its_end(
    mission: Mission, dee: User, begin: datetime
) -> None:
    url = share(mission, dee)
    assert "near Mechelen" in text_of(seen(url))
    Mission.objects.update(status=MissionStatus.ASSIGNED, opened_at=None)
    page = text_of(seen(url))
    assert "Planned" in page
    assert "Mechelen" not in page
    ended_at = timezone.now()
    Mission.objects.update(status=MissionStatus.COMPLETED, opened_at=begin, ended_at=ended_at)
    page = text_of(seen(url))
    assert "Nobody came to this stop" in page
    assert "Mechelen" not in page


def test_a_link_without_position_shows_none(mission: Mission, dee: User) -> None:
    assert "near Mechelen" in text_of(seen(share(mission, dee)))
    page = text_of(seen(share(mission, dee, shows=Shows())))
    assert "on the way to this stop" in page
    assert "Mechelen" not in page
    assert "position of the truck" not in page


def test_an_employer_may_show_the_exact_place(mission: Mission, dee: User) -> None:
    url = share(mission, dee)
    assert 'class="truck"' not in text_of(seen(url))
    Employer.objects.update(is_shared_position_exact=True)
    page = text_of(seen(url))
    assert 'class="truck"' in page
    assert "exact to some 50 m" in page


def test_two_places_of_one_cell_are_drawn_as_one(
    mission: Mission, dee: User, ada_phone: Phone, begin: datetime
) -> None:
    url = share(mission, dee)

    def drawn() -> str:
        return text_of(seen(url)).partition('<svg class="floor"')[2].partition("</svg>")[0]

    def drive_on(minutes: int, latitude: float) -> None:
        put_fixes(ada_phone, [(begin + timedelta(minutes=minutes), latitude, 4.48)],
                  mission=mission)  # fmt: skip

    before = drawn()
    assert 'class="area"' in before
    drive_on(101, 51.032)
    assert drawn() == before
    drive_on(102, 51.10)
    assert drawn() != before
    Employer.objects.update(is_shared_position_exact=True)
    exact = drawn()
    drive_on(103, 51.102)
    assert drawn() != exact


def test_of_a_frozen_driver_nothing_is_shown(mission: Mission, dee: User, ada: Driver) -> None:
    url = share(mission, dee)
    assert "near Mechelen" in text_of(seen(url))
    freeze_driver(ada)
    page = text_of(seen(url))
    assert "There is no news of this stop now" in page
    assert "Mechelen" not in page
    assert "on the way to this stop" not in page


def test_each_look_at_a_position_is_written_down_and_each_view_counted(
    mission: Mission, dee: User, ada: Driver
) -> None:
    url, blind = share(mission, dee), share(mission, dee, shows=Shows())
    seen(url)
    look = Look.objects.get()
    link = ShareLink.objects.get(shows_position=True)
    assert (look.actor_kind, look.actor, look.driver) == ("link", link.uuid, ada)
    assert look.seen_period.lower <= timezone.now() - timedelta(minutes=19)
    seen(url, **{"accept-language": "en", "milepost-refresh": "1"})
    assert Look.objects.count() == 2
    assert (link.views, ShareLink.objects.get(pk=link.pk).views) == (0, 1) or link.views == 1
    assert ShareLink.objects.get(pk=link.pk).views == 1
    seen(blind)
    assert Look.objects.count() == 2
    assert ShareLink.objects.get(shows_position=False).views == 1


def test_it_speaks_the_browsers_language_else_that_of_the_site(mission: Mission, dee: User) -> None:
    dutch, french = share(mission, dee, 2), share(mission, dee, 3)
    for url, asked, language in (
        (dutch, "fr-BE,fr;q=0.9,en;q=0.5", "fr"),
        (dutch, "de,en;q=0.5", "en"),
        (dutch, "de", "nl"),
        (dutch, "", "nl"),
        (french, "", "fr"),
    ):
        answer = seen(url, **{"accept-language": asked})
        assert answer["Content-Language"] == language
        assert f'<html lang="{language}">' in text_of(answer)


def test_times_are_those_of_the_clocks_at_the_site(
    mission: Mission, dee: User, begin: datetime
) -> None:
    url = share(mission, dee)
    assert "Europe/Brussels" in text_of(seen(url))
    Site.objects.update(timezone="America/New_York")
    page = text_of(seen(url))
    assert "America/New_York" in page
    assert "Europe/Brussels" not in page


def test_a_proof_and_photos_are_opened_only_if_the_link_shows_them(
    mission: Mission, dee: User, ada: Driver, files: None, begin: datetime
) -> None:
    stop, other = mission.stops.get(seq=2), mission.stops.get(seq=1)
    photo, elsewhere = put_photo(stop, ada), put_photo(other, ada)
    Attachment.objects.update(thumbnail=photo.file)
    url, blind = share(mission, dee), share(mission, dee, shows=Shows(position=True))
    assert f"{url}/thumbnail/{photo.uuid}" in text_of(seen(url))
    assert str(photo.uuid) not in text_of(seen(blind))
    opened = seen(f"{url}/photo/{photo.uuid}")
    assert opened.status_code == 302
    assert opened["Referrer-Policy"] == "no-referrer"
    assert Client().head(opened["Location"])["Content-Type"] == "image/jpeg"
    for refused in (
        f"{blind}/photo/{photo.uuid}", f"{url}/photo/{elsewhere.uuid}", f"{url}/photo/{uuid4()}",
        f"{url}/signature/{photo.uuid}", f"/s/mps_none/photo/{photo.uuid}",
    ):  # fmt: skip
        assert seen(refused).status_code == 404, refused
    freeze_driver(ada)
    assert seen(f"{url}/photo/{photo.uuid}").status_code == 404


def test_a_result_is_said_and_a_cancelled_stop_too(
    mission: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    url = share(mission, dee)
    finish(mission, ada, 2, begin + timedelta(minutes=101))
    Stop.objects.filter(seq=2).update(
        result=StopResult.FAILED, result_reason="damage", remark="Ada was angry"
    )
    page = text_of(seen(url))
    assert "failed" in page
    assert "Ada" not in page
    Stop.objects.filter(seq=2).update(result=StopResult.CANCELLED)
    assert "Cancelled" in text_of(seen(url))


def test_one_address_cannot_flood_it(
    mission: Mission, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_TRIES >= 100
    monkeypatch.setattr("tracking.shared_page.MAX_TRIES", 2)
    url = share(mission, dee)
    assert [seen(url).status_code for _ in range(3)] == [200, 200, 429]
    refused = seen(url)
    assert int(refused["Retry-After"]) > 0
    assert "Mechelen" not in text_of(refused)


def test_queries_do_not_grow_with_the_mission(
    mission: Mission,
    dee: User,
    ada: Driver,
    begin: datetime,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    url = share(mission, dee)
    with django_assert_max_num_queries(20):
        seen(url)
    for n in range(30):
        Stop.objects.create(employer=mission.employer, mission=mission, seq=4 + n)
    with django_assert_max_num_queries(20):
        seen(url)


def test_a_cell_covers_every_place_in_it_and_is_the_same_for_all_of_them() -> None:
    area = coarse(51.03, 4.48)
    assert isclose(area.radius_m, CELL_M / 2**0.5)
    cells = {coarse(51.0 + n * 0.0007, 4.4 + m * 0.0011) for n in range(60) for m in range(60)}
    assert 4 <= len(cells) <= 16
    for n in range(0, 60, 7):
        for m in range(0, 60, 7):
            latitude, longitude = 51.0 + n * 0.0007, 4.4 + m * 0.0011
            found = coarse(latitude, longitude)
            away = distance_m(latitude, longitude, found.latitude, found.longitude)
            assert away <= found.radius_m * 1.01
