"""The pages of drivers and of trucks: who sees and changes what, and what they refuse."""

import html
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Truck, TruckAssignment, User
from tests.cast import Phone, assign, make_driver, make_phone
from tests.pages.test_pages import client_of, text_of

HOUR = timedelta(hours=1)


def words(page: str) -> str:
    """What a reader sees: no tags, one blank between two words."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{EN DASH}", "to").split())


def sent_back(page: str) -> dict[str, str]:
    """The lines of text of a page's form, and what it carries along, as a browser sends them."""
    return {
        html.unescape(found[1]): html.unescape(found[2])
        for found in re.finditer(
            r'<input type="(?:text|hidden|number|date)" name="([\w-]+)" value="([^"]*)"', page
        )
    }


def driver_url(driver: Driver, what: str = "") -> str:
    return f"/manage/drivers/{driver.uuid}{what}"


def truck_url(truck: Truck, what: str = "") -> str:
    return f"/manage/trucks/{truck.uuid}{what}"


# --- Who may ------------------------------------------------------------------------------


@pytest.fixture
def paths(ada: Driver, truck12: Truck) -> dict[str, str]:
    """Each page by what it is for."""
    assignment = assign(truck12, ada, None)
    return {
        "drivers": "/manage/drivers",
        "driver": driver_url(ada),
        "new driver": "/manage/drivers/new",
        "edit driver": driver_url(ada, "/edit"),
        "trucks": "/manage/trucks",
        "truck": truck_url(truck12),
        "new truck": "/manage/trucks/new",
        "edit truck": truck_url(truck12, "/edit"),
        "retire truck": truck_url(truck12, "/retire"),
        "assignment": f"/manage/truck-assignments/{assignment.uuid}",
    }


FOR_MANAGERS = {"new driver", "edit driver", "new truck", "edit truck", "retire truck"}


def test_each_page_opens_for_its_roles_and_for_no_other(
    paths: dict[str, str], dee: User, max: User, pat: User
) -> None:
    for name, path in paths.items():
        nobody = Client().get(path)
        assert nobody.status_code == 302, name
        assert nobody["Location"].startswith("/accounts/login/"), name
        assert client_of(max).get(path).status_code == 200, name
        expected = 403 if name in FOR_MANAGERS else 200
        assert client_of(dee).get(path).status_code == expected, name
        assert client_of(pat).get(path).status_code == 403, name


def test_another_employers_ids_are_not_there(paths: dict[str, str], max: User, cy: User) -> None:
    for name, path in paths.items():
        if "/" in path.removeprefix("/manage/") and not path.endswith("/new"):
            assert client_of(max).get(path).status_code == 200, name
            assert client_of(cy).get(path).status_code == 404, name
    for path in ("/manage/drivers", "/manage/trucks"):
        assert "Ada Peeters" in text_of(client_of(max).get(path))
        assert "Ada Peeters" not in text_of(client_of(cy).get(path))


def test_a_dispatcher_sees_no_button_that_is_for_managers(
    paths: dict[str, str], dee: User, max: User
) -> None:
    for path, button in (
        ("/manage/drivers", "Add a driver"),
        (paths["driver"], "Edit"),
        ("/manage/trucks", "Add a truck"),
        (paths["truck"], "Take out of service"),
    ):
        assert button in words(text_of(client_of(max).get(path)))
        assert button not in words(text_of(client_of(dee).get(path)))


# --- Drivers ------------------------------------------------------------------------------


def test_the_list_says_number_phone_and_truck(
    ada_phone: Phone, ben: Driver, truck12: Truck, dee: User
) -> None:
    assign(truck12, ada_phone.driver, None)
    page = words(text_of(client_of(dee).get("/manage/drivers")))
    assert "Ada Peeters D-1 phone of D-1 1-TRK-012 Day" in page
    assert "Ben Özdemir D-2 none none Day" in page


@pytest.mark.parametrize("typed", ["ozdemir", "ÖZDEMIR", "D-2", "ben oz"])
def test_a_driver_is_found_by_part_of_name_or_number(
    typed: str, ada: Driver, ben: Driver, dee: User
) -> None:
    page = text_of(client_of(dee).get("/manage/drivers", {"q": typed}))
    assert "Ben Özdemir" in page
    assert "Ada Peeters" not in page


def test_who_is_looked_for_in_vain_is_not_an_empty_fleet(ada: Driver, dee: User) -> None:
    assert "No driver has this" in text_of(client_of(dee).get("/manage/drivers?q=zzz"))


