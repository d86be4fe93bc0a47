"""The pages of settings, of one's own preferences and of the audit trail."""

from datetime import date
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.actors import Actor
from accounts.drivers import create_driver
from accounts.freezing import freeze_driver
from accounts.models import AuditEntry, Driver, Employer, Membership, Role, Truck, User
from accounts.pages.forms_settings import EmployerForm, settings_of
from tests.pages.test_manage_fleet import sent_back, truck_url, words
from tests.pages.test_pages import client_of, text_of

PASSWORD = "correct horse battery"


def filled(employer: Employer, **changes: object) -> dict[str, object]:
    """The form as a browser sends it back: what is off or empty is not in it."""
    values = {**settings_of(employer), **changes}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
        if value is not None and value is not False
    }


# --- Settings -----------------------------------------------------------------------------


def test_settings_and_trail_open_for_their_roles(
    acme: Employer, dee: User, max: User, pat: User
) -> None:
    for path, allowed in (("/manage/employer", {max}), ("/manage/audit", {max, pat})):
        assert Client().get(path)["Location"].startswith("/accounts/login/")
        for who in (dee, max, pat):
            expected = 200 if who in allowed else 403
            assert client_of(who).get(path).status_code == expected, (path, who.email)


def test_every_setting_of_the_form_is_saved(acme: Employer, max: User) -> None:
    changes: dict[str, object] = {
        "name": "Acme Cargo",
        "country": "nl",
        "timezone": "Europe/Amsterdam",
        "language": "nl",
        "tracking_window": "duty",
        "window_justification": "",
        "staff_informed_on": date(2026, 2, 1),
        "min_spacing_m": 250,
        "route_months": 3,
        "early_s": 10,
        "late_s": 20,
        "is_share_enabled": True,
        "is_shared_position_exact": True,
    }
    assert set(changes) | {"is_two_factor_required"} == set(EmployerForm().fields)
    done = client_of(max).post("/manage/employer", filled(acme, **changes))
    assert done.status_code == 302
    acme.refresh_from_db()
    kept = {**changes, "country": "NL", "early_s": 600, "late_s": 1200}
    assert {name: getattr(acme, name) for name in kept} == kept
    entry = AuditEntry.objects.get(action="employer.changed")
    assert entry.detail["late_s"] == [900, 1200]
    assert "Acme Cargo" not in str(entry.detail)


def test_a_form_that_was_open_since_before_switches_nothing_off_again(
    acme: Employer, max: User
) -> None:
    """A colleague has changed settings meanwhile; who saves another one does not undo that."""
    client = client_of(max)
    page = text_of(client.get("/manage/employer"))
    form = {**filled(acme), **sent_back(page), "name": "Acme Cargo", "tracking_window": "duty"}
    assert form["initial-is_two_factor_required"] == "False"
    Employer.objects.update(is_share_enabled=True, min_spacing_m=250, timezone="Europe/Paris")
    assert client.post("/manage/employer", form).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.tracking_window) == ("Acme Cargo", "duty")
    assert (acme.is_share_enabled, acme.min_spacing_m) == (True, 250)
    assert acme.timezone == "Europe/Paris"
    assert AuditEntry.objects.get().detail["fields"] == ["name", "tracking_window"]
    again = sent_back(text_of(client.get("/manage/employer")))
    off = {**filled(acme, is_share_enabled=False), **again}
    assert client.post("/manage/employer", off).status_code == 302
    acme.refresh_from_db()
    assert not acme.is_share_enabled


