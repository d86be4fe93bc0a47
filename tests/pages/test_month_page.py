"""A month of a driver or a truck: it says what its days' pages say, once read and bounded."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts.freezing import freeze_driver
from accounts.models import DeviceHolding, Driver, Employer, Truck, TruckAssignment, User
from missions.models import Mission, MissionStatus, Stop, StopResult
from tests.cast import Phone, assign, put_fixes
from tests.pages.test_day_page import words
from tests.pages.test_pages import client_of, text_of
from tests.tracking.reading import EIGHT, at, drive, mark, opened, press
from tracking.day_bars import bars, passed_s, sums_of
from tracking.demo_fleet import seed
from tracking.month_sums import DaySums, days_of_month, month_sums
from tracking.timeline import Timeline, timeline_of_driver, timeline_of_truck

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)
MARCH, OCTOBER = date(2026, 3, 1), date(2026, 10, 1)


def of_its_page(timeline: Timeline, now: datetime) -> tuple[object, ...]:
    """What a day's page says, in the terms of a month's row."""
    assert timeline.started_at is not None
    assert timeline.ended_at is not None
    bounds = timeline.started_at, timeline.ended_at
    segments = [entry.segment for entry in timeline.entries if entry.proof is None]
    parts = bars(segments, bounds, until=now, tracked=timeline.tracked, loadings=timeline.loadings)
    sums = sums_of(parts, segments)
    spent = sums.moving_s, sums.standing_s, sums.loading_s, sums.gap_s
    return (*spent, passed_s(timeline.on_duty, now), round(timeline.distance_m, 3))


def of_the_month(one: DaySums) -> tuple[object, ...]:
    sums = one.sums
    spent = sums.moving_s, sums.standing_s, sums.loading_s, sums.gap_s
    return (*spent, one.on_duty_s, round(one.distance_m, 3))


def assert_same(subject: Driver | Truck, month: date, now: datetime) -> list[DaySums]:
    """Each day of the month says what its page says."""
    days = month_sums(subject, month, now)
    assert [one.day for one in days] == days_of_month(month)
    for one in days:
        if isinstance(subject, Driver):
            timeline = timeline_of_driver(subject, one.day, now)
        else:
            timeline = timeline_of_truck(subject, one.day, now)
        assert of_the_month(one) == of_its_page(timeline, now), one.day
    return days


# --- A month says what its days say ----------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "month"),
    [
        ("duty", OCTOBER),
        pytest.param("duty", MARCH, marks=pytest.mark.slow),
        pytest.param("mission", NOVEMBER, marks=pytest.mark.slow),
        pytest.param("always", OCTOBER, marks=pytest.mark.slow),
    ],
)
def test_a_month_is_its_days_also_where_clocks_change(
    acme: Employer, ada_phone: Phone, truck12: Truck, month: date, window: str
) -> None:
    acme.tracking_window = window
    acme.save()
    ada = ada_phone.driver
    assign(truck12, ada, None)
    for number, day in enumerate(days_of_month(month)):
        if day.isoweekday() > 6:
            continue
        # Past midnight on some days, around two at night on others, and into the next month.
        begin = datetime(day.year, day.month, day.day, (number * 5) % 24, 30, tzinfo=UTC)
        mission = opened(ada, None, truck=truck12)
        minutes = (begin - EIGHT).total_seconds() / 60
        mission.opened_at, mission.ended_at = begin, begin + timedelta(hours=3)
        mission.status = MissionStatus.COMPLETED
        mission.save()
        mark(ada, begin - timedelta(minutes=20), "duty_started")
        mark(ada, begin + timedelta(hours=3, minutes=30), "duty_ended")
        put_fixes(ada_phone, drive(minutes, minutes + 60), truck=truck12, mission=mission)
        place = (50.85, 4.78)
        for after, stage in ((62, "arrival"), (70, "loading_started"), (90, "loading_ended"),
                             (100, "departure")):  # fmt: skip
            press(ada_phone, at(minutes + after), stage, place, mission=mission, truck=truck12)
        put_fixes(ada_phone, drive(minutes + 130, minutes + 180, latitude=51.0), truck=truck12)
    now = NOW + timedelta(days=30)
    days = assert_same(ada, month, now)
    assert sum(one.distance_m for one in days) > 500_000
    assert sum(one.sums.loading_s for one in days) > 20 * 1200
    assert sum(one.missions_completed for one in days) >= 25
    assert assert_same(truck12, month, now)


@pytest.mark.slow
def test_a_month_of_the_demo_is_its_days(db: None, settings: object, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path  # type: ignore[attr-defined]
    employer_id = seed(NOW).employer
    drivers = Driver.objects.filter(employer__uuid=employer_id).select_related("employer")
    driven = [driver for driver in drivers[:3] if _drive_its_missions(driver)]
    assert driven
    for driver in driven:
        assert sum(one.distance_m for one in assert_same(driver, date(2026, 12, 1), NOW)) > 10_000


def _drive_its_missions(driver: Driver) -> bool:
    """The demo's missions of a driver as its phone would tell them, a stop at a time."""
    phone = Phone(DeviceHolding.objects.get(driver=driver).device, "", driver)
    missions = Mission.objects.filter(assignments__driver=driver, planned_start_at__lt=NOW)
    for mission in missions.order_by("planned_start_at"):
        assert mission.planned_start_at is not None
        begin = (mission.planned_start_at - EIGHT).total_seconds() / 60
        put_fixes(phone, drive(begin, begin + 90), mission=mission)
        for seq, stop in enumerate(mission.stops.order_by("seq")):
            after = begin + 95 + 30 * seq
            for plus, stage in ((0, "arrival"), (5, "unloading_started"), (20, "departure")):
                press(phone, at(after + plus), stage, (51.0, 4.5), mission=mission, stop=stop)
    return missions.exists()


