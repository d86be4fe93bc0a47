"""The pages of drivers and of trucks: who sees and changes what, and what they refuse."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Truck, User
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
