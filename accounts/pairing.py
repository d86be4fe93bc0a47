"""Pair a phone: a short code, read off a screen, buys a token once.

The code is 40 random bits. What keeps it from being guessed is not its length but that it
lives for 15 minutes and that an address has 10 wrong tries an hour.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Device, Driver, PairingCode, TokenScope
from accounts.phones import new_phone
from accounts.refusals import DriverFrozen, Problem
from accounts.tries import forget_tries, give_back, refuse_too_many

# Crockford's base 32: no I, L, O and U, so that a code survives being read out.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 8
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
CODE_LIFETIME: Final = timedelta(minutes=15)
MAX_TRIES: Final = 10  # an hour, of one address
TRIES: Final = "pairing"


class CodeRefused(Problem):
    """Unknown, expired or used: which of them is not said, or guessing would learn from it."""

    code = "pairing_code_refused"


@dataclass(frozen=True, slots=True)
class Paired:
    """What a code bought."""

    device: Device
    driver: Driver
    token: str


def make_pairing_code(
    actor: Actor, driver: Driver, *, device_name: str = "", scope: str = TokenScope.APP
) -> tuple[PairingCode, str]:
    """A code for this driver's phone, and the code itself, which nobody can read again."""
    if driver.frozen_at is not None:
        raise DriverFrozen("This driver's data is frozen.")
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    with transaction.atomic():
        row = PairingCode.objects.create(
            employer=actor.employer,
            driver=driver,
            code_hash=code_hash(code),
            scope=scope,
            device_name=device_name.strip(),
            expires_at=timezone.now() + CODE_LIFETIME,
        )
        record(actor, "pairing_code.created", row, {"driver": str(driver.uuid)})
    return row, code


def spend_pairing_code(
    code: str, address: str, *, platform: str = "", scope: TokenScope | None = None
) -> Paired:
    """Trade a code for a token, once. CodeRefused, or TooManyTries for this address.

    With `scope`, a code for another one is refused like an unknown one.

    The try is counted before the code is looked at, in a transaction of its own, and given
    back when the code was right: a depot that pairs thirty phones has one address.
    """
    refuse_too_many(TRIES, address, MAX_TRIES)
    with transaction.atomic():
        codes = PairingCode.objects.filter(code_hash=code_hash(code))
        if scope is not None:
            codes = codes.filter(scope=scope)
        spent = codes.filter(used_at__isnull=True, expires_at__gt=Now()).update(used_at=Now())
        if not spent:
            raise CodeRefused("This code is wrong, too old or used; ask for a new one.")
        rows = PairingCode.objects.select_related("employer", "driver")
        row = rows.get(code_hash=code_hash(code))
        device, token = new_phone(
            row.driver, name=row.device_name, scope=row.scope, platform=platform
        )
        phone = Actor("device", row.employer, device=device, driver=row.driver)
        record(phone, "device.paired", device, {"driver": str(row.driver.uuid)})
    give_back(TRIES, address)
    return Paired(device, row.driver, token)


def forget_spent(now: datetime) -> int:
    """Delete codes and counts that can no longer matter; for the schedule. How many rows."""
    codes, _ = PairingCode.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    return forget_tries(now) + codes


def code_hash(code: str) -> bytes:
    """Keyed, since 40 bits alone would be found again in a stolen table within a second."""
    plain = code.upper().translate(_MISREAD)
    return salted_hmac("accounts.pairing.code", plain, algorithm="sha256").digest()
