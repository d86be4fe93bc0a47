"""The first pages without a browser: who sees what, and what a day's page says."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from accounts.duty_marks import DutyMarkKind
from accounts.freezing import freeze_driver
from accounts.models import Driver, DutyMark, Employer, Truck, User
from tests.cast import Phone, make_driver, make_phone, put_fixes
from tracking import fleet_view

HOUR = timedelta(hours=1)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def day_url(driver: Driver, day: str = "") -> str:
    return f"/drivers/{driver.uuid}/day" + (f"?date={day}" if day else "")


def text_of(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


@pytest.fixture
def seen(ada_phone: Phone, truck12: Truck) -> Driver:
    """Ada, on duty, was in Ghent ten minutes ago."""
    now = timezone.now()
    DutyMark.objects.create(
        employer=ada_phone.driver.employer,
        driver=ada_phone.driver,
        kind=DutyMarkKind.DUTY_STARTED,
        recorded_at=now - 2 * HOUR,
    )
    put_fixes(ada_phone, [(now - timedelta(minutes=10), 51.05, 3.72)], truck=truck12)
    return ada_phone.driver


def test_the_fleet_says_who_where_and_how_long_ago(seen: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get("/live"))
    assert "Ada Peeters" in page
    assert "1-TRK-012" in page
    assert "Ghent" in page
    assert "10 min ago" in page
    assert "Europe/Brussels" in page


def test_who_is_silent_on_duty_is_marked_with_a_word(
    seen: Driver, ben_phone: Phone, dee: User
) -> None:
    assert "Silent" not in text_of(client_of(dee).get("/live"))
    put_fixes(ben_phone, [(timezone.now() - timedelta(minutes=31), 50.85, 4.35)])
    page = text_of(client_of(dee).get("/fleet/table"))
    assert page.index("Silent") < page.index("Ben Özdemir") < page.index("Ada Peeters")


def test_who_is_off_duty_is_not_silent(acme: Employer, seen: Driver, dee: User) -> None:
    acme.tracking_window = "duty"
    acme.save()
    assert "Off duty" not in text_of(client_of(dee).get("/live"))
    DutyMark.objects.create(
        employer=acme, driver=seen, kind=DutyMarkKind.DUTY_ENDED, recorded_at=timezone.now()
    )
    assert "Off duty" in text_of(client_of(dee).get("/live"))


def test_a_driver_without_a_fix_is_named_below(seen: Driver, ben: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get("/live"))
    assert page.index("No position yet") < page.index("Ben Özdemir")


def test_how_many_more_have_no_position_is_said(
    seen: Driver, acme: Employer, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        make_driver(acme, f"New {n}", f"N-{n}")
    assert "more" not in text_of(client_of(dee).get("/live"))
    monkeypatch.setattr(fleet_view, "NAMES_AT_MOST", 3)
    page = text_of(client_of(dee).get("/live"))
    assert page.index("New 2") < page.index("and 2 more")
    assert "New 3" not in page


def test_drivers_beyond_the_bound_are_not_said_to_be_without_a_position(
    seen: Driver, ben_phone: Phone, acme: Employer, dee: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fixes(ben_phone, [(timezone.now(), 50.85, 4.35)])
    make_driver(acme, "New One", "N-1")
    page = text_of(client_of(dee).get("/live"))
    assert "Ben Özdemir" in page
    assert "not shown" not in page
    monkeypatch.setattr(fleet_view, "SHOWS_AT_MOST", 1)
    page = text_of(client_of(dee).get("/live"))
    assert "Ada Peeters" in page
    assert "Drivers not shown here: 2" in page
    assert "No position yet" not in page


@pytest.mark.parametrize("path", ["/", "/live", "/fleet/table", "day"])
def test_nobody_is_sent_to_sign_in(seen: Driver, path: str) -> None:
    response = Client().get(day_url(seen) if path == "day" else path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize(("path", "status"), [("/live", 403), ("/fleet/table", 403), ("day", 403)])
def test_a_dpo_reads_why_positions_are_not_shown(
    seen: Driver, dee: User, pat: User, path: str, status: int
) -> None:
    url = day_url(seen) if path == "day" else path
    assert "Ada Peeters" in text_of(client_of(dee).get(url))
    response = client_of(pat).get(url)
    assert response.status_code == status
    assert "not yours to see" in text_of(response)
    assert "Ada Peeters" not in text_of(response)


def test_the_first_page_tells_a_dpo_the_same_and_has_no_position_in_it(
    seen: Driver, dee: User, pat: User
) -> None:
    assert "1-TRK-012" in text_of(client_of(dee).get("/"))
    response = client_of(pat).get("/")
    assert response.status_code == 200
    assert "not yours to see" in text_of(response)
    assert "1-TRK-012" not in text_of(response)
    assert "51.05" not in text_of(response)


def test_another_employers_day_does_not_exist(seen: Driver, dee: User, cy: User) -> None:
    assert client_of(dee).get(day_url(seen)).status_code == 200
    assert client_of(cy).get(day_url(seen)).status_code == 404
    assert "Ada Peeters" not in text_of(client_of(cy).get("/live"))


def test_a_frozen_driver_is_gone_from_the_pages(seen: Driver, dee: User) -> None:
    client = client_of(dee)
    assert "Ada Peeters" in text_of(client.get("/live"))
    freeze_driver(seen)
    assert "Ada Peeters" not in text_of(client.get("/live"))
    assert client.get(day_url(seen)).status_code == 404


def test_a_user_of_no_employer_is_refused_politely(db: None) -> None:
    response = client_of(User.objects.create_user("lone@example.org")).get("/")
    assert response.status_code == 403
    assert "not yours to see" in text_of(response)


@pytest.mark.parametrize("path", ["/", "/live", "/fleet/table", "day"])
def test_pages_with_positions_are_kept_nowhere(seen: Driver, dee: User, path: str) -> None:
    response = client_of(dee).get(day_url(seen) if path == "day" else path)
    assert "no-store" in response["Cache-Control"]


def test_the_table_is_not_sent_again_while_it_is_the_same(seen: Driver, dee: User) -> None:
    client = client_of(dee)
    first = client.get("/fleet/table")
    again = client.get("/fleet/table", headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    put_fixes(make_phone(seen), [(timezone.now(), 51.22, 4.40)])
    changed = client.get("/fleet/table", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "Antwerp" in text_of(changed)


def test_the_fleet_costs_the_same_queries_for_one_and_for_thirty(
    acme: Employer,
    seen: Driver,
    dee: User,
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    client = client_of(dee)
    client.get("/live")
    with django_assert_num_queries(8):
        client.get("/live")
    for number in range(29):
        phone = make_phone(make_driver(acme, f"Driver {number}", f"N-{number}"))
        put_fixes(phone, [(timezone.now(), 50.5, 4.5)])
    with django_assert_num_queries(8):
        assert "Driver 28" in text_of(client.get("/live"))


@pytest.fixture
def long_day(ada_phone: Phone, truck12: Truck) -> Driver:
    """25 October 2026, which has 25 hours in Brussels; the clock shows 02:00 to 03:00 twice."""
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 CEST
    points = [
        (begin + timedelta(minutes=minute), 51.0 + minute * 0.005, 3.7) for minute in range(61)
    ]
    put_fixes(ada_phone, points, truck=truck12)
    return ada_phone.driver


def test_a_day_says_what_how_long_and_how_far(long_day: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get(day_url(long_day, "2026-10-25")))
    assert "Sunday 25 October 2026" in page
    assert "Driving" in page
    assert "1 h 00 min" in page
    assert "at least 33.4 km (from positions)" in page
    assert "1-TRK-012" in page


def test_when_an_hour_comes_twice_each_time_says_which(long_day: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get(day_url(long_day, "2026-10-25")))
    assert "02:00 CEST" in page
    assert "02:00 CET" in page


def test_previous_and_next_lead_to_days_with_data(
    long_day: Driver, ada_phone: Phone, dee: User
) -> None:
    put_fixes(ada_phone, [(datetime(2026, 10, 20, 12, tzinfo=UTC), 51.0, 3.7)])
    page = text_of(client_of(dee).get(day_url(long_day, "2026-10-22")))
    assert 'rel="prev" href="?date=2026-10-20"' in page
    assert 'rel="next" href="?date=2026-10-25"' in page


def test_an_empty_day_says_what_that_means(long_day: Driver, acme: Employer, dee: User) -> None:
    acme.tracking_window = "duty"
    acme.save()
    day = (timezone.now() - timedelta(days=3)).date().isoformat()
    page = text_of(client_of(dee).get(day_url(long_day, day)))
    assert "Nothing was recorded on this day" in page
    assert "only while the driver is on duty" in page


def test_a_day_past_its_period_says_that_it_is_no_longer_kept(ada: Driver, dee: User) -> None:
    page = text_of(client_of(dee).get(day_url(ada, "2025-01-06")))
    assert "no longer kept" in page


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "0001-01-01", "9999-12-31", "é"])
def test_what_is_no_date_is_said(ada: Driver, dee: User, day: str) -> None:
    response = client_of(dee).get(day_url(ada, day))
    assert response.status_code == 400
    assert "This is no date" in text_of(response)


def test_a_missing_page_is_a_page_and_a_missing_endpoint_a_problem(dee: User) -> None:
    page = client_of(dee).get("/nothing/here")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert client_of(dee).get("/api/v1/nothing")["Content-Type"] == "application/problem+json"


def test_nobody_signs_up(db: None) -> None:
    page = Client().get("/accounts/signup/")
    assert "Nobody signs up here" in text_of(page)
    Client().post("/accounts/signup/", {"email": "x@example.org", "password1": "long enough 1"})
    assert not User.objects.exists()


def test_every_page_names_its_language_and_answers_with_the_policy(seen: Driver, dee: User) -> None:
    response = client_of(dee).get("/")
    assert '<html lang="en" data-shortcuts="on">' in text_of(response)
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "style=" not in text_of(response)
