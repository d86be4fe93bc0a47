"""The columns of a mission's timeline, whose clock they show, and what a page offers beside."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, MarkSource, User
from missions.models import Mission, ProofOfDelivery, Site, StageEvent, Stop
from missions.sharing import Shows, make_share_link
from missions.sites import better_points
from missions.stages import Stage
from missions.stops import change_stop
from tests.pages.test_mission_page import begin, driven, put, url
from tests.pages.test_pages import client_of, text_of
from tests.tracking.test_proofs import files

__all__ = ["begin", "driven", "files"]


def rows_of(page: str) -> list[list[str]]:
    """The cells of the timeline, as text."""
    table = page.partition('id="timeline"')[2].partition("</table>")[0]
    rows = table.partition("<tbody")[2].split("<tr")[1:]
    return [[words(cell) for cell in row.split("<td")[1:]] for row in rows]


def words(cell: str) -> str:
    parts = [part.partition(">")[2] for part in f"<{cell}".split("<")]
    return unescape(" ".join(" ".join(parts).split()))


def row_of(page: str, what: str) -> list[str]:
    return next(row for row in rows_of(page) if row[0].startswith(what))


@pytest.fixture
def bakery(driven: Mission) -> Site:
    return Site.objects.get(name="Bakkerij De Halm")


def test_a_row_has_its_plan_its_delta_its_distance_and_its_evidence(
    driven: Mission, dee: User, begin: datetime
) -> None:
    zone = ZoneInfo("Europe/Brussels")
    page = text_of(client_of(dee).get(url(driven)))
    _what, planned, actual, delta, where, far, _evidence = row_of(page, "Arrival")
    assert planned.endswith(f"{(begin + timedelta(minutes=40)).astimezone(zone):%H:%M}")
    assert actual.endswith(f"{(begin + timedelta(minutes=60)).astimezone(zone):%H:%M}")
    assert (delta, where) == ("20 min late", "Bakkerij De Halm")
    assert far.startswith("620 m")
    assert "“Bel rang twice”" in rows_of(page)[-1][6] or "Bel rang twice" in page
    assert "waiting 6 min, unloading 20 min" in row_of(page, "At a stop")[6]
    assert row_of(page, "Driving")[4].endswith("km")


def test_what_happened_at_a_site_is_in_the_time_of_its_clocks(
    driven: Mission, dee: User, bakery: Site, begin: datetime
) -> None:
    client = client_of(dee)
    assert "Asia/Tokyo" not in text_of(client.get(url(driven)))
    Site.objects.filter(pk=bakery.pk).update(timezone="Asia/Tokyo")
    page = text_of(client.get(url(driven)))
    assert "Asia/Tokyo at Bakkerij De Halm" in page
    tokyo = (begin + timedelta(minutes=60)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{tokyo:%H:%M} JST" in row_of(page, "Arrival")[2]
    assert "JST" not in row_of(page, "Driving")[2]
    # The same clock in the table of stops.
    stops = page.partition('class="facts stops"')[2].partition("</table>")[0]
    assert f"{tokyo:%H:%M} JST" in stops


def test_an_arrival_out_of_order_says_so_and_why(
    driven: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    first = driven.stops.get(seq=1)
    put(driven, ada, first, Stage.ARRIVAL, begin + timedelta(minutes=92), note="gate was closed")
    rows = rows_of(text_of(client_of(dee).get(url(driven))))
    odd = [row for row in rows if "out of the planned order" in row[0]]
    assert [row[0].split()[0] for row in odd] == ["Arrival"]
    assert any("gate was closed" in row[6] for row in rows)


def test_the_driver_of_each_moment_is_there_for_the_map(
    driven: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    page = text_of(client_of(dee).get(url(driven)))
    assert f'<script id="people" type="application/json">[[{int(begin.timestamp())}, ' in page
    freeze_driver(ada)
    page = text_of(client_of(dee).get(url(driven)))
    assert '<script id="people" type="application/json">[]' in page


def test_the_files_are_there_for_a_session(driven: Mission, dee: User) -> None:
    client = client_of(dee)
    for name in ("fixes.gpx", "fixes.geojson", "fixes.csv", "stages.xlsx", "stages.csv", "otm5"):
        assert client.get(f"/api/v1/missions/{driven.uuid}/{name}").status_code == 200, name


def test_the_newest_proof_is_one_click_away(driven: Mission, dee: User, begin: datetime) -> None:
    stop = driven.stops.get(seq=2)
    assert "PDF no." not in text_of(client_of(dee).get(url(driven)))
    proof = ProofOfDelivery.objects.create(
        employer=driven.employer, mission=driven, stop=stop, locale="en", number=12,
        issued_at=begin, pdf="p.pdf", content_sha256=b"\0" * 32, code_hash=b"\0" * 32,
    )  # fmt: skip
    page = text_of(client_of(dee).get(url(driven)))
    assert "PDF no. 12" in page
    assert f"/stops/{stop.uuid}/proof/pdf/{proof.uuid}" in page


def test_changes_of_every_kind_are_told_in_words(
    driven: Mission, acme: Employer, dee: User, ada: Driver
) -> None:
    acme.is_share_enabled = True
    acme.save()
    Mission.objects.update(status="started", ended_at=None)
    actor = Actor("user", acme, user=dee)
    stop = driven.stops.select_related("mission").get(seq=2)
    make_share_link(actor, stop, Shows())
    client = client_of(dee)
    client.post(f"{url(driven)}/stops/{stop.uuid}/proof", {"locale": "en"})
    change_stop(stop, {"reference": "PO-9"}, actor=actor)
    wrong = StageEvent.objects.get(stage=Stage.UNLOADING_ENDED)
    corrected = client.post(
        f"/api/v1/missions/{driven.uuid}/stages",
        {"corrects": str(wrong.uuid), "remark": "late", "stage": "unloading_ended",
         "stop": str(stop.uuid),
         "recorded_at": (wrong.recorded_at - timedelta(minutes=2)).isoformat()},
        content_type="application/json",
    )  # fmt: skip
    assert corrected.status_code == 201, corrected.content
    told = text_of(client.get(url(driven))).partition("Changes</h2>")[2]
    for said in (
        "stop 2: link for a consignee made", "stop 2: proof of delivery asked for",
        "stop 2: stop changed", "reference", "stage corrected", "Unloading ended", "mission made",
        "Ada Peeters", "1-TRK-012", "dee@acme.example",
    ):  # fmt: skip
        assert said in told, said


def test_a_stop_can_be_shared_from_here_once_sharing_is_on(
    driven: Mission, acme: Employer, dee: User
) -> None:
    share = f"{url(driven)}/stops/{driven.stops.get(seq=2).uuid}/share"
    page = text_of(client_of(dee).get(url(driven)))
    assert "Sharing is off" in page
    assert share not in page
    Employer.objects.update(is_share_enabled=True)
    assert share in text_of(client_of(dee).get(url(driven)))


def stand_at(driven: Mission, ada: Driver, begin: datetime, count: int) -> None:
    stop = driven.stops.get(seq=2)
    for n in range(count):
        put(driven, ada, stop, Stage.WAITING_STARTED, begin + timedelta(minutes=61 + n),
            latitude=51.0502 + n * 0.0001, longitude=3.7251, site_distance_m=357.0,
            site_check="outside")  # fmt: skip


def move_url(driven: Mission, site: Site) -> str:
    return f"{url(driven)}/sites/{site.uuid}/move"


def test_a_site_that_drivers_keep_missing_can_be_moved_to_where_they_stood(
    driven: Mission, dee: User, ada: Driver, bakery: Site, begin: datetime
) -> None:
    StageEvent.objects.filter(site_check="outside").delete()
    stand_at(driven, ada, begin, 2)
    client = client_of(dee)
    assert "Move the site here?" not in text_of(client.get(url(driven)))
    assert "Nothing was changed" in text_of(client.get(move_url(driven, bakery)))
    stand_at(driven, ada, begin + timedelta(minutes=5), 2)
    assert move_url(driven, bakery) in text_of(client.get(url(driven)))
    page = text_of(client.get(move_url(driven, bakery)))
    for said in ("51.05000", "3.72000", "3.72510", "4 stages were", "1 mission",
                 "new point is 3", 'class="old area"', "stay as they were measured"):  # fmt: skip
        assert said in page, said
    (better,) = better_points([bakery])
    measured = set(StageEvent.objects.values_list("pk", "site_distance_m", "site_check"))
    moved = client.post(
        move_url(driven, bakery), {"latitude": better.latitude, "longitude": better.longitude}
    )
    assert moved.status_code == 302
    bakery.refresh_from_db()
    assert (bakery.latitude, bakery.longitude) == (better.latitude, better.longitude)
    assert set(StageEvent.objects.values_list("pk", "site_distance_m", "site_check")) == measured
    page = text_of(client.get(url(driven)))
    assert "Move the site here?" not in page
    assert "site moved to where drivers stood" in page
    entry = AuditEntry.objects.get(action="site.moved")
    assert entry.detail["mission"] == str(driven.uuid)
    assert "51.05" not in str(entry.detail)


def test_a_site_is_moved_only_to_where_stages_speak_for(
    driven: Mission, dee: User, ada: Driver, bakery: Site, begin: datetime
) -> None:
    StageEvent.objects.filter(site_check="outside").delete()
    stand_at(driven, ada, begin, 3)
    client = client_of(dee)
    for point in ({"latitude": 50.0, "longitude": 4.0}, {"latitude": "x"}, {}):
        assert client.post(move_url(driven, bakery), point).status_code == 409
    bakery.refresh_from_db()
    assert bakery.latitude == 51.05
    # As often at the site as beside it: then the address is not what is wrong.
    for event in StageEvent.objects.filter(site_check="outside"):
        put(driven, ada, driven.stops.get(seq=2), Stage.BREAK_STARTED, event.recorded_at,
            latitude=51.05, longitude=3.72, site_check="inside", site_distance_m=1.0)  # fmt: skip
    assert better_points([bakery]) == []
    StageEvent.objects.filter(site_check="inside").delete()
    assert len(better_points([bakery])) == 1
    freeze_driver(ada)
    assert better_points([bakery]) == []


def test_others_move_nothing(
    driven: Mission, dee: User, pat: User, cy: User, ada: Driver, bakery: Site, begin: datetime
) -> None:
    stand_at(driven, ada, begin, 4)
    path = move_url(driven, bakery)
    assert client_of(dee).get(path).status_code == 200
    assert client_of(pat).post(path).status_code == 403
    assert client_of(cy).post(path).status_code == 404
    assert Client().post(path)["Location"].startswith("/accounts/login/")
    elsewhere = Site.objects.create(employer=driven.employer, name="Elsewhere")
    assert client_of(dee).get(move_url(driven, elsewhere)).status_code == 404


def test_a_last_known_place_says_so(
    driven: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    assert "last known position" not in text_of(client_of(dee).get(url(driven)))
    put(driven, ada, driven.stops.get(seq=2), Stage.BREAK_STARTED, begin + timedelta(minutes=70),
        latitude=51.05, longitude=3.72, position_source="last_known",
        position_recorded_at=begin + timedelta(minutes=65))  # fmt: skip
    assert "last known position, of " in text_of(client_of(dee).get(url(driven)))


def test_one_with_many_stops_and_links_costs_the_same_queries(
    driven: Mission,
    acme: Employer,
    dee: User,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    acme.is_share_enabled = True
    acme.save()
    client = client_of(dee)
    client.get(url(driven))
    with django_assert_max_num_queries(40):
        client.get(url(driven))
    actor = Actor("user", acme, user=dee)
    for n in range(30):
        stop = Stop.objects.create(employer=acme, mission=driven, seq=3 + n)
        make_share_link(actor, stop, Shows(), (driven.ended_at or stop.mission.created_at)
                        + timedelta(days=9))  # fmt: skip
    Stop.objects.update(result_source=MarkSource.DISPATCHER)
    with django_assert_max_num_queries(40):
        client.get(url(driven))