def test_the_list_asks_the_database_as_often_for_one_as_for_thirty(
    acme: Employer,
    ada_phone: Phone,
    truck12: Truck,
    dee: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    assign(truck12, ada_phone.driver, None)
    client = client_of(dee)
    for path in ("/manage/drivers", "/manage/trucks"):
        client.get(path)
        with django_assert_num_queries(7 if "drivers" in path else 6):
            client.get(path)
    for n in range(30):
        phone = make_phone(make_driver(acme, f"Driver {n}", f"N-{n}"))
        assign(Truck.objects.create(employer=acme, plate=f"2-{n}"), phone.driver, None)
    with django_assert_num_queries(7):
        assert text_of(client.get("/manage/drivers")).count("Day<") == 31
    with django_assert_num_queries(6):
        assert "2-29" in text_of(client.get("/manage/trucks"))


def test_the_fifty_first_driver_is_on_the_next_page(acme: Employer, dee: User) -> None:
    for n in range(51):
        make_driver(acme, f"Driver {n:02}", f"N-{n}")
    first = text_of(client_of(dee).get("/manage/drivers?q=driver"))
    assert "Driver 49" in first
    assert "Driver 50" not in first
    assert "?q=driver&amp;page=2" in first
    assert "Driver 50" in text_of(client_of(dee).get("/manage/drivers?q=driver&page=2"))


def test_a_manager_adds_a_driver_and_says_that_the_person_is_an_adult(
    acme: Employer, max: User
) -> None:
    client = client_of(max)
    form = {"name": " Eva Janssens ", "number": "D-9", "language": "nl"}
    refused = client.post("/manage/drivers/new", form)
    assert refused.status_code == 400
    assert not Driver.objects.exists()
    done = client.post("/manage/drivers/new", {**form, "is_adult": "on"}, follow=True)
    driver = Driver.objects.get()
    assert (driver.name, driver.number, driver.language) == ("Eva Janssens", "D-9", "nl")
    assert driver.adult_attested_on == datetime.now(UTC).date()
    page = words(text_of(done))
    assert "Eva Janssens is added." in page
    assert "18 or older said on" in page
    assert f"/phones/new?driver={driver.uuid}" in text_of(done)
    assert AuditEntry.objects.get(action="driver.created").actor == max.uuid


def test_a_driver_is_changed_and_a_taken_number_is_refused(
    ada: Driver, ben: Driver, max: User
) -> None:
    form = {"name": "Ada Peeters", "number": "D-2", "language": ""}
    refused = client_of(max).post(driver_url(ada, "/edit"), form)
    assert refused.status_code == 400
    assert "This number is another driver" in text_of(refused)
    done = client_of(max).post(driver_url(ada, "/edit"), {**form, "number": "D-3"})
    assert done.status_code == 302
    ada.refresh_from_db()
    assert ada.number == "D-3"
    assert AuditEntry.objects.get(action="driver.changed").detail == {"fields": ["number"]}


def test_a_frozen_driver_is_on_no_page(ada: Driver, truck12: Truck, max: User) -> None:
    assign(truck12, ada, None)
    client = client_of(max)
    pages = ("/manage/drivers", "/manage/trucks", truck_url(truck12))
    for path in pages:
        assert "Ada Peeters" in text_of(client.get(path))
    freeze_driver(ada)
    for path in pages:
        page = text_of(client.get(path))
        assert "Ada Peeters" not in page
        assert "frozen" not in page
    assert "not available" in text_of(client.get(truck_url(truck12)))
    assert client.get(driver_url(ada)).status_code == 404
    assert client.get(driver_url(ada, "/edit")).status_code == 404


def test_a_drivers_page_says_which_phones_and_trucks_when(
    ada_phone: Phone, truck12: Truck, truck34: Truck, dee: User
) -> None:
    begin = datetime(2026, 10, 1, 6, 30, tzinfo=UTC)
    assign(truck12, ada_phone.driver, begin, begin + 4 * HOUR)
    assign(truck34, ada_phone.driver, begin + 5 * HOUR)
    page = words(text_of(client_of(dee).get(driver_url(ada_phone.driver))))
    assert "phone of D-1 always to further notice" in page
    assert "1 Oct 2026 08:30 to 1 Oct 2026 12:30" in page
    assert page.index("1 Oct 2026 13:30 to further notice") < page.index("1 Oct 2026 08:30")
    assert "Times are those of Europe/Brussels." in page


# --- Trucks -------------------------------------------------------------------------------


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