def test_a_trucks_month_has_its_drivers_and_never_a_frozen_one(
    ada_phone: Phone, ben_phone: Phone, truck12: Truck
) -> None:
    assign(truck12, ada_phone.driver, at(0), at(60))
    assign(truck12, ben_phone.driver, at(24 * 60), at(25 * 60))
    put_fixes(ada_phone, drive(0, 31), truck=truck12)
    put_fixes(ben_phone, drive(24 * 60, 24 * 60 + 31), truck=truck12)
    before = {one.day.day: round(one.distance_m) for one in assert_same(truck12, NOVEMBER, NOW)}
    assert (before[24], before[25]) == (14953, 14953)
    freeze_driver(ada_phone.driver)
    after = {one.day.day: round(one.distance_m) for one in assert_same(truck12, NOVEMBER, NOW)}
    assert (after[24], after[25]) == (0, 14953)


def test_what_crosses_the_ends_of_a_month_is_split_at_midnight(
    acme: Employer, ada: Driver, ada_phone: Phone
) -> None:
    minutes = (datetime(2026, 10, 31, 22, tzinfo=UTC) - EIGHT).total_seconds() / 60
    put_fixes(ada_phone, drive(minutes, minutes + 121))
    october = assert_same(ada, OCTOBER, NOW)[-1]
    november = assert_same(ada, NOVEMBER, NOW)[0]
    assert (october.sums.moving_s, november.sums.moving_s) == (3600, 3600)
    assert october.distance_m == pytest.approx(november.distance_m, abs=1)


# --- The page --------------------------------------------------------------------------------


@pytest.fixture
def worked(ada: Driver, ada_phone: Phone, truck12: Truck) -> Mission:
    """Ada drove on the 24th; one mission completed, one of its stops failed."""
    assign(truck12, ada, at(-10), at(600))
    mission = opened(ada, 0, 90, truck=truck12, external_id="TMS-1")
    Mission.objects.filter(pk=mission.pk).update(status=MissionStatus.COMPLETED)
    Stop.objects.create(
        employer=ada.employer, mission=mission, seq=1, result=StopResult.FAILED,
        result_reason="receiverAbsent", result_at=at(80), result_source="driver",
    )  # fmt: skip
    put_fixes(ada_phone, drive(0, 61), truck=truck12, mission=mission)
    return mission


def month_url(subject: Driver | Truck, month: str = "2026-11", ending: str = "") -> str:
    kind = "drivers" if isinstance(subject, Driver) else "trucks"
    return f"/{kind}/{subject.uuid}/month{ending}?month={month}"


@pytest.fixture(params=["driver", "truck"])
def subject(request: pytest.FixtureRequest, ada: Driver, truck12: Truck) -> Driver | Truck:
    return ada if request.param == "driver" else truck12


def test_a_month_has_a_row_for_each_day_and_their_sums(
    worked: Mission, subject: Driver | Truck, dee: User
) -> None:
    page = words(client_of(dee), month_url(subject))
    assert "November 2026 · times in Europe/Brussels" in page
    assert "Tue 24 Nov 09:00" in page
    assert "Driving: 1 h 00 min" in page
    assert "Distance at least 29.9 km (from positions)" in page
    assert "Days with data 1 " in page
    assert "Missions completed 1 Stops failed 1" in page


def test_each_day_leads_to_its_page_and_the_months_to_each_other(
    worked: Mission, subject: Driver | Truck, dee: User
) -> None:
    page = text_of(client_of(dee).get(month_url(subject)))
    kind = "drivers" if isinstance(subject, Driver) else "trucks"
    assert f'href="/{kind}/{subject.uuid}/day?date=2026-11-24"' in page
    assert 'rel="prev" href="?month=2026-10"' in page
    assert 'rel="next" href="?month=2026-11"' in text_of(
        client_of(dee).get(month_url(subject, "2026-10"))
    )


def test_the_chart_shows_the_same_figures(worked: Mission, ada: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get(month_url(ada)))
    assert "<title>Tue 24 Nov: Driving 1 h 00 min</title>" in page
    assert "style=" not in page


@pytest.fixture
def told(worked: Mission, subject: Driver | Truck, dee: User) -> list[dict[str, str]]:
    response = client_of(dee).get(month_url(subject, ending=".csv"))
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(text_of(response))))


