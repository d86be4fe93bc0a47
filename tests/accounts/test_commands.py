"""The commands that make the first rows of an installation."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import (
    AuditEntry,
    DeviceHolding,
    DeviceToken,
    Driver,
    Employer,
    Membership,
    Truck,
    TruckAssignment,
    User,
)
from accounts.secrets import secret_hash
from tests.cast import assign

ROOT = Path(__file__).parents[2]


def made(*words: str) -> dict[str, Any]:
    """What a command printed with --json: one object on one line."""
    out = io.StringIO()
    call_command(*words, "--json", stdout=out, stderr=io.StringIO())
    (line,) = out.getvalue().splitlines()
    printed: dict[str, Any] = json.loads(line)
    return printed


def refused(*words: str) -> str:
    """The one sentence of a command that refuses."""
    with pytest.raises(CommandError) as refusal:
        call_command(*words, stdout=io.StringIO(), stderr=io.StringIO())
    return str(refusal.value)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))


def test_an_employer_has_the_contracts_defaults(db: None) -> None:
    employer = Employer.objects.get(uuid=made("create_employer", "Acme Transport")["id"])
    assert (employer.name, employer.timezone) == ("Acme Transport", "Europe/Brussels")
    assert (employer.tracking_window, employer.min_spacing_m) == ("duty", 0)
    assert employer.staff_informed_on == datetime.now(UTC).date()
    assert not employer.is_two_factor_required


def test_an_employer_takes_every_option(db: None) -> None:
    words = ["--timezone", "Europe/Amsterdam", "--min-spacing-m", "500"]
    words += ["--staff-informed-on", "2026-01-12"]
    words += ["--tracking-window", "always", "--justification", "Dangerous goods."]
    employer = Employer.objects.get(uuid=made("create_employer", "Acme", *words)["id"])
    assert (employer.timezone, employer.min_spacing_m) == ("Europe/Amsterdam", 500)
    assert str(employer.staff_informed_on) == "2026-01-12"
    assert employer.window_justification == "Dangerous goods."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--timezone", "Mars/Phobos"], "There is no time zone 'Mars/Phobos'"),
        (["--tracking-window", "always"], "needs a justification"),
        (["--tracking-window", "sometimes"], "invalid choice"),
        (["--staff-informed-on", "yesterday"], "is not a day like"),
        (["--min-spacing-m=-1"], "The spacing is 0 to"),
        (["--min-spacing-m", "half"], "invalid int"),
    ],
)
def test_a_bad_employer_is_refused(db: None, words: list[str], sentence: str) -> None:
    assert sentence in refused("create_employer", "Acme", *words)
    assert not Employer.objects.exists()


def test_a_name_that_does_not_fit_is_refused_without_a_traceback(db: None) -> None:
    assert "cannot hold this" in refused("create_employer", "x" * 300)


def test_what_is_not_text_is_refused_without_a_traceback(
    acme: Employer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong byte of an argument reaches Python as a lone surrogate."""
    assert "not text in UTF-8" in refused("create_employer", "\udcff")
    assert "not text in UTF-8" in refused(
        "create_driver", "--employer", str(acme.uuid), "--name", "\udcff"
    )
    words = ["--employer", str(acme.uuid), "--role", "dpo", "--password-stdin"]
    for stdin in (
        io.TextIOWrapper(io.BytesIO(b"correct \xff battery\n"), encoding="utf-8"),
        io.StringIO("correct \udcff battery\n"),  # as in the C locale
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "not text in UTF-8" in refused("create_user", "max@acme.example", *words)
    assert Employer.objects.get() == acme
    assert not User.objects.exists()


def test_a_user_signs_in_with_the_password_from_standard_input(acme: Employer, typed: None) -> None:
    words = ["--employer", str(acme.uuid), "--role", "manager", "--password-stdin"]
    user = User.objects.get(uuid=made("create_user", "Max@Acme.example", *words)["id"])
    assert user.email == "max@acme.example"
    assert user.check_password("correct horse battery")
    assert Membership.objects.get(user=user).role == "manager"


@pytest.mark.parametrize(
    ("email", "sentence"), [("DEE@acme.example", "exists"), ("dee", "not an e-mail address")]
)
def test_a_bad_address_is_refused(
    acme: Employer, dee: User, typed: None, email: str, sentence: str
) -> None:
    words = ["--employer", str(acme.uuid), "--role", "dpo", "--password-stdin"]
    assert sentence in refused("create_user", email, *words)


def test_a_user_needs_a_password(acme: Employer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    words = ["--employer", str(acme.uuid), "--role", "dpo", "--password-stdin"]
    assert "no password" in refused("create_user", "max@acme.example", *words)


def test_a_driver_is_attested_to_be_an_adult(acme: Employer) -> None:
    words = ["--employer", str(acme.uuid), "--name", "Ada Özdemir", "--number", "D-1"]
    driver = Driver.objects.get(uuid=made("create_driver", *words)["id"])
    assert (driver.name, driver.name_folded, driver.number) == ("Ada Özdemir", "ada ozdemir", "D-1")
    assert driver.adult_attested_on == datetime.now(UTC).date()
    assert "number D-1 is another" in refused("create_driver", *words)


def test_a_truck_has_a_plate_of_its_own(acme: Employer) -> None:
    words = ["--employer", str(acme.uuid), "--plate", "1-abc-123"]
    assert Truck.objects.get(uuid=made("create_truck", *words)["id"]).plate == "1-ABC-123"
    assert "1-ABC-123 is in service" in refused("create_truck", *words)


def test_a_truck_is_assigned_between_two_moments(truck12: Truck, ada: Driver) -> None:
    words = ["--truck", str(truck12.uuid), "--driver", str(ada.uuid)]
    times = ["--from", "2026-11-16T07:00:00+01:00", "--to", "2026-11-16T15:00:00Z"]
    found = TruckAssignment.objects.get(uuid=made("assign_truck", *words, *times)["id"])
    assert (found.truck, found.driver) == (truck12, ada)
    assert found.period.lower == datetime(2026, 11, 16, 6, tzinfo=UTC)
    assert found.period.upper == datetime(2026, 11, 16, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (["--from", "2026-11-16T06:00:00"], "has no zone"),
        (["--from", "monday"], "is not a time like"),
        (["--from", "2026-11-16T06:00:00Z", "--to", "2026-11-16T06:00:00Z"], "ends after it"),
        (["--from", "2026-11-16T06:00:00Z"], "is in the way"),
    ],
)
def test_a_bad_assignment_is_refused(
    truck12: Truck, ada: Driver, ben: Driver, times: list[str], sentence: str
) -> None:
    assign(truck12, ben, datetime(2026, 11, 16, tzinfo=UTC))
    words = ["--truck", str(truck12.uuid), "--driver", str(ada.uuid)]
    assert sentence in refused("assign_truck", *words, *times)
    assert TruckAssignment.objects.count() == 1


def test_another_employers_driver_does_not_exist(cy_truck: Truck, ada: Driver) -> None:
    words = ["--truck", str(cy_truck.uuid), "--driver", str(ada.uuid)]
    sentence = refused("assign_truck", *words, "--from", "2026-11-16T06:00:00Z")
    assert "There is no driver" in sentence


def test_a_phones_first_holding_has_no_lower_bound(ada: Driver) -> None:
    printed = made("enrol_device", "--driver", str(ada.uuid), "--name", "cab")
    assert set(printed) == {"id", "token"}
    token = DeviceToken.objects.get(token_hash=secret_hash(printed["token"]))
    assert (str(token.device.uuid), token.scope) == (printed["id"], "app")
    holding = DeviceHolding.objects.get()
    assert (holding.driver, holding.period.lower, holding.period.upper) == (ada, None, None)
    phone = APIClient(headers={"Authorization": f"Bearer {printed['token']}"})
    assert phone.get("/api/v1/me").status_code == 200


def test_a_phone_may_be_carried_from_a_moment_on(ada: Driver) -> None:
    words = ["--scope", "ingest", "--from", "2026-11-16T06:00:00Z"]
    printed = made("enrol_device", "--driver", str(ada.uuid), *words)
    assert DeviceHolding.objects.get().period.lower == datetime(2026, 11, 16, 6, tzinfo=UTC)
    assert DeviceToken.objects.get(token_hash=secret_hash(printed["token"])).scope == "ingest"


def test_an_api_key_works_at_once(acme: Employer) -> None:
    printed = made("create_api_key", "--employer", str(acme.uuid), "--role", "dispatcher")
    client = APIClient(headers={"Authorization": f"Bearer {printed['token']}"})
    assert client.get("/api/v1/employer").json()["id"] == str(acme.uuid)
    entry = AuditEntry.objects.get(action="api_key.created")
    assert (entry.actor_kind, str(entry.object_id)) == ("command", printed["id"])


@pytest.mark.parametrize(
    "words",
    [
        ["create_driver", "--name", "Ada", "--employer"],
        ["create_truck", "--plate", "1-ABC-123", "--employer"],
        ["create_api_key", "--role", "dpo", "--employer"],
        ["enrol_device", "--driver"],
    ],
)
def test_an_id_that_is_none_is_refused(acme: Employer, words: list[str]) -> None:
    assert "is not an id" in refused(*words, "12")
    missing = "00000000-0000-4000-8000-000000000000"
    assert f"with the id {missing}" in refused(*words, missing)


def test_a_person_reads_a_line_instead(acme: Employer) -> None:
    out = io.StringIO()
    call_command("create_truck", "--employer", str(acme.uuid), "--plate", "1-A", stdout=out)
    assert out.getvalue() == f"Made the truck {Truck.objects.get().uuid}.\n"


def test_without_a_database_a_command_says_so_and_fails() -> None:
    """A process of its own: the exit code, and nothing but a sentence on standard error."""
    nowhere = "postgres:///nowhere?host=/nonexistent"
    ran = subprocess.run(
        [sys.executable, "manage.py", "create_employer", "Acme", "--json"],
        cwd=ROOT,
        # No pool: that is the web process's, whose module sets it for whoever imports it.
        env={**os.environ, "DATABASE_URL": nowhere, "DATABASE_POOL_SIZE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("CommandError: The database is not ready")
    assert "Traceback" not in ran.stderr
