"""A driver's day and a truck's without a browser: what they say, whom they hide, what they cost."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from accounts.freezing import freeze_driver
from accounts.models import Driver, Employer, Truck, User
from missions.models import Mission
from tests.cast import Phone, assign, make_driver, make_phone, put_fixes
from tests.pages.test_pages import client_of, text_of
from tests.tracking.reading import EIGHT, at, drive, mark, opened, press
from tracking.day_page import driver_day_context, truck_day_context

DAY = "2026-11-24"
BEGIN = datetime(2026, 11, 23, 23, tzinfo=UTC)  # midnight in Brussels


def driver_url(driver: Driver, day: str = DAY) -> str:
    return f"/drivers/{driver.uuid}/day?date={day}"


def truck_url(truck: Truck, day: str = DAY) -> str:
    return f"/trucks/{truck.uuid}/day?date={day}"


def words(client: Client, url: str) -> str:
    """The page's text without its markup."""
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    page = re.sub(r"<script.*?</script>", "", text_of(response), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def dutiful(acme: Employer) -> Employer:
    acme.tracking_window = "duty"
    acme.save()
    return acme


@pytest.fixture
def worked(dutiful: Employer, ada_phone: Phone, truck12: Truck) -> Mission:
    """Ada drove an hour of one mission, unloaded half an hour, drove on without a mission."""
    ada = ada_phone.driver
    mission = opened(ada, 0, 100, truck=truck12, external_id="TMS-1")
    mark(ada, at(-10), "duty_started")
    mark(ada, at(180), "duty_ended")
    put_fixes(ada_phone, drive(0, 60), truck=truck12, mission=mission)
    press(ada_phone, at(60), "arrival", (50.85, 4.776), mission=mission, truck=truck12)
    press(ada_phone, at(65), "unloading_started", (50.85, 4.776), mission=mission, truck=truck12)
    press(ada_phone, at(95), "unloading_ended", (50.85, 4.776), mission=mission, truck=truck12)
    press(ada_phone, at(100), "departure", (50.85, 4.776), mission=mission, truck=truck12)
    put_fixes(ada_phone, [(at(101 + n), 50.86 + n * 0.004, 4.78) for n in range(30)], truck=truck12)
    return mission


# --- What a driver's day says ----------------------------------------------------------------


def test_a_day_says_how_its_hours_were_spent(worked: Mission, ada: Driver, dee: User) -> None:
    page = words(client_of(dee), driver_url(ada))
    assert "Driving 1 h 30 min" in page
    assert "Standing 10 min" in page
    assert "Loading or unloading 30 min" in page
    assert "Not tracked 20 h 50 min" in page
    assert "On duty 3 h 10 min" in page


def test_each_part_of_the_bar_names_its_row(worked: Mission, ada: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get(driver_url(ada)))
    named = re.findall(r'<g class="part is-(\w+)" data-row="(row-\d+)">', page)
    assert [kind for kind, _ in named] == ["move", "standing", "loading", "standing", "move"]
    rows = dict(
        re.findall(r'<tr role="row" class="is-(\w+)[^"]*" tabindex="0" id="(row-\d+)"', page)
    )
    assert {row for kind, row in named if kind != "move"} == {rows["dwell"]}


def test_the_kilometres_are_split_between_the_missions(
    worked: Mission, ada: Driver, dee: User
) -> None:
    context = driver_day_context(ada, date(2026, 11, 24), EIGHT + timedelta(days=1), "en")
    (mission,) = context["missions"]
    assert mission.name == "TMS-1"
    assert 29_000 < mission.distance_m < 30_500
    page = words(client_of(dee), driver_url(ada))
    assert f"TMS-1 09:00\N{EN DASH}10:40 · {mission.distance}" in page


def test_the_track_is_numbered_by_mission_and_zero_is_none(worked: Mission, ada: Driver) -> None:
    context = driver_day_context(ada, date(2026, 11, 24), EIGHT + timedelta(days=1), "en")
    assert [(part["mission"], part["kind"]) for part in context["track"]] == [
        (1, "driven"),
        (0, "driven"),
    ]
    assert 'class="driven mission-1"' in context["floor_map"]


def test_a_mission_over_midnight_is_on_both_days_and_each_kilometre_on_one(
    dutiful: Employer, ada: Driver, ada_phone: Phone, dee: User
) -> None:
    mission = opened(ada, 14 * 60, 17 * 60, external_id="NIGHT")  # 23:00 to 02:00 in Brussels
    put_fixes(ada_phone, drive(14 * 60, 17 * 60), mission=mission)
    client = client_of(dee)
    assert "continued on the next day" in words(client, driver_url(ada))
    assert "continued from the day before" in words(client, driver_url(ada, "2026-11-25"))
    now = EIGHT + timedelta(days=3)
    driven_m = [
        driver_day_context(ada, day, now, "en")["missions"][0].distance_m
        for day in (date(2026, 11, 24), date(2026, 11, 25))
    ]
    assert driven_m[0] == pytest.approx(driven_m[1] / 2, rel=0.02)
    assert sum(driven_m) == pytest.approx(179 * 498.3, rel=0.01)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_clocks_change_has_the_hours_it_has(
    ada_phone: Phone, dee: User, day: str, hours: int
) -> None:
    begin = datetime.fromisoformat(f"{day}T03:00:00+00:00")
    put_fixes(ada_phone, [(begin + timedelta(minutes=n), 51 + n * 0.005, 3.7) for n in range(61)])
    page = text_of(client_of(dee).get(driver_url(ada_phone.driver, day)))
    assert len(re.findall(r'<g class="tick', page)) == hours
    silent = hours - 1
    assert f"Nothing received <strong>{silent} h 00 min" in page


def test_a_day_can_be_taken_along_in_the_employers_bounds(
    worked: Mission, ada: Driver, dee: User
) -> None:
    client = client_of(dee)
    page = unescape(text_of(client.get(driver_url(ada))))
    links = re.findall(r'href="(/api/v1/drivers/[^"]+fixes\.\w+\?[^"]+)"', page)
    assert [link.partition("fixes.")[2].partition("?")[0] for link in links] == [
        "gpx", "geojson", "csv",
    ]  # fmt: skip
    assert all(
        "from=2026-11-23T23%3A00%3A00Z&to=2026-11-24T23%3A00%3A00Z" in link for link in links
    )
    assert client.get(links[0]).status_code == 200


@pytest.mark.parametrize("kind", ["driver", "truck"])
def test_a_days_stages_can_be_taken_along(
    worked: Mission, ada: Driver, ada_phone: Phone, truck12: Truck, dee: User, kind: str
) -> None:
    press(ada_phone, at(-24 * 60), "arrival", mission=worked, truck=truck12)  # the day before
    subject, client = (ada, client_of(dee)) if kind == "driver" else (truck12, client_of(dee))
    url = f"/{kind}s/{subject.uuid}/day"
    assert f"{url}.csv?date={DAY}" in text_of(client.get(f"{url}?date={DAY}"))
    response = client.get(f"{url}.csv?date={DAY}")
    told = [*csv.DictReader(io.StringIO(text_of(response)))]
    assert [(row["stage"], row["recorded_local"]) for row in told] == [
        ("arrival", "2026-11-24T10:00:00+01:00"),
        ("unloading_started", "2026-11-24T10:05:00+01:00"),
        ("unloading_ended", "2026-11-24T10:35:00+01:00"),
        ("departure", "2026-11-24T10:40:00+01:00"),
    ]
    assert {row["driver_name"] for row in told} == {"Ada Peeters"}
    book = client.get(f"{url}.xlsx?date={DAY}")
    sheet = load_workbook(io.BytesIO(getattr(book, "content", b""))).active
    assert sheet is not None
    assert sheet.max_row == 5
    freeze_driver(ada)
    frozen = client.get(f"{url}.csv?date={DAY}")
    if kind == "driver":
        assert frozen.status_code == 404
    else:
        assert len(text_of(frozen).splitlines()) == 1


def test_a_days_file_has_a_guard_and_a_date(
    worked: Mission, ada: Driver, cy: User, pat: User, dee: User
) -> None:
    url = f"/drivers/{ada.uuid}/day.csv"
    assert client_of(dee).get(url).status_code == 200
    assert Client().get(url).status_code == 302
    assert client_of(pat).get(url).status_code == 403
    assert client_of(cy).get(url).status_code == 404
    assert client_of(dee).get(f"{url}?date=now").status_code == 400
    assert client_of(dee).get(f"/drivers/{ada.uuid}/day.pdf").status_code == 404


def test_where_positions_are_no_longer_kept_the_stages_stand_alone(
    dutiful: Employer, ada: Driver, ada_phone: Phone, dee: User
) -> None:
    now = timezone.now()
    long_ago = (now - timedelta(days=100)).replace(hour=9, minute=0, second=0, microsecond=0)
    mark(ada, long_ago - timedelta(hours=1), "duty_started")
    press(ada_phone, long_ago, "arrival", None)
    press(ada_phone, long_ago + timedelta(minutes=20), "departure", None)
    page = words(client_of(dee), driver_url(ada, long_ago.date().isoformat()))
    assert "Those of this day are no longer kept; its stages are." in page
    assert "Positions no longer kept 23 h 40 min" in page
    assert "Arrival" in page
    assert "Nothing received" not in page
    assert "No positions" not in page


@pytest.fixture
def shared(ada_phone: Phone, ben_phone: Phone, truck12: Truck) -> Truck:
    """Ada had it in the morning and Ben from ten in Brussels."""
    assign(truck12, ada_phone.driver, at(0), at(60))
    assign(truck12, ben_phone.driver, at(60), at(120))
    put_fixes(ada_phone, drive(0, 31), truck=truck12)
    put_fixes(ben_phone, drive(70, 101), truck=truck12)
    return truck12


# --- Who may, and what it costs --------------------------------------------------------------


@pytest.fixture(params=["driver", "truck"])
def url(request: pytest.FixtureRequest, shared: Truck, ada: Driver) -> str:
    return driver_url(ada) if request.param == "driver" else truck_url(shared)


def test_nobody_signs_in_first(url: str) -> None:
    response = Client().get(url)
    assert (response.status_code, response["Location"][:22]) == (302, "/accounts/login/?next=")


def test_another_role_or_employer_sees_no_day(url: str, dee: User, pat: User, cy: User) -> None:
    assert client_of(dee).get(url).status_code == 200
    assert client_of(pat).get(url).status_code == 403
    assert client_of(cy).get(url).status_code == 404


def test_a_frozen_driver_has_no_day(shared: Truck, ada: Driver, dee: User) -> None:
    client = client_of(dee)
    assert client.get(driver_url(ada)).status_code == 200
    freeze_driver(ada)
    assert client.get(driver_url(ada)).status_code == 404


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_truck_has_no_such_date_either(truck12: Truck, dee: User, day: str) -> None:
    response = client_of(dee).get(truck_url(truck12, day))
    assert response.status_code == 400
    assert "This is no date" in text_of(response)


@pytest.mark.parametrize("kind", ["driver", "truck"])
def test_a_day_costs_the_same_queries_for_one_row_and_for_thirty(
    kind: str, ada: Driver, ada_phone: Phone, truck12: Truck, dee: User
) -> None:
    assign(truck12, ada, at(-60))
    url = driver_url(ada) if kind == "driver" else truck_url(truck12)
    client = client_of(dee)

    def cost(external_id: str, begin: float) -> int:
        mission = opened(ada, begin, begin + 9, truck=truck12, external_id=external_id)
        press(ada_phone, at(begin), "arrival", mission=mission, truck=truck12)
        press(ada_phone, at(begin + 5), "departure", mission=mission, truck=truck12)
        with CaptureQueriesContext(connection) as queries:
            assert external_id in words(client, url)
        return len(queries)

    first = cost("M-0", 0)
    for n in range(1, 30):
        mission = opened(ada, n * 10, n * 10 + 9, truck=truck12, external_id=f"M-{n}")
        press(ada_phone, at(n * 10), "arrival", mission=mission, truck=truck12)
        press(ada_phone, at(n * 10 + 5), "departure", mission=mission, truck=truck12)
    assert cost("M-30", 300) == first
    assert first <= (16 if kind == "driver" else 21)


def test_a_trucks_hand_overs_cost_no_query_each(
    acme: Employer, truck12: Truck, ada_phone: Phone, dee: User
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(10))
    put_fixes(ada_phone, drive(0, 10), truck=truck12)
    client = client_of(dee)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert "Ada Peeters" in words(client, truck_url(truck12))
        return len(queries)

    first = cost()
    for n in range(1, 15):
        phone = make_phone(make_driver(acme, f"Driver {n}", f"N-{n}"))
        assign(truck12, phone.driver, at(n * 10), at(n * 10 + 10))
        put_fixes(phone, drive(n * 10, n * 10 + 10), truck=truck12)
    assert cost() == first


def test_the_context_of_a_trucks_day_sums_what_its_rows_say(shared: Truck) -> None:
    context = truck_day_context(shared, date(2026, 11, 24), EIGHT + timedelta(days=1), "en")
    assert {total.kind: total.duration for total in context["strip"].totals}["move"] == "1 h 00 min"
    numbers = [piece.row for piece in context["strip"].pieces if piece.row]
    assert [context["rows"][number - 1].type for number in numbers] == ["move", "move"]
