"""Count what one address tries in an hour, where guessing or a flood would do harm.

In the database, since a count in memory would be one for each process. Clocks of the wall:
a count begins anew at each full hour.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import Tries
from accounts.refusals import TooManyTries


def refuse_too_many(kind: str, address: str, limit: int) -> None:
    """Count one try. TooManyTries when it is more than `limit` in this hour.

    Kinds are counted apart. Call it outside the transaction that the try is for: one that
    is rolled back counts too.
    """
    now = timezone.now()
    hour_at = _hour_of(now)
    # One statement that counts and tells: two tries at once get two numbers.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_tries AS a (address_hash, hour_at, tries) "
            "VALUES (%s, %s, 1) ON CONFLICT (address_hash, hour_at) "
            "DO UPDATE SET tries = a.tries + 1 RETURNING tries",
            [address_hash(kind, address), hour_at],
        )
        (tries,) = cursor.fetchone() or (0,)
    if tries > limit:
        wait_s = int((hour_at + timedelta(hours=1) - now).total_seconds()) + 1
        raise TooManyTries("Too many tries from this address; wait.", retry_after_s=wait_s)


def give_back(kind: str, address: str) -> None:
    """A try that was right does not count."""
    counted = Tries.objects.filter(
        address_hash=address_hash(kind, address), hour_at=_hour_of(timezone.now()), tries__gt=0
    )
    counted.update(tries=F("tries") - 1)


def forget_tries(now: datetime) -> int:
    """Delete counts that can no longer matter. How many rows."""
    return Tries.objects.filter(hour_at__lt=now - timedelta(hours=2)).delete()[0]


def address_hash(kind: str, address: str) -> bytes:
    """Keyed, so that the table holds no address. An IPv6 customer has a /64, so that counts."""
    try:
        plain = ip_address(address)
    except ValueError:
        network = address
    else:
        mapped = plain.ipv4_mapped if isinstance(plain, IPv6Address) else None
        plain = mapped or plain
        network = str(ip_network((plain, 64 if plain.version == 6 else 32), strict=False))
    return salted_hmac(f"accounts.tries.{kind}", network, algorithm="sha256").digest()


def _hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
