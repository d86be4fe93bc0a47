"""A code buys a token, once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from rest_framework.test import APIClient

from accounts.actors import Actor
from accounts.freezing import freeze_driver, unfreeze_driver
from accounts.models import (
    AuditEntry,
    Device,
    DeviceHolding,
    DeviceToken,
    Driver,
    Employer,
    PairingCode,
    Tries,
)
from accounts.pairing import (
    MAX_TRIES,
    CodeRefused,
    Paired,
    code_hash,
    forget_spent,
    make_pairing_code,
    spend_pairing_code,
)
from accounts.refusals import DriverFrozen, TooManyTries
from accounts.secrets import secret_hash
from accounts.tasks import forget_spent_codes
from accounts.tries import address_hash, refuse_too_many
from tests.accounts.racing import raced
from tests.cast import ClientFor

OFFICE = "192.0.2.7"


@pytest.fixture
def code(acme: Employer, ada: Driver) -> str:
    return make_pairing_code(Actor("command", acme), ada, device_name="cab phone")[1]


def test_a_code_buys_a_token_for_its_driver(code: str, ada: Driver) -> None:
    paired = spend_pairing_code(code, OFFICE, platform="android")
    assert (paired.device.name, paired.device.platform) == ("cab phone", "android")
    token = DeviceToken.objects.get(token_hash=secret_hash(paired.token))
    assert (token.device, token.scope, token.expires_at) == (paired.device, "app", None)
    holding = DeviceHolding.objects.get(device=paired.device)
    assert holding.driver == ada
    assert (holding.period.lower, holding.period.upper) == (None, None)
    entry = AuditEntry.objects.get(action="device.paired")
    assert (entry.actor_kind, entry.actor) == ("device", paired.device.uuid)


def test_a_code_survives_being_read_out(code: str) -> None:
    assert len(code) == 8
    spoken = f" {code[:4]}-{code[4:]} ".lower().replace("0", "o").replace("1", "l")
    assert spend_pairing_code(spoken, OFFICE).token


def test_only_hashes_are_stored(code: str) -> None:
    spend_pairing_code(code, OFFICE)
    row = PairingCode.objects.get()
    assert bytes(row.code_hash) == code_hash(code)
    assert code.encode() not in bytes(row.code_hash)
    assert bytes(Tries.objects.get().address_hash) == address_hash("pairing", OFFICE)


def test_a_code_is_good_once(code: str) -> None:
    spend_pairing_code(code, OFFICE)
    with pytest.raises(CodeRefused):
        spend_pairing_code(code, OFFICE)
    assert Device.objects.count() == 1


def test_a_code_is_good_for_15_minutes(code: str) -> None:
    lifetime = PairingCode.objects.get().expires_at - datetime.now(UTC)
    assert timedelta(minutes=14) < lifetime <= timedelta(minutes=15)
    PairingCode.objects.update(expires_at=Now())
    with pytest.raises(CodeRefused):
        spend_pairing_code(code, OFFICE)


def test_a_frozen_drivers_code_is_refused_and_not_spent(code: str, ada: Driver) -> None:
    freeze_driver(ada)
    with pytest.raises(DriverFrozen):
        spend_pairing_code(code, OFFICE)
    unfreeze_driver(ada)
    assert spend_pairing_code(code, OFFICE).token


def test_an_address_has_ten_wrong_tries_an_hour(code: str) -> None:
    for _ in range(MAX_TRIES):
        with pytest.raises(CodeRefused):
            spend_pairing_code("ZZZZZZZZ", OFFICE)
    with pytest.raises(TooManyTries) as refusal:
        spend_pairing_code(code, OFFICE)
    assert 0 < int(refusal.value.headers["Retry-After"]) <= 3601
    assert spend_pairing_code(code, "192.0.2.8").token


def test_right_codes_do_not_use_up_the_tries(acme: Employer, ada: Driver) -> None:
    for _ in range(MAX_TRIES + 2):
        _, code = make_pairing_code(Actor("command", acme), ada)
        spend_pairing_code(code, OFFICE)
    assert Tries.objects.get().tries == 0


def test_an_ipv6_customer_counts_as_one_address() -> None:
    assert address_hash("pairing", "2001:db8:1:2::1") == address_hash(
        "pairing", "2001:db8:1:2:ffff::9"
    )
    assert address_hash("pairing", "2001:db8:1:2::1") != address_hash("pairing", "2001:db8:1:3::1")
    assert address_hash("pairing", "::ffff:192.0.2.7") == address_hash("pairing", "192.0.2.7")
    assert address_hash("pairing", "192.0.2.7") != address_hash("pairing", "192.0.2.8")


def test_what_is_over_is_forgotten(code: str) -> None:
    spend_pairing_code(code, OFFICE)
    assert forget_spent(datetime.now(UTC)) == 0
    assert forget_spent(datetime.now(UTC) + timedelta(days=2)) == 2
    assert not PairingCode.objects.exists()


def test_the_clock_forgets_them_too(acme: Employer, ada: Driver) -> None:
    make_pairing_code(Actor("command", acme), ada)
    kept, _ = make_pairing_code(Actor("command", acme), ada)
    old = PairingCode.objects.exclude(pk=kept.pk)
    assert old.update(expires_at=datetime.now(UTC) - timedelta(days=2)) == 1
    forget_spent_codes()
    assert PairingCode.objects.get() == kept


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_race_for_one_code_exactly_one_wins(acme: Employer, ada: Driver) -> None:
    for _ in range(10):
        _, code = make_pairing_code(Actor("command", acme), ada)
        outcomes = raced(
            *(lambda code=code, n=n: spend_pairing_code(code, f"192.0.2.{n}") for n in range(8))
        )
        assert sum(isinstance(outcome, Paired) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, CodeRefused) for outcome in outcomes) == 7
    assert Device.objects.count() == DeviceToken.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_all_counted(acme: Employer) -> None:
    outcomes = raced(*(lambda: spend_pairing_code("ZZZZZZZZ", OFFICE) for _ in range(14)))
    assert sum(isinstance(outcome, CodeRefused) for outcome in outcomes) == MAX_TRIES
    assert sum(isinstance(outcome, TooManyTries) for outcome in outcomes) == 4


def test_the_office_makes_a_code_and_the_phone_trades_it(
    client_for: ClientFor, ada: Driver
) -> None:
    made = client_for("dispatcher").post("/api/v1/pairing-codes", {"driver": str(ada.uuid)})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert made.headers["Referrer-Policy"] == "no-referrer"
    sent = made.json()
    assert sent["qr_text"] == f"http://testserver/api/v1/pairing#{sent['code']}"
    assert sent["qr_svg"].startswith("<svg ")
    assert sent["code"] not in str(AuditEntry.objects.values_list("detail", flat=True))
    answer = APIClient().post("/api/v1/pairing", {"code": sent["code"], "platform": "ios"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    phone = APIClient(headers={"Authorization": f"Bearer {answer.json()['token']}"})
    assert phone.get("/api/v1/me").json()["driver"]["id"] == str(ada.uuid)
    assert phone.get("/api/v1/me/settings").json() == answer.json()["settings"]


def test_the_eleventh_wrong_try_is_429_with_retry_after(code: str) -> None:
    phone = APIClient(REMOTE_ADDR=OFFICE)
    answers = [phone.post("/api/v1/pairing", {"code": "ZZZZZZZZ"}) for _ in range(MAX_TRIES + 1)]
    assert [answer.status_code for answer in answers] == [400] * MAX_TRIES + [429]
    assert answers[0].json()["type"] == "pairing_code_refused"
    assert answers[-1].json()["type"] == "too_many_tries"
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": None}, {"code": "\0"}, [], "x"])
def test_a_body_without_a_code_is_refused(db: None, body: object) -> None:
    answer = APIClient().post("/api/v1/pairing", body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        400,
        "application/problem+json",
    )


def test_tries_of_another_kind_are_counted_apart(db: None) -> None:
    for _ in range(3):
        refuse_too_many("reading", OFFICE, 3)
    with pytest.raises(TooManyTries) as refused:
        refuse_too_many("reading", OFFICE, 3)
    assert 0 < int(refused.value.headers["Retry-After"]) <= 3601
    refuse_too_many("writing", OFFICE, 3)
    refuse_too_many("reading", "192.0.2.8", 3)
