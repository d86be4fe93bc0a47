"""A mission's page: planned against actual, evidence, corrections, changes, and who may see it."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actors import Actor
from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, MarkSource, Truck, User
from missions.changing import change_mission
from missions.lifecycle import create_mission, locked
from missions.models import (
    Attachment,
    GoodsLine,
    Mission,
    MissionAssignment,
    MissionStatus,
    Signature,
    Site,
    StageEvent,
    Stop,
    StopResult,
)
from missions.planning import MissionPlan, StopPlan
from missions.stages import Stage
from tests.cast import Phone, put_fixes
from tests.pages.test_pages import client_of, text_of
from tests.tracking.delivered import put_photo, put_signature
from tests.tracking.test_proofs import files

__all__ = ["files"]


@pytest.fixture
def begin() -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(hours=3)


@pytest.fixture
def driven(
    acme: Employer, ada: Driver, ada_phone: Phone, truck12: Truck, begin: datetime, files: None
) -> Mission:
    """Ada drove from the depot to the bakery, came 20 minutes late and delivered."""
    bakery = Site.objects.create(
        employer=acme, name="Bakkerij De Halm", address="Veldstraat, Gent",
        latitude=51.05, longitude=3.72,
    )  # fmt: skip
    plan = MissionPlan(
        reference="Antwerpen - Gent",
        external_id="TMS-7",
        driver=ada,
        truck=truck12,
        planned_start_at=begin,
        planned_end_at=begin + timedelta(hours=2),
        ecmr_number="CMR-9",
        stops=(
            StopPlan(purpose="load"),
            StopPlan(site=bakery, planned_arrival_at=begin + timedelta(minutes=40)),
        ),
    )
    mission = create_mission(acme, plan).mission
    first, second = mission.stops.order_by("seq")
    put_fixes(
        ada_phone,
        [(begin + timedelta(minutes=n), 51.20 - n * 0.0025, 4.40 - n * 0.0113) for n in range(61)],
        truck=truck12,
        mission=mission,
    )
    put(mission, ada, first, Stage.DEPARTURE, begin)
    put(mission, ada, second, Stage.ARRIVAL, begin + timedelta(minutes=60), site_distance_m=620.0,
        site_check="outside", latitude=51.05, longitude=3.722)  # fmt: skip
    put(mission, ada, second, Stage.UNLOADING_STARTED, begin + timedelta(minutes=66))
    put(mission, ada, second, Stage.UNLOADING_ENDED, begin + timedelta(minutes=86))
    put(mission, ada, second, Stage.DEPARTURE, begin + timedelta(minutes=90), note="Bel rang twice")
    Stop.objects.filter(pk=second.pk).update(
        result=StopResult.PARTIALLY_SUCCEEDED, result_reason="damage",
        result_at=begin + timedelta(minutes=88), result_source=MarkSource.DRIVER,
    )  # fmt: skip
    GoodsLine.objects.create(
        employer=acme, stop=second, line_no=1, description="flour", quantity=4, unit="pallet"
    )
    Mission.objects.filter(pk=mission.pk).update(
        status=MissionStatus.COMPLETED, opened_at=begin, ended_at=begin + timedelta(minutes=95)
    )
    MissionAssignment.objects.filter(mission=mission).update(
        open_period=(begin, begin + timedelta(minutes=95))
    )
    put_photo(second, ada)
    put_signature(second, ada)
    mission.refresh_from_db()
    return mission


def put(
    mission: Mission, driver: Driver, stop: Stop, stage: Stage, at: datetime, **more: object
) -> StageEvent:
    return StageEvent.objects.create(
        employer_id=mission.employer_id, driver=driver, mission=mission, stop=stop, stage=stage,
        recorded_at=at, **{"received_at": at, **more},
    )  # fmt: skip


def url(mission: Mission) -> str:
    return f"/missions/{mission.uuid}"


def test_it_shows_what_was_planned_and_what_happened(driven: Mission, dee: User) -> None:
    page = text_of(client_of(dee).get(url(driven)))
    for said in (
        "Antwerpen - Gent", "TMS-7", "CMR-9", "completed", "Ada Peeters", "1-TRK-012",
        "Bakkerij De Halm", "Veldstraat, Gent", "4 pallet flour", "20 min late", "unloading 20 min",
        "waiting 6 min", "620 m from the site", "partially succeeded", "damage", "Bel rang twice",
        "at least", "km (from positions)", "late: 5 min after the last moment",
        "Żaneta Kowalska", "Proof of delivery", "Europe/Brussels",
    ):  # fmt: skip
        assert said in page, said
    assert '<svg class="pad"' in page
    assert '<svg class="floor"' in page
    stop = driven.stops.get(seq=2)
    assert f"{url(driven)}/stops/{stop.uuid}/proof" in page
    for name in ("fixes.gpx", "fixes.geojson", "fixes.csv", "stages.xlsx", "stages.csv", "otm5"):
        assert f'href="/api/v1/missions/{driven.uuid}/{name}"' in page, name


def test_a_photo_is_a_thumbnail_once_there_is_one_and_opens_in_full(
    driven: Mission, dee: User
) -> None:
    photo = Attachment.objects.get()
    client = client_of(dee)
    small = f"{url(driven)}/pictures/thumbnail/{photo.uuid}"
    assert small not in text_of(client.get(url(driven)))
    Attachment.objects.update(thumbnail=photo.file)
    assert small in text_of(client.get(url(driven)))
    for kind in ("thumbnail", "photo"):
        opened = client.get(f"{url(driven)}/pictures/{kind}/{photo.uuid}")
        assert Client().head(opened["Location"])["Content-Type"] == "image/jpeg"
    signature = Signature.objects.get()
    assert "/files/" in client.get(f"{url(driven)}/pictures/signature/{signature.uuid}")["Location"]


def test_a_correction_shows_the_original_too(driven: Mission, dee: User, ada: Driver) -> None:
    wrong = StageEvent.objects.get(stage=Stage.UNLOADING_ENDED)
    dee.name = "Dee Dispatcher"
    dee.save()
    put(driven, ada, driven.stops.get(seq=2), Stage.UNLOADING_ENDED,
        wrong.recorded_at - timedelta(minutes=5), corrects=wrong, author=dee,
        source=MarkSource.DISPATCHER, remark="pressed too late")  # fmt: skip
    page = text_of(client_of(dee).get(url(driven)))
    assert "<s>Unloading ended</s>" in page
    assert "corrected by Dee Dispatcher" in page
    assert "was: Unloading ended" in page
    assert "pressed too late" in page


def test_what_came_late_says_when_it_came_in(driven: Mission, dee: User, ada: Driver) -> None:
    page = text_of(client_of(dee).get(url(driven)))
    before = page.count("came in ")
    at = driven.ended_at
    assert at is not None
    put(driven, ada, driven.stops.get(seq=2), Stage.BREAK_STARTED, at - timedelta(minutes=50),
        received_at=at - timedelta(minutes=10))  # fmt: skip
    assert text_of(client_of(dee).get(url(driven))).count("came in ") == before + 1


def test_changes_say_who_when_and_which_fields(driven: Mission, acme: Employer, dee: User) -> None:
    before = text_of(client_of(dee).get(url(driven)))
    assert "mission made" in before
    assert "reference" not in before.partition("Changes</h2>")[2]
    actor = Actor("user", acme, user=dee)
    with CaptureQueriesContext(connection):
        change_mission(locked(driven), {"reference": "Antwerpen - Gent 2"}, actor=actor)
    page = text_of(client_of(dee).get(url(driven)))
    for said in ("Antwerpen - Gent 2", "dee@acme.example", "changed", "reference"):
        assert said in page, said


def test_a_fragment_is_sent_only_when_something_is_new(
    driven: Mission, dee: User, ada: Driver
) -> None:
    Mission.objects.update(status=MissionStatus.STARTED, ended_at=None)
    client = client_of(dee)
    page = text_of(client.get(url(driven)))
    etag = page.split('data-etag="')[1].split('"')[0].replace("&quot;", '"')
    assert "data-refreshed" in page
    same = client.get(f"{url(driven)}/now", headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    at = timezone.now() - timedelta(minutes=1)
    put(driven, ada, driven.stops.get(seq=2), Stage.BREAK_STARTED, at)
    news = client.get(f"{url(driven)}/now", headers={"If-None-Match": etag})
    assert "Break began" in text_of(news)
    assert 'id="beside" hx-swap-oob' in text_of(news)
    assert news["ETag"] != etag


def test_one_that_is_over_is_not_refreshed_and_one_to_come_says_so(
    driven: Mission, acme: Employer, dee: User
) -> None:
    assert "data-refreshed" not in text_of(client_of(dee).get(url(driven)))
    plan = MissionPlan(reference="To come", stops=(StopPlan(),))
    page = text_of(client_of(dee).get(url(create_mission(acme, plan).mission)))
    for said in ("planned, no driver yet", "nobody yet", "Nothing has been recorded", "stop 1"):
        assert said in page, said
    empty = create_mission(acme, MissionPlan(reference="Empty")).mission
    assert "This mission has no stops" in text_of(client_of(dee).get(url(empty)))


def test_an_erased_driver_is_said_to_be(driven: Mission, dee: User) -> None:
    assert "Ada" in text_of(client_of(dee).get(url(driven)))
    person = uuid4()
    for rows in (driven.assignments, driven.stage_events, driven.attachments, driven.signatures):
        rows.update(driver=None, erased_driver=person)
    page = text_of(client_of(dee).get(url(driven)))
    assert "erased driver" in page
    assert "Ada" not in page
    assert "Bakkerij De Halm" in page
    assert "20 min late" in page


def test_of_a_frozen_driver_nothing_is_shown(driven: Mission, dee: User, ada: Driver) -> None:
    photo = Attachment.objects.get()
    picture = f"{url(driven)}/pictures/photo/{photo.uuid}"
    assert client_of(dee).get(picture).status_code == 302
    freeze_driver(ada)
    page = text_of(client_of(dee).get(url(driven)))
    assert "not available" in page
    for hidden in ("Ada", "20 min late", "Bel rang twice", "Kowalska", "partially succeeded",
                   "late:", "damage"):  # fmt: skip
        assert hidden not in page, hidden
    assert client_of(dee).get(picture).status_code == 404


def test_queries_do_not_grow_with_what_happened(driven: Mission, dee: User, ada: Driver) -> None:
    client = client_of(dee)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(url(driven))
        return len(queries)

    stop = driven.stops.get(seq=2)
    planned_at = stop.planned_arrival_at
    assert planned_at is not None
    few = count()
    for n in range(30):
        put_photo(stop, ada)
        put_signature(stop, ada)
        put(driven, ada, stop, Stage.EXCEPTION, planned_at + timedelta(minutes=n),
            reason="damage")  # fmt: skip
        Stop.objects.create(employer_id=stop.employer_id, mission=driven, seq=3 + n)
    assert count() == few


def test_others_get_nothing_of_it(
    driven: Mission, dee: User, max: User, pat: User, cy: User
) -> None:
    photo = Attachment.objects.get()
    for path in (url(driven), f"{url(driven)}/now", f"{url(driven)}/pictures/photo/{photo.uuid}"):
        assert client_of(dee).get(path).status_code in (200, 302)
        assert client_of(max).get(path).status_code in (200, 302)
        assert client_of(pat).get(path).status_code == 403
        assert client_of(cy).get(path).status_code == 404
        assert Client().get(path)["Location"].startswith("/accounts/login/")
        assert client_of(dee).post(path).status_code == 405
    assert client_of(dee).get(f"/missions/{uuid4()}").status_code == 404
    assert client_of(dee).get(f"{url(driven)}/pictures/other/{photo.uuid}").status_code == 404


def test_the_days_page_leads_to_the_mission_and_its_proof(
    driven: Mission, dee: User, ada: Driver, begin: datetime
) -> None:
    day = begin.astimezone(ZoneInfo(ada.employer.timezone)).date()
    page = text_of(client_of(dee).get(f"/drivers/{ada.uuid}/day?date={day}"))
    stop = driven.stops.get(seq=2)
    assert f'href="{url(driven)}"' in page
    assert f'href="{url(driven)}#stop-{stop.uuid}"' in page
    assert f'href="{url(driven)}/stops/{stop.uuid}/proof"' in page
