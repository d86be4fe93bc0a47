"""The pages of trucks and of who drives them when: what they change, and what they refuse."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Truck, TruckAssignment, User
from tests.cast import assign
from tests.pages.test_manage_fleet import HOUR, driver_url, sent_back, truck_url, words
from tests.pages.test_pages import client_of, text_of


def test_trucks_in_service_and_retired_are_two_lists(
    truck12: Truck, truck34: Truck, max: User
) -> None:
    client = client_of(max)
    asked = client.get(truck_url(truck34, "/retire"))
    assert "It cannot be undone" in text_of(asked)
    done = client.post(truck_url(truck34, "/retire"), follow=True)
    page = text_of(done)
    assert "1-TRK-034 is out of service." in page
    assert "/manage/trucks/" + str(truck34.uuid) not in page
    retired = text_of(client.get("/manage/trucks?state=retired"))
    assert str(truck34.uuid) in retired
    assert str(truck12.uuid) not in retired


def test_a_truck_that_somebody_drives_is_not_retired(
    truck12: Truck, ada: Driver, max: User
) -> None:
    assign(truck12, ada, None)
    refused = client_of(max).post(truck_url(truck12, "/retire"))
    assert refused.status_code == 409
    assert "End that assignment first" in text_of(refused)
    truck12.refresh_from_db()
    assert truck12.retired_at is None


def test_a_truck_is_added_and_changed_and_a_taken_plate_is_refused(
    truck12: Truck, max: User
) -> None:
    client = client_of(max)
    taken = client.post("/manage/trucks/new", {"plate": "1-trk-012", "country": "be"})
    assert taken.status_code == 400
    assert "A truck with this plate is in service" in text_of(taken)
    for wrong in ({"plate": " ", "country": "BE"}, {"plate": "9-ABC", "country": "B1"}):
        assert client.post("/manage/trucks/new", wrong).status_code == 400
    form = {"plate": "9-abc-001", "country": "nl", "name": "new one"}
    assert client.post("/manage/trucks/new", form).status_code == 302
    made = Truck.objects.get(plate="9-ABC-001", country="NL")
    assert client.post(truck_url(made, "/edit"), {**form, "name": "spare"}).status_code == 302
    made.refresh_from_db()
    assert made.name == "spare"


def test_a_truck_is_given_from_now_on_and_taken_back(
    truck12: Truck, ada: Driver, dee: User
) -> None:
    client = client_of(dee)
    done = client.post(truck_url(truck12, "/give"), {"driver": str(ada.uuid)}, follow=True)
    page = words(text_of(done))
    assert "1-TRK-012 is assigned to Ada Peeters." in page
    assert "Driver now Ada Peeters" in page
    assignment = TruckAssignment.objects.get()
    assert abs(assignment.period.lower - timezone.now()) < timedelta(minutes=1)
    ended = client.post(f"/manage/truck-assignments/{assignment.uuid}/end", follow=True)
    assert "Driver now nobody" in words(text_of(ended))
    assert "keep the truck they were linked to" not in text_of(ended)
    assignment.refresh_from_db()
    assert assignment.period.upper is not None


def test_times_are_read_on_the_employers_clocks(truck12: Truck, ada: Driver, dee: User) -> None:
    form = {"driver": str(ada.uuid), "begin": "2026-07-01T08:00", "end": "2026-12-01T08:00"}
    assert client_of(dee).post(truck_url(truck12, "/give"), form).status_code == 302
    period = TruckAssignment.objects.get().period
    assert period.lower == datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
    assert period.upper == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("begin", ["2026-03-29T02:30", "2026-10-25T02:30", "yesterday"])
def test_a_time_that_is_none_or_two_is_refused(
    begin: str, truck12: Truck, ada: Driver, dee: User
) -> None:
    form = {"driver": str(ada.uuid), "begin": begin}
    refused = client_of(dee).post(truck_url(truck12, "/give"), form)
    assert refused.status_code == 400
    assert not TruckAssignment.objects.exists()


def test_an_overlap_is_refused_with_what_is_in_the_way(
    truck12: Truck, ada: Driver, ben: Driver, dee: User
) -> None:
    assign(truck12, ada, datetime(2026, 10, 1, 6, tzinfo=UTC))
    form = {"driver": str(ben.uuid), "begin": "2026-11-01T08:00"}
    refused = client_of(dee).post(truck_url(truck12, "/give"), form)
    assert refused.status_code == 409
    said = "In the way: 1-TRK-012 is Ada Peeters&#x27;s from 1 Oct 2026 08:00 until further notice."
    assert said in text_of(refused)
    freeze_driver(ada)
    refused = client_of(dee).post(truck_url(truck12, "/give"), form)
    assert "a driver who is not available" in text_of(refused)
    assert "Ada" not in text_of(refused)


def test_an_end_before_the_beginning_is_refused(truck12: Truck, ada: Driver, dee: User) -> None:
    form = {"driver": str(ada.uuid), "begin": "2026-07-01T08:00", "end": "2026-07-01T07:00"}
    refused = client_of(dee).post(truck_url(truck12, "/give"), form)
    assert refused.status_code == 400
    assert "An assignment ends after it begins." in text_of(refused)


def test_a_correction_says_what_becomes_of_fixes_that_are_stored(
    truck12: Truck, ada: Driver, ben: Driver, dee: User
) -> None:
    begin = datetime(2026, 10, 1, 6, 0, 30, tzinfo=UTC)
    assignment = assign(truck12, ada, begin)
    url = f"/manage/truck-assignments/{assignment.uuid}"
    client = client_of(dee)
    assert 'value="2026-10-01T08:00"' in text_of(client.get(url))
    form = {"driver": str(ben.uuid), "begin": "2026-10-01T08:00", "end": ""}
    done = client.post(url, form, follow=True)
    assert "keep the truck they were linked to" in text_of(done)
    assignment.refresh_from_db()
    assert assignment.driver == ben
    assert assignment.period.lower == begin  # the form shows minutes; it is kept as it was
    entry = AuditEntry.objects.get(action="truck_assignment.corrected")
    assert entry.detail["before"]["driver"] == str(ada.uuid)


@pytest.mark.parametrize("hour_utc", [0, 1])
def test_an_assignment_from_the_hour_that_came_twice_can_be_corrected(
    truck12: Truck, ada: Driver, ben: Driver, dee: User, hour_utc: int
) -> None:
    begin = datetime(2026, 10, 25, hour_utc, 30, tzinfo=UTC)  # 02:30 in Brussels, both times
    assignment = assign(truck12, ada, begin)
    url = f"/manage/truck-assignments/{assignment.uuid}"
    assert 'value="2026-10-25T02:30"' in text_of(client_of(dee).get(url))
    form = {"driver": str(ben.uuid), "begin": "2026-10-25T02:30", "end": ""}
    assert client_of(dee).post(url, form).status_code == 302
    assignment.refresh_from_db()
    assert (assignment.driver, assignment.period.lower) == (ben, begin)
    other = {**form, "end": "2026-10-25T02:45"}
    assert client_of(dee).post(url, other).status_code == 400


@pytest.mark.parametrize(
    "typed",
    [
        "0001-01-01T00:00",
        "9999-12-31T23:59",
        "2026-11-25T10:00:00-23:59",
        "0001-01-01T00:00:00+14:00",
        "2026-03-29T02:30",
        "\0",
        "9" * 5000,
    ],
)
def test_a_moment_that_nobody_means_is_refused(
    truck12: Truck, truck34: Truck, ada: Driver, ben: Driver, dee: User, typed: str
) -> None:
    assignment = assign(truck12, ada, timezone.now() - HOUR)
    client = client_of(dee)
    whole = {"driver": str(ben.uuid), "begin": "", "end": ""}
    for url, form in (
        (truck_url(truck34, "/give"), {**whole, "begin": typed}),
        (truck_url(truck34, "/give"), {**whole, "end": typed}),
        (f"/manage/truck-assignments/{assignment.uuid}", {**whole, "begin": typed}),
        (f"/manage/truck-assignments/{assignment.uuid}/end", {"at": typed}),
        ("/manage/relink", {**whole, "begin": typed}),
    ):
        asked = client.post(url, form)
        if asked.status_code == 302:  # an offset of a day is odd, and a moment all the same
            assert typed == "2026-11-25T10:00:00-23:59", url
        else:
            assert asked.status_code in {400, 409}, url
    for truck in (truck12, truck34):
        assert client.get(truck_url(truck)).status_code == 200


def test_whoever_saves_last_undoes_nothing_that_a_colleague_changed(
    truck12: Truck, max: User
) -> None:
    client = client_of(max)
    form = sent_back(text_of(client.get(truck_url(truck12, "/edit"))))
    Truck.objects.filter(pk=truck12.pk).update(plate="1-NEW-001")
    done = client.post(truck_url(truck12, "/edit"), {**form, "name": "truck 120"})
    assert done.status_code == 302
    truck12.refresh_from_db()
    assert (truck12.plate, truck12.name) == ("1-NEW-001", "truck 120")


def test_a_frozen_drivers_assignment_is_not_changed_and_the_page_does_not_say_why(
    truck12: Truck, ada: Driver, ben: Driver, dee: User
) -> None:
    assignment = assign(truck12, ada, None)
    freeze_driver(ada)
    client = client_of(dee)
    url = f"/manage/truck-assignments/{assignment.uuid}"
    page = text_of(client.get(url))
    assert "not available" in page
    assert "Ada" not in page
    refused = client.post(url, {"driver": str(ben.uuid)})
    assert refused.status_code == 409
    assert client.post(f"{url}/end").status_code == 409
    assignment.refresh_from_db()
    assert (assignment.driver, assignment.period.upper) == (ada, None)


def test_nothing_is_done_to_another_employers_fleet(
    truck12: Truck, ada: Driver, cy: User, cy_driver: Driver, cy_truck: Truck, max: User
) -> None:
    assignment = assign(truck12, ada, None)
    client = client_of(cy)
    form = {"driver": str(cy_driver.uuid)}
    for url in (
        truck_url(truck12, "/give"),
        truck_url(truck12, "/retire"),
        truck_url(truck12, "/edit"),
        driver_url(ada, "/edit"),
        f"/manage/truck-assignments/{assignment.uuid}",
        f"/manage/truck-assignments/{assignment.uuid}/end",
    ):
        assert client.post(url, form).status_code == 404, url
    refused = client_of(max).post(truck_url(truck12, "/give"), form)
    assert refused.status_code == 400
    assert "Cleo" not in text_of(refused)
    assert client_of(max).get(f"/manage/drivers/{uuid4()}").status_code == 404