def test_what_was_not_changed_is_not_written(acme: Employer, max: User) -> None:
    acme.late_s = 930  # half a minute that the form cannot show
    acme.save()
    done = client_of(max).post("/manage/employer", filled(acme, min_spacing_m=100))
    assert done.status_code == 302
    acme.refresh_from_db()
    assert (acme.min_spacing_m, acme.late_s) == (100, 930)
    assert AuditEntry.objects.get().detail["fields"] == ["min_spacing_m"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window_justification": ""}, "needs a justification"),
        ({"staff_informed_on": None}, "the day on which the staff was informed"),
        ({"timezone": "Mars/Base"}, "is not one of the available choices"),
        ({"route_months": 13}, "less than or equal to 12"),
        ({"country": "BEL"}, "at most 2 characters"),
        ({"name": " "}, "This field is required"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_where_it_stands(
    wrong: dict[str, object], said: str, acme: Employer, max: User
) -> None:
    refused = client_of(max).post("/manage/employer", filled(acme, **wrong))
    assert refused.status_code == 400
    assert said in text_of(refused)
    assert "Nothing was saved" in text_of(refused)
    assert not AuditEntry.objects.exists()


def test_the_page_says_what_a_setting_means_for_drivers_and_consignees(max: User) -> None:
    page = text_of(client_of(max).get("/manage/employer"))
    for sentence in (
        "A break does not end it; private mode does",
        "Longer, up to 12, only where",
        "No driver&#x27;s name, no other stop",
        "A stranger then sees to the metre",
    ):
        assert sentence in page


def test_a_manager_who_wants_a_second_factor_is_the_first_to_set_one_up(
    acme: Employer, max: User
) -> None:
    client = client_of(max)
    client.post("/manage/employer", filled(acme, is_two_factor_required=True))
    acme.refresh_from_db()
    assert acme.is_two_factor_required
    assert client.get("/manage")["Location"].startswith("/accounts/2fa/totp/activate/")


# --- Preferences --------------------------------------------------------------------------


def test_everybody_has_preferences(dee: User, max: User, pat: User) -> None:
    assert Client().get("/preferences")["Location"].startswith("/accounts/login/")
    for who in (dee, max, pat):
        page = text_of(client_of(who).get("/preferences"))
        assert who.email in page
        assert "Change the password" in page
    assert (
        client_of(User.objects.create_user("lone@x.example")).get("/preferences").status_code == 403
    )


def test_the_own_language_wins_over_the_browsers_and_comes_along_to_another(
    dee: User,
) -> None:
    dee.set_password(PASSWORD)
    dee.save()
    client = Client(headers={"Accept-Language": "fr"})
    client.force_login(dee)
    assert '<html lang="fr"' in text_of(client.get("/preferences"))
    client.post("/preferences", {"language": "nl", "has_shortcuts": "on"})
    assert '<html lang="nl"' in text_of(client.get("/preferences"))
    other = Client(headers={"Accept-Language": "fr"})
    other.post("/accounts/login/", {"login": dee.email, "password": PASSWORD})
    assert '<html lang="nl"' in text_of(other.get("/manage"))
    client.post("/preferences", {"language": "", "has_shortcuts": "on"})
    assert '<html lang="fr"' in text_of(client.get("/preferences"))


def test_who_has_no_language_does_not_get_that_of_the_user_before(dee: User, pat: User) -> None:
    for user, language in ((dee, "nl"), (pat, "")):
        user.set_password(PASSWORD)
        user.language = language
        user.save()
    client = Client()
    client.post("/accounts/login/", {"login": dee.email, "password": PASSWORD})
    assert '<html lang="nl"' in text_of(client.get("/preferences"))
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": pat.email, "password": PASSWORD})
    assert '<html lang="en"' in text_of(client.get("/preferences"))


def test_single_keys_are_switched_off(dee: User) -> None:
    client = client_of(dee)
    assert 'data-shortcuts="on"' in text_of(client.get("/preferences"))
    client.post("/preferences", {"language": ""})
    assert 'data-shortcuts="off"' in text_of(client.get("/preferences"))


def test_a_language_we_do_not_speak_is_refused(dee: User) -> None:
    assert client_of(dee).post("/preferences", {"language": "xx"}).status_code == 400


def test_a_user_of_two_employers_switches_between_them(
    dee: User, elsewhere: Employer, cy_driver: Driver, ada: Driver
) -> None:
    client = client_of(dee)
    assert "Another employer" not in text_of(client.get("/preferences"))
    Membership.objects.create(user=dee, employer=elsewhere, role=Role.DISPATCHER)
    assert "Another employer" in text_of(client.get("/preferences"))
    assert "Ada Peeters" in text_of(client.get("/manage/drivers"))
    done = client.post("/preferences/employer", {"employer": str(elsewhere.uuid)}, follow=True)
    assert "You are at Elsewhere Logistics now." in text_of(done)
    page = text_of(client.get("/manage/drivers"))
    assert "Cleo Dubois" in page
    assert "Ada Peeters" not in page
    assert '<span class="employer">Elsewhere Logistics</span>' in page


def test_nobody_switches_to_an_employer_they_do_not_belong_to(
    dee: User, elsewhere: Employer, cy_driver: Driver
) -> None:
    client = client_of(dee)
    client.post("/preferences/employer", {"employer": str(elsewhere.uuid)})
    assert "Cleo Dubois" not in text_of(client.get("/manage/drivers"))


def test_nobody_switches_to_an_employer_that_wants_a_factor_they_lack(
    dee: User, elsewhere: Employer
) -> None:
    Membership.objects.create(user=dee, employer=elsewhere, role=Role.DISPATCHER)
    elsewhere.is_two_factor_required = True
    elsewhere.save()
    client = client_of(dee)
    answer = client.post("/preferences/employer", {"employer": str(elsewhere.uuid)})
    assert answer["Location"] == "/accounts/2fa/"
    assert client.get("/manage").status_code == 200


# --- The audit trail ----------------------------------------------------------------------


@pytest.fixture
def trail(acme: Employer, max: User, dee: User, truck12: Truck) -> Driver:
    """A driver was added, then changed, and a truck was changed by max."""
    driver = create_driver(Actor("user", acme, user=max), name="Eva Janssens", number="D-9")
    client = client_of(max)
    client.post(f"/manage/drivers/{driver.uuid}/edit", {"name": "Eva Maes", "number": "D-9"})
    client.post(truck_url(truck12, "/edit"), {"plate": "1-TRK-012", "country": "BE", "name": "x"})
    return driver


def test_the_trail_names_who_and_what_newest_first(trail: Driver, max: User) -> None:
    max.name = "Max Moreau"
    max.save()
    page = words(text_of(client_of(max).get("/manage/audit")))
    rows = page[page.index("Details") :]
    assert rows.index("Truck changed 1-TRK-012") < rows.index("Driver changed Eva Maes")
    assert rows.index("Driver changed Eva Maes") < rows.index("Driver added Eva Maes")
    assert "Max Moreau Driver changed Eva Maes all its changes" in rows
    assert "fields: name" in rows


def test_the_trail_is_read_by_action_object_and_actor(trail: Driver, max: User) -> None:
    client = client_of(max)
    by_action = words(text_of(client.get("/manage/audit?action=driver.created")))
    by_object = words(text_of(client.get(f"/manage/audit?object={trail.uuid}")))
    nothing = text_of(client.get(f"/manage/audit?actor={uuid4()}"))
    table = "What was done To what Details"
    assert by_action[by_action.index(table) :].count("all its changes") == 1
    assert by_object[by_object.index(table) :].count("all its changes") == 2
    assert "Nothing like this was changed." in nothing
    assert client.get("/manage/audit?object=x&before=y&action=%00").status_code == 200


def test_the_trail_is_read_on_from_its_last_row(acme: Employer, max: User) -> None:
    for n in range(55):
        create_driver(Actor("user", acme, user=max), name=f"Driver {n:02}")
    client = client_of(max)
    page = text_of(client.get("/manage/audit?action=driver.created"))
    assert "Driver 05" in page
    assert "Driver 04" not in page
    older = page.split('href="?action=driver.created&amp;before=')[1].split('"')[0]
    page = text_of(client.get(f"/manage/audit?action=driver.created&before={older}"))
    assert "Driver 04" in page
    assert "Driver 05" not in page
    assert "Older changes" not in page


def test_the_trail_asks_the_database_as_often_for_one_as_for_thirty(
    acme: Employer, max: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    actor = Actor("user", acme, user=max)
    create_driver(actor, name="Driver")
    client = client_of(max)
    with django_assert_num_queries(9):
        client.get("/manage/audit")
    for n in range(30):
        create_driver(actor, name=f"Driver {n:02}")
    with django_assert_num_queries(9):
        assert "Driver 29" in text_of(client.get("/manage/audit"))


def test_the_trail_forgets_the_name_of_a_frozen_driver_and_shows_no_stranger(
    trail: Driver, max: User, cy: User
) -> None:
    client = client_of(max)
    assert "Eva Maes" in text_of(client.get("/manage/audit"))
    assert "Eva Maes" not in text_of(client_of(cy).get("/manage/audit"))
    freeze_driver(trail)
    page = text_of(client.get(f"/manage/audit?object={trail.uuid}"))
    assert "Eva Maes" not in page
