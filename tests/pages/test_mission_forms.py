"""The forms of a mission: made, changed by two people at once, moved on, and said what happened."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Driver, Employer, Truck, User
from missions.lifecycle import assign_mission
from missions.models import Mission, MissionStatus, Site, Stop
from missions.planning import StopPlan
from missions.stops import add_stop
from tests.missions.builders import start
from tests.pages.forms_sent import fields_of, planned_at, stop_fields, url_of
from tests.pages.test_pages import client_of, text_of

NEW = "/missions/new"
PATHS = ("edit", "assign", "end", "cancel", "result", "stages/new")


@pytest.fixture
def depot(acme: Employer) -> Site:
    return Site.objects.create(employer=acme, name="Depot", address="Kaai 1, Gent")


@pytest.fixture
def brewery(acme: Employer) -> Site:
    return Site.objects.create(employer=acme, name="Brouwerij Énorme", address="Laan 2, Leuven")


@pytest.fixture
def planned(acme: Employer, depot: Site, brewery: Site) -> Mission:
    """Not begun, with a stop at the depot and one at the brewery."""
    return planned_at(acme, depot, brewery)


def test_the_pages_are_for_dispatchers_and_managers_of_this_employer(
    planned: Mission, dee: User, max: User, pat: User, cy: User, ada: Driver
) -> None:
    start(assign_mission(planned, ada), ada, timezone.now() - timedelta(hours=1))
    stage = planned.stage_events.get()
    pages = [*PATHS, f"stages/{stage.uuid}/correct"]
    for path in (NEW, *(url_of(planned, page) for page in pages)):
        assert Client().get(path)["Location"].startswith("/accounts/login/"), path
        assert client_of(pat).get(path).status_code == 403, path
        assert client_of(dee).get(path).status_code == 200, path
        assert client_of(max).get(path).status_code == 200, path
        if path != NEW:
            assert client_of(cy).get(path).status_code == 404, path
            assert client_of(cy).post(path, {}).status_code == 404, path
    for page in PATHS:
        assert client_of(dee).get(f"/missions/{uuid4()}/{page}").status_code == 404


def test_the_form_offers_no_other_employers_rows(
    dee: User, depot: Site, ada: Driver, elsewhere: Employer, cy_driver: Driver, cy_truck: Truck
) -> None:
    Site.objects.create(employer=elsewhere, name="Their yard")
    page = text_of(client_of(dee).get(NEW))
    assert "Ada Peeters (D-1)" in page
    assert '<option value="Depot, Kaai 1, Gent">' in page
    assert page.count('<span class="check">') == 5
    for theirs in ("Cleo", "Their yard", str(cy_truck.uuid)):
        assert theirs not in page


def test_a_mission_is_made_as_it_was_typed(
    acme: Employer, dee: User, ada: Driver, truck12: Truck, depot: Site, brewery: Site
) -> None:
    typed = {
        "external_id": "M-7",
        "reference": "Beer",
        "driver": str(ada.uuid),
        "truck": str(truck12.uuid),
        "planned_start_at": "2026-11-26T08:00",
        **stop_fields(0, site="Depot, Kaai 1, Gent", purpose="load"),
        **stop_fields(
            1,
            site="enorme",
            window_start_at="2026-11-26T09:00",
            window_end_at="2026-11-26T11:30",
            planned_service_min="12,5",
            requires_signature="on",
            remark="Ring twice\r\nat the back",
        ),
        "stops-1-goods-0-description": "Kegs",
        "stops-1-goods-0-quantity": "12,5",
        "stops-1-goods-0-unit": "keg",
        "stops-1-goods-1-description": "",
        "stops-1-goods-1-quantity": "",
        **stop_fields(2),
    }
    answer = client_of(dee).post(NEW, typed)
    mission = Mission.objects.get(employer=acme)
    assert answer["Location"] == f"/missions/{mission.uuid}"
    assert (mission.external_id, mission.status) == ("M-7", MissionStatus.ASSIGNED)
    assert mission.planned_start_at == datetime(2026, 11, 26, 7, tzinfo=UTC)
    first, second = mission.stops.order_by("seq")
    assert (first.site, first.purpose) == (depot, "load")
    assert (second.site, second.planned_service_s) == (brewery, 750)
    assert second.window_end_at == datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
    assert (second.requires_signature, second.requires_photo) == (True, False)
    assert second.remark == "Ring twice\nat the back"
    (line,) = second.goods.all()
    assert (line.description, str(line.quantity), line.unit) == ("Kegs", "12.500", "keg")


def test_a_stop_may_be_at_a_new_site(acme: Employer, dee: User) -> None:
    new = {"new_site_name": "Hangar 9", "new_site_latitude": "51,1", "new_site_longitude": "4"}
    client_of(dee).post(NEW, stop_fields(0, **new))
    site = Site.objects.get(employer=acme)
    assert (site.name, site.latitude, site.country) == ("Hangar 9", 51.1, "BE")
    assert Stop.objects.get().site == site


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (stop_fields(0, site="Nowhere"), "No site is called so."),
        (stop_fields(0, site="e"), "Several sites are like that: Brouwerij Énorme"),
        (stop_fields(0, site="Depot", new_site_name="Hangar"), "not both"),
        (stop_fields(0, new_site_name="Hangar", new_site_latitude="51"), "or neither"),
        (stop_fields(0, planned_service_min="soon"), "This is not a number of minutes."),
        (stop_fields(0, planned_service_min="-1"), "greater than or equal to 0"),
        (
            stop_fields(0, window_start_at="2026-11-26T09:00", window_end_at="2026-11-26T08:00"),
            "This is before the window begins.",
        ),
        (
            {"planned_start_at": "2026-11-26T09:00", "planned_end_at": "2026-11-26T08:00"},
            "The plan ends before it starts.",
        ),
        ({"planned_start_at": "2027-03-28T02:30"}, "This time does not exist in Europe/Brussels"),
        ({"planned_start_at": "2026-10-25T02:30"}, "This time came twice in Europe/Brussels"),
        ({"planned_start_at": "tomorrow"}, "This is not a day and a time."),
        ({"planned_start_at": "2026-11-26"}, "This is not a day and a time."),
        ({"driver": str(uuid4())}, "Select a valid choice."),
        ({"driver": "ada"}, "Select a valid choice."),
        ({"external_id": "M" * 101}, "at most 100 characters"),
        (
            {**stop_fields(0, external_id="S-1"), **stop_fields(1, external_id="S-1")},
            "Two stops have the same number.",
        ),
        (
            {**stop_fields(0, remark="x"), "stops-0-goods-0-description": "Kegs"},
            "A valid number is required.",
        ),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_stored(
    typed: dict[str, str], said: str, dee: User, depot: Site, brewery: Site
) -> None:
    answer = client_of(dee).post(NEW, {"reference": "kept as typed", **typed})
    assert answer.status_code == 400
    page = text_of(answer)
    assert said in page
    assert 'value="kept as typed"' in page
    assert not Mission.objects.exists()
    assert Site.objects.count() == 2


def test_a_driver_is_no_draft(dee: User, ada: Driver) -> None:
    answer = client_of(dee).post(NEW, {"driver": str(ada.uuid), "is_draft": "on"})
    assert answer.status_code == 400
    assert "A draft has no driver yet." in text_of(answer)
    client_of(dee).post(NEW, {"is_draft": "on"})
    assert Mission.objects.get().status == MissionStatus.DRAFT


def test_a_number_is_one_missions(dee: User) -> None:
    typed = {"external_id": "M-1", "reference": "Beer"}
    first = client_of(dee).post(NEW, typed)
    assert client_of(dee).post(NEW, typed)["Location"] == first["Location"]
    answer = client_of(dee).post(NEW, {**typed, "reference": "Wine"})
    assert "Another mission has this number already." in text_of(answer)
    assert Mission.objects.count() == 1


def test_an_hour_that_comes_twice_is_chosen_and_stays_chosen(dee: User) -> None:
    client, typed = client_of(dee), {"planned_start_at": "2026-10-25T02:30"}
    page = text_of(client.post(NEW, typed))
    assert '<option value="+02:00">the first time (+02:00)</option>' in page
    client.post(NEW, {**typed, "planned_start_at-offset": "+01:00"})
    mission = Mission.objects.get()
    assert mission.planned_start_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    page = text_of(client.get(url_of(mission)))
    assert '<option value="+01:00" selected>' in page
    client.post(url_of(mission), {**fields_of(client.get(url_of(mission))), "reference": "x"})
    mission.refresh_from_db()
    assert mission.planned_start_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    # Moved to another day, what was chosen says nothing any more.
    sent = {**fields_of(client.get(url_of(mission))), "planned_start_at": "2026-11-01T02:30"}
    client.post(url_of(mission), {**sent, "planned_start_at-offset": "+02:00"})
    mission.refresh_from_db()
    assert mission.planned_start_at == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("do", "sites"),
    [
        ("add", ["A", "B", "C", ""]),
        ("up-2", ["A", "C", "B"]),
        ("up-0", ["A", "B", "C"]),
        ("down-0", ["B", "A", "C"]),
        ("down-2", ["A", "B", "C"]),
        ("remove-1", ["A", "C"]),
    ],
)
def test_a_button_rearranges_the_stops_and_stores_nothing(
    do: str, sites: list[str], dee: User
) -> None:
    typed = {f"stops-{n}-site": name for n, name in enumerate("ABC")}
    typed |= {f"stops-{n}-purpose": "load" for n in range(3)}
    answer = client_of(dee).post(NEW, {**typed, "do": do, "planned_start_at": "nonsense"})
    assert answer.status_code == 200
    sent = fields_of(answer)
    assert [sent.get(f"stops-{n}-site") for n in range(len(sites))] == sites
    assert f"stops-{len(sites)}-site" not in sent
    assert 'role="alert"' not in text_of(answer)
    assert text_of(answer).count("autofocus") == 1
    assert not Mission.objects.exists()


@pytest.mark.parametrize("do", ["remove-9", "up-", "up--1", "down-x", "leap-0", "goods-7"])
def test_a_button_that_is_none_saves_like_any_other(do: str, dee: User) -> None:
    client_of(dee).post(NEW, {**stop_fields(0, reference="x"), "do": do})
    assert Mission.objects.count() == 1


def test_a_form_that_nobody_touched_changes_nothing(
    planned: Mission, dee: User, ada: Driver, truck12: Truck
) -> None:
    Mission.objects.update(planned_start_at=datetime(2026, 11, 26, 7, 0, 12, 345, tzinfo=UTC))
    assign_mission(planned, ada, truck=truck12)
    planned.refresh_from_db()
    entries = AuditEntry.objects.count()
    client = client_of(dee)
    answer = client.post(url_of(planned), fields_of(client.get(url_of(planned))))
    assert answer["Location"] == f"/missions/{planned.uuid}"
    version = planned.version
    planned.refresh_from_db()
    assert planned.version == version
    assert AuditEntry.objects.count() == entries
    assert planned.planned_start_at is not None
    assert planned.planned_start_at.microsecond == 345


def test_fields_and_stops_are_changed_by_the_rules(
    planned: Mission, dee: User, ada: Driver, brewery: Site
) -> None:
    client = client_of(dee)
    sent = fields_of(client.get(url_of(planned)))
    assert sent["stops-1-planned_service_min"] == "12.5"
    assert sent["stops-1-free_time_min"] == "1.5"
    first, second = planned.stops.order_by("seq")
    sent |= {"driver": str(ada.uuid), "reference": "", "stops-1-contact_name": "Jo"}
    sent |= {"stops-1-planned_service_min": "", "stops-1-requires_photo": "on"}
    sent |= stop_fields(2, site="Depot")
    client.post(url_of(planned), {**sent, "do": "save"})
    planned.refresh_from_db()
    assert (planned.status, planned.reference) == (MissionStatus.ASSIGNED, "")
    second.refresh_from_db()
    assert (second.contact_name, second.planned_service_s, second.free_time_s) == ("Jo", None, 90)
    assert second.requires_photo
    assert planned.stops.count() == 3
    changed = AuditEntry.objects.filter(action="stop.changed").get()
    assert changed.object_id == second.uuid
    assert changed.detail["fields"] == ["contact_name", "planned_service_s", "requires_photo"]
    assert not AuditEntry.objects.filter(object_id=first.uuid, action="stop.changed").exists()


def test_stops_are_taken_out_and_put_in_another_order(planned: Mission, dee: User) -> None:
    client = client_of(dee)
    sent = fields_of(client.get(url_of(planned)))
    for do in ("down-0", "remove-1"):
        sent = fields_of(client.post(url_of(planned), {**sent, "do": do}))
    assert planned.stops.count() == 2
    client.post(url_of(planned), {**sent, **stop_fields(1, reference="last")})
    names = [stop.site.name if stop.site else stop.reference for stop in planned.stops.all()]
    assert names == ["Brouwerij Énorme", "last"]


def test_goods_are_changed_emptied_and_kept(planned: Mission, dee: User) -> None:
    client = client_of(dee)
    line = {"stops-0-goods-0-description": "Kegs", "stops-0-goods-0-quantity": "3"}
    client.post(url_of(planned), {**fields_of(client.get(url_of(planned))), **line})
    stop = planned.stops.order_by("seq")[0]
    assert [one.description for one in stop.goods.all()] == ["Kegs"]
    sent = fields_of(client.get(url_of(planned)))
    assert sent["stops-0-goods-0-quantity"] == "3"
    version = Mission.objects.get().version
    client.post(url_of(planned), sent)
    assert Mission.objects.get().version == version
    more = fields_of(client.post(url_of(planned), {**sent, "do": "goods-0"}))
    assert "stops-0-goods-2-description" in more
    emptied = {name: "" for name in sent if name.startswith("stops-0-goods-0-")}
    client.post(url_of(planned), {**sent, **emptied})
    assert not stop.goods.exists()


def test_two_people_who_change_one_mission_are_both_heard(
    planned: Mission, dee: User, max: User, depot: Site
) -> None:
    client, other = client_of(dee), client_of(max)
    mine, theirs = (fields_of(one.get(url_of(planned))) for one in (client, other))
    changed = {"reference": "Theirs", "ecmr_number": "E-2", "stops-0-remark": "Theirs"}
    other.post(url_of(planned), {**theirs, **changed, **stop_fields(2, site="Depot")})
    mine |= {"reference": "Mine", "stops-1-remark": "Mine"}
    answer = client.post(url_of(planned), mine)
    assert answer.status_code == 412
    page = text_of(answer)
    assert "Somebody changed this mission meanwhile:" in page
    assert "max@acme.example" in page
    assert "Meanwhile it was changed to: Theirs" in page
    assert "It was added meanwhile." in page
    planned.refresh_from_db()
    assert planned.reference == "Theirs"
    again = fields_of(answer)
    assert (again["reference"], again["ecmr_number"]) == ("Mine", "E-2")
    assert (again["stops-0-remark"], again["stops-1-remark"]) == ("Theirs", "Mine")
    assert client.post(url_of(planned), again).status_code == 302
    planned.refresh_from_db()
    assert (planned.reference, planned.ecmr_number) == ("Mine", "E-2")
    assert [stop.remark for stop in planned.stops.order_by("seq")] == ["Theirs", "Mine", ""]


def test_a_stop_that_was_removed_meanwhile_is_said(planned: Mission, dee: User, max: User) -> None:
    client, other = client_of(dee), client_of(max)
    mine = fields_of(client.get(url_of(planned)))
    sent = fields_of(other.post(url_of(planned), {**mine, "do": "remove-1"}))
    other.post(url_of(planned), sent)
    assert planned.stops.count() == 1
    answer = client.post(url_of(planned), {**mine, "stops-1-remark": "Mine"})
    assert "It was removed meanwhile; saving adds it again." in text_of(answer)
    client.post(url_of(planned), fields_of(answer))
    assert [stop.remark for stop in planned.stops.order_by("seq")] == ["", "Mine"]


def test_what_a_phone_sends_meanwhile_is_no_conflict(
    planned: Mission, dee: User, ada: Driver
) -> None:
    assign_mission(planned, ada)
    client = client_of(dee)
    mine = fields_of(client.get(url_of(planned)))
    start(planned, ada, timezone.now() - timedelta(minutes=5))
    Mission.objects.update(version=F("version") + 1)
    assert client.post(url_of(planned), {**mine, "reference": "Mine"}).status_code == 302
    planned.refresh_from_db()
    assert planned.reference == "Mine"


def test_a_form_with_a_mangled_base_or_version_does_no_harm(planned: Mission, dee: User) -> None:
    client = client_of(dee)
    sent = fields_of(client.get(url_of(planned)))
    for base in ("", "{", "[]", '{"head": 1, "stops": []}', '{"head": {}, "stops": [1]}'):
        answer = client.post(url_of(planned), {**sent, "base": base})
        assert answer.status_code in (302, 412)
    for version in ("", "x", "9" * 30, "\u0663"):
        answer = client.post(url_of(planned), {**sent, "version": version})
        assert answer.status_code in (302, 412)
    assert planned.stops.count() == 2


def test_the_form_takes_as_many_queries_for_thirty_stops_as_for_one(
    planned: Mission, dee: User, depot: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(dee)
    client.get(url_of(planned))
    for total in (2, 30):
        for _ in range(planned.stops.count(), total):
            add_stop(planned, StopPlan(site=depot))
        # The session, the user, their memberships; the mission with its assignments, stops
        # and goods; drivers, trucks, sites.
        with django_assert_num_queries(10):
            page = text_of(client.get(url_of(planned)))
        assert page.count("<fieldset") == total


def test_a_form_with_very_many_stops_is_taken_and_with_more_refused(dee: User) -> None:
    typed: dict[str, Any] = {}
    for number in range(201):
        typed |= stop_fields(number, reference="x")
    answer = client_of(dee).post(NEW, typed)
    assert answer.status_code == 400
    assert "at most 200" in text_of(answer)
    for name in list(typed):
        if name.startswith("stops-200-"):
            del typed[name]
    client_of(dee).post(NEW, typed)
    assert Mission.objects.get().stops.count() == 200
