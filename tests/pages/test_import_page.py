"""The pages of imports: a table is sent, looked at and confirmed, and nobody else sees it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Driver, User
from missions.import_table import MOST_BYTES
from missions.models import Mission, MissionImport
from tests.missions.tables import csv_file, xlsx_file
from tests.pages.test_pages import client_of, text_of

IMPORTS = "/missions/import"
HEADER = "external_id,driver_number,site_name,site_address"
ROUND = csv_file(HEADER, "M-1,D-1,Depot,Kaai 1", "M-2,,Depot,Kaai 1")
WRONG = csv_file(HEADER, "M-1,D-9,Depot,Kaai 1", "M-2,,Depot,Kaai 1")


def send(client: Client, data: bytes, name: str = "round.csv") -> str:
    """Send a table; the address of its page."""
    answer = client.post(IMPORTS, {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, text_of(answer)
    return answer["Location"]


@pytest.fixture
def client(dee: User, ada: Driver) -> Client:
    return client_of(dee)


def test_the_pages_are_for_dispatchers_and_managers_of_this_employer(
    client: Client, max: User, pat: User, cy: User
) -> None:
    page = send(client, ROUND)
    for path in (IMPORTS, f"{IMPORTS}/example.csv", page):
        assert Client().get(path)["Location"].startswith("/accounts/login/"), path
        assert client_of(pat).get(path).status_code == 403, path
        assert client_of(max).get(path).status_code == 200, path
    for path in (page, f"{IMPORTS}/{uuid4()}"):
        assert client_of(cy).get(path).status_code == 404
        assert client_of(cy).post(f"{path}/confirm").status_code == 404
    assert "round.csv" in text_of(client.get(IMPORTS))
    assert "round.csv" not in text_of(client_of(cy).get(IMPORTS))
    assert not Mission.objects.exists()


@pytest.mark.parametrize("is_sheet", [False, True])
def test_a_table_is_sent_looked_at_and_confirmed(client: Client, is_sheet: bool) -> None:
    rows = [line.split(",") for line in ROUND.decode().splitlines()]
    page = send(client, xlsx_file(rows) if is_sheet else ROUND)
    for _ in range(2):
        shown = text_of(client.get(page))
        assert "<dt>Missions to make</dt><dd>2</dd>" in shown
        assert "<dt>New sites</dt><dd>1</dd>" in shown
        assert "Import these missions" in shown
    assert not Mission.objects.exists()
    assert "to be confirmed" in text_of(client.get(IMPORTS))
    for _ in range(2):
        assert client.post(f"{page}/confirm")["Location"] == page
        shown = text_of(client.get(page))
        assert "<dt>Made</dt><dd>2</dd>" in shown
        assert "Import these missions" not in shown
    assert Mission.objects.count() == 2
    assert "imported" in text_of(client.get(IMPORTS))
    again = send(client, ROUND)
    assert "<dt>As they were</dt><dd>2</dd>" in text_of(client.get(again))


def test_each_problem_has_its_row_and_column_and_keeps_all_out(client: Client) -> None:
    page = send(client, WRONG)
    shown = text_of(client.get(page))
    assert "1 problem<" in shown
    assert "<code>driver_number</code>" in shown
    assert "No driver has this number." in shown
    assert "</span>2</td>" in shown
    assert "Import these missions" not in shown
    refused = client.post(f"{page}/confirm")
    assert refused.status_code == 409
    assert "No driver has this number." in text_of(refused)
    assert not Mission.objects.exists()
    assert "has problems" in text_of(client.get(IMPORTS))


def test_a_problem_is_said_in_the_readers_language(client: Client) -> None:
    page = send(client, WRONG)
    french = text_of(client.get(page, headers={"Accept-Language": "fr"}))
    assert "Aucun chauffeur" in french
    assert "No driver" not in french


def test_what_changed_since_the_check_is_said_and_nothing_is_imported(
    client: Client, ada: Driver
) -> None:
    page = send(client, ROUND)
    Driver.objects.filter(pk=ada.pk).update(number="D-8")
    refused = client.post(f"{page}/confirm")
    assert refused.status_code == 409
    shown = text_of(refused)
    assert "things have changed since the table was checked" in shown
    assert "No driver has this number." in shown
    assert not Mission.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\0", "This is neither a CSV nor an XLSX file."),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "Save it as .xlsx without a password, or as CSV."),
        (b"PK\x03\x04 and nothing more", "damaged .xlsx file"),
        (b"x" * (MOST_BYTES + 1), "The file is larger than 5 MB."),
    ],
)
def test_a_file_that_is_no_table_is_refused(client: Client, data: bytes, said: str) -> None:
    answer = client.post(IMPORTS, {"file": SimpleUploadedFile("round.csv", data)})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not MissionImport.objects.exists()


def test_no_file_at_all_is_said(client: Client) -> None:
    for sent in ({}, {"file": "round.csv"}):
        answer = client.post(IMPORTS, sent)
        assert answer.status_code == 400
        assert "Choose a file first." in text_of(answer)


def test_a_table_without_rows_is_a_problem(client: Client) -> None:
    assert "The table has no rows." in text_of(client.get(send(client, b"external_id\r\n")))


def test_many_problems_have_pages(client: Client) -> None:
    rows = [f"M-{number},D-9" for number in range(250)]
    page = send(client, csv_file("external_id,driver_number", *rows))
    first, second = (text_of(client.get(f"{page}?page={number}")) for number in (1, 2))
    assert "250 problems" in first
    assert (first.count("No driver has"), second.count("No driver has")) == (200, 50)


def test_an_import_is_gone_after_a_day(client: Client) -> None:
    page = send(client, ROUND)
    MissionImport.objects.update(checked_at=timezone.now() - timedelta(hours=24))
    assert client.get(page).status_code == 404
    assert client.post(f"{page}/confirm").status_code == 404
    assert "round.csv" not in text_of(client.get(IMPORTS))


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_example_can_be_imported_as_it_is(client: Client, ending: str) -> None:
    example = client.get(f"{IMPORTS}/example.{ending}")
    assert f"missions-example.{ending}" in example["Content-Disposition"]
    page = send(client, example.content, f"example.{ending}")
    shown = text_of(client.get(page))
    assert "<dt>Missions to make</dt><dd>2</dd>" in shown
    assert 'class="facts problems"' not in shown
    client.post(f"{page}/confirm")
    first = Mission.objects.get(external_id="M-1001")
    assert [stop.site.name for stop in first.stops.all() if stop.site] == ["Depot", "Brewery"]


def test_the_list_takes_as_many_queries_for_thirty_imports_as_for_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(IMPORTS)
    for total in (1, 30):
        for _ in range(MissionImport.objects.count(), total):
            send(client, WRONG)
        # The session, the user, their memberships; the imports.
        with django_assert_num_queries(4):
            page = text_of(client.get(IMPORTS))
        assert page.count("has problems") == total