def test_a_month_as_csv_has_code_names_and_both_clocks(
    told: list[dict[str, str]], subject: Driver | Truck
) -> None:
    (day,) = [row for row in told if row["day"] == "2026-11-24"]
    assert (day["moving_s"], day["distance_m"], day["distance_method"]) == (
        "3600",
        "29907",
        "fixes",
    )
    assert (day["missions_completed"], day["stops_failed"]) == ("1", "1")
    assert (day["first_at"], day["first_local"], day["timezone"]) == (
        "2026-11-24T08:00:00Z", "2026-11-24T09:00:00+01:00", "Europe/Brussels",
    )  # fmt: skip
    assert (day["driver_number"] or day["truck_plate"]) in ("D-1", "1-TRK-012")


def test_a_month_as_a_spreadsheet_says_the_same(
    told: list[dict[str, str]], subject: Driver | Truck, dee: User
) -> None:
    response = client_of(dee).get(month_url(subject, ending=".xlsx"))
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    head, *rows = sheet.iter_rows(values_only=True)
    assert [*head] == [*told[0]]
    assert len(rows) == len(told)
    assert str(rows[23][head.index("distance_m")]) == told[23]["distance_m"]


def test_a_name_that_looks_like_a_formula_is_text(worked: Mission, ada: Driver, dee: User) -> None:
    Driver.objects.filter(pk=ada.pk).update(name="=1+1")
    assert ",'=1+1," in text_of(client_of(dee).get(month_url(ada, ending=".csv")))


@pytest.mark.parametrize("month", ["2026-13", "2026-11-24", "0001-01", "9999-12", "now"])
def test_what_is_no_month_is_said(ada: Driver, dee: User, month: str) -> None:
    for ending in ("", ".csv"):
        response = client_of(dee).get(month_url(ada, month, ending))
        assert response.status_code == 400
        assert "This is no month" in text_of(response)


def test_an_unknown_kind_of_file_is_not_found(ada: Driver, dee: User) -> None:
    assert client_of(dee).get(month_url(ada, ending=".pdf")).status_code == 404


def test_days_past_their_period_say_what_is_left(ada: Driver, dee: User) -> None:
    page = words(client_of(dee), month_url(ada, "2025-01"))
    assert "Of days before that only the stages are left" in page


# --- Who may, and what it costs --------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", ".csv", ".xlsx"])
def test_who_may_see_a_month(
    worked: Mission, subject: Driver | Truck, dee: User, pat: User, cy: User, ending: str
) -> None:
    url = month_url(subject, ending=ending)
    nobody = Client().get(url)
    assert (nobody.status_code, nobody["Location"][:22]) == (302, "/accounts/login/?next=")
    mine = client_of(dee).get(url)
    assert mine.status_code == 200
    assert "no-store" in mine["Cache-Control"]
    assert client_of(pat).get(url).status_code == 403
    assert client_of(cy).get(url).status_code == 404


@pytest.mark.parametrize("ending", ["", ".csv"])
def test_a_frozen_drivers_month_does_not_exist_and_is_not_in_the_trucks(
    worked: Mission, ada: Driver, truck12: Truck, dee: User, ending: str
) -> None:
    client = client_of(dee)
    assert client.get(month_url(ada, ending=ending)).status_code == 200
    assert "29" in text_of(client.get(month_url(truck12, ending=".csv"))).partition("-24,")[2]
    freeze_driver(ada)
    assert client.get(month_url(ada, ending=ending)).status_code == 404
    days = csv.DictReader(io.StringIO(text_of(client.get(month_url(truck12, ending=".csv")))))
    assert {(row["distance_m"], row["missions_completed"]) for row in days} == {("0", "0")}


def test_an_erased_drivers_missions_stay_the_trucks(
    worked: Mission, truck12: Truck, dee: User
) -> None:
    TruckAssignment.objects.update(driver=None, erased_driver=uuid4())
    worked.assignments.update(driver=None, erased_driver=uuid4())
    page = unescape(words(client_of(dee), month_url(truck12)))
    assert "Missions completed 1 Stops failed 1" in page


def test_a_month_costs_the_same_queries_for_one_day_and_for_thirty(
    subject: Driver | Truck, ada: Driver, ada_phone: Phone, truck12: Truck, dee: User
) -> None:
    assign(truck12, ada, None)
    client = client_of(dee)

    def cost(day: int) -> int:
        put_fixes(ada_phone, drive((day - 24) * 1440, (day - 24) * 1440 + 5), truck=truck12)
        press(ada_phone, at((day - 24) * 1440 + 6), "arrival", truck=truck12)
        with CaptureQueriesContext(connection) as queries:
            page = words(client, month_url(subject, "2026-10"))
        assert "Driving" in page
        return len(queries)

    first = cost(-6)  # the 25th of October
    for day in range(-29, -7):
        put_fixes(ada_phone, drive((day - 24) * 1440, (day - 24) * 1440 + 5), truck=truck12)
        press(ada_phone, at((day - 24) * 1440 + 6), "arrival", truck=truck12)
    assert cost(-5) == first
    assert first <= 17
